"""Ranked lists of sessions, and the pages that were planned of them, as bytes."""

import struct
from dataclasses import dataclass
from typing import Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import orjson

from shortlist.errors import CorruptError
from shortlist.online.packing import bundle_bytes, versioned

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]

LIST_LAYOUT: Final = 2
"""Version of the layout."""

_HEAD: Final = struct.Struct("<BBHHI16sdQ")
_LISTED: Final = np.dtype(
    [("video", "<i8"), ("relevance", "<f4"), ("diversity", "<f4"), ("sources", "u1")]
)
_PLANNED: Final = np.dtype([("place", "<u2"), ("reason", "<u2")])


class Planned(NamedTuple):
    """The pages that come next of a ranked list, as they were planned when it was made.

    Attributes:
        size: videos of a page; 0 where nothing was planned.
        place: places in the list, page after page, int64 [p].
        reasons: why each stands there, for a viewer to read.
    """

    size: int = 0
    place: Ints = np.zeros(0, np.int64)
    reasons: tuple[str, ...] = ()


UNPLANNED: Final = Planned()


@dataclass(frozen=True, slots=True)
class StoredList:
    """A ranked list of a session, from which further pages are drawn.

    Attributes:
        bundle: id of the bundle that ranked it.
        version: of the history that it was ranked for.
        made_at: seconds since 1970-01-01.
        asked: a number that stands for all else in the request that shaped it; see `digest`.
        video: ids, the best first, int64 [n].
        relevance: calibrated probability of a click, float32 [n].
        diversity: what the diversity head said, float32 [n].
        sources: bits of `shortlist.datasets.origins.Origin`, uint8 [n].
        planned: the next pages.
    """

    bundle: str
    version: int
    made_at: float
    asked: int
    video: Ints
    relevance: Floats
    diversity: Floats
    sources: npt.NDArray[np.uint8]
    planned: Planned = UNPLANNED

    def __len__(self) -> int:
        return len(self.video)

    def serves(self, bundle: str, version: int, asked: int) -> bool:
        """Whether it is still good: the same bundle, history and request."""
        return (self.bundle, self.version, self.asked) == (bundle, version, asked)

    def pack(self) -> bytes:
        """As stored."""
        rows = np.zeros(len(self), _LISTED)
        for name in ("video", "relevance", "diversity", "sources"):
            rows[name] = getattr(self, name)
        size, place, reasons = self.planned
        texts = {text: number for number, text in enumerate(dict.fromkeys(reasons))}
        plan = np.zeros(len(place), _PLANNED)
        plan["place"], plan["reason"] = place, [texts[text] for text in reasons]
        head = _HEAD.pack(
            LIST_LAYOUT,
            size,
            len(self),
            len(plan),
            self.version,
            bundle_bytes(self.bundle),
            self.made_at,
            self.asked,
        )
        return head + rows.tobytes() + plan.tobytes() + orjson.dumps(list(texts))

    @classmethod
    def unpack(cls, wire: bytes) -> Self:
        """What `pack` wrote.

        Raises:
            CorruptError: it is damaged or of another layout.
        """
        versioned("ranked list", wire, LIST_LAYOUT)
        try:
            _, size, count, planned, version, bundle, made_at, asked = _HEAD.unpack_from(wire)
            rows = np.frombuffer(wire, _LISTED, count, _HEAD.size)
            at = _HEAD.size + rows.nbytes
            plan = np.frombuffer(wire, _PLANNED, planned, at)
            texts = orjson.loads(wire[at + plan.nbytes :])
            reasons = tuple([texts[one] for one in plan["reason"].tolist()])
            places = set(plan["place"].tolist())
            if len(places) < planned or (planned and (size == 0 or max(places) >= count)):
                raise ValueError("it plans what has no place in it")
        except (ValueError, IndexError, KeyError, TypeError, struct.error) as error:
            raise CorruptError(
                f"the stored ranked list is cut off or damaged ({error}); it is made again"
            ) from error
        return cls(
            bundle.hex(),
            version,
            made_at,
            asked,
            rows["video"].astype(np.int64),
            rows["relevance"].astype(np.float32),
            rows["diversity"].astype(np.float32),
            rows["sources"].copy(),
            Planned(size, plan["place"].astype(np.int64), reasons),
        )
