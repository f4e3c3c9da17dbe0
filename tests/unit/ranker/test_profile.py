"""What users declared, and how often they clicked, worked by hand."""

import numpy as np

from shortlist.datasets.events import Events, Histories, Kind
from shortlist.ranker.profile import declared, tallies, tally


def test_interests_language_activity_and_age_band_become_indicators(micro):
    users, catalogue = micro.view.users, micro.view.catalogue
    said = declared(users, catalogue)
    names = [*catalogue.tag_names, *users.languages]
    assert said.shape == (24, len(names))
    assert said.dtype == np.float32

    def of(user: int) -> set[str]:
        return {names[place] for place in np.flatnonzero(said[user])}

    # See the makers: user 0 names no interest, user 2 no language.
    assert [of(0), of(1), of(2)] == [{"en"}, {"dogs", "de"}, {"cats"}]
    assert set(np.unique(said)) == {0.0, 1.0}


def test_an_interest_that_no_video_has_is_left_out(micro):
    users, catalogue = micro.view.users, micro.view.catalogue
    interests = users.table.schema.get_field_index("interests")
    strange = [["dogs", "opera"]] * len(users)
    field = users.table.schema.field(interests)
    table = users.table.set_column(interests, field, [strange])
    other = type(users)(table, users.ids, users.language, users.languages, users.activity, ())
    np.testing.assert_array_equal(declared(other, catalogue).sum(axis=1), 1 + (users.language >= 0))


def test_rows_carry_the_profiles_of_all_users(micro):
    said = declared(micro.view.users, micro.view.catalogue)
    np.testing.assert_array_equal(micro.rows.profile, said)


def test_a_tally_is_the_doubted_log_odds_of_a_click_and_the_count():
    # Ten impressions at the usual rate of .4 are granted to everybody.
    shown = (10 + 6) - 4
    wanted = [np.log((4 + 4) / shown / (0.4 / 0.6)), 0.2 * np.log(11)]
    np.testing.assert_allclose(tally(10, 4), wanted, rtol=1e-6)
    np.testing.assert_allclose(tally(0, 0), [0.0, 0.0], atol=1e-7)
    never, always = tally([3, 3], [0, 3])
    assert never[0] < 0 < always[0]


def test_clicks_and_more_count_as_clicks():
    kinds = [Kind.SHOWN, Kind.SKIP, Kind.CLICK, Kind.LONG_VIEW, Kind.LIKE]
    one = Events(np.arange(5), np.array(kinds, np.int8), np.zeros(5))
    np.testing.assert_array_equal(tallies([one, Events.none()]), tally([5, 0], [3, 0]))


def test_a_row_is_told_the_tally_of_what_came_before_it(micro):
    histories = Histories.from_log(micro.view.log, len(micro.view.users))
    for user in (0, 7):
        past, first = histories.of(user), int(micro.rows.borders[user])
        for place in (0, 1, 13):
            before = Events(past.video[:place], past.kind[:place], past.day[:place])
            got = micro.rows.tally[first + place]
            np.testing.assert_allclose(got, tallies([before])[0], rtol=1e-6)
