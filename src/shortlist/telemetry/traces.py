"""One request through all servers: the ``traceparent`` of W3C Trace Context, read and continued.

We record no spans. We pass on whose request it is, so that the log lines of every hop and the
traces of whatever stands around us carry one id.
"""

import os
import re
from dataclasses import dataclass, replace
from typing import Final

_PARENT: Final = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_FORBIDDEN_VERSION: Final = "ff"
_KEPT_FLAGS: Final = 0x03
"""Sampled, and drawn at random: the flags that are defined; others are set to 0."""
_LONGEST: Final = 512


@dataclass(frozen=True, slots=True)
class Trace:
    """A place in a trace.

    Attributes:
        trace_id: of the whole trace, 32 hexadecimal digits.
        span_id: of this hop, 16 hexadecimal digits.
        flags: 1, its caller records it; 2, its id is random.
        state: ``tracestate``, which belongs to others and passes as it is.
    """

    trace_id: str
    span_id: str
    flags: int = 0
    state: str = ""

    @property
    def traceparent(self) -> str:
        """As the header says it."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags:02x}"

    @property
    def headers(self) -> dict[str, str]:
        """The headers for the next hop."""
        found = {"traceparent": self.traceparent}
        return found | {"tracestate": self.state} if self.state else found

    def child(self) -> "Trace":
        """The next hop of the same trace."""
        return replace(self, span_id=_drawn(8))


def parse(traceparent: str | None, tracestate: str | None = None) -> Trace | None:
    """The trace that headers name; None where they name none, or are not what W3C allows.

    >>> parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").flags
    1
    >>> parse("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01") is None
    True
    """
    if traceparent is None or len(traceparent) > _LONGEST:
        return None
    found = _PARENT.fullmatch(traceparent.strip(" \t"))
    if found is None:
        return None
    version, trace_id, span_id, flags, more = found.groups()
    # A later version may say more; this one may not.
    if version == _FORBIDDEN_VERSION or (version == "00" and more):
        return None
    if not (trace_id.strip("0") and span_id.strip("0")):
        return None
    state = (tracestate or "").strip(" \t")
    if len(state) > _LONGEST or not (state.isascii() and state.isprintable()):
        state = ""
    return Trace(trace_id, span_id, int(flags, 16) & _KEPT_FLAGS, state)


def continued(traceparent: str | None, tracestate: str | None = None) -> Trace:
    """A hop of the trace that headers name, or the first of a new one where they name none."""
    parent = parse(traceparent, tracestate)
    return parent.child() if parent else Trace(_drawn(16), _drawn(8), 0x02)


def _drawn(size: int) -> str:
    """Random hexadecimal digits, not all 0."""
    while True:
        drawn = os.urandom(size).hex()
        if drawn.strip("0"):
            return drawn
