"""A bundle is there whole or not at all, under the id of what it holds."""

import os
import shutil
import stat
import threading
from pathlib import Path

import pytest

from shortlist.bundle import open_bundle, write_bundle
from shortlist.bundle.run import read_run
from shortlist.errors import CorruptError, InputError, StorageError
from shortlist.files import STAGING_PREFIX


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir() if path.name != ".lock")


def test_a_bundle_holds_its_parts_its_card_and_its_sidecar(workshop):
    bundle = workshop.bundle("one")
    assert bundle.path == workshop.root / bundle.id
    assert names(bundle.path) == [
        "bundle.json",
        "items",
        "model_card.md",
        "ranker",
        "recall",
        "run.json",
    ]
    assert (bundle.part("ranker") / "deep" / "net.onnx").read_text() == "weights"
    assert bundle.card.read_text().startswith(f"# Bundle {bundle.id}\n")
    assert bundle.run == workshop.run()
    assert bundle.manifest.parts == ("items", "ranker", "recall")
    assert [(file.path, file.size) for file in bundle.manifest.files] == [
        ("items/more", 3),
        ("ranker/deep/net.onnx", 7),
        ("recall/table.npy", 6),
    ]
    assert open_bundle(bundle.path) == bundle


def test_the_same_content_is_the_same_bundle_found_and_not_rewritten(workshop):
    first = workshop.bundle("one")
    record = first.path / "bundle.json"
    before = record.stat()
    other_card = workshop.card(summary="Other words.")
    again = write_bundle(
        workshop.root, workshop.parts(items="one"), workshop.record(), other_card, workshop.run(9)
    )
    assert again == first
    after = record.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert "Other words." not in first.card.read_text()
    assert again.run == workshop.run(0)
    assert names(workshop.root) == [first.id]


def test_neither_card_nor_run_nor_place_enters_the_id(workshop, tmp_path):
    first = workshop.bundle("one")
    second = write_bundle(
        tmp_path / "elsewhere",
        workshop.parts(items="one"),
        workshop.record(),
        workshop.card(summary="Other words."),
        workshop.run(9),
    )
    assert second.id == first.id
    assert second.manifest.card_sha256 != first.manifest.card_sha256


def test_every_byte_and_every_name_is_flushed_before_the_rename(workshop, flushed):
    bundle = workshop.bundle("one")
    inside = {path.name for path in [*bundle.path.rglob("*")]}
    assert inside < set(flushed[:-1])
    assert flushed[-2].startswith(STAGING_PREFIX)
    assert flushed[-1] == "bundles"


def test_files_are_copied_so_that_servers_can_read_them(workshop):
    parts = workshop.parts(items="one")
    (parts["recall"] / "table.npy").chmod(0o600)
    bundle = write_bundle(workshop.root, parts, workshop.record(), workshop.card(), workshop.run())
    for name in ("items/more", "recall/table.npy"):
        assert stat.S_IMODE((bundle.path / name).stat().st_mode) == 0o644
    assert stat.S_IMODE(bundle.path.stat().st_mode) == 0o755


def test_an_edit_in_a_bundle_is_found_and_mended_from_what_it_was_made_of(workshop):
    parts = workshop.parts(items="one")
    bundle, again = (
        write_bundle(workshop.root, parts, workshop.record(), workshop.card(), workshop.run())
        for _ in range(2)
    )
    assert again.path == bundle.path
    before = (parts["items"] / "more").read_bytes()
    with (bundle.path / "items/more").open("r+b") as stream:  # In place, the size as it was.
        stream.write(bytes([before[0] ^ 1]))
    with pytest.raises(CorruptError, match="items/more was edited"):
        open_bundle(bundle.path)
    assert (parts["items"] / "more").read_bytes() == before
    mended = write_bundle(workshop.root, parts, workshop.record(), workshop.card(), workshop.run())
    assert open_bundle(mended.path).id == bundle.id


def test_what_a_killed_step_left_in_a_part_is_not_bundled(workshop):
    parts = workshop.parts()
    (parts["recall"] / f"{STAGING_PREFIX}half").write_text("ha")
    bundle = write_bundle(workshop.root, parts, workshop.record(), workshop.card(), workshop.run())
    assert [file.path for file in bundle.manifest.files] == [
        "ranker/deep/net.onnx",
        "recall/table.npy",
    ]


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (shutil.rmtree, "part 'recall': .* is no directory; run the step"),
        (lambda part: (part / "table.npy").unlink(), "part 'recall': .* is empty; run the step"),
        (lambda part: (part / "out").symlink_to("/etc"), "part 'recall': .*/out is a link"),
        (lambda part: os.mkfifo(part / "pipe"), "part 'recall': .*/pipe is a link or no plain"),
        (lambda part: (part / "a\nb").touch(), r"'recall/a\\nb' is no plain path"),
    ],
)
def test_what_no_bundle_can_hold_is_refused_and_leaves_nothing(workshop, spoil, sentence):
    parts = workshop.parts()
    spoil(parts["recall"])
    with pytest.raises(InputError, match=sentence):
        write_bundle(workshop.root, parts, workshop.record(), workshop.card(), workshop.run())
    assert names(workshop.root) == []


