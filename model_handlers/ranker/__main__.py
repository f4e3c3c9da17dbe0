"""``python -m model_handlers.ranker``: this process becomes the predictor, for a container say.

It writes to stdout and stderr, and ends with SIGTERM. What it needs on disk lies in one temporary
directory, which stays: it goes with the container.
"""

import os
import sys
import tempfile
from pathlib import Path

from model_handlers.ranker.server import predictor_server
from shortlist.errors import ShortlistError
from shortlist.settings import load


def main() -> int:
    """Become TorchServe; the exit code says why not."""
    try:
        settings = load(environ=os.environ).settings
        # Who becomes another program leaves the block by no end; who is refused leaves nothing.
        with tempfile.TemporaryDirectory(prefix="shortlist-ts-") as directory:
            home = Path(directory)
            predictor_server(settings, home / "archive", home).become()
    except ShortlistError as error:
        sys.stderr.write(f"shortlist: {error}\n")
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
