"""Which settings shape a bundle: those whose change may change a byte of it, and no others."""

from collections.abc import Mapping
from typing import Final

BRANCHES: Final = ("datasets", "encoders", "ranker", "recall", "slate")
# The data have a digest of their own, and the others change time or memory, never a byte.
SHAPELESS: Final = frozenset({"datasets.source", "encoders.batch_size", "encoders.cache_gib"})


def shaping_settings(shown: Mapping[str, str]) -> dict[str, str]:
    """The settings to write into a bundle.

    Args:
        shown: every setting as text, by dotted name (`settings.tree.shown`).

    >>> shaping_settings({"paths.work": "w", "ranker.history": "50", "datasets.source": "world"})
    {'ranker.history': '50'}
    """
    return {
        name: text
        for name, text in sorted(shown.items())
        if name.split(".")[0] in BRANCHES and name not in SHAPELESS
    }
