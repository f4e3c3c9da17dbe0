"""Bundles go through a real server that speaks S3; what it breaks off is said in one sentence."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from shortlist.bundle import open_bundle
from shortlist.bundle.follow import Follower
from shortlist.bundle.manifest import MANIFEST
from shortlist.bundle.shared import SharedStore
from shortlist.bundle.store import Move
from shortlist.errors import (
    CorruptError,
    NotFoundError,
    ShortlistError,
    StorageError,
    UnavailableError,
)

LARGE = "0123456789abcdef" * 1_500_000
"""24 MB: sent in several parts, received in several chunks."""


def one_line(error: Exception) -> str:
    said = str(error)
    assert "\n" not in said
    assert len(said) < 300
    return said


def test_a_bundle_comes_back_byte_for_byte_and_the_pointer_with_it(workshop, store, beside, server):
    one, two = workshop.bundle(LARGE, 0), workshop.bundle("two", 1)
    for bundle in (one, two):
        store.publish(bundle.id)
    assert open_bundle(server.file(one.id)).manifest == one.manifest
    other = beside("other")
    assert other.pull().fetched == (two.id, one.id)
    assert other.here.serving().manifest == two.manifest
    assert other.here.open(one.id).manifest == one.manifest
    assert [found.id for found in other.bundles()] == [two.id, one.id]
    assert other.rollback() == Move(two.id, one.id)
    assert store.pull().bundle == one.id
    assert store.pointer() == store.here.pointer() == other.here.pointer()


def test_what_is_pruned_is_gone_from_the_bucket(workshop, store, server):
    bundles = [workshop.bundle(text, minute) for minute, text in enumerate("abcd")]
    for bundle in bundles:
        store.publish(bundle.id)
    assert {gone.id for gone in store.prune(1)} == {bundle.id for bundle in bundles[:2]}
    assert set(store.remote.ids()) == {bundle.id for bundle in bundles[2:]}
    assert not server.file(bundles[0].id).exists()
    assert store.here.serving().id == bundles[3].id


def test_what_stands_is_not_sent_again(workshop, store):
    bundle = workshop.bundle()
    assert store.push(bundle.id).files == 6
    assert store.push(bundle.id).files == 0
    assert store.push(bundle.id, again=True).files == 6


def test_a_server_killed_in_a_pull_leaves_the_old_bundle_and_the_pull_goes_on_later(
    workshop, store, beside, server
):
    old, new = workshop.bundle("old"), workshop.bundle(LARGE)
    store.publish(old.id)
    other = beside("other")
    other.pull()
    store.publish(new.id)
    asked: list[str] = []
    ask = other.remote.objects.chunks

    def chunks(name: str) -> Iterator[bytes]:
        asked.append(name)
        for number, chunk in enumerate(ask(name)):
            yield chunk
            if name.endswith("recall/table.npy") or number == 1:
                server.kill()

    other.remote.objects.chunks = chunks  # type: ignore[method-assign]
    with pytest.raises(UnavailableError) as caught:
        other.pull()
    assert one_line(caught.value).startswith("s3://bundles/feed does not answer (")
    assert other.here.serving().id == old.id
    assert any(name.endswith("items/more") for name in asked)
    server.start()
    asked.clear()
    other.remote.objects.chunks = lambda name: (asked.append(name), ask(name))[1]  # type: ignore[method-assign]
    assert other.pull().fetched == (new.id,)
    assert other.here.serving().manifest == new.manifest


@pytest.mark.parametrize("struck", ["items/more", "recall/table.npy", MANIFEST])
def test_a_server_killed_in_a_push_has_no_bundle_and_the_push_goes_on_later(
    workshop, store, server, struck
):
    old, new = workshop.bundle("old"), workshop.bundle(LARGE)
    store.publish(old.id)
    write = store.remote.objects.write

    def killing(name: str, chunks) -> None:
        def cut() -> Iterator[bytes]:
            for number, chunk in enumerate(chunks):
                if name.endswith(struck) and (number == 2 or not struck.startswith("items")):
                    server.kill()
                yield chunk

        write(name, cut())

    store.remote.objects.write = killing  # type: ignore[method-assign]
    with pytest.raises(UnavailableError) as caught:
        store.publish(new.id)
    one_line(caught.value)
    server.start()
    del store.remote.objects.write
    assert store.pointer().current == store.here.pointer().current == old.id
    with pytest.raises(NotFoundError):
        store.remote.manifest(new.id)
    store.publish(new.id)
    assert open_bundle(server.file(new.id)).manifest == new.manifest
    assert store.push(new.id).files == 0


def test_a_truncated_object_is_named_and_moves_no_pointer(workshop, store, beside, server):
    old, new = workshop.bundle("old"), workshop.bundle("new")
    store.publish(old.id)
    other = beside("other")
    other.pull()
    store.publish(new.id)
    os.truncate(server.file(f"{new.id}/recall/table.npy"), 3)
    with pytest.raises(CorruptError) as caught:
        other.pull()
    assert one_line(caught.value).startswith(
        f"s3://bundles/feed/{new.id}/recall/table.npy is torn or edited: its checksum differs; "
    )
    assert other.here.pointer().current == old.id
    store.push(new.id)
    assert other.pull().bundle == new.id


def publish_and_pull(store: SharedStore, bundle_id: str) -> Iterator[Callable[[], object]]:
    yield store.pull
    yield store.bundles
    yield lambda: store.publish(bundle_id)
    yield lambda: store.pull(bundle_id)


@pytest.mark.parametrize("variable", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_wrong_keys_are_called_so(workshop, beside, monkeypatch, variable):
    bundle = workshop.bundle()
    monkeypatch.setenv(variable, "wrong")
    for ask in publish_and_pull(beside(workshop.root.name), bundle.id):
        with pytest.raises(StorageError) as caught:
            ask()
        assert one_line(caught.value).startswith("s3://bundles/feed refuses what was asked (")
        assert "check AWS_ACCESS_KEY_ID" in str(caught.value)


def test_a_bucket_that_is_missing_is_called_so(workshop, settings):
    bundle = workshop.bundle()
    elsewhere = settings.model_copy(update={"url": "s3://nowhere/feed"})
    store = SharedStore.at(workshop.root, elsewhere)
    for ask in publish_and_pull(store, bundle.id):
        with pytest.raises(StorageError) as caught:
            ask()
        said = "there is no bucket 'nowhere'; make it, or check remote.url"
        assert one_line(caught.value) == said


def test_a_server_that_is_away_is_called_so(workshop, store, server):
    bundle = workshop.bundle()
    server.kill()
    for ask in publish_and_pull(store, bundle.id):
        with pytest.raises(UnavailableError) as caught:
            ask()
        assert one_line(caught.value).startswith("s3://bundles/feed does not answer (")
        assert "check that the object store runs" in str(caught.value)


def test_a_server_that_hangs_keeps_nobody_for_long(store, server):
    assert server.process is not None
    server.process.send_signal(signal.SIGSTOP)
    began = time.monotonic()
    try:
        with pytest.raises(UnavailableError):
            store.pull()
    finally:
        server.process.send_signal(signal.SIGCONT)
    assert time.monotonic() - began < 20


def test_who_follows_outlives_the_server(workshop, store, beside, server):
    said: list[str] = []
    old, new = workshop.bundle("old"), workshop.bundle("new")
    store.publish(old.id)
    follower = Follower(beside("other"), say=said.append)
    assert follower.look()
    server.kill()
    assert not follower.look()
    assert not follower.look()
    assert follower.bundle == old.id
    server.start()
    store.publish(new.id)
    assert follower.look()
    assert follower.bundle == new.id
    assert said[0] == f"bundle {old.id} is here"
    assert said[1].startswith(f"going on with bundle {old.id}: s3://bundles/feed does not answer")
    assert said[2:] == [
        "s3://bundles/feed is followed again; failed looks: 2",
        f"bundle {new.id} is here",
    ]


def test_of_two_publishers_at_a_time_one_is_last_and_both_bundles_are_whole(
    workshop, store, beside, server
):
    bundles = [workshop.bundle(text) for text in ("one", "two")]
    refused: list[ShortlistError] = []

    def publish(bundle_id: str) -> None:
        try:
            beside(workshop.root.name).publish(bundle_id)
        except ShortlistError as error:
            refused.append(error)

    threads = [threading.Thread(target=publish, args=(bundle.id,)) for bundle in bundles]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all("was moved by another process" in str(error) for error in refused)
    for bundle in bundles:
        assert open_bundle(server.file(bundle.id)).manifest == bundle.manifest
    assert beside("other").pull().bundle in {bundle.id for bundle in bundles}
