"""Values of the store as bytes: little-endian, fixed-size, the first byte the layout's version.

Ids are those of the dataset, never rows of a table: what is stored outlives the bundle that wrote
it. A value of another version, or of a wrong length, is damaged; readers go on without it.
"""

import hashlib
import struct
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from shortlist.datasets.events import KINDS, Events
from shortlist.errors import CorruptError, InputError

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]

LAYOUT: Final = 1
"""Version of every layout below; the scripts that run in Redis know it too."""

RECORD: Final = np.dtype([("video", "<i8"), ("at", "<u4"), ("kind", "u1")])
"""One event of a history: 13 bytes."""

HISTORY_HEAD: Final = struct.Struct("<B3xIIII")
_VECTOR_HEAD: Final = struct.Struct("<B3xI16s")
SHOWN_HEAD: Final = struct.Struct("<BII")
_DAY_SECONDS: Final = 86_400
_LONGEST: Final = 255
LATEST: Final = 2**32 - 1


@dataclass(frozen=True, slots=True)
class History:
    """The last events of a user, the oldest first.

    Attributes:
        video: ids, int64 [n].
        kind: values of `shortlist.datasets.events.Kind`, uint8 [n].
        at: seconds since 1970-01-01, int64 [n].
        version: changes whenever an event says more than that a video was shown. What was made
            of a history is good while the version is the same; 0 where there is no history.
        shown: events in all, also those no longer kept.
        clicked: how many of them were clicked or more.
        source: which dataset was loaded under it; 0 where none was.
    """

    video: Ints
    kind: npt.NDArray[np.uint8]
    at: Ints
    version: int = 0
    shown: int = 0
    clicked: int = 0
    source: int = 0

    def __len__(self) -> int:
        return len(self.video)

    @classmethod
    def none(cls) -> Self:
        """That of somebody who is new."""
        return cls(np.zeros(0, np.int64), np.zeros(0, np.uint8), np.zeros(0, np.int64))

    def events(self, ids: Ints) -> tuple[Events, int]:
        """As a recommender reads them, and how many it does not know the videos of.

        Args:
            ids: video ids of a bundle's items, ascending, int64 [m].

        >>> seen = History(np.array([7, 9]), np.array([2, 0], np.uint8), np.array([0, 43_200]))
        >>> events, unknown = seen.events(np.array([5, 9]))
        >>> events.video.tolist(), events.day.tolist(), unknown
        ([1], [0.5], 1)
        """
        rows, known = rows_of(self.video, ids)
        known &= self.kind < KINDS
        day = self.at[known] / _DAY_SECONDS
        events = Events(rows[known], self.kind[known].astype(np.int8), day)
        return events, int(len(known) - known.sum())

    def continuing(self, end: int) -> "History":
        """The same, as if what happened after a log's end had begun right there.

        Args:
            end: of the log, in seconds since 1970-01-01.

        >>> seen = History(np.array([7, 8, 9]), np.zeros(3, np.uint8), np.array([50, 900, 960]))
        >>> seen.continuing(100).at.tolist()
        [50, 100, 160]
        """
        later = self.at >= end
        if not later.any():
            return self
        return replace(self, at=np.where(later, self.at - (self.at[later].min() - end), self.at))

    def pack(self) -> bytes:
        """As stored."""
        records = np.zeros(len(self), RECORD)
        records["video"], records["at"], records["kind"] = self.video, self.at, self.kind
        head = (LAYOUT, self.version, self.shown, self.clicked, self.source)
        return HISTORY_HEAD.pack(*head) + records.tobytes()

    @classmethod
    def unpack(cls, wire: bytes) -> Self:
        """What `pack` wrote.

        Raises:
            CorruptError: it is damaged or of another layout.
        """
        head, records = _parted("history", wire, HISTORY_HEAD, RECORD)
        return cls(
            records["video"].astype(np.int64),
            records["kind"].copy(),
            records["at"].astype(np.int64),
            *head[1:],
        )


@dataclass(frozen=True, slots=True)
class Declared:
    """What a user said, by name, so that every bundle's vocabulary can make its own row of it."""

    interests: tuple[str, ...] = ()
    language: str | None = None
    activity: str | None = None
    age_band: str | None = None

    def pack(self) -> bytes:
        """As stored.

        Raises:
            InputError: there are more than 255 names, or one is longer than 255 bytes.
        """
        if len(self.interests) > _LONGEST:
            raise InputError(f"a user declares {len(self.interests)} interests; 255 are the most")
        said = (self.language, self.activity, self.age_band, *self.interests)
        return bytes([LAYOUT]) + b"".join(text(one or "") for one in said)

    @classmethod
    def unpack(cls, wire: bytes) -> Self:
        """What `pack` wrote.

        Raises:
            CorruptError: it is damaged or of another layout.
        """
        versioned("declared features", wire)
        try:
            said, at = [], 1
            while at < len(wire):
                one, at = text_at(wire, at)
                said.append(one)
            language, activity, age_band, *interests = said
        except (ValueError, IndexError) as error:
            raise CorruptError("the stored declared features are damaged; load them again") from (
                error
            )
        return cls(tuple(interests), language or None, activity or None, age_band or None)


