"""What each rule allows, and what pages come of them."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shortlist.settings.slate import SlateSettings
from shortlist.slate.rules import (
    OPEN,
    Allows,
    Rule,
    RuleName,
    Traits,
    creator_limit,
    creators_apart,
    not_blocked,
    rules_of,
    tag_limit,
)
from shortlist.slate.select import METHODS, Effect, Note, Selection, select

# Candidates 0 to 6; -1 is an unknown creator and no tag.
TRAITS = Traits(
    creator=[1, 1, 1, 2, -1, -1, 3],
    main_tag=[5, 6, 5, 5, -1, -1, 6],
    blocked=[False, False, False, False, False, False, True],
)


@pytest.mark.parametrize(
    ("rule", "page", "slot", "candidate", "allowed"),
    [
        pytest.param(not_blocked, [OPEN], 0, 0, True, id="nobody blocked it"),
        pytest.param(not_blocked, [OPEN], 0, 6, False, id="it was taken down"),
        pytest.param(creator_limit(2), [0, OPEN], 1, 1, True, id="second of a creator"),
        pytest.param(creator_limit(2), [0, 1, OPEN], 2, 2, False, id="third of a creator"),
        pytest.param(creator_limit(2), [0, 1, OPEN], 2, 3, True, id="another creator"),
        pytest.param(creator_limit(1), [4, OPEN], 1, 5, True, id="unknown creators differ"),
        pytest.param(creator_limit(2), [0, OPEN, 1], 1, 2, False, id="counts slots below as well"),
        pytest.param(creator_limit(2), [0, 1], 1, 2, True, id="its own slot does not count"),
        pytest.param(tag_limit(2), [0, OPEN], 1, 2, True, id="second of a tag"),
        pytest.param(tag_limit(2), [0, 2, OPEN], 2, 3, False, id="third of a tag"),
        pytest.param(tag_limit(1), [4, OPEN], 1, 5, True, id="no tag is not a tag"),
        pytest.param(creators_apart, [0, OPEN], 1, 1, False, id="beside one above"),
        pytest.param(creators_apart, [OPEN, 0], 0, 1, False, id="beside one below"),
        pytest.param(creators_apart, [0, 3, OPEN], 2, 1, True, id="one between"),
        pytest.param(creators_apart, [4, OPEN], 1, 5, True, id="unknown creators may meet"),
        pytest.param(creators_apart, [0, OPEN, OPEN], 2, 1, True, id="an open slot between"),
        pytest.param(creators_apart, [0], 0, 1, True, id="takes the place of its like"),
    ],
)
def test_a_rule_allows(
    rule: Allows, page: list[int], slot: int, candidate: int, allowed: bool
) -> None:
    assert rule(TRAITS, page, slot, candidate) is allowed


def fill(traits: Traits, size: int, *rules: Rule, trade_off: float = 0.0) -> Selection:
    """A page of candidates in falling order of quality."""
    count = len(traits.creator)
    rng = np.random.default_rng(count)
    vectors = rng.normal(size=(count, 5))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    kernel = (vectors @ vectors.T).astype(np.float32)
    quality = np.linspace(0.9, 0.3, count)
    return select(
        quality,
        kernel,
        size,
        method=METHODS["dpp"],
        trade_off=trade_off,
        traits=traits,
        rules=rules,
    )


BLOCKED = Rule(RuleName.BLOCKED, not_blocked, relaxes=False)
ONE_CREATOR = Rule(RuleName.CREATOR_LIMIT, creator_limit(1))
TWO_TAGS = Rule(RuleName.TAG_LIMIT, tag_limit(2))
APART = Rule(RuleName.CREATOR_APART, creators_apart)


def test_a_refused_candidate_is_passed_over_and_the_page_says_so() -> None:
    selection = fill(TRAITS, 3, ONE_CREATOR)
    assert selection.picked == [0, 3, 4]
    assert selection.notes == (
        Note(1, 1, RuleName.CREATOR_LIMIT, Effect.REFUSED),
        Note(1, 2, RuleName.CREATOR_LIMIT, Effect.REFUSED),
        Note(2, 1, RuleName.CREATOR_LIMIT, Effect.REFUSED),
        Note(2, 2, RuleName.CREATOR_LIMIT, Effect.REFUSED),
    )


def test_a_video_apart_waits_for_the_slot_after() -> None:
    selection = fill(TRAITS, 4, APART)
    assert selection.picked == [0, 3, 1, 4]


def test_the_last_rule_gives_way_first() -> None:
    one_creator = Traits(creator=[1] * 3, main_tag=[5, 5, 6], blocked=[False] * 3)
    selection = fill(one_creator, 3, TWO_TAGS, APART)
    assert selection.picked == [0, 1, 2]
    assert selection.notes == (
        Note(1, 1, RuleName.CREATOR_APART, Effect.RELAXED),
        Note(2, 2, RuleName.CREATOR_APART, Effect.RELAXED),
    )


def test_an_earlier_rule_gives_way_only_where_the_later_ones_do_not_suffice() -> None:
    traits = Traits(creator=[1, 2, 1, 1], main_tag=[5, 5, 5, 6], blocked=[False] * 4)
    selection = fill(traits, 4, Rule(RuleName.TAG_LIMIT, tag_limit(1)), APART)
    # Slot 2: everybody else has tag 5, but candidate 3, whom a softer rule refuses.
    assert selection.picked == [0, 3, 1, 2]
    assert [(note.slot, note.candidate, note.rule, note.effect) for note in selection.notes] == [
        (1, 1, RuleName.TAG_LIMIT, Effect.REFUSED),
        (1, 2, RuleName.TAG_LIMIT, Effect.REFUSED),
        (1, 2, RuleName.CREATOR_APART, Effect.REFUSED),
        (1, 3, RuleName.CREATOR_APART, Effect.RELAXED),
        (2, 1, RuleName.TAG_LIMIT, Effect.RELAXED),
        (3, 2, RuleName.TAG_LIMIT, Effect.RELAXED),
    ]


def test_what_is_blocked_stays_blocked_even_if_the_page_stays_short() -> None:
    traits = Traits(creator=[1, 1, 2], main_tag=[5, 5, 6], blocked=[False, False, True])
    selection = fill(traits, 3, BLOCKED, ONE_CREATOR)
    assert selection.picked == [0, 1]
    assert Note(2, 2, RuleName.BLOCKED, Effect.REFUSED) in selection.notes
    assert Note(1, 1, RuleName.CREATOR_LIMIT, Effect.RELAXED) in selection.notes


def test_a_page_of_blocked_videos_is_empty() -> None:
    assert fill(Traits([1, 2], [1, 2], [True, True]), 2, BLOCKED).picked == []


TRAITS_OF = st.integers(1, 14).flatmap(
    lambda count: st.builds(
        Traits,
        *(st.lists(st.integers(-1, 3), min_size=count, max_size=count) for _ in range(2)),
        st.lists(st.booleans(), min_size=count, max_size=count),
    )
)
SETTINGS = st.builds(
    SlateSettings,
    creator_limit=st.integers(1, 3),
    tag_limit=st.integers(1, 3),
    creator_apart=st.booleans(),
)


@given(traits=TRAITS_OF, settings=SETTINGS, trade_off=st.sampled_from([0.0, 0.5]))
def test_a_page_keeps_every_rule_that_it_does_not_call_relaxed(
    traits: Traits, settings: SlateSettings, trade_off: float
) -> None:
    page, notes = fill(traits, 8, *rules_of(settings), trade_off=trade_off)
    assert len(page) == min(8, traits.blocked.count(False))
    assert not any(traits.blocked[candidate] for candidate in page)
    relaxed = {(note.slot, note.rule) for note in notes if note.effect == Effect.RELAXED}
    by_creator: Counter[int] = Counter()
    by_tag: Counter[int] = Counter()
    for slot, candidate in enumerate(page):
        creator, tag = traits.creator[candidate], traits.main_tag[candidate]
        last = traits.creator[page[slot - 1]] if slot else -1
        found = {
            RuleName.CREATOR_LIMIT: creator >= 0 and by_creator[creator] >= settings.creator_limit,
            RuleName.TAG_LIMIT: tag >= 0 and by_tag[tag] >= settings.tag_limit,
            RuleName.CREATOR_APART: settings.creator_apart and creator >= 0 and creator == last,
        }
        assert {rule for rule, broken in found.items() if broken} == {
            rule for at, rule in relaxed if at == slot
        }
        by_creator[creator] += 1
        by_tag[tag] += 1


@given(traits=TRAITS_OF, settings=SETTINGS)
def test_rules_relax_only_where_nobody_else_was_left(
    traits: Traits, settings: SlateSettings
) -> None:
    rules = rules_of(settings)
    page, notes = fill(traits, 8, *rules)
    for slot in {note.slot for note in notes if note.effect == Effect.RELAXED}:
        for candidate in set(range(len(traits.creator))) - set(page[: slot + 1]):
            assert not all(
                rule.allows(traits, [*page[:slot], OPEN], slot, candidate) for rule in rules
            )


@given(traits=TRAITS_OF, settings=SETTINGS)
def test_rules_are_idempotent_a_page_drawn_from_itself_is_itself(
    traits: Traits, settings: SlateSettings
) -> None:
    page = fill(traits, 8, *rules_of(settings)).picked
    kept = sorted(page)
    again = Traits(
        [traits.creator[candidate] for candidate in kept],
        [traits.main_tag[candidate] for candidate in kept],
        [traits.blocked[candidate] for candidate in kept],
    )
    assert [kept[place] for place in fill(again, 8, *rules_of(settings)).picked] == page


@pytest.mark.parametrize("rule", rules_of(SlateSettings()), ids=lambda rule: rule.name)
def test_each_rule_allows_again_what_stands_on_a_page_that_it_made(rule: Rule) -> None:
    traits = Traits([1, 2, 3, 1, 2, 3] * 2, [4, 4, 4, 5, 5, 6] * 2, [False, True] * 6)
    page = fill(traits, 4, rule).picked
    assert all(rule.allows(traits, page, slot, who) for slot, who in enumerate(page))
