"""Parts that do not belong together are refused by name; those that do open from any directory."""

import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from shortlist.bundle import open_bundle
from shortlist.datasets.events import Events
from shortlist.errors import CorruptError, NotFoundError
from shortlist.ranker.artefacts import Note
from shortlist.recall.query import Query
from shortlist.recall.source import SOURCES
from shortlist.recommender.items import read_items, write_items
from shortlist.recommender.parts import Parts

NOBODY = Query(Events.none(), np.zeros(0, np.int64), None, np.zeros(0, np.int64), 0.0)


@pytest.fixture
def copies(trained, tmp_path: Path) -> dict[str, Path]:
    """Copies of the parts, to break."""
    return {
        name: Path(shutil.copytree(path, tmp_path / name))
        for name, path in trained.directories.items()
    }


def test_a_bundle_opens_as_its_parts_do(trained, parts: Parts):
    bundle = open_bundle(trained.bundle.path)
    opened = Parts.of_bundle(bundle)
    np.testing.assert_array_equal(opened.catalogue.ids, parts.catalogue.ids)
    np.testing.assert_array_equal(opened.vectors, parts.vectors)
    assert [source.name for source in opened.blend.sources] == list(SOURCES)
    assert opened.as_of_day == trained.view.as_of_day
    assert opened.target == "click"
    assert opened.items.content.dtype == np.float16


def test_the_best_tenth_of_what_may_be_recalled_is_popular(parts: Parts):
    popular = parts.items.popular
    assert popular is not None
    assert popular.sum() == np.ceil(parts.live.sum() / 10)
    assert not popular[~parts.live].any()
    first = parts.blend.sources[0].recall(NOBODY, int(popular.sum()))
    assert sorted(first.video.tolist()) == np.flatnonzero(popular).tolist()


def test_the_index_may_be_a_part_of_its_own(copies):
    copies["index"] = Path(shutil.move(copies["recall"] / "vector", copies["recall"].parent / "i"))
    assert len(Parts.open(copies).blend.sources) == 4
    del copies["index"]
    assert [source.name for source in Parts.open(copies).blend.sources] == list(SOURCES[:3])


def test_the_blend_takes_other_settings(trained, copies):
    settings = trained.settings.recall.model_copy(update={"candidates": 7})
    assert Parts.open(copies, settings).blend.settings.candidates == 7


@pytest.mark.parametrize("name", ["recall", "ranker", "items"])
def test_a_part_that_is_not_named_is_missed(copies, name: str):
    del copies[name]
    with pytest.raises(NotFoundError, match=f"part {name} is missing; run the step that makes it"):
        Parts.open(copies)


@pytest.mark.parametrize(
    ("part", "file"),
    [
        ("items", "videos.parquet"),
        ("items", "content.npy"),
        ("items", "declared.json"),
        ("ranker", "vectors.npy"),
        ("ranker", "tags.npy"),
        ("ranker", "items.npy"),
        ("ranker", "ranker.json"),
        ("recall", "recall.json"),
    ],
)
def test_a_missing_file_and_a_torn_one_are_named(copies, part: str, file: str):
    path = copies[part] / file
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CorruptError, match=file if part != "recall" else "recall"):
        Parts.open(copies)
    path.unlink()
    with pytest.raises(NotFoundError, match=str(path.parent)):
        Parts.open(copies)


def test_a_ranker_of_other_videos_is_refused(copies):
    for file in ("items", "vectors", "tags"):
        path = copies["ranker"] / f"{file}.npy"
        np.save(path, np.load(path)[:-1])
    with pytest.raises(CorruptError, match=r"knows 199 videos and .*items 200: .*different runs"):
        Parts.open(copies)


def test_tables_of_one_ranker_must_agree(copies):
    path = copies["ranker"] / "tags.npy"
    np.save(path, np.load(path)[:-1])
    with pytest.raises(
        CorruptError, match=r"tags.npy holds float32 \(199, 56\), not float32 of 200"
    ):
        Parts.open(copies)


def changed(directory: Path, **changes: object) -> None:
    Note.load(directory).model_copy(update=changes).save(directory)


def test_a_ranker_of_another_target_is_refused(copies):
    changed(copies["ranker"], target="long_view")
    with pytest.raises(CorruptError, match=r"learned the long_view and .* the click"):
        Parts.open(copies)


def test_a_ranker_of_other_profiles_is_refused(copies):
    changed(copies["ranker"], profile_width=50)
    with pytest.raises(CorruptError, match=r"profiles of width 50, and users declare \d+ things"):
        Parts.open(copies)


def test_interests_that_are_no_tags_of_the_videos_are_refused(copies, parts: Parts):
    names = parts.vocabulary.interests
    swapped = (*names[1:], names[0])
    parts.vocabulary.model_copy(update={"interests": swapped}).save(copies["items"])
    with pytest.raises(CorruptError, match="names other interests than its videos have tags"):
        Parts.open(copies)


def test_an_index_of_another_width_is_refused(copies):
    path = copies["ranker"] / "vectors.npy"
    np.save(path, np.load(path)[:, :-1])
    with pytest.raises(CorruptError, match=r"the vector index has width 5 and .* 4: .*different"):
        Parts.open(copies)


def test_items_are_the_same_bytes_for_the_same_videos(trained, parts: Parts, tmp_path: Path):
    videos, content = trained.dataset.videos(), trained.view.content
    for name in ("one", "other"):
        write_items(videos, content, parts.vocabulary, tmp_path / name)
    for file in ("videos.parquet", "content.npy", "declared.json"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "other" / file).read_bytes()
    catalogue, read = read_items(tmp_path / "one")
    assert catalogue.table.equals(videos)
    np.testing.assert_array_equal(read, content.astype(np.float16))


def test_a_table_of_something_else_is_no_items(copies):
    pq.write_table(pa.table({"video_id": [1]}), copies["items"] / "videos.parquet")
    with pytest.raises(CorruptError, match="is no table of videos; make the items again"):
        Parts.open(copies)
