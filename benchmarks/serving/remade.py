"""A bundle made of another one: its record but for some fields, under an id of its own."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shortlist.bundle import Bundle, BundleRecord, CardFacts, RunRecord, write_bundle


def remade(
    source: Bundle, root: Path, parts: Mapping[str, Path], said: str, run: str, **changes: Any
) -> Bundle:
    """Write it; it is not published.

    Args:
        source: whose record is taken over.
        root: directory of bundles.
        parts: directories, by name.
        said: about the bundle, on its card.
        run: that made it, as its run record names it.
        changes: fields of the record that are its own.
    """
    fields = {name: getattr(source.manifest, name) for name in BundleRecord.model_fields}
    card = CardFacts(said, (), (), "", (), ())
    return write_bundle(root, parts, BundleRecord(**fields | changes), card, RunRecord.here(run))
