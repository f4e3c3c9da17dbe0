"""A directory and the store move together: what is damaged moves neither, and nobody is ahead."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from shortlist.bundle.manifest import CARD, MANIFEST
from shortlist.bundle.pointer import POINTER, Pointer
from shortlist.bundle.shared import PULLING, SharedStore
from shortlist.bundle.store import Move
from shortlist.errors import CorruptError, InputError, NotFoundError, RefusedError
from shortlist.settings.remote import RemoteSettings


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def beside(tmp_path: Path, place: Path) -> Callable[[str], SharedStore]:
    """The same store, seen from another directory."""
    settings = RemoteSettings(url=f"file://{place}")
    return lambda name: SharedStore.at(tmp_path / name, settings)


@pytest.fixture
def store(workshop, beside) -> SharedStore:
    return beside(workshop.root.name)


@pytest.fixture
def published(workshop, store):
    """Three bundles, published in their order."""
    bundles = [workshop.bundle(text, minute) for minute, text in enumerate(("one", "two", "three"))]
    for bundle in bundles:
        store.publish(bundle.id)
    return bundles


def damage(directory: Path) -> None:
    (directory / "recall/table.npy").unlink()
    (directory / "recall/table.npy").write_text("co")


def test_publishing_moves_both_pointers(workshop, store, place):
    bundle = workshop.bundle()
    assert not store.stands(bundle.id)
    assert store.publish(bundle.id) == Move(None, bundle.id)
    assert store.stands(bundle.id)
    assert store.here.pointer() == store.pointer() == Pointer().published(bundle.id)
    assert (place / POINTER).read_bytes() == (store.root / POINTER).read_bytes()
    assert store.publish(bundle.id) == Move(bundle.id, bundle.id)


def test_a_directory_that_lost_its_pointer_does_not_stand_where_the_store_does(store, published):
    (store.root / POINTER).unlink()
    assert not store.stands(published[2].id)
    store.publish(published[2].id)
    assert store.here.pointer() == store.pointer()


def test_what_is_damaged_here_moves_no_pointer_and_is_not_sent(workshop, store, published):
    bundle = workshop.bundle("four")
    damage(bundle.path)
    before = store.pointer()
    with pytest.raises(CorruptError, match="is torn"):
        store.publish(bundle.id)
    assert store.pointer() == store.here.pointer() == before
    assert bundle.id not in store.remote.ids()


def test_a_store_that_is_new_takes_the_line_and_the_pins_of_the_directory(workshop, store, beside):
    with pytest.raises(NotFoundError, match="is the current one"):
        store.share()
    one, two = workshop.bundle("one"), workshop.bundle("two")
    for bundle in (one, two):
        workshop.store.publish(bundle.id)
    workshop.store.pin(one.id)
    line = workshop.store.pointer()
    assert store.share() == Move(None, two.id)
    assert store.pointer() == store.here.pointer() == line
    with pytest.raises(NotFoundError, match="nothing to roll back to"):
        store.rollback()
    store.push(one.id)
    assert store.rollback() == Move(two.id, one.id)
    assert beside("other").pull().bundle == one.id
    workshop.store.publish(two.id)
    assert store.share() == Move(one.id, two.id)
    assert store.pointer().previous == (one.id,)


def test_a_pull_brings_the_published_one_and_the_one_before_it(store, published, beside):
    other = beside("other")
    one, two, three = (bundle.id for bundle in published)
    pulled = other.pull()
    assert (pulled.bundle, pulled.fetched) == (three, (three, two))
    assert other.here.pointer() == store.pointer()
    assert other.here.serving().manifest == published[2].manifest
    assert not (other.root / one).exists()
    assert other.pull().fetched == ()


def test_after_a_rollback_the_one_that_was_left_is_brought_too(store, published, beside):
    _, two, three = (bundle.id for bundle in published)
    store.rollback()
    assert beside("other").pull().fetched == (two, three)


def test_a_pull_does_without_the_one_before(store, published, beside, place):
    shutil.rmtree(place / published[1].id)
    assert beside("other").pull().fetched == (published[2].id,)


def test_nothing_published_is_one_sentence(store, beside):
    with pytest.raises(NotFoundError, match=r"no bundle is published at file://.*`shortlist bund"):
        store.pull()
    with pytest.raises(NotFoundError, match="nothing to go back"):
        store.rollback()
    assert store.bundles() == ()
    assert store.prune(1) == ()


@pytest.mark.parametrize("name", ["recall/table.npy", CARD, MANIFEST])
def test_a_torn_bundle_there_never_replaces_the_pointer_here(
    workshop, store, published, beside, place, name
):
    other = beside("other")
    other.pull()
    before = other.here.pointer()
    bundle = workshop.bundle("four")
    store.publish(bundle.id)
    file = place / bundle.id / name
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(CorruptError, match=f"/store/{bundle.id}/{name} "):
        other.pull()
    assert other.here.pointer() == before
    assert not (other.root / bundle.id).exists()
    store.push(bundle.id, again=True)
    assert other.pull().fetched == (bundle.id,)
    assert list((other.root / PULLING).glob("[0-9a-f]*")) == []


def test_what_is_damaged_here_is_brought_again(store, published, beside):
    other = beside("other")
    other.pull()
    damage(other.root / published[2].id)
    again = beside("other")
    assert again.pull().fetched == (published[2].id,)
    assert again.here.serving().manifest == published[2].manifest


def test_a_pointer_here_that_is_none_is_replaced(store, published, beside):
    other = beside("other")
    other.pull()
    (other.root / POINTER).write_text("!")
    other.pull()
    assert other.here.pointer() == store.pointer()


def test_one_by_its_id_comes_without_a_pointer(store, published, beside):
    other = beside("other")
    pulled = other.pull(published[0].id[:9])
    one = published[0].id
    assert (pulled.bundle, pulled.fetched, pulled.pointer) == (one, (one,), None)
    assert other.here.pointer() == Pointer()
    with pytest.raises(NotFoundError, match="no bundle 'f00'"):
        other.pull("f00")


def test_a_rollback_from_an_empty_directory_verifies_what_it_goes_back_to(
    store, published, beside, place
):
    one, two, three = (bundle.id for bundle in published)
    damage(place / two)
    with pytest.raises(CorruptError, match=f"{two}/recall/table.npy is torn"):
        beside("other").rollback()
    assert store.pointer().current == three
    assert beside("other").rollback(one) == Move(three, one)
    assert store.pointer().current == one
    assert beside("other").here.pointer() == store.pointer()
    assert not store.stands(one)


def test_a_bundle_that_was_never_published_is_not_gone_back_to(workshop, store, published):
    bundle = workshop.bundle("four")
    store.push(bundle.id)
    with pytest.raises(RefusedError, match="was never published"):
        store.rollback(bundle.id)


def test_a_rollback_passes_over_what_was_pruned(store, published, beside):
    one, two, three = (bundle.id for bundle in published)
    store.remote.remove(two)
    assert beside("other").rollback() == Move(three, one)


def test_a_pin_holds_in_the_store(store, published, beside):
    one = published[0].id
    beside("other").pin(one)
    assert store.prune(1) == ()
    beside("other").unpin(one)
    assert [gone.id for gone in store.prune(1, dry_run=True)] == [one]
    assert one in store.remote.ids()
    assert [gone.id for gone in store.prune(1)] == [one]
    assert one not in store.remote.ids()
    assert not (store.root / one).exists()
    with pytest.raises(NotFoundError):
        store.pin("0" * 32)
    with pytest.raises(InputError, match="keep at least 1"):
        store.prune(0)


def test_a_gate_finds_its_rival_in_a_directory_that_is_new(store, published, beside):
    assert beside("other").open(published[2].id).manifest == published[2].manifest
    with pytest.raises(NotFoundError, match="no bundle 0000"):
        store.open("0" * 32)


def test_what_killed_downloads_left_goes_with_the_next(store, published, beside):
    other = beside("other")
    left = other.root / PULLING / ("0" * 32)
    left.mkdir(parents=True)
    other.pull()
    assert not left.exists()


def test_a_pull_killed_at_any_change_leaves_the_state_before_or_after(
    workshop, store, published, beside, dying, tmp_path
):
    first = beside("first")
    first.pull()
    new = workshop.bundle("four")
    store.publish(new.id)
    seen = set()
    operation = 0
    while True:
        shutil.rmtree(tmp_path / "other", ignore_errors=True)
        shutil.copytree(first.root, tmp_path / "other")
        other = beside("other")
        died = dying(other.pull, operation)
        assert other.here.serving().id in (published[2].id, new.id)
        seen.add(other.here.serving().id)
        other.pull()
        assert other.here.serving().id == new.id
        if not died:
            break
        operation += 7
    assert seen == {published[2].id, new.id}
    assert operation > 14
