"""A recommender of an earlier day keeps its word on what it knows, and places what is new."""

import dataclasses
import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from shortlist.datasets import schema
from shortlist.datasets.catalogue import Catalogue
from shortlist.datasets.tags import listed_tags
from shortlist.errors import NotFoundError, RefusedError
from shortlist.evaluation.arena import make_arena
from shortlist.evaluation.performance import perform
from shortlist.evaluation.shown import show
from shortlist.ranker.artefacts import ITEMS, PROJECTION
from shortlist.ranker.projection import Projection
from shortlist.recommender.contestant import Contestant
from shortlist.recommender.later import rows_before
from shortlist.settings.slate import SlateSettings

SLATE = SlateSettings(size=6, trade_off=0.67)
NEW = np.arange(200) % 5 == 0


def contestant(of, **changes) -> Contestant:
    return Contestant(of.directories, SLATE, digest="d", **changes)


@pytest.fixture(scope="module")
def view(trained):
    return trained.view


@pytest.fixture(scope="module")
def today(view, earlier):
    """Today's videos and users, yesterday's events."""
    known = view.log.day < earlier.view.as_of_day
    return dataclasses.replace(view, log=view.log.take(np.flatnonzero(known)))


@pytest.fixture(scope="module")
def projected(earlier, view) -> Contestant:
    return contestant(earlier, new_videos="projected").fit(view)


def catalogue_of(*videos: dict[str, object]) -> Catalogue:
    rows = [{"video_id": place, "tags": [], **video} for place, video in enumerate(videos)]
    return Catalogue.from_table(pa.Table.from_pylist(rows, schema.VIDEOS))


def test_videos_go_by_their_names_in_the_source_else_by_their_ids():
    now = catalogue_of({"video_id": 3}, {"video_id": 7}, {"video_id": 9})
    before = catalogue_of({"video_id": 2}, {"video_id": 3}, {"video_id": 9})
    assert rows_before(now, before).tolist() == [1, -1, 2]
    # Names are numbered anew at each import, so equal numbers mean nothing.
    named = catalogue_of(*({"external_id": name} for name in ("a", "b", "d")))
    fewer = catalogue_of(*({"external_id": name} for name in ("b", "c", "d")))
    assert rows_before(named, fewer).tolist() == [-1, 0, 2]


def test_on_the_catalogue_of_its_training_nothing_changes(trained, view):
    users = np.arange(len(view.users))
    strict = contestant(trained).fit(view)
    moved = contestant(trained, new_videos="projected").fit(view)
    np.testing.assert_array_equal(moved.score(users), strict.score(users))
    np.testing.assert_array_equal(moved.pages(users), strict.pages(users))
    np.testing.assert_array_equal(moved.predict(view.log), strict.predict(view.log))


def test_what_it_knows_it_ranks_as_it_did(earlier, today):
    """New videos last: the order of the others, and their scores, are those of yesterday."""
    yesterday = dataclasses.replace(today, as_of=earlier.view.as_of)
    moved = contestant(earlier, new_videos="last").fit(yesterday)
    users = np.arange(len(earlier.view.users))
    scores = moved.score(users)
    before = contestant(earlier).fit(earlier.view).score(users)
    live = earlier.view.catalogue.uploaded_before(earlier.view.as_of)
    np.testing.assert_array_equal(scores[:, ~NEW][:, live], before[:, live])
    assert (scores[:, NEW].max(axis=1) < scores[:, ~NEW][:, live].min(axis=1)).all()


def test_new_videos_stand_where_the_projection_puts_them(earlier, projected, view):
    parts, before = projected._cascade.parts, earlier.view.catalogue
    new = np.flatnonzero(NEW)
    table = view.catalogue.table
    creators = dict(
        zip(before.table["creator_id"].to_pylist(), before.creator.tolist(), strict=True)
    )
    names = view.catalogue.tag_names
    shared = [name in before.tag_names for name in names]
    places = [before.tag_names.index(name) for name in names if name in before.tag_names]
    tags = np.zeros((len(new), len(before.tag_names)), np.float32)
    tags[:, places] = listed_tags(view.catalogue).toarray()[new][:, shared]
    rows = Projection.load(earlier.directories["ranker"]).rows(
        view.content[new],
        tags,
        np.array([1 + creators.get(table["creator_id"][row].as_py(), -1) for row in new]),
        np.array([1 + before.languages.index(table["language"][row].as_py()) for row in new]),
        view.catalogue.duration_seconds[new],
    )
    np.testing.assert_allclose(parts.scorer.items[new], rows, atol=2e-2)
    np.testing.assert_allclose(parts.vectors[new], rows, atol=1e-5)
    np.testing.assert_allclose(parts.tags[new], tags)
    known = np.load(earlier.directories["ranker"] / ITEMS)
    np.testing.assert_array_equal(parts.scorer.items[~NEW], known)


