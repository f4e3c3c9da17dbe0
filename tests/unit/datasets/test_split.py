import datetime as dt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shortlist.datasets.interactions import Interactions
from shortlist.datasets.split import Split, Window, fit_and_tuning, split, split_days
from shortlist.errors import InputError, SettingsError
from shortlist.settings.datasets import DatasetsSettings


def rows(user: list[int], day: list[int] | None = None) -> Interactions:
    number = len(user)
    some = np.zeros(number, np.float32)
    return Interactions(
        user=np.array(user, np.int64),
        video=np.arange(number),
        day=np.array(day or [0] * number, np.int64),
        session=np.arange(number),
        position=np.arange(number),
        click=some,
        long_view=some,
        like=some,
        skip=some,
        watch_seconds=some,
        propensity=some.astype(np.float64),
        random_exposure=some.astype(np.bool_),
        context=np.zeros((number, 0), np.float32),
    )


def day(number: int) -> dt.date:
    return dt.date(2026, 1, number)


def test_days_are_cut_from_the_end():
    cut = split_days([day(n) for n in range(1, 11)], DatasetsSettings())
    assert cut.history == Window(day(1), day(6))
    assert cut.validation == Window(day(4), day(6))
    assert cut.test == Window(day(7), day(10))
    assert (cut.as_of, cut.tuning_as_of) == (day(7), day(4))


def test_days_without_impressions_do_not_count():
    settings = DatasetsSettings(test_days=1, validation_days=1)
    cut = split_days([day(1), day(2), day(20), day(30)], settings)
    assert (cut.history.last, cut.validation) == (day(20), Window(day(20), day(20)))
    assert cut.test == Window(day(30), day(30))


def test_a_source_that_fixes_its_split_overrules_the_number_of_test_days(make_dataset):
    settings = DatasetsSettings(test_days=1, validation_days=1)
    assert split(make_dataset(), settings).test.first == day(7)
    days = [day(n) for n in range(1, 8)]
    assert split_days(days, settings, test_from=day(4)).test == Window(day(4), day(7))
    for border, missing in [(day(1), "no history"), (day(8), "no test days")]:
        with pytest.raises(InputError, match=f"{missing}: the log runs from 2026-01-01"):
            split_days(days, settings, test_from=border)


def test_too_short_a_log_names_the_setting_and_what_would_do():
    with pytest.raises(SettingsError, match=r"test_days cannot be 4: .* at most 2 can"):
        split_days([day(1), day(2), day(3)], DatasetsSettings())
    with pytest.raises(SettingsError, match=r"validation_days cannot be 3: .* at most 1 can"):
        split_days([day(n) for n in range(1, 7)], DatasetsSettings())
    with pytest.raises(SettingsError, match="at most 0 can"):
        split_days([], DatasetsSettings())


def test_a_history_on_one_day_is_cut_by_each_users_last_events():
    cut = split_days([day(1), day(2), day(3)], DatasetsSettings(test_days=2, validation_events=2))
    assert cut.validation is None
    assert cut.tuning_as_of == cut.as_of == day(2)
    #                 user 0 has five rows, user 1 three, user 2 one
    fit, tuning = fit_and_tuning(rows([0, 1, 0, 0, 1, 2, 0, 1, 0]), cut)
    assert fit.video.tolist() == [0, 1, 2, 3, 4, 5]
    assert tuning.video.tolist() == [6, 7, 8]


def test_a_history_of_days_is_cut_at_the_first_validation_day():
    cut = split_days(
        [day(n) for n in range(1, 6)], DatasetsSettings(test_days=2, validation_days=1)
    )
    start = (day(1) - dt.date(1970, 1, 1)).days
    fit, tuning = fit_and_tuning(rows([0, 0, 1, 1], [start, start + 1, start + 1, start + 2]), cut)
    assert (fit.video.tolist(), tuning.video.tolist()) == ([0, 1, 2], [3])


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 3), max_size=40), st.integers(1, 6))
def test_every_row_is_in_one_part_and_the_tail_is_last(users, events):
    cut = Split(Window(day(1), day(1)), None, Window(day(2), day(2)), events)
    fit, tuning = fit_and_tuning(rows(users), cut)
    assert sorted([*fit.video.tolist(), *tuning.video.tolist()]) == list(range(len(users)))
    for user in set(users):
        kept, held = fit.video[fit.user == user], tuning.video[tuning.user == user]
        assert len(held) == min(events, users.count(user) // 2)
        assert len(kept) > 0
        assert not len(held) or kept.max() < held.min()


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 40), st.integers(1, 8), st.integers(1, 8))
def test_windows_cover_the_log_in_order_or_are_refused(number, tests, tail):
    days = [day(1) + dt.timedelta(n) for n in range(number)]
    try:
        cut = split_days(days, DatasetsSettings(test_days=tests, validation_days=tail))
    except SettingsError:
        assert number <= tests or 1 < number - tests <= tail
        return
    assert (cut.history.first, cut.test.last) == (days[0], days[-1])
    assert cut.test.first - cut.history.last == dt.timedelta(1)
    if cut.validation is not None:
        assert cut.validation.last == cut.history.last
        assert cut.history.first < cut.validation.first
