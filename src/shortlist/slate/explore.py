"""Exploration: now and then a slot goes to a video off the page, and the log knows how likely.

Each slot in turn is redrawn with probability epsilon, by a softmax over relevance, from the
candidates that the page left out and the rules allow. What is logged is the exact probability of
the slot's video given the page before exploration and what the slots above it came to, so
off-policy estimates may weigh by it (Swaminathan et al., NeurIPS 2017, for slates).
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from shortlist.slate.rules import Rule, Traits, allowed

Doubles = npt.NDArray[np.float64]


class Explored(NamedTuple):
    """A page after exploration, one entry per slot."""

    page: list[int]
    """Indexes of candidates."""
    propensity: list[float]
    """Probability that this candidate stood in this slot, given the slots above."""
    drawn: list[bool]
    """Whether the slot was redrawn."""


class Exploration:
    """How slots of one request may be redrawn.

    Args:
        relevance: of each candidate, [k].
        epsilon: probability that a slot is redrawn.
        temperature: difference in relevance that makes a candidate e times as likely.
        traits: what rules look at.
        rules: that a redrawn slot must keep; none gives way here.
    """

    def __init__(
        self,
        relevance: npt.NDArray[np.float32] | Doubles,
        epsilon: float,
        temperature: float,
        traits: Traits,
        rules: Sequence[Rule] = (),
    ) -> None:
        self._relevance = relevance.astype(np.float64)
        self._epsilon = epsilon
        self._temperature = temperature
        self._traits = traits
        self._rules = rules

    def distribution(self, planned: Sequence[int], page: Sequence[int], slot: int) -> Doubles:
        """Probability of every candidate to stand in ``slot``, float64 [k]; they sum to 1.

        Args:
            planned: the page before exploration.
            page: the page now: slots above ``slot`` are settled, the others are as planned.
            slot: the slot to be settled.

        Returns:
            1 for the planned candidate where nobody may take its place.
        """
        chance = np.zeros(len(self._relevance))
        pool = np.fromiter(self._pool(self._free(planned, page), page, slot), np.int64)
        if self._epsilon == 0 or len(pool) == 0:
            chance[planned[slot]] = 1.0
            return chance
        logit = self._relevance[pool] / self._temperature
        weight = np.exp(logit - logit.max())
        chance[pool] = self._epsilon * weight / weight.sum()
        chance[planned[slot]] = 1 - self._epsilon
        return chance

    def draw(self, planned: Sequence[int], seed: int | Sequence[int]) -> Explored:
        """Settle every slot from the first on; the same seed replays the same page."""
        page = list(planned)
        propensity, drawn = [1.0] * len(page), [False] * len(page)
        if self._epsilon == 0:
            return Explored(page, propensity, drawn)
        # Two draws a slot, used or not, so that no slot's luck depends on another's.
        luck = np.random.default_rng(seed).random((len(page), 2)).tolist()
        free = self._free(planned, page)
        likely: list[int] = []
        for slot, (redraw, which) in enumerate(luck):
            if redraw >= self._epsilon:
                # Whoever might have had the slot above may mostly have this one too.
                somebody = next(self._pool([*likely, *free], page, slot), None)
                if somebody is not None:
                    propensity[slot], likely = 1 - self._epsilon, [somebody]
                continue
            chance = self.distribution(planned, page, slot)
            others = chance.copy()
            others[planned[slot]] = 0.0
            if not others.any():
                continue
            rising = np.cumsum(others)
            # Rounding must not carry the draw past the last candidate of the pool.
            last = int(np.flatnonzero(others)[-1])
            chosen = min(int(np.searchsorted(rising, which * rising[-1], side="right")), last)
            page[slot], propensity[slot], drawn[slot] = chosen, float(chance[chosen]), True
            free.remove(chosen)
            likely = []
        return Explored(page, propensity, drawn)

    def _free(self, planned: Sequence[int], page: Sequence[int]) -> list[int]:
        """Candidates that are neither planned nor settled, the best first."""
        taken = {*planned, *page}
        return [one for one in range(len(self._relevance)) if one not in taken]

    def _pool(self, free: Sequence[int], page: Sequence[int], slot: int) -> Iterator[int]:
        """Who of them may take the slot: nobody whom a rule refuses."""
        for candidate in free:
            if allowed(self._rules, self._traits, page, slot, candidate):
                yield candidate
