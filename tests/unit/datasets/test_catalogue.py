import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from shortlist.datasets import schema
from shortlist.datasets.catalogue import Catalogue, Users
from shortlist.errors import NotFoundError


def test_a_videos_table_becomes_arrays(small):
    catalogue = Catalogue.from_table(small.videos())
    assert catalogue.ids.tolist() == [10, 20, 30]
    assert catalogue.creator.tolist() == [1, -1, 0]
    assert catalogue.creators == 2
    assert catalogue.languages == ("de", "en")
    assert catalogue.language.tolist() == [1, -1, 0]
    np.testing.assert_array_equal(catalogue.duration_seconds, np.float32([10, np.nan, 30]))
    assert catalogue.tag_names == ("a", "b")
    # A tag that stands twice counts once.
    assert catalogue.tags.toarray().tolist() == [[1, 1], [0, 0], [1, 0]]


def test_upload_days_floor_milliseconds_and_fall_back_to_the_earliest(small):
    catalogue = Catalogue.from_table(small.videos())
    start = dt.date(1970, 1, 1).toordinal()
    days = [str(dt.date.fromordinal(start + int(day))) for day in catalogue.upload_day]
    assert days == ["2026-01-05", "2026-01-03", "2026-01-03"]
    assert catalogue.uploaded_before(dt.date(2026, 1, 5)).tolist() == [False, True, True]
    assert catalogue.uploaded_before(dt.date(2026, 1, 6)).all()


def test_tables_in_chunks_and_without_rows_convert():
    empty = Catalogue.from_table(schema.VIDEOS.empty_table())
    assert len(empty) == empty.creators == 0
    assert empty.tags.shape == (0, 0)
    assert len(Users.from_table(schema.USERS.empty_table())) == 0


def test_tags_in_several_chunks_stay_with_their_videos(small):
    table = small.videos()
    pieces = pa.concat_tables([table.slice(2, 1), table.slice(0, 1)])
    assert Catalogue.from_table(pieces).tags.toarray().tolist() == [[1, 0], [1, 1]]


def test_a_user_is_found_by_id_and_an_unknown_one_is_one_sentence(small):
    users = Users.from_table(small.users([1, 4, 9]))
    assert [users.row(user) for user in (1, 4, 9)] == [0, 1, 2]
    for unknown in (0, 5, 10):
        with pytest.raises(NotFoundError, match=rf"no user {unknown} .*from 1 to 9"):
            users.row(unknown)
    with pytest.raises(NotFoundError, match=r"no user 3 in this dataset \(none\)"):
        Users.from_table(small.users([])).row(3)
