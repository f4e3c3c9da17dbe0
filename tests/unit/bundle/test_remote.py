"""A bundle in the store is whole or none, and what is wrong with it is named by its address."""

import datetime as dt
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest

from shortlist.bundle import open_bundle
from shortlist.bundle.manifest import CARD, MANIFEST, RUN
from shortlist.bundle.objects import Objects
from shortlist.bundle.pointer import Pointer
from shortlist.bundle.remote import Remote, Sent
from shortlist.errors import CorruptError, NotFoundError, StorageError
from shortlist.settings.remote import RemoteSettings


class CutError(Exception):
    """Stands for the end of the process."""


class Dying(Objects):
    """A store whose sender dies before its n-th object is written."""

    left = -1
    written: list[str]

    def write(self, name: str, chunks: Iterable[bytes]) -> None:
        if self.left == 0:
            raise CutError
        self.left -= 1
        self.__dict__.setdefault("written", []).append(name)
        super().write(name, chunks)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "the store"


@pytest.fixture
def objects(place: Path) -> Dying:
    return Dying(RemoteSettings(url=f"file://{place}"))


@pytest.fixture
def remote(objects: Dying) -> Remote:
    return Remote(objects)


def test_what_was_pushed_is_a_bundle_byte_for_byte(workshop, remote, place):
    bundle = workshop.bundle()
    sent = remote.push(bundle)
    assert sent.files == 6
    assert sent.size == sum(
        file.stat().st_size for file in bundle.path.rglob("*") if file.is_file()
    )
    assert open_bundle(place / bundle.id).manifest == bundle.manifest
    assert (place / bundle.id / RUN).read_bytes() == (bundle.path / RUN).read_bytes()


def test_files_go_first_and_the_manifest_last(workshop, remote, objects):
    bundle = workshop.bundle()
    remote.push(bundle)
    names = [name.removeprefix(f"{bundle.id}/") for name in objects.written]
    assert names[-3:] == [CARD, RUN, MANIFEST]
    assert names[:-3] == [file.path for file in bundle.manifest.files]


def test_a_push_killed_anywhere_leaves_no_bundle_and_the_next_one_sends_the_rest(
    workshop, remote, objects, place
):
    bundle = workshop.bundle()
    count = 6
    for at in range(count):
        shutil.rmtree(place, ignore_errors=True)
        objects.left, objects.written = at, []
        with pytest.raises(CutError):
            remote.push(bundle)
        with pytest.raises(NotFoundError, match=MANIFEST):
            remote.manifest(bundle.id)
        objects.left = -1
        files = len(bundle.manifest.files)
        assert remote.push(bundle).files == max(files - at, 0) + 3
        assert remote.manifest(bundle.id) == bundle.manifest


def test_what_stands_is_not_sent_again_unless_told_to(workshop, remote):
    bundle = workshop.bundle()
    sent = remote.push(bundle)
    assert remote.push(bundle) == Sent(0, 0)
    assert remote.push(bundle, again=True) == sent


def test_a_torn_object_is_sent_again_and_an_edited_one_when_told_to(workshop, remote, place):
    bundle = workshop.bundle()
    remote.push(bundle)
    torn, edited = place / bundle.id / "recall/table.npy", place / bundle.id / "items/more"
    torn.write_text("co")
    assert remote.push(bundle).files == 4
    edited.write_text("onf")
    assert remote.push(bundle) == Sent(0, 0)
    remote.push(bundle, again=True)
    assert open_bundle(place / bundle.id).manifest == bundle.manifest


def test_the_same_content_under_other_words_stays_as_it_is(workshop, remote, place):
    bundle = workshop.bundle()
    remote.push(bundle)
    card = (place / bundle.id / CARD).read_bytes()
    other = workshop.bundle_elsewhere(summary="Other words.")
    assert other.id == bundle.id
    assert other.manifest.card_sha256 != bundle.manifest.card_sha256
    assert remote.push(other) == Sent(0, 0)
    assert (place / bundle.id / CARD).read_bytes() == card


def test_two_that_push_the_same_content_under_other_words_never_mix_them(
    workshop, remote, objects, place
):
    bundle, other = workshop.bundle(), workshop.bundle_elsewhere(summary="Other words.")

    class Interrupted(Dying):
        """Another pusher writes all of its own just before our manifest."""

        struck = False

        def write(self, name: str, chunks: Iterable[bytes]) -> None:
            if name.endswith(MANIFEST) and not self.struck:
                self.struck = True
                remote.push(other)
            super().write(name, chunks)

    Remote(Interrupted(RemoteSettings(url=f"file://{place}"))).push(bundle)
    assert open_bundle(place / bundle.id).manifest == bundle.manifest


def test_a_file_that_changes_while_it_is_sent_ends_the_push(workshop, remote):
    bundle = workshop.bundle()
    (bundle.path / "items/more").write_text("onf")
    with pytest.raises(CorruptError, match="items/more was edited while it was sent"):
        remote.push(bundle)
    with pytest.raises(NotFoundError):
        remote.manifest(bundle.id)


def test_what_was_fetched_is_the_bundle(workshop, remote, tmp_path):
    bundle = workshop.bundle()
    remote.push(bundle)
    into = tmp_path / "into" / bundle.id
    assert remote.fetch(bundle.id, into) == bundle.manifest
    assert open_bundle(into).run == bundle.run


