"""A trace is continued, and what is no trace begins a new one (W3C Trace Context)."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shortlist.telemetry.traces import Trace, continued, parse

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PARENT = f"00-{TRACE}-{SPAN}-01"


def test_a_trace_is_read() -> None:
    assert parse(PARENT, "vendor=1") == Trace(TRACE, SPAN, 1, "vendor=1")
    assert parse(f"  {PARENT}\t") == Trace(TRACE, SPAN, 1)


def test_the_next_hop_is_of_the_same_trace_and_has_its_own_span() -> None:
    hop = continued(PARENT, "vendor=1")
    assert (hop.trace_id, hop.flags, hop.state) == (TRACE, 1, "vendor=1")
    assert hop.span_id != SPAN
    assert hop.headers == {
        "traceparent": f"00-{TRACE}-{hop.span_id}-01",
        "tracestate": "vendor=1",
    }
    assert hop.child().span_id != hop.span_id


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        "",
        "x",
        PARENT[:-1],
        PARENT.upper(),
        PARENT.replace("-", "_"),
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"{PARENT}-more",
        f"{PARENT}\n",
        f"01-{TRACE}-{SPAN}-01-" + "x" * 600,
    ],
)
def test_what_is_no_trace_begins_a_new_one(wrong: str | None) -> None:
    assert parse(wrong) is None
    new = continued(wrong, "vendor=1")
    assert new.trace_id != TRACE
    assert new.state == ""
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-02", new.traceparent)


def test_a_later_version_is_read_as_far_as_it_is_known() -> None:
    assert parse(f"01-{TRACE}-{SPAN}-ff-more") == Trace(TRACE, SPAN, 3)
    assert parse(f"01-{TRACE}-{SPAN}-01") == Trace(TRACE, SPAN, 1)


@pytest.mark.parametrize("state", ["a=1\nb: 2", "\u00e9=1", "x" * 513])
def test_a_state_that_is_no_header_is_dropped(state: str) -> None:
    assert parse(PARENT, state) == Trace(TRACE, SPAN, 1)


@given(st.text(max_size=80))
def test_any_header_gives_a_trace_that_can_be_sent(header: str) -> None:
    assert parse(continued(header, header).traceparent) is not None


def test_new_traces_differ() -> None:
    assert len({continued(None).trace_id for _ in range(50)}) == 50
