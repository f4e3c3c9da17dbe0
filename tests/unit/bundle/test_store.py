"""Publishing, going back, pinning and pruning leave the state before or the state after."""

import shutil
import threading
from pathlib import Path

import pytest

from shortlist.bundle import BundleStore
from shortlist.bundle.durable import exclusive
from shortlist.bundle.pointer import Pointer
from shortlist.bundle.store import Move
from shortlist.errors import CorruptError, InputError, NotFoundError, RefusedError, StorageError
from shortlist.files import STAGING_PREFIX


def damage(bundle) -> None:
    file = bundle.path / "recall" / "table.npy"
    file.unlink()
    file.write_text("co")


@pytest.fixture
def published(workshop):
    """Three bundles, published in their order."""
    bundles = [workshop.bundle(text, minute) for minute, text in enumerate(("one", "two", "three"))]
    for bundle in bundles:
        workshop.store.publish(bundle.id)
    return bundles


def test_a_published_bundle_is_the_one_to_serve(workshop):
    one, two = workshop.bundle("one"), workshop.bundle("two")
    store = workshop.store
    assert store.publish(one.id) == Move(None, one.id)
    assert store.serving() == one
    assert store.publish(two.id) == Move(one.id, two.id)
    assert store.serving() == two
    assert store.publish(two.id) == Move(two.id, two.id)
    assert store.pointer().previous == (one.id,)


def test_a_pinned_id_ignores_the_pointer(workshop, published):
    assert workshop.store.serving(pinned=published[0].id) == published[0]
    assert workshop.store.serving(pinned=None) == published[2]


def test_the_beginning_of_an_id_pins_where_it_means_one_bundle(workshop, published):
    store, one = workshop.store, published[0]
    assert store.serving(pinned=one.id[:12]) == one
    (store.root / (one.id[:31] + ("1" if one.id[31] == "0" else "0"))).mkdir()
    assert store.serving(pinned=one.id) == one
    with pytest.raises(InputError, match=f"'{one.id[:12]}' may be bundle .* or .*; write more"):
        store.serving(pinned=one.id[:12])
    with pytest.raises(NotFoundError, match=r"no bundle 'zz' in .*; there are"):
        store.serving(pinned="zz")


def test_nothing_published_is_one_sentence(workshop):
    with pytest.raises(NotFoundError, match=r"no bundle is published in .*; publish one with"):
        workshop.store.serving()
    with pytest.raises(NotFoundError, match="nothing to roll back"):
        workshop.store.rollback()
    assert workshop.store.pointer() == Pointer()
    assert workshop.store.bundles() == ()
    assert workshop.store.prune(1) == ()


def test_a_damaged_bundle_is_neither_published_nor_gone_back_to_nor_served(workshop, published):
    store, (one, two, three) = workshop.store, published
    damage(two)
    for act in (
        lambda: store.publish(two.id),
        store.rollback,
        lambda: store.open(two.id),
    ):
        with pytest.raises(CorruptError, match=r"recall/table\.npy is torn"):
            act()
    assert store.serving() == three
    assert store.rollback(one.id) == Move(three.id, one.id)


def test_a_rollback_leads_to_the_one_before_and_on(workshop, published):
    store, (one, two, three) = workshop.store, published
    assert store.rollback() == Move(three.id, two.id)
    assert store.rollback() == Move(two.id, one.id)
    with pytest.raises(NotFoundError, match=f"before {one.id} is left"):
        store.rollback()
    assert store.rollback(three.id) == Move(one.id, three.id)
    assert store.rollback(three.id) == Move(three.id, three.id)
    assert store.pointer().previous == (two.id, one.id)


def test_a_rollback_passes_over_what_was_deleted(workshop, published):
    one, two, three = published
    shutil.rmtree(two.path)
    assert workshop.store.rollback() == Move(three.id, one.id)


def test_a_rollback_to_what_was_never_published_or_is_gone_is_refused(workshop, published):
    store = workshop.store
    four = workshop.bundle("four")
    with pytest.raises(RefusedError, match=f"bundle {four.id} was never published"):
        store.rollback(four.id)
    shutil.rmtree(published[0].path)
    with pytest.raises(NotFoundError, match="no bundle at"):
        store.rollback(published[0].id)
    assert store.serving() == published[2]