def test_new_videos_are_found_and_shown(projected, view):
    users = np.arange(len(view.users))
    scores = projected.score(users)
    live = view.catalogue.uploaded_before(view.as_of)
    assert (scores[:, live].min(axis=1) > scores[:, ~live].max(axis=1)).all()
    candidates = np.concatenate([ranked.video for ranked in projected.ranked(users)])
    assert NEW[candidates].any()
    assert NEW[projected.pages(users)].any()
    # Those who came yesterday are described, too.
    assert projected._declared[-8:].any()


def test_the_judge_finds_nothing_wrong_with_its_pages(trained, projected, earlier):
    arena = make_arena(
        trained.dataset,
        trained.cut,
        trained.view.content,
        target="click",
        context=np.zeros(32, np.float32),
        sample=20,
        seed=0,
    )
    for new_videos in ("projected", "last"):
        model = contestant(earlier, new_videos=new_videos)
        done = perform(model, arena, share=0.2, rates=np.full(len(arena.catalogue), 0.2))
        assert np.isfinite(done.row_predictions).all()
        assert (show(model, model.name, arena).pages >= 0).all()


def test_what_is_gone_is_ignored(trained, view):
    """The videos that were best are taken down: they are nowhere, and the others move up."""
    users = np.arange(len(view.users))
    whole = contestant(trained).fit(view)
    gone = np.zeros(200, np.bool_)
    gone[np.unique(whole.pages(users))[::2]] = True
    here = np.flatnonzero(~gone)
    log = view.log.take(np.flatnonzero(~gone[view.log.video]))
    left = dataclasses.replace(
        view,
        catalogue=Catalogue.from_table(view.catalogue.table.take(here)),
        content=view.content[here],
        log=dataclasses.replace(log, video=np.searchsorted(here, log.video)),
    )
    moved = contestant(trained, new_videos="projected").fit(left)
    assert moved.score(users).shape == (60, len(here))
    parts = moved._cascade.parts
    np.testing.assert_array_equal(
        parts.scorer.items, np.load(trained.directories["ranker"] / ITEMS)[here]
    )
    for page, user in zip(moved.pages(users), users, strict=True):
        assert (page >= 0).all()
        assert not np.isin(page, left.log.video[left.log.user == user]).any()


def test_tags_that_came_later_are_left_out_and_old_ones_keep_their_places(trained, view):
    tags = [["a tag of today", *listed] for listed in view.catalogue.table["tags"].to_pylist()]
    place = view.catalogue.table.schema.get_field_index("tags")
    field = view.catalogue.table.schema.field(place)
    table = view.catalogue.table.set_column(place, field, [tags])
    later = dataclasses.replace(view, catalogue=Catalogue.from_table(table))
    users = np.arange(10)
    moved = contestant(trained, new_videos="projected").fit(later)
    strict = contestant(trained).fit(view)
    np.testing.assert_array_equal(moved.score(users), strict.score(users))
    assert "a tag of today" in moved._cascade.parts.items.tag_names


def test_the_days_that_it_is_judged_on_are_refused_still(trained, view):
    sooner = dataclasses.replace(view, as_of=view.as_of - dt.timedelta(days=2))
    with pytest.raises(RefusedError, match="trained on 2 days of those it should be judged on"):
        contestant(trained, new_videos="projected").fit(sooner)


def test_a_catalogue_without_a_known_video_is_refused(earlier, view):
    here = np.flatnonzero(NEW)
    log = view.log.take(np.zeros(0, np.int64))
    other = dataclasses.replace(
        view,
        catalogue=Catalogue.from_table(view.catalogue.table.take(here)),
        content=view.content[here],
        log=log,
    )
    with pytest.raises(RefusedError, match="other videos"):
        contestant(earlier, new_videos="projected").fit(other)


def test_a_lost_projection_is_missed_only_where_it_is_needed(earlier, view, tmp_path):
    import shutil

    ranker = tmp_path / "ranker"
    shutil.copytree(earlier.directories["ranker"], ranker)
    (ranker / PROJECTION).unlink()
    places = {**earlier.directories, "ranker": ranker}
    with pytest.raises(NotFoundError, match=PROJECTION):
        Contestant(places, SLATE, digest="d", new_videos="projected").fit(view)
    Contestant(places, SLATE, digest="d", new_videos="last").fit(view)


def test_what_becomes_of_new_videos_is_in_the_fingerprint(earlier):
    told = {contestant(earlier, new_videos=how).fingerprint for how in ("projected", "last")}
    assert len(told | {contestant(earlier).fingerprint}) == 3
