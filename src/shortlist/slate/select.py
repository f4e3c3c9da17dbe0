"""The greedy page: slot by slot the candidate worth most, unless a rule refuses it."""

from collections.abc import Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from shortlist.slate.dpp import Determinantal
from shortlist.slate.mmr import MarginalRelevance
from shortlist.slate.rules import OPEN, Rule, RuleName, Traits, allowed, broken


class Novelty(Protocol):
    """How new each candidate is beside a page that grows."""

    def novelty(self) -> npt.NDArray[np.float64]:
        """Given the page so far, float64 [k]: 1 for all on an empty page, never rising."""
        ...

    def add(self, index: int) -> None:
        """Put a candidate on the page."""
        ...


class Method(Protocol):
    """Makes a `Novelty` for similarities, float32 [k, k], and a page of at most ``size``."""

    def __call__(self, similarity: npt.NDArray[np.float32], size: int) -> Novelty:
        """Start with an empty page."""
        ...


METHODS: Final = MappingProxyType[str, Method]({"dpp": Determinantal, "mmr": MarginalRelevance})


class Effect(StrEnum):
    """What a rule did."""

    REFUSED = "refused"
    """The candidate was worth more than the one that has the slot."""
    RELAXED = "relaxed"
    """The candidate has the slot though the rule forbids it: nobody else was left."""


class Note(NamedTuple):
    """What a rule did to a candidate when a slot was filled."""

    slot: int
    candidate: int
    """Index among the candidates, in other words its rank from 0."""
    rule: RuleName
    effect: Effect


class Selection(NamedTuple):
    """A greedy page: indexes of candidates, best slot first, and what the rules did."""

    picked: list[int]
    notes: tuple[Note, ...]


def select(
    quality: npt.NDArray[np.float32] | npt.NDArray[np.float64],
    similarity: npt.NDArray[np.float32],
    size: int,
    *,
    method: Method,
    trade_off: float,
    traits: Traits | None = None,
    rules: Sequence[Rule] = (),
) -> Selection:
    """Fill a page greedily by ``(1 - t) quality + t novelty``.

    Where every candidate breaks a rule, rules give way from the last one on, as few as needed.

    Args:
        quality: relevance of each candidate, [k]; of equals the first wins.
        similarity: [k, k], positive semidefinite, ones on the diagonal.
        size: slots of the page; it stays shorter where candidates run out.
        method: of novelty, one of `METHODS`.
        trade_off: ``t``, from 0 (plain sort by quality) to 1 (novelty alone).
        traits: what rules look at; needed where there are rules.
        rules: hardest first.

    Returns:
        The page and its notes.
    """
    size = min(size, len(quality))
    left = method(similarity, size)
    base = (1 - trade_off) * quality.astype(np.float64)
    page: list[int] = []
    notes: list[Note] = []
    while len(page) < size:
        worth = base + trade_off * left.novelty()
        if traits is None or not rules:
            chosen = int(worth.argmax())
        else:
            chosen, said = _first_allowed(worth, traits, [*page, OPEN], rules)
            notes += said
            if chosen == OPEN:
                break
        page.append(chosen)
        base[chosen] = -np.inf
        if len(page) < size:
            left.add(chosen)
    return Selection(page, tuple(notes))


def _first_allowed(
    worth: npt.NDArray[np.float64], traits: Traits, page: Sequence[int], rules: Sequence[Rule]
) -> tuple[int, list[Note]]:
    """Who takes the last slot of ``page``, and what the rules did; `OPEN` if nobody may.

    ``worth`` is used up: it is -inf for everybody on the page already.
    """
    slot = len(page) - 1
    refused: list[tuple[int, list[int]]] = []
    while worth[candidate := int(worth.argmax())] > -np.inf:
        if allowed(rules, traits, page, slot, candidate):
            return candidate, _notes(slot, refused, rules) if refused else []
        refused.append((candidate, broken(rules, traits, page, slot, candidate)))
        worth[candidate] = -np.inf
    # Relaxing from the last rule on, the first to get in is he whose hardest broken rule is latest.
    willing = [entry for entry in refused if all(rules[place].relaxes for place in entry[1])]
    if not willing:
        return OPEN, _notes(slot, refused, rules)
    chosen, breaks = max(willing, key=lambda entry: entry[1][0])
    ahead = refused[: refused.index((chosen, breaks))]
    relaxed = [Note(slot, chosen, rules[place].name, Effect.RELAXED) for place in breaks]
    return chosen, _notes(slot, ahead, rules) + relaxed


def _notes(slot: int, refused: list[tuple[int, list[int]]], rules: Sequence[Rule]) -> list[Note]:
    return [
        Note(slot, candidate, rules[place].name, Effect.REFUSED)
        for candidate, breaks in refused
        for place in breaks
    ]
