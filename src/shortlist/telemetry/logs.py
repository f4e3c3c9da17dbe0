"""Logs as JSON lines on stderr: what happened, in words, and to which request.

A level that is off costs a call that does nothing. What other libraries log goes the same way.
"""

import contextlib
import json
import logging
import sys
import threading
from collections.abc import Mapping
from typing import BinaryIO, Final

import orjson
import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

from shortlist.settings.telemetry import TelemetrySettings
from shortlist.telemetry.current import current

_LEVELS: Final[Mapping[str, int]] = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
_NAME: Final = "_room"


def _of_request(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Name the request that the line belongs to."""
    if (asked := current()) is not None:
        event["request_id"], event["trace_id"] = asked.request_id, asked.trace.trace_id
    return event


_SHARED: Final[list[Processor]] = [
    _of_request,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
    # The text of a stack, without the values that stood in it: they may be a user's.
    structlog.processors.format_exc_info,
]


def configure(settings: TelemetrySettings, stream: BinaryIO | None = None) -> None:
    """Send all logs of this process to one stream.

    Args:
        settings: the level.
        stream: takes whole lines; by default stderr.
    """
    level, lines = _LEVELS[settings.log_level], _Lines(stream)
    _send_ours(level, lines, settled=True)
    handler = _Handler(lines)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *_SHARED],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.EventRenamer("message"),
                lambda logger, name, event: _line(logger, name, event).decode(),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)


def logger(name: str) -> FilteringBoundLogger:
    """A logger of one room. Until `configure` is called it writes warnings to stderr.

    Args:
        name: goes with every line, as ``logger``.
    """
    # `logger` itself is a name that structlog keeps for itself.
    found: FilteringBoundLogger = structlog.get_logger(**{_NAME: name})
    return found


class _Lines:
    """Writes whole lines, one at a time; whatever the level, since levels are filtered before."""

    def __init__(self, stream: BinaryIO | None) -> None:
        self._stream, self._lock = stream, threading.Lock()

    def msg(self, line: bytes) -> None:
        # Who reads the logs may have gone; no request fails for that.
        with self._lock, contextlib.suppress(OSError, ValueError):
            stream = self._stream or sys.stderr.buffer
            stream.write(line + b"\n")
            stream.flush()

    debug = info = warning = warn = error = critical = exception = log = msg


class _Handler(logging.Handler):
    """Passes on what other libraries log."""

    def __init__(self, lines: _Lines) -> None:
        super().__init__()
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._lines.msg(self.format(record).encode())
        except Exception:  # values that do not fit their message
            self.handleError(record)


def _named(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    event["logger"] = event.pop(_NAME, None)
    return event


def _line(_: WrappedLogger, __: str, event: EventDict) -> bytes:
    try:
        return orjson.dumps(event, default=repr, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:  # broken signs, numbers past 64 bits
        return json.dumps(event, default=repr, skipkeys=True).encode()


def _send_ours(level: int, lines: _Lines, *, settled: bool) -> None:
    structlog.configure(
        processors=[_named, *_SHARED, structlog.processors.EventRenamer("message"), _line],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: lines,
        # A logger that was used remembers how, which makes a level that is off cost nothing.
        cache_logger_on_first_use=settled,
    )


# Unconfigured, structlog prints everything to stdout, where verbs print their results.
if not structlog.is_configured():
    _send_ours(logging.WARNING, _Lines(None), settled=False)