def test_a_fetch_goes_on_where_the_one_before_ended(workshop, remote, objects, tmp_path):
    bundle = workshop.bundle()
    remote.push(bundle)
    into = tmp_path / bundle.id
    asked: list[str] = []
    ask = objects.chunks

    def chunks(name: str) -> Iterable[bytes]:
        if len(asked) == 3:  # the manifest and two files
            raise CutError
        asked.append(name)
        return ask(name)

    objects.chunks = chunks  # type: ignore[method-assign]
    with pytest.raises(CutError):
        remote.fetch(bundle.id, into)
    (into / "recall/table.npy.part").parent.mkdir(exist_ok=True)
    (into / "recall/table.npy.part").write_text("cou")
    del objects.chunks
    objects.chunks = lambda name: (asked.append(name), ask(name))[1]  # type: ignore[method-assign]
    remote.fetch(bundle.id, into)
    parts = [name for name in asked if name.partition("/")[2].count("/")]
    assert sorted(parts) == sorted(f"{bundle.id}/{file.path}" for file in bundle.manifest.files)
    assert open_bundle(into).manifest == bundle.manifest


@pytest.mark.parametrize(
    ("harm", "name", "says"),
    [
        (lambda file: file.write_text("co"), "recall/table.npy", "is torn: 2 bytes, bundle.json"),
        (lambda file: file.write_text("coumts"), "recall/table.npy", "was edited: its hash"),
        (lambda file: file.write_text("counts!"), "recall/table.npy", "is edited: 7 bytes"),
        (Path.unlink, "ranker/deep/net.onnx", "is missing"),
        (lambda file: file.write_text("x"), CARD, "was edited"),
        (Path.unlink, CARD, "is missing"),
        (lambda file: file.write_text("{}"), MANIFEST, "is refused: it is no manifest"),
    ],
)
def test_what_is_damaged_there_is_named_by_its_address(
    workshop, remote, objects, place, tmp_path, harm, name, says
):
    bundle = workshop.bundle()
    remote.push(bundle)
    harm(place / bundle.id / name)
    with pytest.raises(CorruptError) as caught:
        remote.fetch(bundle.id, tmp_path / bundle.id)
    assert str(caught.value).startswith(f"{objects.url}/{bundle.id}/{name} {says}")
    assert str(caught.value).endswith(f"`shortlist bundle push {bundle.id} --again`")
    assert not (tmp_path / bundle.id / MANIFEST).exists()


def test_a_foreign_bundle_is_refused(workshop, remote, place, tmp_path):
    bundle = workshop.bundle()
    remote.push(bundle)
    (place / bundle.id).rename(place / ("0" * 32))
    with pytest.raises(CorruptError, match=f"is of bundle {bundle.id}: it is foreign"):
        remote.fetch("0" * 32, tmp_path / "into")


def test_the_pointer_moves_only_from_where_it_was_read(remote):
    assert remote.read() == Pointer()
    one = Pointer().published("1" * 32)
    remote.swap(Pointer(), one)
    assert remote.read() == one
    with pytest.raises(StorageError, match="was moved by another process"):
        remote.swap(Pointer(), one.published("2" * 32))
    assert remote.read() == one


@pytest.mark.parametrize("text", ["{}!", "{}"])
def test_a_pointer_that_is_none_is_one_sentence(remote, place, text):
    place.mkdir()
    (place / "current.json").write_text(text)
    with pytest.raises(CorruptError, match=r"current\.json is no pointer to a bundle"):
        remote.read()


def test_a_list_names_the_newest_first_and_what_is_wrong(workshop, remote, objects, place):
    old, new = workshop.bundle("old", 0), workshop.bundle("new", 1)
    for bundle in (new, old):
        remote.push(bundle)
    (place / new.id / MANIFEST).unlink()
    (place / "lost+found").mkdir()
    first, second = remote.bundles()
    assert (first.id, second.id) == (new.id, old.id)
    assert first.manifest is None
    assert "bundle.json is not there" in str(first.fault)
    assert (second.manifest, second.fault) == (old.manifest, None)


def test_only_what_was_left_long_ago_counts_as_abandoned(workshop, remote, place):
    bundle = workshop.bundle()
    remote.push(bundle)
    (place / bundle.id / MANIFEST).unlink()
    assert not remote.bundles()[0].abandoned
    then = (dt.datetime.now() - dt.timedelta(days=2)).timestamp()
    for file in (place / bundle.id).rglob("*"):
        os.utime(file, (then, then))
    assert remote.bundles()[0].abandoned


def test_a_bundle_that_is_removed_is_gone(workshop, remote, place):
    bundle = workshop.bundle()
    remote.push(bundle)
    remote.remove(bundle.id)
    remote.remove(bundle.id)
    assert remote.ids() == ()
    assert not (place / bundle.id).exists()


def test_a_directory_that_cannot_be_one_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    remote = Remote(Objects(RemoteSettings(url=f"file://{tmp_path}/file")))
    with pytest.raises(StorageError, match=r"file cannot be used: .*; check remote\.url"):
        remote.swap(Pointer(), Pointer().published("1" * 32))