@dataclass(frozen=True, slots=True)
class UserVector:
    """The encoded history: float32 [w], and what it was made with.

    Attributes:
        bundle: id of the bundle whose encoder made it.
        version: of the history that it was made of.
        vector: float32 [w].
    """

    bundle: str
    version: int
    vector: Floats

    def pack(self) -> bytes:
        """As stored."""
        head = _VECTOR_HEAD.pack(LAYOUT, self.version, bundle_bytes(self.bundle))
        return head + self.vector.astype("<f4").tobytes()

    @classmethod
    def unpack(cls, wire: bytes) -> Self:
        """What `pack` wrote.

        Raises:
            CorruptError: it is damaged or of another layout.
        """
        head, values = _parted("user vector", wire, _VECTOR_HEAD, np.dtype("<f4"))
        if not np.isfinite(values).all():
            raise CorruptError("the stored user vector is not finite; it is made again")
        return cls(head[2].hex(), head[1], values.astype(np.float32))


class Shown(NamedTuple):
    """What a session has shown.

    Attributes:
        video: ids of the last videos, the oldest first, int64 [s].
        before: how many there were before them, of which no more is known.
    """

    video: Ints
    before: int

    @classmethod
    def unpack(cls, wire: bytes) -> "Shown":
        """What the script of served pages wrote.

        Raises:
            CorruptError: it is damaged or of another layout.
        """
        (_, _, before), shown = _parted("session", wire, SHOWN_HEAD, np.dtype("<i8"))
        return cls(shown.astype(np.int64), before)


def rows_of(video: Ints, ids: Ints) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """Rows of video ids in a table of ids, and which of them it has.

    Args:
        video: ids, int64 [n].
        ids: of the table, ascending, int64 [m].
    """
    if len(ids) == 0:
        return np.zeros(len(video), np.int64), np.zeros(len(video), np.bool_)
    rows = np.minimum(ids.searchsorted(video), len(ids) - 1)
    return rows, ids[rows] == video


def digest(*parts: bytes) -> int:
    """A 64-bit number for some bytes."""
    hashed = hashlib.blake2b(digest_size=8)
    for part in parts:
        hashed.update(len(part).to_bytes(8, "little"))
        hashed.update(part)
    return int.from_bytes(hashed.digest(), "little")


def short_hash(name: str) -> bytes:
    """8 bytes for a name: event ids and sessions are told apart by them.

    Two of a thousand names are alike with a probability below 1 in 10^13.
    """
    return hashlib.blake2b(name.encode(), digest_size=8).digest()


def text(value: str) -> bytes:
    """A text with its length before it, in one byte.

    Raises:
        InputError: it is longer than 255 bytes.
    """
    wire = value.encode()
    if len(wire) > _LONGEST:
        raise InputError(f"{value[:40]!r}... has {len(wire)} bytes; 255 are the most")
    return bytes([len(wire)]) + wire


def text_at(wire: bytes, at: int) -> tuple[str, int]:
    """The text that `text` wrote at a place, and the place after it.

    Raises:
        ValueError: it is cut off, or no UTF-8.
        IndexError: nothing stands there.
    """
    end = at + 1 + wire[at]
    if end > len(wire):
        raise ValueError("a text is cut off")
    return wire[at + 1 : end].decode(), end


def bundle_bytes(bundle: str) -> bytes:
    """A bundle's id as it is stored.

    Raises:
        InputError: it is none.
    """
    raw = bytes.fromhex(bundle)
    if len(raw) != 16:
        raise InputError(f"{bundle!r} is no id of a bundle; ids have 32 hexadecimal digits")
    return raw


def versioned(what: str, wire: bytes, layout: int = LAYOUT) -> None:
    """Check that a value has the layout that is read here.

    Raises:
        CorruptError: it has another one.
    """
    if not wire or wire[0] != layout:
        found = wire[0] if wire else "nothing"
        raise CorruptError(f"the stored {what} has layout {found}, this Shortlist reads {layout}")


def _parted(
    what: str, wire: bytes, head: struct.Struct, row: np.dtype[np.void] | np.dtype[np.generic]
) -> tuple[tuple[Any, ...], npt.NDArray[Any]]:
    versioned(what, wire)
    rows, rest = divmod(len(wire) - head.size, row.itemsize)
    if rows < 0 or rest:
        raise CorruptError(f"the stored {what} has {len(wire)} bytes, which no {what} can have")
    return head.unpack_from(wire), np.frombuffer(wire, row, rows, head.size)
