"""Which libraries a room's results hang on, and their versions: a part of what they are kept by."""

from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from typing import Final

_EVERYWHERE: Final = ("numpy", "pyarrow", "scipy")
BY_ROOM: Final[dict[str, tuple[str, ...]]] = {
    "baselines": ("implicit", "lightgbm", "scikit-learn"),
    "encoders": ("torch", "transformers"),
    "evaluation": ("scikit-learn",),
    "ranker": ("lightning", "onnx", "onnxruntime", "scikit-learn", "torch"),
    "recall": ("faiss-cpu", "implicit"),
    "steps": ("scikit-learn",),
}
"""Distributions that shape what a room computes, beside those of every room."""


def versions_for(sources: Iterable[str]) -> dict[str, str]:
    """Versions of the libraries that some rooms and files compute with, by distribution.

    What is not installed is left out: then nothing was computed with it.

    Args:
        sources: rooms and files, as `source_digest` takes them.

    >>> sorted(versions_for(["datasets", "recall/tables.py"]))
    ['faiss-cpu', 'implicit', 'numpy', 'pyarrow', 'scipy']
    """
    names = set(_EVERYWHERE)
    for source in sources:
        names.update(BY_ROOM.get(source.partition("/")[0], ()))
    return {name: found for name in sorted(names) if (found := _version(name)) is not None}


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
