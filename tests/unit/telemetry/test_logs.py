"""Log lines are JSON, carry the ids of their request, and never fail."""

import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, Literal

import pytest
import structlog

from shortlist.settings.telemetry import TelemetrySettings
from shortlist.telemetry.current import bound
from shortlist.telemetry.logs import configure, logger
from shortlist.telemetry.traces import Trace

TRACE = Trace("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7")


@pytest.fixture
def stream() -> Iterator[io.BytesIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    before = structlog.get_config()
    yield io.BytesIO()
    structlog.configure(**before)
    root.handlers[:] = handlers
    root.setLevel(level)


def begin(stream: io.BytesIO, level: Literal["debug", "info", "warning"] = "info") -> None:
    configure(TelemetrySettings(log_level=level), stream)


def lines(stream: io.BytesIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_says_what_when_and_where(stream: io.BytesIO) -> None:
    begin(stream)
    logger("serving").info("a page was made", videos=10)
    (line,) = lines(stream)
    assert line.pop("at").endswith("Z")
    assert line == {
        "message": "a page was made", "videos": 10, "logger": "serving", "level": "info",
    }  # fmt: skip


def test_the_lines_of_a_request_carry_its_ids(stream: io.BytesIO) -> None:
    begin(stream)
    with bound("r-1", TRACE):
        logger("serving").warning("inside")
        logging.getLogger("redis").warning("inside too")
    logger("serving").warning("outside")
    ids = [(line.get("request_id"), line.get("trace_id")) for line in lines(stream)]
    assert ids == [("r-1", TRACE.trace_id), ("r-1", TRACE.trace_id), (None, None)]


def test_by_default_requests_write_nothing(stream: io.BytesIO) -> None:
    configure(TelemetrySettings(), stream)
    logger("serving").info("quiet")
    logging.getLogger("uvicorn").info("quiet")
    assert stream.getvalue() == b""
    logger("serving").warning("loud")
    assert [line["message"] for line in lines(stream)] == ["loud"]


def test_what_other_libraries_log_looks_the_same(stream: io.BytesIO) -> None:
    begin(stream)
    logging.getLogger("kserve").info("port %d", 8080)
    (line,) = lines(stream)
    assert line.pop("at").endswith("Z")
    assert line == {"message": "port 8080", "logger": "kserve", "level": "info"}


def test_an_exception_keeps_its_stack_but_no_values(stream: io.BytesIO) -> None:
    begin(stream)
    secret = "hunter" + "2"
    try:
        raise KeyError(len(secret))
    except KeyError:
        logger("serving").exception("it broke")
    (line,) = lines(stream)
    assert "KeyError: 7" in line["exception"]
    assert "hunter2" not in stream.getvalue().decode()


def test_a_line_is_one_line_whatever_is_in_it(stream: io.BytesIO) -> None:
    begin(stream)
    logger("serving").info("a\nb", user="x\ny", odd=object, broken="\ud800", big=2**70, keys={1: 2})
    logging.getLogger("other").info("\ud800\n")
    assert len(lines(stream)) == 2


def test_a_stream_that_is_closed_stops_nobody(stream: io.BytesIO) -> None:
    begin(stream)
    stream.close()
    logging.getLogger("other").warning("lost")
    logger("serving").warning("lost")


def test_unconfigured_only_warnings_are_written_and_to_stderr() -> None:
    code = (
        "from shortlist.telemetry.logs import logger\n"
        "log = logger('room')\n"
        "log.info('quiet')\n"
        "log.warning('loud')\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout == ""
    assert json.loads(ended.stderr)["message"] == "loud"


def test_configuring_again_replaces_what_was(stream: io.BytesIO) -> None:
    begin(io.BytesIO())
    begin(stream, "debug")
    logger("serving").debug("here")
    assert len(lines(stream)) == 1
