"""The whole draw: from ranked candidates to a page that says of every slot why and how likely."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from shortlist.settings.slate import SlateSettings
from shortlist.slate.explore import Exploration
from shortlist.slate.kernel import SlateItems, excused, similarity
from shortlist.slate.ranked import Ranked
from shortlist.slate.reasons import Reason, Viewer, reasons
from shortlist.slate.rules import Rule, RuleName, Traits, rules_of
from shortlist.slate.select import METHODS, Effect, Selection, select
from shortlist.slate.settled import trade_off_of

Ints = npt.NDArray[np.int64]


class RuleNote(NamedTuple):
    """What a rule did to a video when a slot was filled, before exploration."""

    slot: int
    video: int
    rule: RuleName
    effect: Effect

    def __str__(self) -> str:
        """As a table shows it."""
        return f"{self.rule} {self.effect}: video row {self.video}, slot {self.slot + 1}"


@dataclass(frozen=True, slots=True)
class Page:
    """A page, one entry per slot, the first slot first; `s` slots.

    Attributes:
        video: rows of the videos table, int64 [s].
        relevance: as ranked, float32 [s].
        rank: place in the ranked list, from 0, int64 [s].
        propensity: probability that this video stood in this slot, given the page before
            exploration and the slots above, float64 [s]; 1 without exploration.
        explored: whether exploration drew the slot, bool [s].
        sources: bits of `shortlist.datasets.origins.Origin`, uint8 [s].
        reasons: why, for a viewer to read.
        notes: what the rules did.
    """

    video: Ints
    relevance: npt.NDArray[np.float32]
    rank: Ints
    propensity: npt.NDArray[np.float64]
    explored: npt.NDArray[np.bool_]
    sources: npt.NDArray[np.uint8]
    reasons: tuple[Reason, ...]
    notes: tuple[RuleNote, ...]

    def __len__(self) -> int:
        return len(self.video)


class Slate:
    """The candidates of one request, compared with each other once; pages are drawn of them."""

    def __init__(
        self,
        ranked: Ranked,
        items: SlateItems,
        settings: SlateSettings,
        blocked: Ints | None = None,
    ) -> None:
        """Compare them.

        Args:
            ranked: the candidates.
            items: of all videos.
            settings: of the slate, settled.
            blocked: rows of videos that must not be shown, int64.
        """
        self.ranked, self.items, self.settings = ranked, items, settings
        self._traits = Traits.of(items, ranked.video, blocked)
        self._rules = rules_of(settings)
        self._kernel = _kernel(ranked, items, settings)

    def __len__(self) -> int:
        return len(self.ranked)

    def select(self, among: Sequence[int] | None = None) -> Selection:
        """The best page, before exploration.

        Args:
            among: places in the ranked list, ascending; all of them where None.

        Returns:
            Places in the ranked list, and what the rules did.
        """
        ranked, settings = self.ranked, self.settings
        if among is None:
            return _select(ranked.relevance, self._kernel, settings, self._traits, self._rules)
        chosen = np.array(among, np.int64)
        kernel, traits = self._kernel[np.ix_(chosen, chosen)], self._traits.some(among)
        picked, notes = _select(ranked.relevance[chosen], kernel, settings, traits, self._rules)
        return Selection(
            [among[one] for one in picked],
            tuple(note._replace(candidate=among[note.candidate]) for note in notes),
        )

    def page(self, viewer: Viewer, seed: int | Sequence[int] | None = None) -> Page:
        """Draw one page; see `make_page`."""
        ranked, settings = self.ranked, self.settings
        selection = self.select()
        exploration = Exploration(
            ranked.relevance,
            settings.epsilon if seed is not None else 0.0,
            settings.temperature,
            self._traits,
            self._rules,
        )
        outcome = exploration.draw(selection.picked, 0 if seed is None else seed)
        rank = np.array(outcome.page, np.int64)
        drawn = np.array(outcome.drawn, np.bool_)
        video, sources = ranked.video[rank], ranked.sources[rank]
        return Page(
            video=video,
            relevance=ranked.relevance[rank],
            rank=rank,
            propensity=np.array(outcome.propensity, np.float64),
            explored=drawn,
            sources=sources,
            reasons=reasons(self.items, viewer, video, sources, drawn, settings.new_days),
            notes=tuple(
                RuleNote(slot, int(ranked.video[candidate]), rule, effect)
                for slot, candidate, rule, effect in selection.notes
            ),
        )


def make_page(
    ranked: Ranked,
    items: SlateItems,
    settings: SlateSettings,
    viewer: Viewer,
    *,
    blocked: Ints | None = None,
    seed: int | Sequence[int] | None = None,
) -> Page:
    """Draw one page.

    Args:
        ranked: the candidates.
        items: of all videos.
        settings: of the slate, settled.
        viewer: whom the page is for.
        blocked: rows of videos that must not be shown, int64.
        seed: of exploration; the same seed replays the same page. Without one nothing is explored.

    Returns:
        The page, shorter than ``settings.size`` where candidates that may be shown run out.
    """
    return Slate(ranked, items, settings, blocked).page(viewer, seed)


def select_pages(
    ranked: Iterable[Ranked],
    items: SlateItems,
    settings: SlateSettings,
    *,
    blocked: Ints | None = None,
) -> Ints:
    """Pages of many requests without exploration and reasons, to be judged.

    Args:
        ranked: the candidates of each request.
        items: of all videos.
        settings: of the slate, settled.
        blocked: rows of videos that must not be shown, int64.

    Returns:
        Rows of videos, int64 [m, size]; -1 where a page is shorter.
    """
    rules, pages = rules_of(settings), []
    for one in ranked:
        traits = Traits.of(items, one.video, blocked)
        kernel = _kernel(one, items, settings)
        picked = _select(one.relevance, kernel, settings, traits, rules).picked
        page = np.full(settings.size, -1, np.int64)
        page[: len(picked)] = one.video[picked]
        pages.append(page)
    return np.stack(pages) if pages else np.zeros((0, settings.size), np.int64)


class Drawing:
    """The same requests in one way after the other, what they share worked out once."""

    def __init__(
        self, ranked: Iterable[Ranked], items: SlateItems, settings: SlateSettings
    ) -> None:
        """Compare the candidates of each request.

        Args:
            ranked: the candidates of each request.
            items: of all videos.
            settings: of the slate; its method and trade-off are not looked at.
        """
        self._settings = settings
        self._requests = [
            (one, _kernel(one, items, settings), Traits.of(items, one.video)) for one in ranked
        ]

    def pages(self, method: str, trade_off: float) -> Ints:
        """What `select_pages` draws by this method and trade-off, int64 [m, size]."""
        settings = self._settings.model_copy(update={"method": method, "trade_off": trade_off})
        rules, pages = rules_of(settings), np.full((len(self._requests), settings.size), -1)
        for row, (one, kernel, traits) in enumerate(self._requests):
            picked = _select(one.relevance, kernel, settings, traits, rules).picked
            pages[row, : len(picked)] = one.video[picked]
        return pages


def _kernel(ranked: Ranked, items: SlateItems, settings: SlateSettings) -> npt.NDArray[np.float32]:
    alike = similarity(items, ranked.video, settings.content_share)
    return excused(alike, ranked.diversity, settings.head_weight)


def _select(
    relevance: npt.NDArray[np.float32],
    kernel: npt.NDArray[np.float32],
    settings: SlateSettings,
    traits: Traits,
    rules: Sequence[Rule],
) -> Selection:
    return select(
        relevance,
        kernel,
        settings.size,
        method=METHODS[settings.method],
        trade_off=trade_off_of(settings),
        traits=traits,
        rules=rules,
    )
