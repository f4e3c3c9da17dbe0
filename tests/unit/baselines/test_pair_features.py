"""What a log says of pairs, each feature against a count by hand."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from shortlist.baselines.pair_features import NAMES, PairFeatures
from shortlist.datasets import schema
from shortlist.datasets.catalogue import Catalogue, Users


@pytest.fixture
def view(view_of):
    """Four impressions, two of them positive, of three described videos to two users of three."""
    columns = {name: [None] * 4 for name in schema.VIDEOS.names}
    columns |= {
        "video_id": [0, 1, 2, 3],
        "tags": [["a", "b"], ["a"], ["c"], []],
        "creator_id": [70, 70, 80, None],
        "duration_seconds": [np.e, np.e**3, None, 0.0],
        "language": ["en", "de", None, "en"],
        "uploaded_at": [dt.datetime(2026, 1, day, tzinfo=dt.UTC) for day in (1, 2, 3, 4)],
    }
    people = {name: [None] * 3 for name in schema.USERS.names}
    people |= {"user_id": [0, 1, 2], "language": ["en", "fr", None]}
    view = view_of([0, 0, 1, 1], [0, 1, 0, 2], [1.0, 0.0, 1.0, 0.0], users=3, videos=4)
    return replace(
        view,
        catalogue=Catalogue.from_table(pa.table(columns, schema=schema.VIDEOS)),
        users=Users.from_table(pa.table(people, schema=schema.USERS)),
        as_of=dt.date(2026, 1, 6),
    )


def features(view, user, video):
    row = PairFeatures(view)(np.array([user]), np.array([video]))
    assert row.dtype == np.float32
    return dict(zip(NAMES, row[0].tolist(), strict=True))


def test_users_are_counted(view):
    found = features(view, 0, 0)
    assert found["user impressions"] == pytest.approx(np.log(3))
    assert found["user positives"] == pytest.approx(np.log(2))
    assert found["user rate"] == pytest.approx((1 + 10 * 0.5) / 12)
    assert features(view, 2, 0)["user rate"] == pytest.approx(0.5)


def test_videos_are_counted_and_described(view):
    found = features(view, 0, 0)
    assert found["video watches"] == pytest.approx(np.log(3))
    assert found["video age"] == 5
    assert found["video duration"] == pytest.approx(1)
    assert found["video tags"] == 2
    assert np.isnan(features(view, 0, 2)["video duration"])
    assert np.isnan(features(view, 0, 3)["video duration"])  # 0 seconds are no duration


def test_creators_are_counted_for_all_and_for_the_user(view):
    found = features(view, 0, 1)
    assert found["creator impressions"] == pytest.approx(np.log(4))
    assert found["creator rate"] == pytest.approx((2 + 10 * 0.5) / 13)
    assert found["creator met"] == pytest.approx(np.log(3))
    assert found["creator liked"] == pytest.approx(np.log(2))
    assert features(view, 0, 2)["creator met"] == 0
    unknown = features(view, 0, 3)
    assert all(np.isnan(unknown[name]) for name in NAMES if name.startswith("creator"))


def test_tags_are_compared_with_what_the_user_met_and_liked(view):
    found = features(view, 0, 0)
    # Of tag a: one like in two impressions; of tag b: one like in one. Usual rate 6 / 12.
    assert found["tag overlap"] == pytest.approx((1 / 2 + 1 / 2) / 2)
    assert found["tag lift"] == pytest.approx(((6 / 12 - 0.5) + (6 / 11 - 0.5)) / 2, abs=1e-6)
    assert np.isnan(features(view, 0, 3)["tag overlap"])


def test_languages_and_durations_are_matched(view):
    assert features(view, 0, 0)["language match"] == 1
    assert features(view, 0, 1)["language match"] == 0
    assert features(view, 1, 0)["language match"] == 0  # no video speaks the user's language
    assert np.isnan(features(view, 2, 0)["language match"])
    assert np.isnan(features(view, 0, 2)["language match"])
    assert features(view, 0, 1)["duration gap"] == pytest.approx(2)
    assert np.isnan(features(view, 2, 0)["duration gap"])


def test_pairs_are_looked_up_each_by_itself(view):
    lookup = PairFeatures(view)
    user, video = (axis.ravel() for axis in np.indices((3, 4)))
    together = lookup(user, video)
    for i in range(12):
        np.testing.assert_array_equal(together[i : i + 1], lookup(user[[i]], video[[i]]))