def test_an_id_is_found_by_a_beginning_that_no_other_has(workshop, published):
    store, (_, two, three) = workshop.store, published
    assert store.find(two.id) == two.id
    assert store.find(two.id[:8]) == two.id
    assert (store.find("current"), store.find("previous")) == (three.id, two.id)
    for nothing in ("", "zz", f"{two.id}0"):
        with pytest.raises(NotFoundError, match=f"no bundle '{nothing}' in "):
            store.find(nothing)
    misspelt = two.id[:11] + ("0" if two.id[11] != "0" else "1")
    with pytest.raises(NotFoundError, match=f"did you mean {two.id[:12]}\\?"):
        store.find(misspelt)


def test_a_beginning_that_two_have_names_both(workshop):
    workshop.root.mkdir()
    twins = [f"{'ab' * 15}{end}" for end in ("00", "01")]
    for twin in twins:
        (workshop.root / twin).mkdir()
    with pytest.raises(InputError, match=f"'abab' may be bundle {twins[0]} or {twins[1]}"):
        workshop.store.find("abab")


def test_words_for_bundles_that_do_not_exist_are_said_back(workshop):
    for word in ("current", "previous"):
        with pytest.raises(NotFoundError, match=f"is the {word} one"):
            workshop.store.find(word)


def test_bundles_are_listed_the_newest_first_and_a_damaged_manifest_with_its_fault(
    workshop, published
):
    one, two, three = published
    (workshop.root / "notes").mkdir()
    (two.path / "bundle.json").write_text("{}")
    listed = workshop.store.bundles()
    assert [found.id for found in listed] == [three.id, two.id, one.id]
    assert [found.manifest for found in listed] == [three.manifest, None, one.manifest]
    assert "bundle.json is refused" in listed[1].fault
    assert listed[0].made_at == workshop.run(2).made_at


def test_without_a_sidecar_the_directory_tells_its_age(workshop):
    bundle = workshop.bundle("one")
    (bundle.path / "run.json").unlink()
    (found,) = workshop.store.bundles()
    assert found.fault is None
    assert found.made_at.timestamp() == pytest.approx(bundle.path.stat().st_mtime, abs=1e-3)


def test_pruning_spares_the_newest_the_published_its_neighbours_the_pinned_and_the_damaged(
    workshop,
):
    store = workshop.store
    made = [workshop.bundle(f"{minute}", minute) for minute in range(8)]
    for bundle in made[:4]:
        store.publish(bundle.id)
    store.rollback(made[2].id)
    store.pin(made[0].id)
    (made[5].path / "bundle.json").write_text("torn")
    # In use: 2 published, 3 left by the rollback, 1 before it, 0 pinned; 5 is damaged.
    assert [one.id for one in store.prune(1, dry_run=True)] == [made[6].id, made[4].id]
    assert len(store.bundles()) == 8
    assert [one.id for one in store.prune(1)] == [made[6].id, made[4].id]
    assert {one.id for one in store.bundles()} == {made[n].id for n in (0, 1, 2, 3, 5, 7)}
    assert store.prune(1) == ()
    store.unpin(made[0].id)
    assert [one.id for one in store.prune(1)] == [made[0].id]


def test_pruning_keeps_so_many_of_the_newest(workshop):
    made = [workshop.bundle(f"{minute}", minute) for minute in range(4)]
    assert workshop.store.prune(4) == ()
    assert [one.id for one in workshop.store.prune(3)] == [made[0].id]
    with pytest.raises(InputError, match="keep cannot be 0"):
        workshop.store.prune(0)


def test_pruning_clears_away_what_killed_processes_left(workshop):
    bundle = workshop.bundle("one")
    left = workshop.root / f"{STAGING_PREFIX}left" / ("0" * 32)
    shutil.copytree(bundle.path, left)
    assert workshop.store.prune(1, dry_run=True) == ()
    assert left.exists()
    assert workshop.store.prune(1) == ()
    assert [path.name for path in workshop.root.iterdir() if path.is_dir()] == [bundle.id]


