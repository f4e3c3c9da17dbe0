"""The difference of two bundles names what differs, and nothing else."""

import dataclasses

from shortlist.bundle.diff import Change, FileChange, diff
from shortlist.bundle.manifest import Manifest


def other(manifest: Manifest, **changes) -> Manifest:
    return manifest.model_copy(update=changes)


def test_equal_bundles_do_not_differ(workshop):
    bundle = workshop.bundle("one").manifest
    assert diff(bundle, bundle).empty


def test_files_are_added_removed_or_changed_and_shown_with_their_sizes(workshop):
    before = workshop.bundle("one").manifest
    (items, net, table) = before.files
    changed = table.model_copy(update={"sha256": "0" * 64})
    added = net.model_copy(update={"path": "slate/kernel.npy", "size": 9})
    found = diff(before, other(before, files=(net, changed, added)))
    assert found.files == (
        FileChange("items/more", items.size, None),
        FileChange("recall/table.npy", table.size, table.size),
        FileChange("slate/kernel.npy", None, 9),
    )
    assert [file.kind for file in found.files] == ["removed", "changed", "added"]
    assert (found.settings, found.data, found.measured) == ((), (), ())


def test_settings_data_and_figures_are_compared_by_name(workshop):
    before = workshop.bundle("one").manifest
    after = other(
        before,
        seed=8,
        encoder="hashing-64",
        settings={"slate.size": "9", "ranker.history": "50"},
        measured={"recall of the index": 0.96876, "auc": 0.75},
        data=before.data.model_copy(update={"users": 301, "judged_from": None}),
    )
    found = diff(before, after)
    assert found.settings == (
        Change("ranker.history", None, "50"),
        Change("recall.candidates", "1000", None),
        Change("seed", "7", "8"),
        Change("slate.size", "10", "9"),
    )
    assert found.data == (
        Change("encoder", "hashing-768", "hashing-64"),
        Change("judged_from", "2026-01-15", None),
        Change("users", "300", "301"),
    )
    assert found.measured == (
        Change("auc", None, "0.75"),
        Change("recall of the index", "0.96875", "0.96876"),
    )
    assert found.files == ()


def test_the_way_back_is_the_way_there_turned_round(workshop):
    one, two = workshop.bundle("one").manifest, workshop.bundle("other", seed=8).manifest
    there, back = diff(one, two), diff(two, one)
    for kind in ("settings", "data", "measured", "files"):
        turned = [
            dataclasses.replace(change, before=change.after, after=change.before)
            for change in getattr(back, kind)
        ]
        assert list(getattr(there, kind)) == turned
    assert not there.empty
