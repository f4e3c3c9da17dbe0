import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from shortlist.datasets.foreign import Dialect, ForeignFile, format_of
from shortlist.errors import InputError, NotFoundError


def write(path: Path, content: bytes | str) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def rows(file: ForeignFile, *columns: str) -> list[dict[str, object]]:
    return [row for batch in file.batches(columns) for row in batch.to_pylist()]


def test_csv_arrives_as_text_in_the_order_asked_for(tmp_path):
    path = write(tmp_path / "a.csv", 'x,y,z\n1,"b,\nc",3\n007,NA,\n')
    file = ForeignFile(path, "csv")
    assert file.names() == ["x", "y", "z"]
    assert rows(file, "y", "x") == [{"y": "b,\nc", "x": "1"}, {"y": None, "x": "007"}]


def test_a_dialect_changes_separator_encoding_header_and_nulls(tmp_path):
    path = write(tmp_path / "a.txt", "1;é;-\n".encode("latin-1"))
    dialect = Dialect(";", "latin-1", ("a", "b", "c"), ("-",))
    assert rows(ForeignFile(path, "csv", dialect), "b", "c") == [{"b": "é", "c": None}]


def test_compressed_csv_and_a_byte_order_mark_are_read(tmp_path):
    path = write(tmp_path / "a.csv.gz", gzip.compress(b"\xef\xbb\xbfx\n1\n", mtime=0))
    assert rows(ForeignFile(path, "csv"), "x") == [{"x": "1"}]


def test_parquet_keeps_its_types(tmp_path):
    pq.write_table(pa.table({"x": [1], "y": [0.5], "z": [["a"]]}), tmp_path / "a.parquet")
    file = ForeignFile(tmp_path / "a.parquet", "parquet")
    assert rows(file, "z", "x") == [{"z": ["a"], "x": 1}]


def whole_parquet(directory: Path) -> bytes:
    pq.write_table(pa.table({"x": list(range(1000))}), directory / "whole.parquet")
    return (directory / "whole.parquet").read_bytes()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"", "is empty"),
        ("a.csv", b"x\n", "has no rows"),
        ("a.csv", b"x,y\n1,2\n1,2,3\n", r"as CSV: .*Row #3: Expected 2 columns, got 3"),
        ("a.csv", b'x,y\n"1,2\n3,4\n', "cannot be read as CSV"),
        ("a.csv", b"x,x\n1,2\n", "two columns are called 'x'"),
        ("a.csv", b"xx,y\n1,2\n", r"no column 'x'; did you mean xx\?"),
        ("a.csv", b"x\n\xe9\n", "invalid UTF8"),
        ("a.csv.gz", b"x\n1\n", "cannot read .*header"),
        ("a.csv.gz", gzip.compress(b"x\n1\n", mtime=0)[:-6], "Truncated"),
        ("a.parquet", b"x\n1\n", "cannot be read as Parquet"),
    ],
)
def test_a_broken_file_is_one_sentence_that_names_it(tmp_path, name, content, message):
    path = write(tmp_path / name, content)
    with pytest.raises(InputError, match=message) as refusal:
        rows(ForeignFile(path, format_of(path)), "x")
    assert str(path) in str(refusal.value)


def test_a_torn_parquet_file_is_refused(tmp_path):
    content = whole_parquet(tmp_path)
    for torn in (content[:-3], content[: len(content) // 2], content[:8] + b"\xff" * 500):
        file = ForeignFile(write(tmp_path / "torn.parquet", torn), "parquet")
        with pytest.raises(InputError, match=r"torn\.parquet"):
            rows(file, "x")


def test_random_bytes_leave_no_control_characters_in_the_sentence(tmp_path):
    file = ForeignFile(write(tmp_path / "a.csv", b"x\n1,\x1b[31m\x07\n"), "csv")
    with pytest.raises(InputError) as refusal:
        rows(file, "x")
    assert str(refusal.value).isprintable()


def test_absent_files_directories_and_encodings_are_refused(tmp_path):
    with pytest.raises(NotFoundError, match=r"no file .*none\.csv"):
        rows(ForeignFile(tmp_path / "none.csv", "csv"), "x")
    with pytest.raises(InputError, match="is not a file"):
        rows(ForeignFile(tmp_path, "csv"), "x")
    file = ForeignFile(write(tmp_path / "a.csv", "x\n1\n"), "csv", Dialect(encoding="latin-99"))
    with pytest.raises(InputError, match="set `encoding`"):
        rows(file, "x")


def test_the_suffix_names_the_format_or_asks_for_it():
    assert format_of(Path("a.TSV")) == format_of(Path("u.data")) == "csv"
    assert format_of(Path("a.pq")) == "parquet"
    with pytest.raises(InputError, match="set `format`"):
        format_of(Path("a.json"))
