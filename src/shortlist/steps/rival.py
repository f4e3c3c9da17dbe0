"""The rival: the published bundle that another has to beat, and why it may not be the nearest."""

from shortlist.bundle import Bundle, BundleStore
from shortlist.bundle.manifest import shortened
from shortlist.errors import CorruptError, NotFoundError


def rival_of(store: BundleStore, bundle_id: str) -> tuple[Bundle | None, str]:
    """What was published when a bundle came: the one behind it, where it stands itself.

    A bundle that is damaged or gone has no turn, and the nearest before it stands in for it.

    Args:
        store: where bundles lie, and what is published.
        bundle_id: of the bundle that is to be published.

    Returns:
        The bundle to beat, verified; None where there is none. And a sentence on the nearest that
        cannot be opened, with who stands in for it; empty where the nearest could.

    Raises:
        CorruptError: the pointer itself is damaged.
    """
    pointer, remark = store.pointer(), ""
    for other in (pointer.current, *pointer.previous):
        if other is None or other == bundle_id:
            continue
        try:
            found = store.open(other)
        except (NotFoundError, CorruptError) as error:
            remark = remark or f"The published bundle {shortened(other)} cannot be opened: {error}."
            continue
        if remark:
            remark += f" Bundle {shortened(other)}, published before it, stands in for it."
        return found, remark
    return None, remark
