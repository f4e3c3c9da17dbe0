import math

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from shortlist.datasets import schema
from shortlist.encoders.text import FIELDS, duration_bucket, split_fields, video_texts


def videos(**columns: list[object]) -> pa.Table:
    number = len(next(iter(columns.values())))
    nulls = {field.name: pa.nulls(number, field.type) for field in schema.VIDEOS}
    plain = {"video_id": range(number), "tags": [[]] * number}
    return pa.table({**nulls, **plain, **columns}, schema=schema.VIDEOS)


def test_a_video_of_which_nothing_is_known_has_the_empty_text():
    assert video_texts(videos(title=[None, "", " \n "])) == ["", "", ""]


def test_a_log_without_titles_still_says_the_rest():
    table = videos(tags=[["39"]], creator_id=[7349781], duration_seconds=[87.4])
    assert video_texts(table) == ["tags: 39\ncreator: 7349781\nduration: 60 to 120 seconds"]


def test_texts_follow_the_order_of_rows_over_chunks():
    table = pa.concat_tables([videos(title=["a", "b"]), videos(title=["c"])])
    assert video_texts(table) == ["title: a", "title: b", "title: c"]
    assert video_texts(table.slice(1)) == ["title: b", "title: c"]


def test_an_unknown_duration_is_left_out():
    assert video_texts(videos(duration_seconds=[math.nan, None])) == ["", ""]


def test_a_title_cannot_pass_for_another_field():
    (text,) = video_texts(videos(title=["fun\ntags: sea\u2028creator: 1"], tags=[["cats"]]))
    assert split_fields(text) == {"title": "fun tags: sea creator: 1", "tags": "cats"}


def test_a_tag_cannot_pass_for_two():
    (text,) = video_texts(videos(tags=[["food, hot", " ", "two\nlines"]]))
    assert text == "tags: food hot, two lines"


@given(title=st.text(), tags=st.lists(st.text(), max_size=3), creator=st.none() | st.integers(0, 9))
def test_fields_are_read_back_as_they_were_written(title, tags, creator):
    (text,) = video_texts(videos(title=[title], tags=[tags], creator_id=[creator]))
    fields = split_fields(text)
    assert fields.get("title", "") == " ".join(title.split())
    assert fields.get("creator") == (None if creator is None else str(creator))
    assert ("tags" in fields) == any(tag.replace(",", " ").strip() for tag in tags)
    assert list(fields) == [field for field in FIELDS if field in fields]


@given(seconds=st.floats(0, 10_000), more=st.floats(0, 10_000))
def test_buckets_are_intervals(seconds, more):
    longer = seconds + more
    if duration_bucket(seconds) == duration_bucket(longer):
        assert duration_bucket(seconds + more / 2) == duration_bucket(seconds)
