import datetime as dt

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shortlist.datasets import spill as spilling
from shortlist.datasets.spill import Spill
from shortlist.errors import CorruptError

START = dt.date(2026, 1, 1)


def rows(days: list[int], first: int = 0) -> pa.Table:
    return pa.table({
        "day": pa.array([START + dt.timedelta(day) for day in days], pa.date32()),
        "n": pa.array(range(first, first + len(days)), pa.int64()),
    })  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.lists(st.lists(st.integers(0, 3), max_size=6), max_size=4), min_size=1, max_size=3),
    st.integers(1, 10),
)
def test_every_day_has_its_rows_in_the_order_of_the_files(tmp_path_factory, files, held):
    spill = Spill(tmp_path_factory.mktemp("spill"))
    expected: dict[dt.date, list[int]] = {}
    number = 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spilling, "_HELD_ROWS", held)
        for file, batches in enumerate(files):
            tables = []
            for days in batches:
                tables.append(rows(days, number))
                for day in days:
                    expected.setdefault(START + dt.timedelta(day), []).append(number)
                    number += 1
            spill.divide(file, tables)
    assert {day: spill.gather(day)["n"].to_pylist() for day in expected} == expected
    counted = [spill.rows(file) for file in range(len(files))]
    for day, found in expected.items():
        assert sum(counts.get(day, 0) for counts in counted) == len(found)


def test_a_file_is_divided_whole_or_not_at_all(tmp_path):
    def breaks():
        yield rows([0, 1])
        raise KeyboardInterrupt

    spill = Spill(tmp_path)
    spill.divide(0, [rows([0])])
    with pytest.raises(KeyboardInterrupt):
        spill.divide(1, breaks())
    again = Spill(tmp_path)
    assert (again.has(0), again.has(1)) == (True, False)
    assert again.gather(START)["n"].to_pylist() == [0]


def test_a_torn_part_says_what_to_delete(tmp_path):
    spill = Spill(tmp_path)
    spill.divide(0, [rows([0] * 100)])
    part = next(tmp_path.rglob("*.arrow"))
    part.write_bytes(part.read_bytes()[:-9])
    with pytest.raises(CorruptError, match="delete it and run this again"):
        spill.gather(START)
