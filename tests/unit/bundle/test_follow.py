"""Who follows keeps what he has, says once what is wrong, and is ready with a whole bundle."""

import shutil
import threading
from pathlib import Path

import pytest

from shortlist.bundle.follow import MARK, Follower, Mark, read_mark
from shortlist.bundle.shared import SharedStore
from shortlist.settings.remote import RemoteSettings


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def store(workshop, place) -> SharedStore:
    return SharedStore.at(workshop.root, RemoteSettings(url=f"file://{place}"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "other"


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def follower(place, root, said):
    def make(**options) -> Follower:
        there = SharedStore.at(root, RemoteSettings(url=f"file://{place}"))
        return Follower(there, say=said.append, **options)

    return make


def test_it_is_not_ready_before_a_bundle_is_here(workshop, store, root, follower, said):
    following = follower()
    assert not following.look()
    assert not following.look()
    assert following.bundle is None
    assert not (root / MARK).exists()
    assert len(said) == 1
    assert said[0].startswith("going on without a bundle: no bundle is published at file://")
    bundle = workshop.bundle()
    store.publish(bundle.id)
    assert following.look()
    assert read_mark(root) == Mark(bundle=bundle.id, fetched=(bundle.id,), failed_in_all=2)
    assert said[1:] == [
        f"{store.remote.url} is followed again; failed looks: 2",
        f"bundle {bundle.id} is here",
    ]


def test_it_goes_on_with_what_it_has_and_counts(workshop, store, root, place, follower, said):
    bundle = workshop.bundle()
    store.publish(bundle.id)
    following = follower()
    following.look()
    place.rename(place.with_name("away"))
    said.clear()
    for failed in (1, 2, 3):
        assert not following.look()
        mark = read_mark(root)
        assert (mark.bundle, mark.failed, mark.failed_in_all) == (bundle.id, failed, failed)
    assert len(said) == 1
    assert said[0].startswith(f"going on with bundle {bundle.id}: no bundle is published at")
    place.with_name("away").rename(place)
    following.look()
    assert read_mark(root) == Mark(bundle=bundle.id, fetched=(bundle.id,), failed_in_all=3)


def test_started_again_without_the_store_it_is_ready_with_what_is_whole(
    workshop, store, root, place, follower
):
    bundle = workshop.bundle()
    store.publish(bundle.id)
    follower().look()
    shutil.rmtree(place)
    following = follower()
    assert not (root / MARK).exists()
    assert not following.look()
    assert read_mark(root).bundle == bundle.id
    (root / bundle.id / "items/more").write_text("x")
    following = follower()
    following.look()
    assert not (root / MARK).exists()


def test_a_torn_bundle_is_named_and_the_old_one_stays(workshop, store, root, place, follower, said):
    old, new = workshop.bundle("old"), workshop.bundle("new")
    store.publish(old.id)
    following = follower()
    following.look()
    store.publish(new.id)
    (place / new.id / "items/more").write_text("x")
    for _ in range(3):
        assert not following.look()
    assert following.bundle == old.id
    assert f"/{new.id}/items/more is torn" in said[-1]
    assert len(said) == 2
    assert following._store.here.pointer().current == old.id


def test_only_what_it_brought_itself_is_deleted_again(workshop, store, root, follower):
    bundles = [workshop.bundle(text, minute) for minute, text in enumerate("abcd")]
    store.publish(bundles[0].id)
    own = root / ("0" * 32)
    own.mkdir(parents=True)
    following = follower()
    for bundle in bundles:
        store.publish(bundle.id)
        assert following.look()
    there = {path.name for path in root.iterdir() if not path.name.startswith(".")}
    kept = {bundle.id for bundle in bundles[2:]}
    assert there == kept | {own.name, "current.json", MARK}
    assert set(read_mark(root).fetched) == kept


def test_a_pinned_bundle_is_asked_for_once(workshop, store, root, place, follower):
    one, two = workshop.bundle("one"), workshop.bundle("two")
    for bundle in (one, two):
        store.publish(bundle.id)
    following = follower(pinned=one.id[:10])
    assert following.look()
    assert read_mark(root).bundle == one.id
    shutil.rmtree(place)
    assert following.look()
    again = follower(pinned=one.id[:10])
    again.look()
    assert read_mark(root).bundle == one.id


def test_it_looks_until_it_is_told_to_stop(workshop, store, follower):
    store.publish(workshop.bundle().id)
    following, stopping = follower(poll_seconds=0.1), threading.Event()
    thread = threading.Thread(target=following.run, args=(stopping,))
    thread.start()
    new = workshop.bundle("new")
    store.publish(new.id)
    for _ in range(100):
        if following.bundle == new.id:
            break
        threading.Event().wait(0.1)
    stopping.set()
    thread.join(10)
    assert following.bundle == new.id


def test_it_asks_less_often_while_nothing_answers(follower):
    following = follower(poll_seconds=5.0)
    pauses = []
    for _ in range(5):
        pauses.append(following._pause())
        following.look()
    assert pauses == [5.0, 10.0, 20.0, 30.0, 30.0]
