"""A ranker that is missing or damaged is refused in one sentence that names the file."""

import shutil
from pathlib import Path

import pytest

from shortlist.errors import CorruptError, NotFoundError
from shortlist.ranker.artefacts import GRAPHS, ITEMS, NOTE, PROJECTION
from shortlist.ranker.projection import Projection
from shortlist.ranker.scoring import Scorer


@pytest.fixture
def copied(trained, tmp_path) -> Path:
    return Path(shutil.copytree(trained.directory, tmp_path / "ranker"))


FILES = [*GRAPHS.values(), ITEMS, NOTE]


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(copied, name):
    (copied / name).unlink()
    with pytest.raises(NotFoundError) as caught:
        Scorer.load(copied)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", ["cut", "empty", "foreign"])
def test_a_damaged_file_is_named(copied, name, damage):
    path = copied / name
    data = path.read_bytes()
    path.write_bytes({"cut": data[: len(data) // 2], "empty": b"", "foreign": b"[1, 2]"}[damage])
    with pytest.raises(CorruptError) as caught:
        Scorer.load(copied)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_directory_is_no_ranker(tmp_path):
    with pytest.raises(NotFoundError, match="no ranker at"):
        Scorer.load(tmp_path / "nowhere")


def test_a_graph_of_another_kind_is_refused(copied):
    shutil.copy(copied / GRAPHS["prerank"], copied / GRAPHS["history"])
    with pytest.raises(CorruptError, match=r"history\.onnx"):
        Scorer.load(copied)


def test_a_table_of_another_ranker_is_refused(copied):
    import numpy as np

    np.save(copied / ITEMS, np.zeros((40, 5), np.float16))
    with pytest.raises(CorruptError, match=r"items\.npy"):
        Scorer.load(copied)


@pytest.mark.parametrize("damage", ["missing", "cut", "foreign"])
def test_a_projection_that_cannot_be_read_is_named(copied, damage):
    path = copied / PROJECTION
    data = path.read_bytes()
    path.unlink()
    if damage != "missing":
        path.write_bytes(data[: len(data) // 2] if damage == "cut" else b"PK nothing")
    with pytest.raises(NotFoundError if damage == "missing" else CorruptError) as caught:
        Projection.load(copied)
    assert PROJECTION in str(caught.value)