def test_pinning_what_does_not_exist_is_refused_and_unpinning_it_changes_nothing(workshop):
    with pytest.raises(NotFoundError, match="no bundle at"):
        workshop.store.pin("0" * 32)
    workshop.store.unpin("0" * 32)
    assert workshop.store.pointer() == Pointer()


ACTIONS = {
    "publish": lambda store, ids: store.publish(ids[3]),
    "rollback": lambda store, ids: store.rollback(ids[0]),
    "pin": lambda store, ids: store.pin(ids[0]),
    "prune": lambda store, ids: store.prune(1),
}


@pytest.mark.parametrize("name", ACTIONS)
def test_a_process_killed_before_any_file_operation_leaves_the_state_before_or_after(
    workshop, published, dying, name, tmp_path
):
    four = workshop.bundle("four", 3)
    ids = [bundle.id for bundle in (*published, four)]
    shutil.copytree(workshop.root, tmp_path / "before", copy_function=_linked)

    def state() -> tuple[Pointer, frozenset[str]]:
        store = workshop.store
        whole = frozenset(store.open(one.id).id for one in store.bundles())
        return store.pointer(), whole

    before = state()
    seen, deaths, alive = set(), 0, True
    while alive:
        alive = dying(lambda: ACTIONS[name](workshop.store, ids), deaths)
        deaths += alive
        seen.add(state())
        if alive:
            shutil.rmtree(workshop.root)
            shutil.copytree(tmp_path / "before", workshop.root, copy_function=_linked)
    after = state()
    assert deaths >= 3
    assert before != after
    assert seen == {before, after}
    assert not [path for path in workshop.root.iterdir() if path.name.startswith(STAGING_PREFIX)]


def _linked(source: str, target: str) -> None:
    Path(target).hardlink_to(source)


@pytest.mark.parametrize("name", ACTIONS)
@pytest.mark.parametrize("operation", ["replace", "rename"])
def test_a_rename_that_the_disk_refuses_leaves_the_state_before(
    workshop, published, monkeypatch, name, operation
):
    four = workshop.bundle("four", 3)
    ids = [bundle.id for bundle in (*published, four)]
    before = (workshop.store.pointer(), workshop.store.bundles())

    def refuse(*_: object) -> None:
        raise OSError(30, "Read-only file system")

    with monkeypatch.context() as patch:
        patch.setattr(f"os.{operation}", refuse)
        try:
            ACTIONS[name](workshop.store, ids)
        except StorageError as error:
            assert "the file system is read-only" in str(error)  # noqa: PT017
            assert (workshop.store.pointer(), workshop.store.bundles()) == before
            refused = True
        else:
            refused = False
    # Only pruning renames directories; the pointer is replaced.
    assert refused == ((name == "prune") == (operation == "rename"))


def test_publishers_at_once_are_all_remembered(workshop):
    ids = [workshop.bundle(f"{number}").id for number in range(5)]
    publishers = [threading.Thread(target=workshop.store.publish, args=(one,)) for one in ids]
    for publisher in publishers:
        publisher.start()
    for publisher in publishers:
        publisher.join()
    pointer = workshop.store.pointer()
    assert sorted((pointer.current, *pointer.previous)) == sorted(ids)


def test_who_waits_too_long_for_another_is_told_so(workshop):
    with (
        exclusive(workshop.root),
        pytest.raises(StorageError, match=r"another process has been changing .* for 0 s"),
        exclusive(workshop.root, patience=0.05),
    ):
        pass
    with exclusive(workshop.root, patience=0.05):
        pass


def test_a_pointer_may_be_kept_elsewhere(workshop, tmp_path):
    class InMemory:
        state = Pointer()

        def read(self) -> Pointer:
            return self.state

        def swap(self, expected: Pointer, new: Pointer) -> None:
            assert expected == self.state
            self.state = new

    one, two = workshop.bundle("one"), workshop.bundle("two")
    store = BundleStore(workshop.root, InMemory())
    store.publish(one.id)
    store.publish(two.id)
    assert store.rollback() == Move(two.id, one.id)
    assert store.serving() == one
    assert not (workshop.root / "current.json").exists()
