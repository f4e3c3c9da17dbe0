"""The target is what is wanted, or what the history knows."""

import pyarrow as pa
import pytest

from shortlist.datasets.split import split
from shortlist.datasets.store import DatasetWriter
from shortlist.datasets.target import chosen_target
from shortlist.errors import InputError
from shortlist.settings.datasets import DatasetsSettings


@pytest.fixture
def log(small, tmp_path):
    """Makes a log whose rows have these outcomes on every day, and its cut."""

    def make(**outcomes):
        writer = DatasetWriter(tmp_path / "log", "test", "k")
        writer.write_users(small.users())
        writer.write_videos(small.videos())
        for day in small.days:
            writer.write_day(day, small.day(day, **outcomes))
        dataset = writer.finish()
        return dataset, split(dataset, DatasetsSettings(test_days=1, validation_days=1))

    return make


KNOWN, UNKNOWN = [True, False], pa.nulls(2, pa.bool_())


def test_where_it_is_free_a_click_is_taken_only_if_every_row_knows_it(log):
    assert chosen_target("auto", *log(click=KNOWN, long_view=KNOWN)) == "click"
    assert chosen_target("auto", *log(click=[True, None], long_view=KNOWN)) == "long_view"


def test_what_is_wanted_is_taken(log):
    known = log(click=KNOWN, long_view=KNOWN)
    assert [chosen_target(wanted, *known) for wanted in ("click", "long_view")] == [
        "click",
        "long_view",
    ]


def test_what_no_row_knows_cannot_be_wanted(log):
    found = log(click=UNKNOWN, long_view=KNOWN)
    assert chosen_target("auto", *found) == "long_view"
    with pytest.raises(InputError, match="knows the click of no row"):
        chosen_target("click", *found)
