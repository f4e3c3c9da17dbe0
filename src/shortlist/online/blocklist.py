"""Videos taken down: a set in Redis, and a copy in each process that notices a change at once."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from shortlist.online.packing import rows_of

Ints = npt.NDArray[np.int64]

UNKNOWN: Final = b"?"
"""The version of a copy that no version of the set is equal to."""


@dataclass(frozen=True)
class Blocklist:
    """The set as of a version.

    Attributes:
        video: ids, ascending, int64 [n].
        version: changes with every takedown; empty where nothing was ever taken down.
    """

    video: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    version: bytes = b""

    def __len__(self) -> int:
        return len(self.video)

    def __contains__(self, video: int) -> bool:
        at = int(np.searchsorted(self.video, video))
        return at < len(self.video) and bool(self.video[at] == video)

    def rows(self, ids: Ints) -> Ints:
        """Rows of these videos in a table of ids, ascending; the table may lack some.

        >>> Blocklist(np.array([4, 8])).rows(np.array([2, 4, 6])).tolist()
        [1]
        """
        rows, known = rows_of(self.video, ids)
        return rows[known]

    def changed(self, video: int, *, down: bool) -> "Blocklist":
        """With a video or without it; of no version, so that it is read again when it can be.

        >>> Blocklist(np.array([4, 8])).changed(6, down=True).video.tolist()
        [4, 6, 8]
        """
        others = self.video[self.video != video]
        kept = np.append(others, np.int64(video)) if down else others
        return Blocklist(np.sort(kept), UNKNOWN)

    @classmethod
    def of(cls, members: list[bytes], version: bytes) -> "Blocklist":
        """From the set's members, as `packed` writes them."""
        wire = b"".join(one for one in members if len(one) == 8)
        return cls(np.sort(np.frombuffer(wire, "<i8")).astype(np.int64), version)


def packed(video: int) -> bytes:
    """A member of the set."""
    return video.to_bytes(8, "little", signed=True)
