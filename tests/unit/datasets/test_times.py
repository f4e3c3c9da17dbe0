import datetime as dt

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shortlist.datasets.parsing import parse
from shortlist.datasets.values import Reading

MOMENT = pa.timestamp("ms", tz="UTC")
NOON_8 = dt.datetime(2022, 4, 8, 12, tzinfo=dt.UTC)


def moments(values, reading=None, type_=None):
    found = parse(pa.array(values, type_), MOMENT, reading or Reading())
    assert found.values.type == MOMENT
    return found.values.to_pylist(), found.bad.to_pylist()


@pytest.mark.parametrize(
    ("value", "reading"),
    [
        ("2022-04-08 12:00", Reading()),
        ("2022-04-08T12:00:00.000Z", Reading()),
        ("2022-04-08T20:00:00+08:00", Reading()),
        ("2022-04-08T20:00:00+08:00", Reading(timezone="America/New_York")),
        ("2022-04-08 20:00:00", Reading(timezone="Asia/Shanghai")),
        ("08.04.2022 20:00", Reading(format="%d.%m.%Y %H:%M", timezone="Asia/Shanghai")),
        (1649419200, Reading(unit="s")),
        ("1649419200000", Reading(unit="ms")),
        (1649419200.0004, Reading(unit="s")),
        (1649419200_000_000_999, Reading(unit="ns")),
        (dt.datetime(2022, 4, 8, 12), Reading()),
        (dt.datetime(2022, 4, 8, 20), Reading(timezone="Asia/Shanghai")),
        (dt.date(2022, 4, 8), Reading(timezone="Asia/Shanghai")),
        ("2022-04-08", Reading(timezone="Asia/Shanghai")),
    ],
)
def test_one_moment_written_in_many_ways(value, reading):
    assert moments([value, None], reading) == ([NOON_8, None], [False, False])


@pytest.mark.parametrize(
    ("values", "reading"),
    [
        (["2022-13-01", "yesterday", "2022-02-30 10:00"], Reading()),
        ([1649419200], Reading()),
        (["1649419200"], Reading()),
        ([1649419200, 10**18, -5], Reading(unit="ms")),
        ([1649419200_000], Reading(unit="s")),
        ([True], Reading(unit="s")),
        (["08/04/2022"], Reading(format="%d.%m.%Y")),
    ],
)
def test_what_is_no_time_is_at_fault(values, reading):
    assert moments(values, reading) == ([None] * len(values), [True] * len(values))


def test_zoned_local_and_wrong_texts_may_stand_in_one_column():
    values = ["2022-04-08T12:00:00Z", "2022-04-08 20:00:00", "x", None]
    expected = ([NOON_8, NOON_8, None, None], [False, False, True, False])
    assert moments(values, Reading(timezone="Asia/Shanghai")) == expected


def test_hours_that_a_clock_change_skips_or_repeats_are_read():
    values = ["2022-03-27 02:30:00", "2022-10-30 02:30:00"]
    found, bad = moments(values, Reading(timezone="Europe/Berlin"))
    assert bad == [False, False]
    assert [moment.hour for moment in found] == [0, 0]


@pytest.mark.parametrize(
    ("values", "reading", "expected", "bad"),
    [
        (["2022-04-08", "x", None], Reading(), [dt.date(2022, 4, 8), None, None], [0, 1, 0]),
        ([20220408, None], Reading(format="%Y%m%d"), [dt.date(2022, 4, 8), None], [0, 0]),
        ([20221308], Reading(format="%Y%m%d"), [None], [1]),
        (["08.04.22"], Reading(format="%d.%m.%y"), [dt.date(2022, 4, 8)], [0]),
        ([dt.date(2022, 4, 8)], Reading(), [dt.date(2022, 4, 8)], [0]),
        ([20220408], Reading(), [None], [1]),
    ],
)
def test_days(values, reading, expected, bad):
    found = parse(pa.array(values), pa.date32(), reading)
    assert (found.values.to_pylist(), found.bad.to_pylist()) == (expected, [x == 1 for x in bad])


@settings(deadline=None, max_examples=40)
@given(st.datetimes(dt.datetime(1980, 1, 2), dt.datetime(2099, 12, 30)))
def test_moments_survive_being_written(moment):
    moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    expected = moment.replace(tzinfo=dt.UTC)
    milliseconds = round(expected.timestamp() * 1000)
    assert moments([f"{moment.isoformat(sep=' ')}"])[0] == [expected]
    assert moments([milliseconds], Reading(unit="ms"))[0] == [expected]
    assert moments([expected.isoformat()])[0] == [expected]
