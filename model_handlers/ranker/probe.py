"""The readiness probe: ``python -m model_handlers.ranker.probe [PORT]`` ends with 0 when ready."""

import os
import sys

from shortlist.serving.readiness import why_not_ready

_PORT = "SHORTLIST_SERVING__PREDICTOR_MANAGEMENT_PORT"
_USUAL = "8086"


def main() -> int:
    """0 where every worker is ready; else 1, and why not on stderr."""
    given = sys.argv[1] if len(sys.argv) > 1 else os.environ.get(_PORT, _USUAL)
    why = why_not_ready(int(given)) if given.isdecimal() else f"{given!r} is no port"
    if why is not None:
        sys.stderr.write(f"not ready: {why}\n")
    return 0 if why is None else 1


if __name__ == "__main__":
    sys.exit(main())
