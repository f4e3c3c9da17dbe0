from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shortlist.datasets import schema
from shortlist.datasets.catalogue import Catalogue, Users
from shortlist.datasets.interactions import Interactions, events_since, pack_lists, seen_pairs
from shortlist.errors import InputError


def single(fields: pa.Schema, **values: object) -> pa.Table:
    return pa.table({f.name: pa.array([values.get(f.name)], f.type) for f in fields})


@pytest.fixture
def tables(small):
    return Users.from_table(small.users()), Catalogue.from_table(small.videos())


def test_columns_become_arrays_of_rows_with_the_documented_types(make_dataset, tables, small):
    rows = Interactions.load(make_dataset(), *tables)
    assert rows.user.tolist() == [1, 0] * 3
    assert rows.video.tolist() == [0, 2] * 3
    assert rows.day.tolist() == [20458, 20458, 20459, 20459, 20460, 20460]
    np.testing.assert_array_equal(rows.click, [1, np.nan] * 3)
    np.testing.assert_array_equal(rows.watch_seconds, [2.5, np.nan] * 3)
    np.testing.assert_array_equal(rows.propensity, [0.25, np.nan] * 3)
    assert rows.session.tolist() == rows.position.tolist() == [-1] * 6
    assert not rows.random_exposure.any()
    assert rows.context.shape == (6, 0)
    for name, kind in {
        "user": np.int64, "video": np.int64, "day": np.int64, "session": np.int64,
        "position": np.int64, "click": np.float32, "long_view": np.float32, "like": np.float32,
        "skip": np.float32, "watch_seconds": np.float32, "propensity": np.float64,
        "random_exposure": np.bool_, "context": np.float32,
    }.items():  # fmt: skip
        assert getattr(rows, name).dtype == kind, name


def test_contexts_land_in_their_rows_and_unknown_ones_are_zero(make_dataset, tables, small):
    dataset = make_dataset()
    rows = Interactions.load(dataset, *tables, context=True)
    assert rows.context.shape == (6, 32)
    assert rows.context[:, 31].tolist() == [0, 0, 100, 0, 200, 0]
    same = Interactions.from_table(dataset.impressions(), *tables)
    np.testing.assert_array_equal(same.context, rows.context)
    last = Interactions.load(dataset, *tables, small.days[2], context=True)
    assert last.context[:, 0].tolist() == [200, 0]


@settings(deadline=None, max_examples=40)
@given(st.lists(st.booleans(), min_size=1, max_size=20), st.integers(0, 5), st.integers(1, 4))
def test_contexts_survive_nulls_offsets_and_chunks(known, skipped, pieces):
    kind = schema.IMPRESSIONS.field("context").type
    whole = pa.array([[float(i)] * 32 if yes else None for i, yes in enumerate(known)], kind)
    sliced = whole.slice(min(skipped, len(known) - 1))
    chunks = [sliced.slice(start, pieces) for start in range(0, len(sliced), pieces)]
    number = len(sliced)
    columns = {field.name: pa.nulls(number, field.type) for field in schema.IMPRESSIONS}
    ids = np.zeros(number, np.int64)
    columns |= {
        "user_id": ids,
        "video_id": ids,
        "day": pa.array(ids.astype(np.int32)).cast("date32"),
    }
    table = pa.table({**columns, "context": pa.chunked_array(chunks, kind)})
    one = Users.from_table(single(schema.USERS, user_id=0))
    video = Catalogue.from_table(single(schema.VIDEOS, video_id=0, tags=[]))
    context = Interactions.from_table(table, one, video).context
    expected = [0.0 if value is None else value[0] for value in sliced.to_pylist()]
    assert context[:, 0].tolist() == context[:, 31].tolist() == expected


def test_an_id_that_its_table_lacks_is_refused_with_count_and_example(make_dataset, tables, small):
    dataset = make_dataset()
    few = Users.from_table(small.users([4]))
    with pytest.raises(InputError, match=r"3 rows have a user_id that its table lacks, .* 1;"):
        Interactions.load(dataset, few, tables[1])
    with pytest.raises(InputError, match="user_id that its table lacks"):
        Interactions.load(dataset, Users.from_table(small.users([])), tables[1])


def test_take_accepts_masks_and_rows(make_dataset, tables):
    rows = Interactions.load(make_dataset(), *tables, context=True)
    assert rows.take(np.array([5, 0])).day.tolist() == [20460, 20458]
    assert len(rows.take(rows.user == 1)) == 3
    assert rows.take(rows.user == 1).context.shape == (3, 32)


def test_the_outcome_is_the_column_of_the_target(make_dataset, tables):
    rows = Interactions.load(make_dataset(), *tables)
    assert rows.outcome("click") is rows.click
    assert rows.outcome("long_view") is rows.long_view


def test_seen_pairs_are_distinct_and_in_the_order_asked_for(make_dataset, tables):
    rows = Interactions.load(make_dataset(), *tables)
    seen = seen_pairs(rows, np.array([1, 2, 0]))
    assert [pairs.tolist() for pairs in seen] == [[0], [], [2]]
    nothing = rows.take(np.zeros(len(rows), np.bool_))
    assert [pairs.tolist() for pairs in seen_pairs(nothing, np.array([1, 0]))] == [[], []]


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 4), max_size=30))
def test_events_since_counts_later_rows_of_the_same_user(users):
    expected = [users[i + 1 :].count(user) for i, user in enumerate(users)]
    assert events_since(np.array(users, np.int64)).tolist() == expected


@settings(deadline=None, max_examples=40)
@given(st.lists(st.lists(st.integers(0, 9), max_size=4), max_size=5))
def test_packed_lists_unpack(lists):
    values, borders = pack_lists([np.array(part, np.int64) for part in lists])
    assert [values[a:b].tolist() for a, b in pairwise(borders)] == lists
    assert values.dtype == borders.dtype == np.int64
