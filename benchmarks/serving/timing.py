"""What becomes of single requests, as figures: quantiles by stage, and who was answered in time.

Latency is counted from when a request should have been sent, so a service that stalls is charged
for all who would have come meanwhile (no coordinated omission).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import orjson

QUANTILES: Final = (0.5, 0.95, 0.99)
OUTSIDE: Final = "outside"
"""What the page does not know of: HTTP both ways, JSON, and waiting to be read."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One request as the generator saw it.

    Attributes:
        number: of the request, from 0.
        at: when it was sent, in seconds.
        seconds: from then to the last byte of the answer.
        status: of HTTP; 0 where there was no answer.
        body: of the answer.
    """

    number: int
    at: float
    seconds: float
    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Answered:
    """One request and what its page said.

    Attributes:
        ms: from when it should have been sent to its answer.
        late_ms: by which the generator sent it too late; part of ``ms``.
        status: of HTTP; 0 where there was no answer.
        page: the page; None where the answer held none.
    """

    ms: float
    late_ms: float
    status: int
    page: Mapping[str, Any] | None

    @property
    def whole(self) -> bool:
        """Whether it is a page that nothing was taken from."""
        return self.page is not None and not self.page["degraded"] and bool(self.page["videos"])

    @property
    def cached(self) -> bool:
        """Whether the page was drawn from a stored list."""
        return self.page is not None and "recall" not in self.page["timings_ms"]


def answered(sent: Sequence[Sent], rate: float) -> list[Answered]:
    """Count each request from its place in the timetable.

    The timetable is that of a fixed rate; its first moment is the one by which nobody was early.

    Args:
        sent: at a fixed rate, in any order.
        rate: requests a second; 0 where each was sent when a place was free, and there is no
            timetable.

    >>> one, two = Sent(0, 10.0, 0.02, 200, b""), Sent(1, 10.6, 0.03, 200, b"")
    >>> [round(found.ms) for found in answered([one, two], rate=2.0)]  # 0.1 s late
    [20, 130]
    """
    if not sent:
        return []
    if rate <= 0:
        return [Answered(one.seconds * 1e3, 0.0, one.status, _page(one)) for one in sent]
    began = min(one.at - one.number / rate for one in sent)
    found = []
    for one in sent:
        late = one.at - (began + one.number / rate)
        found.append(Answered((late + one.seconds) * 1e3, late * 1e3, one.status, _page(one)))
    return found


def _page(one: Sent) -> Mapping[str, Any] | None:
    if one.status != 200:
        return None
    try:
        value = orjson.loads(one.body)
    except ValueError:
        return None
    pages = value.get("predictions") if isinstance(value, dict) else None
    return pages[0] if pages else None


def quantiles(values: npt.ArrayLike) -> dict[str, float]:
    """Middle, 95th and 99th of a hundred, and the worst; of nothing they are NaN.

    A quantile is one of the values, the higher one where it falls between two.

    >>> quantiles(range(1, 101))
    {'p50': 51.0, 'p95': 96.0, 'p99': 100.0, 'max': 100.0}
    """
    held = np.asarray(values, np.float64)
    if not held.size:
        return {**{f"p{q * 100:.0f}": np.nan for q in QUANTILES}, "max": np.nan}
    told = np.quantile(held, QUANTILES, method="higher")
    names = (f"p{q * 100:.0f}" for q in QUANTILES)
    return {**dict(zip(names, told.tolist(), strict=True)), "max": float(held.max())}


def stages(found: Sequence[Answered]) -> dict[str, dict[str, float]]:
    """Quantiles of each stage, of all that is outside of the page, and of the whole."""
    pages = [(one, one.page["timings_ms"]) for one in found if one.page is not None]
    names = dict.fromkeys(name for _, timings in pages for name in timings if name != "total")
    rows = {
        name: quantiles([timings[name] for _, timings in pages if name in timings])
        for name in names
    }
    rows["page"] = quantiles([timings["total"] for _, timings in pages])
    rows[OUTSIDE] = quantiles([one.ms - timings["total"] for one, timings in pages])
    rows["request"] = quantiles([one.ms for one in found])
    return rows


@dataclass(frozen=True, slots=True)
class Tally:
    """How a run went.

    Attributes:
        sent: requests.
        whole: answered with a page that nothing was taken from.
        degraded: pages that were simpler than they could be, or empty.
        failed: requests without a page.
        cached: pages drawn from a stored list.
        inside: requests answered whole within the budget, of all.
        late_ms: the 99th of a hundred by which the generator was behind its timetable.
    """

    sent: int
    whole: int
    degraded: int
    failed: int
    cached: int
    inside: float
    late_ms: float

    @classmethod
    def of(cls, found: Sequence[Answered], budget_ms: float) -> "Tally":
        """Count."""
        whole = sum(one.whole for one in found)
        failed = sum(one.page is None for one in found)
        inside = sum(one.whole and one.ms <= budget_ms for one in found)
        return cls(
            sent=len(found),
            whole=whole,
            degraded=len(found) - whole - failed,
            failed=failed,
            cached=sum(one.cached for one in found),
            inside=inside / len(found) if found else 0.0,
            late_ms=quantiles([one.late_ms for one in found])["p99"],
        )

    @property
    def holds(self) -> bool:
        """Whether the rate can be held: 99 of 100 inside the budget, and none the worse for it."""
        return self.sent > 0 and self.inside >= 0.99 and not self.degraded and not self.failed

    def problems(self) -> list[str]:
        """What must not be where nothing was broken."""
        found = []
        if self.degraded:
            found.append(f"{self.degraded:,} of {self.sent:,} pages were degraded or empty")
        if self.failed:
            found.append(f"{self.failed:,} of {self.sent:,} requests were not answered by a page")
        return found


def highest(holds: Callable[[float], bool], first: float, *, step: float, fine: float) -> float:
    """The highest rate that holds, to a factor: up or down by steps, then between the last two.

    Args:
        holds: whether a rate does.
        first: to try.
        step: factor between two tries until one holds and one does not; above 1.
        fine: factor between the two at which it is told well enough; above 1.

    Returns:
        0 where not even a hundredth of the first holds; what was tried last where a hundred times
        the first does.

    >>> round(highest(lambda rate: rate <= 77, 10, step=2, fine=1.05))
    77
    """
    low, high = 0.0, 0.0
    rate = first
    while not low or not high:
        if holds(rate):
            low, rate = rate, rate * step
            if rate > first * 100:
                return low
        else:
            high, rate = rate, rate / step
            if rate < first / 100:
                return 0.0
        if low and high:
            break
    while high / low > fine:
        middle = (low * high) ** 0.5
        if holds(middle):
            low = middle
        else:
            high = middle
    return low
