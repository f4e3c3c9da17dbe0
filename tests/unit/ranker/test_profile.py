"""What users declared becomes indicators, worked by hand."""

import numpy as np

from shortlist.ranker.profile import declared


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
