"""What the transformer needs of a bundle, opened and warmed: recall, history encoder, slate."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from shortlist.bundle import Bundle
from shortlist.datasets.events import Events
from shortlist.datasets.interactions import Floats, Ints
from shortlist.recall.query import Query
from shortlist.recommender import drawn
from shortlist.recommender.parts import Parts
from shortlist.settings.slate import SlateSettings

_WARMING: Final = 3


@dataclass(frozen=True)
class Live:
    """A bundle that pages are made from; rows everywhere are those of its videos table.

    Attributes:
        id: of the bundle.
        parts: opened.
        slate: how its pages are drawn.
    """

    id: str
    parts: Parts
    slate: SlateSettings
    _sized: dict[int, SlateSettings] = field(default_factory=dict)

    @property
    def ids(self) -> Ints:
        """Video ids by row, ascending, int64 [n]."""
        return self.parts.catalogue.ids

    def slate_of(self, size: int) -> SlateSettings:
        """The slate's settings for pages of another size."""
        found = self._sized.get(size)
        if found is None:
            found = self._sized[size] = self.slate.model_copy(update={"size": size})
        return found

    def encode(self, history: Events, profile: Floats, day: float) -> Floats:
        """The user vector, float32 [w].

        Args:
            history: the oldest first.
            profile: declared and tallies, float32 [p].
            day: now, days since 1970-01-01.
        """
        encoded = self.parts.scorer.encode([history], day, profile[None])
        user: Floats = encoded.user[0]
        return user

    def duration_of(self, row: int) -> float | None:
        """Seconds that a video lasts; None where unknown."""
        seconds = float(self.parts.catalogue.duration_seconds[row])
        return seconds if seconds > 0 else None

    @classmethod
    def of_bundle(
        cls, bundle: Bundle, slate: Callable[[Bundle], SlateSettings] = drawn.slate_of
    ) -> "Live":
        """Open the parts of a verified bundle, and recall from them until they are warm.

        Args:
            bundle: opened.
            slate: how pages are drawn; by default as the bundle says.

        Raises:
            NotFoundError: a part or a file is missing.
            CorruptError: a file cannot be read, or the parts do not belong together.
        """
        live = cls(bundle.id, Parts.of_bundle(bundle), slate(bundle))
        for _ in range(_WARMING):
            live._warm()
        return live

    def _warm(self) -> None:
        """Read what requests read, so that none of them waits for the disk."""
        parts = self.parts
        day = float(parts.as_of_day)
        width = parts.scorer.note.profile_width
        rows = np.arange(min(len(self.ids), parts.scorer.note.history))
        history = Events(rows, np.full(len(rows), 2, np.int8), np.full(len(rows), day))
        user = self.encode(history, np.zeros(width, np.float32), day)
        nothing = np.zeros(0, np.int64)
        parts.blend.recall(Query(history, nothing, user, nothing, day))
        for start in range(0, len(self.ids), 4_096):
            np.asarray(parts.items.content[start : start + 4_096]).any()
