import numpy as np
import pyarrow as pa
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from shortlist.datasets import schema
from shortlist.datasets.catalogue import Catalogue
from shortlist.slate.kernel import SlateItems, excused, listed_tags, similarity

SETTINGS = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 10_000),
        "count": st.integers(0, 12),
        "share": st.floats(0, 1),
        "weight": st.floats(0, 1),
    }
)


def two_videos() -> SlateItems:
    """Cosine of content .6; one of two tags, the other one tag, which they share."""
    return SlateItems(
        content=np.array([[1.0, 0.0], [0.6, 0.8]], np.float32),
        tags=sp.csr_array(np.array([[1, 1], [0, 1]], np.float32)),
        creator=np.array([0, 1]),
        main_tag=np.array([0, 1]),
        upload_day=np.array([0, 0]),
        tag_names=("a", "b"),
    )


def random_items(seed: int, count: int) -> SlateItems:
    rng = np.random.default_rng(seed)
    content = rng.normal(size=(20, 3))
    content /= np.linalg.norm(content, axis=1, keepdims=True)
    content[rng.random(20) < 0.1] = 0
    return SlateItems(
        content=content.astype(np.float16),
        tags=sp.csr_array((rng.random((20, 4)) < 0.4).astype(np.float32)),
        creator=np.zeros(20, np.int64),
        main_tag=np.zeros(20, np.int64),
        upload_day=np.zeros(20, np.int64),
        tag_names=("a", "b", "c", "d"),
    )


@pytest.mark.parametrize(
    ("share", "expected"), [(0.0, 1 / np.sqrt(2)), (1.0, 0.6), (0.25, 0.75 / np.sqrt(2) + 0.15)]
)
def test_likeness_blends_the_cosines_of_tags_and_of_content(share: float, expected: float) -> None:
    alike = similarity(two_videos(), np.array([1, 0]), share)
    assert alike == pytest.approx(np.array([[1, expected], [expected, 1]]), abs=1e-6)
    assert alike.dtype == np.float32


def test_a_video_that_says_nothing_is_like_itself_alone() -> None:
    items = two_videos()
    items.content[0] = 0
    bare = SlateItems(
        items.content,
        sp.csr_array(np.array([[0, 0], [0, 1]], np.float32)),
        items.creator,
        items.main_tag,
        items.upload_day,
        items.tag_names,
    )
    assert similarity(bare, np.array([0, 1]), 0.5).tolist() == [[1.0, 0.0], [0.0, 1.0]]


@given(SETTINGS)
def test_likeness_is_a_kernel_whatever_the_settings(given_: dict[str, float]) -> None:
    rng = np.random.default_rng(int(given_["seed"]))
    count = int(given_["count"])
    items = random_items(int(given_["seed"]), count)
    alike = similarity(items, rng.permutation(20)[:count], given_["share"])
    heard = excused(alike, rng.random(count).astype(np.float32), given_["weight"])
    for kernel in (alike, heard):
        assert np.array_equal(kernel, kernel.T)
        assert np.array_equal(np.diagonal(kernel), np.ones(count))
        assert np.linalg.eigvalsh(kernel.astype(np.float64)).min(initial=0) > -1e-5
    assert (np.abs(heard) <= np.abs(alike)).all()


def test_a_silent_head_or_no_weight_changes_nothing() -> None:
    alike = similarity(two_videos(), np.array([0, 1]), 0.3)
    loud = np.ones(2, np.float32)
    assert np.array_equal(excused(alike, 0 * loud, 1.0), alike)
    assert np.array_equal(excused(alike, loud, 0.0), alike)
    assert np.array_equal(excused(alike, loud, 1.0), np.eye(2))


def test_listed_tags_are_those_of_the_matrix(items: SlateItems) -> None:
    rows = np.array([5, 2, 39, 2])
    place, tag = listed_tags(items.tags, rows)
    dense = np.zeros((4, 5))
    dense[place, tag] = 1
    assert np.array_equal(dense, items.tags.toarray()[rows])


def test_the_main_tag_is_the_one_listed_first() -> None:
    table = pa.table(
        {
            "video_id": [1, 2, 3, 4],
            "tags": [["b", "a"], [], None, ["a"]],
            **{
                name: pa.nulls(4, schema.VIDEOS.field(name).type)
                for name in schema.VIDEOS.names
                if name not in ("video_id", "tags")
            },
        }
    ).select(schema.VIDEOS.names)
    catalogue = Catalogue.from_table(table.cast(_nullable(schema.VIDEOS)))
    items = SlateItems.from_catalogue(catalogue, np.eye(4, dtype=np.float16))
    assert items.main_tag.tolist() == [1, -1, -1, 0]
    assert items.tag_names == ("a", "b")
    assert len(items) == 4


def _nullable(fields: pa.Schema) -> pa.Schema:
    return pa.schema([pa.field(field.name, field.type) for field in fields])
