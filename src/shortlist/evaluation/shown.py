"""What a model shows: pages of the judged users, and what the sample's pages were drawn from."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from shortlist.datasets.interactions import Floats, Ints
from shortlist.errors import RefusedError
from shortlist.evaluation.arena import Arena
from shortlist.evaluation.arrays import load_arrays, save_arrays
from shortlist.evaluation.entrants import ListRanker, PageMaker
from shortlist.progress import track
from shortlist.slate.ranked import Ranked

_USERS_AT_ONCE: Final = 512


@dataclass(frozen=True)
class Shown:
    """Pages and ranked candidates of one model.

    Attributes:
        pages: of each judged user, int64 [judged, size]; -1 where a page is shorter.
        video: ranked candidates of each sampled user, the best first, int64 [sample, c]; -1 where
            a list is shorter. Without columns for a model that tells none.
        relevance, diversity: as `Ranked` has them, float32 [sample, c].
        sources: as `Ranked` has them, uint8 [sample, c].
    """

    pages: Ints
    video: Ints
    relevance: Floats
    diversity: Floats
    sources: npt.NDArray[np.uint8]

    def ranked(self) -> list[Ranked]:
        """The candidates of each sampled user, as a slate takes them."""
        lengths = (self.video >= 0).sum(axis=1)
        return [
            Ranked(
                self.video[row, :length],
                self.relevance[row, :length],
                self.diversity[row, :length],
                self.sources[row, :length],
            )
            for row, length in enumerate(lengths)
        ]

    def save(self, path: Path) -> None:
        """Write to one file, aside first.

        Raises:
            StorageError: the disk is full or refuses.
        """
        save_arrays(path, {field.name: getattr(self, field.name) for field in fields(self)})

    @classmethod
    def load(cls, path: Path) -> Self | None:
        """Read what ``save`` wrote; None where there is nothing or it is torn."""
        values = load_arrays(path, [field.name for field in fields(cls)])
        return None if values is None else cls(**values)


def show(model: PageMaker, name: str, arena: Arena) -> Shown:
    """Ask a fitted model for pages.

    Args:
        model: fitted.
        name: of the model, for messages.
        arena: whose users are asked for.

    Raises:
        RefusedError: a page shows what it must not: a video twice, one that the user has seen, or
            one that does not exist yet.
    """
    parts = []
    for low in track(range(0, len(arena.judged), _USERS_AT_ONCE), f"{name}: pages"):
        users = arena.judged[low : low + _USERS_AT_ONCE]
        pages = model.pages(users)
        check_pages(pages, name, arena, low)
        parts.append(pages)
    ranked: list[Ranked] = []
    if isinstance(model, ListRanker):
        for low in range(0, len(arena.sample), _USERS_AT_ONCE):
            ranked += model.ranked(arena.sample[low : low + _USERS_AT_ONCE])
    longest = max(map(len, ranked), default=0)
    shape = (len(arena.sample), longest)
    video = np.full(shape, -1, np.int64)
    relevance, diversity = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    sources = np.zeros(shape, np.uint8)
    for row, one in enumerate(ranked):
        video[row, : len(one)] = one.video
        relevance[row, : len(one)] = one.relevance
        diversity[row, : len(one)] = one.diversity
        sources[row, : len(one)] = one.sources
    return Shown(np.concatenate(parts), video, relevance, diversity, sources)


def check_pages(pages: Ints, name: str, arena: Arena, start: int) -> None:
    """Hold that the pages of ``arena.judged[start:]`` show only what they may.

    Raises:
        RefusedError: see ``show``.
    """
    banned = arena.excluded(start, start + len(pages))
    for row, page in enumerate(pages):
        shown = page[page >= 0]
        wrong = shown[banned[row, shown]]
        if len(wrong) or len(np.unique(shown)) < len(shown):
            user = int(arena.judged[start + row])
            fault = (
                f"video row {wrong[0]}, which the user has seen or which is not live"
                if len(wrong)
                else "a video twice"
            )
            raise RefusedError(
                f"{name}: the page of user row {user} shows {fault}; its figures would mean "
                "nothing, so mend what makes its pages"
            )
