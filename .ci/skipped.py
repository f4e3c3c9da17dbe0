"""Fails where a test was skipped that the list of allowed skips does not name with a reason."""

import sys
import xml.etree.ElementTree as ET
from pathlib import Path


def skipped(junit: Path) -> dict[str, str]:
    """Skipped tests of a junit file: ``class::name`` and the message given."""
    found = {}
    for case in ET.parse(junit).getroot().iter("testcase"):
        skip = case.find("skipped")
        if skip is not None:
            found[f"{case.get('classname')}::{case.get('name')}"] = skip.get("message", "")
    return found


def allowed(listing: Path) -> dict[str, str]:
    """Lines ``class::name  reason``; lines that start with ``#`` are comments."""
    lines = (line.strip() for line in listing.read_text(encoding="utf-8").splitlines())
    pairs = (line.split(maxsplit=1) for line in lines if line and not line.startswith("#"))
    return {pair[0]: pair[1] for pair in pairs if len(pair) == 2}


def main(junit: str, listing: str) -> int:
    """Print each skip that is not allowed; their number is zero for success."""
    known = allowed(Path(listing))
    surprises = {name: why for name, why in skipped(Path(junit)).items() if name not in known}
    for name, why in surprises.items():
        sys.stdout.write(f"skipped, and not in {listing}: {name} ({why})\n")
    return min(len(surprises), 1)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
