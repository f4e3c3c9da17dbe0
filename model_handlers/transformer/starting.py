"""Settings and address of the transformer, then one process that serves, or one that keeps several.

Nothing heavy is imported here: a process that keeps others needs none of it.
"""

import argparse
import os
import socket
import sys
from collections.abc import Callable, Sequence
from typing import Final

from shortlist.errors import ShortlistError, StorageError
from shortlist.settings import Settings, load
from shortlist.telemetry.logs import configure

BACKLOG: Final = 2_048


def main(arguments: Sequence[str]) -> int:
    """Serve; the exit code says how it ended."""

    def serve() -> None:
        settings = in_force(arguments)
        configure(settings.telemetry)
        with bound(settings) as listening:
            if settings.serving.transformer_workers > 1:
                from model_handlers.transformer.workers import keep  # noqa: PLC0415  not always

                keep(settings, listening, arguments)
            else:
                from model_handlers.transformer.server import run  # noqa: PLC0415  heavy

                run(settings, listening)

    return exit_code(serve)


def exit_code(serve: Callable[[], None]) -> int:
    """Serve, and say in one sentence what was wrong."""
    try:
        serve()
    except ShortlistError as error:
        sys.stderr.write(f"shortlist: {error}\n")
        return error.exit_code
    return 0


def bound(settings: Settings) -> socket.socket:
    """A socket at the transformer's address.

    Raises:
        StorageError: the port is in use, or the address is not this machine's.
    """
    address, port = settings.serving.transformer_address, settings.serving.transformer_port
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((address, port))
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise StorageError(
            f"cannot answer at {address}:{port} ({os.strerror(error.errno or 0).lower()}); set "
            "serving.transformer_port or serving.transformer_address"
        ) from error
    return listening


def in_force(arguments: Sequence[str]) -> Settings:
    """The settings of the environment, and what KServe tells on the command line.

    Args:
        arguments: of the command line; those of the SDK that mean nothing here are ignored.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--predictor_host")
    parser.add_argument("--predictor_use_ssl", default="false")
    parser.add_argument("--http_port", type=int)
    told, _ = parser.parse_known_args(arguments)
    settings = load(environ=os.environ).settings
    changes: dict[str, object] = {}
    if told.predictor_host:
        scheme = "https" if told.predictor_use_ssl.lower() == "true" else "http"
        changes["predictor_url"] = f"{scheme}://{told.predictor_host}"
    if told.http_port:
        changes["transformer_port"] = told.http_port
    if not changes:
        return settings
    serving = type(settings.serving).model_validate(settings.serving.model_dump() | changes)
    return settings.model_copy(update={"serving": serving})
