"""A hash of our own source, so that what other code computed is never taken for ours."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import shortlist


def source_digest(names: Sequence[str], root: Path | None = None) -> str:
    """SHA-256, in hexadecimal, of all files of some rooms: code, and whatever it reads beside it.

    Caches and hidden files (of interpreters, editors and systems) are no source.

    Args:
        names: rooms (``recall``) and files (``evaluation/gate.py``), below the package; their
            order counts for nothing.
        root: directory of the package; Shortlist's own by default.

    Raises:
        ValueError: a name is neither a room nor a file; so a renamed file is noticed.

    >>> source_digest(["files.py", "recall"]) == source_digest(["recall", "files.py"])
    True
    """
    base = Path(shortlist.__file__).parent if root is None else root
    files: set[Path] = set()
    for name in names:
        path = base / name
        below = path.rglob("*") if path.is_dir() else {path} & set(path.parent.glob("*"))
        found = {file for file in below if file.is_file() and _is_source(file.relative_to(base))}
        if not found:
            raise ValueError(f"there is no source {name} in {base}")
        files |= found
    digest = hashlib.sha256()
    for file in sorted(files):
        content = file.read_bytes()
        # Names and lengths keep two files from passing for one.
        digest.update(f"{file.relative_to(base).as_posix()}/{len(content)}/".encode())
        digest.update(content)
    return digest.hexdigest()


def _is_source(file: Path) -> bool:
    hidden = any(part.startswith(".") for part in file.parts)
    return not hidden and "__pycache__" not in file.parts and not file.name.endswith("~")
