from pathlib import Path

import pytest

from shortlist.datasets.mapping import MAPPABLE, load_mapping
from shortlist.errors import InputError, NotFoundError

WHOLE = """
name: mine
timezone: Asia/Shanghai
impressions:
  files: logs/*.csv
  columns:
    user_id: uid
    video_id: vid
    shown_at: {column: t, unit: ms}
    watch_seconds: {column: w, unit: ms}
    like: {column: rating, at_least: 4}
    click: {constant: true}
videos:
  files: [v.parquet]
  columns: {video_id: id, tags: {column: genres, separator: "|"}}
derive: {long_view: {watch_seconds: 18}}
"""


def mapping(directory: Path, text: str) -> Path:
    path = directory / "m.yaml"
    path.write_text(text)
    return path


def test_a_whole_mapping_is_typed(tmp_path):
    read = load_mapping(mapping(tmp_path, WHOLE))
    assert [table for table, _ in read.tables()] == ["videos", "impressions"]
    columns = read.impressions.columns
    assert columns["user_id"].column == "uid"
    assert columns["like"].at_least == 4.0
    assert columns["click"].constant is True
    reading = columns["shown_at"].reading(read.timezone)
    assert (reading.unit, reading.timezone) == ("ms", "Asia/Shanghai")
    assert read.derive.long_view is not None


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("files: logs", "file: logs", r"no option 'impressions.file'; did you mean files\?"),
        ("like:", "likes:", r"impressions have no column 'likes' to map; did you mean like\?"),
        ("unit: ms", "units: ms", r"'impressions.columns.shown_at.units'; did you mean unit\?"),
        ("unit: ms", "unit: minutes", r"shown_at.unit cannot be 'minutes'.*'s', 'ms'"),
        ("Shanghai", "Shangai", r"'Asia/Shangai': no such time zone; did you mean Asia/Shanghai"),
        ("timezone:", "time_zone:", r"no option 'time_zone'; did you mean timezone\?"),
        ("derive: {long_view", "derive: {longview", r"'derive.longview'; did you mean long_view"),
        ("{watch_seconds: 18}", "{watch_second: 18}", "did you mean watch_seconds"),
        ("{watch_seconds: 18}", "{watch_seconds: 0}", "greater than 0"),
        ("at_least: 4", "at_least: many", "at_least cannot be 'many'"),
        ("separator", "unit", r"videos.columns.tags.unit cannot be '\|'"),
        ('separator: "|"', "at_least: 3", "`at_least` says nothing about a list"),
        ("video_id: id, ", "", "videos.columns: video_id is missing"),
        ("    user_id: uid\n", "", "impressions.columns: user_id is missing"),
        ("    shown_at: {column: t, unit: ms}\n", "", "neither shown_at nor day is mapped"),
        ("    watch_seconds: {column: w, unit: ms}\n", "", "derive.long_view: it follows from"),
        ("{column: t, unit: ms}", "{unit: ms}", "either a `column` or a `constant`"),
        ("shown_at", "impression_id", "no column 'impression_id' to map"),
        ("name: mine", "name: ../mine", "name cannot be '../mine'"),
        ("name: mine", "name: a\nname: b", "name stands twice"),
        ("impressions:", "impresions:", r"no option 'impresions'; did you mean impressions\?"),
        (WHOLE, "just words", "is no mapping"),
        (WHOLE, "a: [b", "is not valid YAML"),
    ],
)
def test_a_mistake_is_named_with_its_remedy(tmp_path, old, new, message):
    assert old in WHOLE
    with pytest.raises(InputError, match=message) as refusal:
        load_mapping(mapping(tmp_path, WHOLE.replace(old, new, 1)))
    assert "m.yaml" in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_an_outcome_must_be_mapped(tmp_path):
    text = "impressions: {files: a.csv, columns: {user_id: u, video_id: v, day: d}}"
    with pytest.raises(InputError, match="map an outcome: click, watch_seconds"):
        load_mapping(mapping(tmp_path, text))


def test_an_absent_mapping_is_not_found(tmp_path):
    with pytest.raises(NotFoundError, match="no mapping"):
        load_mapping(tmp_path / "none.yaml")
    with pytest.raises(InputError, match="cannot read mapping"):
        load_mapping(tmp_path)


def test_patterns_match_files_in_order_and_once(tmp_path):
    (tmp_path / "logs" / "deep").mkdir(parents=True)
    for name in ("b.csv", "a.csv", "deep/c.csv", "notes.md"):
        (tmp_path / "logs" / name).touch()
    text = WHOLE.replace("logs/*.csv", "[logs/**/*.csv, logs/a.csv]")
    table = load_mapping(mapping(tmp_path, text)).impressions
    found = [file.path.relative_to(tmp_path / "logs") for file in table.foreign_files(tmp_path)]
    assert [str(path) for path in found] == ["a.csv", "b.csv", "deep/c.csv"]
    absolute = load_mapping(mapping(tmp_path, WHOLE.replace("logs/", f"{tmp_path}/logs/")))
    assert len(absolute.impressions.foreign_files(Path("/"))) == 2
    with pytest.raises(NotFoundError, match=r"no file matches .*logs/\*\.txt"):
        load_mapping(mapping(tmp_path, WHOLE.replace("*.csv", "*.txt"))).impressions.foreign_files(
            tmp_path
        )


def test_what_the_import_makes_itself_cannot_be_mapped():
    for names in MAPPABLE.values():
        assert not {"impression_id", "external_id", "context"} & set(names)