def test_a_file_that_the_writer_may_not_read_is_refused_by_name(workshop, monkeypatch):
    # Whoever runs the tests as root may read everything.
    monkeypatch.setattr(os, "access", lambda path, _: path.name != "net.onnx")
    with pytest.raises(InputError, match=r"deep/net\.onnx cannot be read"):
        workshop.bundle("one")
    assert names(workshop.root) == []


def test_a_part_whose_name_is_not_plain_is_refused(workshop):
    parts = {"../out": workshop.parts()["recall"]}
    with pytest.raises(InputError, match="a part cannot be called"):
        write_bundle(workshop.root, parts, workshop.record(), workshop.card(), workshop.run())
    assert names(workshop.root) == []


def test_a_damaged_bundle_is_replaced_by_the_whole_one(workshop):
    bundle = workshop.bundle("one")
    torn = bundle.path / "recall" / "table.npy"
    torn.unlink()
    torn.write_text("co")
    with pytest.raises(CorruptError, match="torn"):
        open_bundle(bundle.path)
    assert workshop.bundle("one") == bundle
    assert open_bundle(bundle.path) == bundle
    assert names(workshop.root) == [bundle.id]


def test_a_writer_killed_before_any_file_operation_leaves_no_half_and_the_next_one_goes_on(
    workshop, dying, tmp_path
):
    parts, record, card, run = (
        workshop.parts(items="one"),
        workshop.record(),
        workshop.card(),
        workshop.run(),
    )
    undisturbed = write_bundle(tmp_path / "undisturbed", parts, record, card, run).id
    deaths = 0
    while dying(lambda: write_bundle(workshop.root, parts, record, card, run), deaths):
        deaths += 1
        whole = [path for path in workshop.root.glob("*") if len(path.name) == 32]
        assert [open_bundle(path).id for path in whole] in ([], [undisturbed])
        shutil.rmtree(workshop.root, ignore_errors=True)
    assert deaths > 15
    # With what each death leaves still there: one more writer ends in the undisturbed bundle.
    for death in range(1, deaths, 3):
        dying(lambda: write_bundle(workshop.root, parts, record, card, run), death)
    assert write_bundle(workshop.root, parts, record, card, run).id == undisturbed
    assert names(workshop.root) == [undisturbed]


def test_a_repair_killed_before_any_file_operation_never_shows_another_half(workshop, dying):
    bundle = workshop.bundle("one")
    parts, record = workshop.parts(items="one"), workshop.record()
    torn = bundle.path / "recall" / "table.npy"

    def write() -> None:
        write_bundle(workshop.root, parts, record, workshop.card(), workshop.run())

    deaths, alive = 0, True
    while alive:
        if torn.exists():
            torn.unlink()
            torn.write_text("co")
        else:
            write()
            continue
        alive = dying(write, deaths)
        deaths += alive
        if bundle.path.exists() and torn.read_text() != "co":
            assert open_bundle(bundle.path) == bundle
    assert deaths > 20
    assert open_bundle(bundle.path) == bundle


def test_writers_at_once_end_in_one_bundle(workshop):
    parts = workshop.parts(items="one")
    found: list[str] = []

    def write() -> None:
        bundle = write_bundle(
            workshop.root, parts, workshop.record(), workshop.card(), workshop.run()
        )
        found.append(open_bundle(bundle.path).id)

    writers = [threading.Thread(target=write) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len(found) == 4
    assert names(workshop.root) == [*set(found)]


def test_a_file_in_the_place_of_the_directory_is_refused_by_name(workshop):
    workshop.root.write_text("mine")
    with pytest.raises(StorageError, match="a file stands where a directory should"):
        workshop.bundle("one")
    assert workshop.root.read_text() == "mine"


def test_an_unreadable_sidecar_says_nothing_and_condemns_nothing(workshop):
    bundle = workshop.bundle("one")
    (bundle.path / "run.json").write_text("torn")
    assert read_run(bundle.path) is None
    (bundle.path / "run.json").unlink()
    assert open_bundle(bundle.path).run is None
