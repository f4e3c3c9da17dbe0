import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shortlist.settings.slate import SlateSettings
from shortlist.slate.explore import Exploration
from shortlist.slate.rules import Rule, RuleName, Traits, broken, creator_limit, rules_of

FREE = Traits(creator=[-1] * 6, main_tag=[-1] * 6, blocked=[False] * 6)
RELEVANCE = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4], np.float32)
ONE_EACH = (Rule(RuleName.CREATOR_LIMIT, creator_limit(1)),)


def test_without_exploration_the_page_stands_and_nothing_was_luck() -> None:
    settled = Exploration(RELEVANCE, 0.0, 0.1, FREE).draw([1, 0], seed=3)
    assert settled == ([1, 0], [1.0, 1.0], [False, False])


def test_a_slots_chances_by_hand() -> None:
    exploration = Exploration(np.log([0.1, 0.2, 0.3, 0.4]), 0.5, 1.0, FREE)
    # Two candidates are left out, and e to their relevance stands 3 to 4.
    chance = exploration.distribution([0, 1], [0, 1], 0)
    assert chance.tolist() == pytest.approx([0.5, 0, 0.5 * 3 / 7, 0.5 * 4 / 7])
    # The first slot went to candidate 3: one is left.
    chance = exploration.distribution([0, 1], [3, 1], 1)
    assert chance.tolist() == pytest.approx([0, 0.5, 0.5, 0])
    # Nobody is left, so the planned one stands.
    traits = Traits([-1] * 4, [-1] * 4, [False, False, True, False])
    shut = Exploration(np.log([0.1, 0.2, 0.3, 0.4]), 0.5, 1.0, traits, rules_of(SlateSettings()))
    assert shut.distribution([0, 1], [3, 1], 1).tolist() == [0, 1, 0, 0]


@given(
    seed=st.integers(0, 10_000),
    epsilon=st.floats(0, 1),
    temperature=st.floats(0.001, 10),
    creators=st.lists(st.integers(-1, 3), min_size=6, max_size=6),
    blocked=st.lists(st.booleans(), min_size=6, max_size=6),
)
def test_every_slot_is_drawn_from_a_distribution_and_logs_its_chance(
    seed: int, epsilon: float, temperature: float, creators: list[int], blocked: list[bool]
) -> None:
    traits = Traits(creators, [-1] * 6, blocked)
    rules = rules_of(SlateSettings(creator_limit=1))
    planned = [2, 0, 5]
    exploration = Exploration(RELEVANCE, epsilon, temperature, traits, rules)
    page, propensity, drawn = exploration.draw(planned, seed)
    assert len(set(page)) == 3
    for slot in range(3):
        before = [*page[:slot], *planned[slot:]]
        chance = exploration.distribution(planned, before, slot)
        assert chance.sum() == pytest.approx(1)
        assert (chance >= 0).all()
        assert propensity[slot] == pytest.approx(chance[page[slot]])
        assert drawn[slot] == (page[slot] != planned[slot])
        if drawn[slot]:
            assert propensity[slot] > 0
            assert page[slot] not in planned
            assert broken(rules, traits, before, slot, page[slot]) == []


def test_the_same_seed_replays_the_same_page_and_another_does_not() -> None:
    exploration = Exploration(RELEVANCE, 0.5, 0.2, FREE)
    pages = [exploration.draw([0, 1, 2], seed) for seed in range(20)]
    assert pages == [exploration.draw([0, 1, 2], seed) for seed in range(20)]
    assert len({tuple(settled.page) for settled in pages}) > 5
    assert exploration.draw([0, 1, 2], [7, 1]) == exploration.draw([0, 1, 2], [7, 1])


def test_frequencies_of_many_draws_are_the_logged_propensities() -> None:
    # Creators make the second slot depend on what the first came to.
    traits = Traits(creator=[0, 1, 2, 2, 3, 1], main_tag=[-1] * 6, blocked=[False] * 6)
    exploration = Exploration(RELEVANCE, 0.4, 0.3, traits, ONE_EACH)
    draws = 8_000
    outcomes: dict[tuple[int, ...], int] = {}
    logged: dict[tuple[int, ...], float] = {}
    for seed in range(draws):
        settled = exploration.draw([0, 1], seed)
        pair = tuple(settled.page)
        outcomes[pair] = outcomes.get(pair, 0) + 1
        chance = settled.propensity[0] * settled.propensity[1]
        assert logged.setdefault(pair, chance) == chance
    assert sum(logged.values()) == pytest.approx(1)
    assert len(logged) > 8
    for pair, chance in logged.items():
        error = np.sqrt(chance * (1 - chance) / draws)
        assert abs(outcomes[pair] / draws - chance) < 4 * error


def test_a_low_temperature_explores_the_best_of_the_rest() -> None:
    exploration = Exploration(RELEVANCE, 1.0, 0.001, FREE)
    settled = exploration.draw([0, 1], seed=1)
    assert settled.page == [2, 3]
    assert settled.propensity == pytest.approx([1, 1])
    assert settled.drawn == [True, True]
