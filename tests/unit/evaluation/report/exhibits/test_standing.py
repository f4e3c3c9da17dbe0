"""The headline's finding is computed: who leads, how far, and whether it may be chance."""

import re
from collections.abc import Callable

import pytest

from shortlist.evaluation.report.exhibits.reach import coverage, popularity
from shortlist.evaluation.report.exhibits.standing import headline, page_value
from shortlist.evaluation.scorecard import Scorecard

Make = Callable[..., Scorecard]
SPACE = "\N{NO-BREAK SPACE}"


def test_the_headline_measures_the_way_from_random_to_the_oracle(small_card: Make) -> None:
    gains = {"random": 0.2, "b": 0.4, "a": 0.6, "observer": 0.8, "oracle": 1.0}
    exhibit = headline(small_card(truth={"expected_gain_ndcg@10": gains}))
    assert exhibit is not None
    assert exhibit.finding == (
        f"a gets 50{SPACE}% of the way from random lists to the oracle's (an informed observer, "
        f"the fair ceiling: 75{SPACE}%)."
    )
    assert [words.split(",")[0] for _, words in exhibit.legend] == [
        "reference", "baseline", "informed observer", "oracle",
    ]  # fmt: skip


def test_the_headline_says_when_a_lead_may_be_chance(small_card: Make) -> None:
    card = small_card(
        {"ndcg@10": {"popularity": 0.1, "a": 0.3, "b": 0.29}},
        differences=[("ndcg@10", "b", "a", -0.01, -0.03, 0.01)],
    )
    exhibit = headline(card)
    assert exhibit is not None
    assert exhibit.finding == (
        "a orders the held-out log best: NDCG@10 0.30, 3.0 times that of popularity; its lead "
        "over b may be chance."
    )


def test_models_are_drawn_from_the_best_to_the_worst(small_card: Make) -> None:
    exhibit = headline(small_card({"ndcg@10": {"worst": 0.1, "best": 0.3, "middle": 0.2}}))
    assert exhibit is not None
    assert exhibit.drawing is not None
    for svg in (exhibit.drawing.wide, exhibit.drawing.narrow):
        assert re.findall(r">(worst|best|middle)<", svg) == ["best", "middle", "worst"]


def test_a_page_is_compared_with_the_random_and_the_best_page(small_card: Make) -> None:
    values = {"random": 1.0, "a": 3.0, "oracle": 4.0}
    exhibit = page_value(small_card(truth={"page_value": values}))
    assert exhibit is not None
    assert exhibit.finding == (
        "The first of a's list bring 3.00 expected clicks as a page, 3.0 times those of a random "
        f"page and 75{SPACE}% of those of the oracle's page."
    )


def test_breadth_names_both_ends_of_the_models_that_could_serve(small_card: Make) -> None:
    figures = {"random": 0.9, "a": 0.5, "b": 0.1, "oracle": 0.01}
    card = small_card({"coverage@10": figures, "popularity_share@10": figures})
    wide, popular = coverage(card), popularity(card)
    assert wide is not None
    assert popular is not None
    assert wide.finding == f"a shows 50{SPACE}% of the catalogue to somebody, b only 10{SPACE}%."
    assert popular.finding == (
        f"a gives 50{SPACE}% of its places to the most popular videos, b 10{SPACE}%."
    )


@pytest.mark.parametrize("exhibit", [headline, page_value, coverage, popularity])
def test_without_figures_there_is_no_plot(small_card: Make, exhibit: Callable[..., object]) -> None:
    assert exhibit(small_card({"mrr": {"a": 0.1}})) is None
