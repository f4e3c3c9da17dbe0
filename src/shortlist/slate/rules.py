"""What no page may look like: a list of small functions of one signature, hardest first.

A rule is asked whether a candidate may stand in a slot of a page whose other slots are known, so
that the same rules serve while a page grows and when one of its slots is drawn anew.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from shortlist.settings.slate import SlateSettings
from shortlist.slate.kernel import SlateItems

OPEN: Final = -1
"""Stands in a slot that nobody has."""


@dataclass(frozen=True, slots=True)
class Traits:
    """What rules look at, one entry per candidate; plain lists, since rules ask for one at a time.

    Attributes:
        creator: -1 where unknown; unknown creators are never the same.
        main_tag: -1 where there is none.
        blocked: whether the candidate was taken down, or blocked by or for this viewer.
    """

    creator: list[int]
    main_tag: list[int]
    blocked: list[bool]

    @classmethod
    def of(
        cls,
        items: SlateItems,
        video: npt.NDArray[np.int64],
        blocked: npt.NDArray[np.int64] | None = None,
    ) -> "Traits":
        """Of some candidates.

        Args:
            items: of all videos.
            video: rows of the candidates, int64 [k].
            blocked: rows of videos that must not be shown, int64.
        """
        shut = np.isin(video, blocked) if blocked is not None else np.zeros(len(video), np.bool_)
        return cls(items.creator[video].tolist(), items.main_tag[video].tolist(), shut.tolist())

    def some(self, places: Sequence[int]) -> "Traits":
        """Of some of the candidates, in their order."""
        return Traits(
            [self.creator[one] for one in places],
            [self.main_tag[one] for one in places],
            [self.blocked[one] for one in places],
        )


Allows = Callable[[Traits, Sequence[int], int, int], bool]
"""``allows(traits, page, slot, candidate)``: may ``candidate`` stand in ``slot`` of ``page``?

``page`` holds indexes of candidates, or `OPEN`; what stands in ``slot`` itself is not looked at.
"""


class RuleName(StrEnum):
    """Names that a page gives for its rules."""

    BLOCKED = "blocked"
    CREATOR_LIMIT = "creator limit"
    TAG_LIMIT = "tag limit"
    CREATOR_APART = "creators apart"


class Rule(NamedTuple):
    """A rule by name."""

    name: RuleName
    allows: Allows
    relaxes: bool = True
    """Whether it gives way where a page would stay short."""


def not_blocked(traits: Traits, page: Sequence[int], slot: int, candidate: int) -> bool:
    """Nothing that was taken down."""
    del page, slot
    return not traits.blocked[candidate]


def creator_limit(most: int) -> Allows:
    """At most ``most`` videos of one creator."""

    def allows(traits: Traits, page: Sequence[int], slot: int, candidate: int) -> bool:
        return _others(traits.creator, page, slot, candidate) < most

    return allows


def tag_limit(most: int) -> Allows:
    """At most ``most`` videos of one main tag."""

    def allows(traits: Traits, page: Sequence[int], slot: int, candidate: int) -> bool:
        return _others(traits.main_tag, page, slot, candidate) < most

    return allows


def creators_apart(traits: Traits, page: Sequence[int], slot: int, candidate: int) -> bool:
    """No two videos of one creator side by side."""
    own = traits.creator[candidate]
    if own < 0:
        return True
    for beside in (slot - 1, slot + 1):
        inside = 0 <= beside < len(page) and page[beside] != OPEN
        if inside and traits.creator[page[beside]] == own:
            return False
    return True


def rules_of(settings: SlateSettings) -> tuple[Rule, ...]:
    """The rules in force, hardest first: where a page would stay short, the last gives way first.

    What is blocked stays blocked, even if the page stays short.
    """
    rules = [
        Rule(RuleName.BLOCKED, not_blocked, relaxes=False),
        Rule(RuleName.CREATOR_LIMIT, creator_limit(settings.creator_limit)),
        Rule(RuleName.TAG_LIMIT, tag_limit(settings.tag_limit)),
    ]
    if settings.creator_apart:
        rules.append(Rule(RuleName.CREATOR_APART, creators_apart))
    return tuple(rules)


def broken(
    rules: Sequence[Rule], traits: Traits, page: Sequence[int], slot: int, candidate: int
) -> list[int]:
    """Places in ``rules`` of those that ``candidate`` in ``slot`` would break."""
    return [
        place for place, rule in enumerate(rules) if not rule.allows(traits, page, slot, candidate)
    ]


def allowed(
    rules: Sequence[Rule], traits: Traits, page: Sequence[int], slot: int, candidate: int
) -> bool:
    """Whether ``candidate`` in ``slot`` would break none of ``rules``."""
    for rule in rules:  # noqa: SIM110  a generator would cost more than the rules
        if not rule.allows(traits, page, slot, candidate):
            return False
    return True


def _others(groups: list[int], page: Sequence[int], slot: int, candidate: int) -> int:
    """How many other slots hold somebody of the candidate's group."""
    own = groups[candidate]
    if own < 0:
        return 0
    count = 0
    # Asked for every slot and rule, where a generator would cost twice as much.
    for place, other in enumerate(page):
        if other != OPEN and groups[other] == own and place != slot:
            count += 1
    return count
