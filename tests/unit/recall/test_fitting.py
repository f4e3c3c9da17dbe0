"""Tables on disk: the same bytes twice, and nothing torn or foreign is read."""

import shutil

import numpy as np
import pytest

from shortlist.errors import CorruptError, NotFoundError
from shortlist.recall.fitting import fit_recall
from shortlist.recall.tables import Tables


def test_the_same_view_gives_the_same_bytes(kit, tmp_path):
    settings = kit.blend.settings
    fit_recall(kit.view, settings, tmp_path / "a")
    fit_recall(kit.view, settings, tmp_path / "b")
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert names == [
        "item_factors.npy",
        "live.npy",
        "log_odds.npy",
        "popularity.npy",
        "recall.json",
        "tag_borders.npy",
        "tag_codes.npy",
    ]
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_tables_come_back_as_they_went(kit):
    tables = Tables.load(kit.directory)
    assert tables.settings == kit.blend.settings
    assert (tables.target, tables.as_of_day) == ("click", kit.view.as_of_day)
    assert (tables.live == kit.live).all()
    assert (tables.tags.toarray() == kit.view.catalogue.tags.toarray()).all()


@pytest.fixture
def copied(kit, tmp_path):
    return shutil.copytree(kit.directory, tmp_path / "copy")


def test_no_tables_no_blend(tmp_path):
    with pytest.raises(NotFoundError, match="no recall tables"):
        Tables.load(tmp_path)


@pytest.mark.parametrize("name", ["live", "popularity", "tag_borders", "item_factors"])
def test_a_torn_table_is_named(copied, name):
    path = copied / f"{name}.npy"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(CorruptError, match=name):
        Tables.load(copied)


def test_a_table_of_another_catalogue_is_named(copied):
    np.save(copied / "popularity.npy", np.zeros(3, np.float32))
    with pytest.raises(CorruptError, match=r"popularity.npy holds float32 \(3,\)"):
        Tables.load(copied)


def test_tags_beyond_the_vocabulary_are_refused(copied):
    codes = np.load(copied / "tag_codes.npy")
    codes[3] = 40
    np.save(copied / "tag_codes.npy", codes)
    with pytest.raises(CorruptError, match="unknown tags"):
        Tables.load(copied)


def test_a_record_that_is_none_is_refused(copied):
    (copied / "recall.json").write_text("{}")
    with pytest.raises(CorruptError, match="not a record"):
        Tables.load(copied)
