from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from shortlist.datasets.events import Events
from shortlist.errors import InputError
from shortlist.settings.slate import SlateSettings
from shortlist.slate.kernel import SlateItems
from shortlist.slate.page import Drawing, Page, make_page, select_pages
from shortlist.slate.ranked import Ranked
from shortlist.slate.reasons import Viewer, Why

NOBODY = Viewer(Events.none(), 20_030.0)
SETTINGS = SlateSettings(size=6, trade_off=0.67)
PLAIN = SlateSettings(size=6, trade_off=0, creator_limit=99, tag_limit=99, creator_apart=False)

Rank = Callable[..., Ranked]


def same(one: Page, other: Page) -> bool:
    return (
        all(
            np.array_equal(getattr(one, name), getattr(other, name))
            for name in ("video", "relevance", "rank", "propensity", "explored", "sources")
        )
        and one.reasons == other.reasons
        and one.notes == other.notes
    )


def test_without_trade_off_and_rules_the_page_is_the_head_of_the_list(
    items: SlateItems, rank: Rank
) -> None:
    ranked = rank()
    page = make_page(ranked, items, PLAIN, NOBODY)
    assert page.rank.tolist() == [0, 1, 2, 3, 4, 5]
    assert np.array_equal(page.video, ranked.video[:6])
    assert np.array_equal(page.relevance, ranked.relevance[:6])
    assert np.array_equal(page.sources, ranked.sources[:6])
    assert page.notes == ()


@pytest.mark.parametrize("method", ["dpp", "mmr"])
def test_what_a_page_says_of_a_slot_is_what_was_ranked(
    items: SlateItems, rank: Rank, method: str
) -> None:
    settings = SETTINGS.model_copy(update={"method": method, "epsilon": 0.5})
    for seed in range(10):
        ranked = rank(seed)
        page = make_page(ranked, items, settings, NOBODY, seed=seed)
        assert len(page) == 6 == len(page.reasons)
        assert np.array_equal(page.video, ranked.video[page.rank])
        assert np.array_equal(page.relevance, ranked.relevance[page.rank])
        assert np.array_equal(page.sources, ranked.sources[page.rank])
        assert len(set(page.video.tolist())) == 6
        assert [reason.why == Why.EXPLORED for reason in page.reasons] == page.explored.tolist()
        assert np.allclose(page.propensity[~page.explored], 0.5)


def test_only_a_seed_explores_and_it_replays(items: SlateItems, rank: Rank) -> None:
    settings = SETTINGS.model_copy(update={"epsilon": 0.5})
    still = make_page(rank(), items, settings, NOBODY)
    assert not still.explored.any()
    assert still.propensity.tolist() == [1.0] * 6
    moved = make_page(rank(), items, settings, NOBODY, seed=5)
    assert moved.explored.any()
    assert same(moved, make_page(rank(), items, settings, NOBODY, seed=5))
    never = make_page(rank(), items, settings.model_copy(update={"epsilon": 0.0}), NOBODY, seed=5)
    assert same(never, still)


def test_nothing_blocked_is_shown_by_choice_or_by_exploration(
    items: SlateItems, rank: Rank
) -> None:
    ranked = rank()
    blocked = ranked.video[:20:2]
    settings = SETTINGS.model_copy(update={"epsilon": 0.8, "temperature": 0.05})
    for seed in range(30):
        page = make_page(ranked, items, settings, NOBODY, blocked=blocked, seed=seed)
        assert not np.isin(page.video, blocked).any()
    assert any(str(note).startswith(f"blocked refused: video row {blocked[0]}")
               for note in page.notes)  # fmt: skip


def test_the_diversity_head_matters_by_its_weight_alone(items: SlateItems, rank: Rank) -> None:
    silent = [replace(rank(seed), diversity=np.zeros(30, np.float32)) for seed in range(20)]
    loud = [rank(seed) for seed in range(20)]

    def pages(ranked: list[Ranked], weight: float) -> list[list[int]]:
        settings = SETTINGS.model_copy(update={"head_weight": weight})
        return select_pages(ranked, items, settings).tolist()

    assert pages(loud, 0.0) == pages(silent, 0.0) == pages(silent, 1.0)
    assert pages(loud, 1.0) != pages(loud, 0.0)


def test_a_candidate_that_the_head_excuses_moves_up(items: SlateItems, rank: Rank) -> None:
    settings = SETTINGS.model_copy(update={"head_weight": 1.0, "creator_limit": 99})
    moves = []
    for seed in range(20):
        silent = replace(rank(seed), diversity=np.zeros(30, np.float32))
        page = select_pages([silent], items, settings)[0]
        left_out = next(row for row in range(30) if silent.video[row] not in page)
        head = np.zeros(30, np.float32)
        head[left_out] = 1.0
        heard = select_pages([replace(silent, diversity=head)], items, settings)[0]
        moves.append(silent.video[left_out] in heard)
    assert sum(moves) > 10


def test_many_pages_are_the_single_ones(items: SlateItems, rank: Rank) -> None:
    lists = [rank(0), rank(1, 3), rank(2, 0)]
    pages = select_pages(lists, items, SETTINGS)
    assert pages.shape == (3, 6)
    for ranked, page in zip(lists, pages, strict=True):
        alone = make_page(ranked, items, SETTINGS, NOBODY).video
        assert page.tolist() == alone.tolist() + [-1] * (6 - len(alone))
    assert select_pages([], items, SETTINGS).shape == (0, 6)


def test_pages_in_one_way_after_the_other_are_those_of_each(items: SlateItems, rank: Rank) -> None:
    lists = [rank(0), rank(1, 3), rank(2, 0), rank(3)]
    drawing = Drawing(lists, items, SETTINGS.model_copy(update={"trade_off": "auto"}))
    found = []
    for method, trade_off in (("dpp", 0.9), ("dpp", 0.0), ("dpp", 0.5), ("mmr", 0.5)):
        settings = SETTINGS.model_copy(update={"method": method, "trade_off": trade_off})
        found.append(drawing.pages(method, trade_off).tolist())
        assert found[-1] == select_pages(lists, items, settings).tolist()
    assert found[0] != found[1] != found[2] != found[3]


def test_a_trade_off_that_nobody_settled_draws_nothing(items: SlateItems, rank: Rank) -> None:
    with pytest.raises(InputError, match=r"slate.trade_off is auto and was not settled"):
        make_page(rank(), items, SlateSettings(), NOBODY)


def test_content_may_be_mapped_from_disk(items: SlateItems, rank: Rank, tmp_path: Path) -> None:
    path = tmp_path / "content.npy"
    np.save(path, items.content)
    mapped = replace(items, content=np.load(path, mmap_mode="r"))
    assert np.array_equal(
        select_pages([rank()], mapped, SETTINGS), select_pages([rank()], items, SETTINGS)
    )
