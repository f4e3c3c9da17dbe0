"""Videos: what they are, when they come, and what they say of themselves."""

import datetime as dt

import numpy as np
import pytest

from shortlist.datasets import laws
from shortlist.settings.world import WorldSettings
from shortlist.world import vocabulary
from shortlist.world.videos import Videos
from shortlist.world.world import World, make_world

MANY = WorldSettings(users=10, videos=5_000, creators=600, days=28, impressions=1_000)


@pytest.fixture(scope="module")
def many() -> World:
    return make_world(MANY, 2)


@pytest.fixture(scope="module")
def videos(many: World) -> Videos:
    return many.videos


def test_the_videos_table_is_lawful_and_its_rows_are_the_videos(many: World) -> None:
    table = many.videos_table()
    laws.check("videos", table)
    assert table.column("video_id").to_pylist() == many.videos.ids.tolist()
    assert table.column("creator_id").to_pylist() == many.videos.creator.tolist()


def test_videos_are_numbered_by_upload_from_the_stock_to_the_last_day(videos: Videos) -> None:
    assert (np.diff(videos.upload_day) >= 0).all()
    assert videos.upload_day[0] >= -MANY.stock_days
    assert videos.upload_day[-1] < MANY.days


def test_the_upload_time_of_the_table_is_that_of_the_world(many: World) -> None:
    shown = many.videos_table().column("uploaded_at").to_pylist()
    first = dt.datetime.combine(MANY.first_day, dt.time(), dt.UTC)
    for row in (0, 2_500, 4_999):
        days = (shown[row] - first).total_seconds() / 86_400
        assert days == pytest.approx(many.videos.upload_day[row], abs=1e-6)


def test_taste_has_unit_variance_of_which_the_tag_explains_its_share(
    many: World, videos: Videos
) -> None:
    centres = np.sqrt(MANY.tag_share) * many.space.tags[videos.tag]
    rest = videos.taste - centres
    # Videos share creators, so that a mean over 5,000 of them is worth one over about 600.
    assert rest.var() == pytest.approx(1 - MANY.tag_share, rel=0.1)
    assert (videos.taste**2).mean() == pytest.approx(1, rel=0.2)


def test_videos_of_one_creator_are_alike(videos: Videos) -> None:
    by_creator = np.argsort(videos.creator, kind="stable")
    same = np.diff(videos.creator[by_creator]) == 0
    tag = videos.tag[by_creator]
    alike = (tag[1:] == tag[:-1])[same].mean()
    chance = (np.bincount(videos.tag) / len(videos)) @ (np.bincount(videos.tag) / len(videos))
    assert alike > 0.55 > 5 * chance


def test_appeal_has_the_deviation_of_the_setting(videos: Videos) -> None:
    assert videos.appeal.std() == pytest.approx(MANY.appeal_deviation, rel=0.1)


def test_durations_span_seconds_to_minutes(videos: Videos) -> None:
    low, middle, high = np.quantile(videos.duration_seconds, [0, 0.5, 1])
    assert (low, high) == (4, 900)
    assert middle == pytest.approx(55, rel=0.1)


def test_titles_are_short_capitalised_and_of_known_words(many: World) -> None:
    known = set(many.space.word_names)
    for title in many.videos_table().column("title").to_pylist():
        words = title.lower().split()
        assert 1 <= len(words) <= 8
        assert len(set(words)) == len(words)
        assert set(words) <= known
        assert title == title.capitalize()


def test_tags_are_one_to_four_and_mostly_hold_the_main_tag(many: World) -> None:
    tags = many.videos_table().column("tags").to_pylist()
    assert {len(row) for row in tags} == {1, 2, 3, 4}
    assert all(len(set(row)) == len(row) for row in tags)
    main = [
        vocabulary.TAG_NAMES[tag] in row for row, tag in zip(tags, many.videos.tag, strict=True)
    ]
    assert 0.5 < np.mean(main) < 0.95, "tags must be a view of the truth, and a noisy one"


def test_blocks_of_titles_do_not_change_them(many: World, monkeypatch: pytest.MonkeyPatch) -> None:
    few = make_world(MANY.model_copy(update={"videos": 300, "days": 5}), 2)
    whole = few.videos_table()
    monkeypatch.setattr("shortlist.world.videos._BLOCK", 7)
    assert few.videos_table().equals(whole)
