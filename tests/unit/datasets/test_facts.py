import datetime as dt

import pyarrow as pa
import pytest

from shortlist.datasets.facts import measure
from shortlist.datasets.store import Dataset, DatasetWriter


def test_facts_are_those_of_the_rows(make_dataset, small):
    facts = measure(make_dataset())
    assert (facts.users.rows, facts.videos.rows, facts.impressions.rows) == (3, 3, 6)
    assert facts.days == small.days
    assert facts.rates == {
        "click": 1.0, "long_view": None, "like": None, "skip": None, "random_exposure": None
    }  # fmt: skip
    assert (facts.idle_users, facts.idle_videos) == (1, 1)
    columns = {column.name: column for column in facts.impressions.columns}
    assert columns["click"].null_share == columns["context"].null_share == 0.5
    assert columns["shown_at"].null_share == 1.0
    assert (columns["shown_at"].low, columns["shown_at"].high) == (None, None)
    assert (columns["impression_id"].low, columns["impression_id"].high) == ("0", "201")
    assert (columns["watch_seconds"].low, columns["watch_seconds"].high) == ("2.5", "2.5")
    assert (columns["day"].low, columns["day"].high) == ("2026-01-05", "2026-01-07")
    videos = {column.name: column for column in facts.videos.columns}
    assert videos["tags"].null_share == pytest.approx(1 / 3)
    assert videos["tags"].low == "a"
    assert videos["uploaded_at"].high == "2026-01-05 23:59:59"


def test_only_rows_repeated_to_the_moment_are_duplicates(tmp_path, small):
    moments = [dt.datetime(2026, 1, 5, hour, tzinfo=dt.UTC) for hour in (1, 1, 2)]
    row = small.day(small.days[0]).slice(0, 1)
    table = pa.concat_tables([row] * 4)
    for name, values in {"impression_id": [0, 1, 2, 3], "shown_at": [*moments, None]}.items():
        at = table.schema.get_field_index(name)
        table = table.set_column(at, table.schema.field(at), pa.array(values, table.field(at).type))
    writer = DatasetWriter(tmp_path / "d", "test", "k" * 64)
    writer.write_users(small.users())
    writer.write_videos(small.videos())
    writer.write_day(small.days[0], table)
    assert measure(writer.finish()).duplicates == 1


def test_measuring_reads_no_context(make_dataset, monkeypatch):
    asked: list[str] = []
    each_day = Dataset.each_day

    def watched(self: Dataset, columns: list[str], *others: object) -> object:
        asked.extend(columns)
        return each_day(self, columns, *others)

    monkeypatch.setattr(Dataset, "each_day", watched)
    measure(make_dataset())
    assert "user_id" in asked
    assert "context" not in asked
