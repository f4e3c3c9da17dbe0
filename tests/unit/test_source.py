"""The hash of source changes with what is said and where, and with nothing else."""

from pathlib import Path

import pytest

from shortlist.source import source_digest


@pytest.fixture
def package(tmp_path: Path) -> Path:
    for name, text in {
        "files.py": "A = 1\n",
        "room/__init__.py": "",
        "room/one.py": "B = 2\n",
        "room/deep/two.py": "C = 3\n",
        "other/three.py": "D = 4\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_a_change_below_a_room_changes_the_hash(package: Path):
    before = source_digest(["room"], package)
    (package / "room/deep/two.py").write_text("C = 4\n")
    assert source_digest(["room"], package) != before


def test_what_code_reads_beside_it_is_source_too(package: Path):
    before = source_digest(["room"], package)
    (package / "room/page.html.j2").write_text("<p>{{ one }}</p>")
    templated = source_digest(["room"], package)
    (package / "room/page.html.j2").write_text("<p>{{ two }}</p>")
    assert len({before, templated, source_digest(["room"], package)}) == 3


def test_a_change_elsewhere_does_not(package: Path):
    before = source_digest(["room", "files.py"], package)
    (package / "other/three.py").write_text("D = 5\n")
    (package / "room/__pycache__").mkdir()
    (package / "room/__pycache__/one.pyc").write_bytes(b"compiled")
    (package / "room/.one.py.swp").write_bytes(b"an editor's")
    assert source_digest(["files.py", "room"], package) == before


def test_a_renamed_file_changes_the_hash(package: Path):
    before = source_digest(["room"], package)
    (package / "room/one.py").rename(package / "room/uno.py")
    assert source_digest(["room"], package) != before


def test_a_file_named_twice_counts_once(package: Path):
    assert source_digest(["room", "room/one.py"], package) == source_digest(["room"], package)


@pytest.mark.parametrize("name", ["nowhere", "nowhere.py", "room/four.py"])
def test_a_name_that_is_no_source_is_an_error(package: Path, name: str):
    with pytest.raises(ValueError, match=name):
        source_digest([name], package)
