"""``python -m model_handlers.transformer.worker PLACE SOCKET DIRECTORY ...``: one of several.

Arguments are its place among them, the number of the open socket at which all of them answer, the
directory that all of them share, and then those of the transformer.
"""

import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from model_handlers.transformer.starting import exit_code, in_force
from shortlist.telemetry.logs import configure
from shortlist.telemetry.shared import share


def main(told: Sequence[str]) -> int:
    """Serve; the exit code says how it ended."""
    place, descriptor, directory, *arguments = told
    share(Path(directory), int(place))

    def serve() -> None:
        # KServe has figures of its own, and declares them when it is imported.
        from model_handlers.transformer.server import run  # noqa: PLC0415

        settings = in_force(arguments)
        configure(settings.telemetry)
        with socket.socket(fileno=int(descriptor)) as listening:
            run(settings, listening, Path(directory))

    return exit_code(serve)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
