"""The bundle to beat is the nearest published one that stands whole; another is never passed over
in silence."""

import shutil
from collections.abc import Callable

import pytest

from shortlist.bundle import Bundle, BundleStore
from shortlist.steps.rival import rival_of


@pytest.fixture
def three(store: BundleStore, bundle_of: Callable[[str], Bundle]) -> list[Bundle]:
    """Two that are published, the older first, and one that is to be."""
    made = [bundle_of(text) for text in ("old", "new", "next")]
    for bundle in made[:2]:
        store.publish(bundle.id)
    return made


def edited(bundle: Bundle) -> None:
    (bundle.path / "items" / "table").write_text("owl")


def gone(bundle: Bundle) -> None:
    shutil.rmtree(bundle.path)


def test_a_published_bundle_is_held_against_the_one_that_it_replaced(
    store: BundleStore, bundle_of: Callable[[str], Bundle]
):
    old, new = bundle_of("old"), bundle_of("new")

    def rival() -> str | None:
        found, remark = rival_of(store, new.id)
        assert remark == ""
        return None if found is None else found.id

    assert rival() is None
    store.publish(new.id)
    assert rival() is None
    store.publish(old.id)
    assert rival() == old.id
    store.publish(new.id)
    assert rival() == old.id


@pytest.mark.parametrize(("harm", "fault"), [(edited, "items/table "), (gone, "no bundle at ")])
def test_the_one_before_stands_in_for_a_bundle_that_cannot_be_opened_and_it_is_said(
    store: BundleStore, three: list[Bundle], harm: Callable[[Bundle], None], fault: str
):
    old, new, coming = three
    harm(new)
    found, remark = rival_of(store, coming.id)
    assert found is not None
    assert found.id == old.id
    assert remark.startswith(f"The published bundle {new.id[:12]} cannot be opened: ")
    assert fault in remark
    assert remark.endswith(f". Bundle {old.id[:12]}, published before it, stands in for it.")
    # Once the coming one is published, the same is found, so that the verdict stands.
    store.publish(coming.id)
    again, said = rival_of(store, coming.id)
    assert again is not None
    assert (again.id, said) == (old.id, remark)


def test_where_none_can_be_opened_the_nearest_is_named_and_nobody_stands_in(
    store: BundleStore, three: list[Bundle]
):
    old, new, coming = three
    gone(old)
    edited(new)
    found, remark = rival_of(store, coming.id)
    assert found is None
    assert remark.startswith(f"The published bundle {new.id[:12]} cannot be opened: ")
    assert "stands in" not in remark
    assert old.id[:12] not in remark
