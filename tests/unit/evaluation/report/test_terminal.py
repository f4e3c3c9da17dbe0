"""The terminal table: fits any width, key columns first, safe to print."""

import io
import math
from collections.abc import Callable

import pytest
from rich.console import Console

from shortlist.evaluation.report.terminal import print_table
from shortlist.evaluation.scorecard import Scorecard

Make = Callable[..., Scorecard]


def printed(card: Scorecard, width: int, *, terminal: bool = False) -> str:
    stream = io.StringIO()
    print_table(card, Console(file=stream, width=width, force_terminal=terminal))
    return stream.getvalue()


@pytest.mark.parametrize("width", [40, 80, 120, 200])
def test_no_line_is_wider_than_the_terminal_and_no_cell_is_cut(
    world_card: Scorecard, width: int
) -> None:
    text = printed(world_card, width)
    assert max(map(len, text.splitlines())) <= width
    assert "\N{HORIZONTAL ELLIPSIS}" not in text
    for model in world_card.models:
        assert model.name in text


def test_eighty_columns_hold_the_headline_with_its_interval_and_the_way_to_the_oracle(
    world_card: Scorecard,
) -> None:
    text = printed(world_card, 80)
    [line] = [line for line in text.splitlines() if line.startswith("lightgbm ")]
    assert line.split() == [
        "lightgbm", "0.773", "[0.767,", "0.779]*", "67", "%", "3.84*", "0.0516*", "8.60",
    ]  # fmt: skip


def test_a_model_of_this_system_is_told_of_and_set_against_everybody(
    model_card: Scorecard,
) -> None:
    text = printed(model_card, 80)
    assert max(map(len, text.splitlines())) <= 80
    assert "shortlist beats every baseline" in text
    rows = text[text.index("shortlist less") :].splitlines()
    assert [row.split()[0] for row in rows[1:]] == ["oracle", "informed-observer", "lightgbm"]
    assert rows[3].split() == ["lightgbm", "0.061", "[0.057,", "0.065]"]


def test_a_wide_terminal_adds_columns_and_intervals(world_card: Scorecard) -> None:
    narrow, wide = printed(world_card, 80), printed(world_card, 200)
    assert "Coverage@10" not in narrow
    assert "Coverage@10" in wide
    assert wide.count("[") > narrow.count("[")


def test_models_are_listed_from_the_best_to_the_worst(log_card: Scorecard) -> None:
    lines = printed(log_card, 80).splitlines()
    names = [line.split()[0] for line in lines if line.split()]
    order = [name for name in names if name in {model.name for model in log_card.models}]
    assert order == ["lightgbm", "ease-weighted", "ease", "als", "item-knn", "popularity", "random"]


def test_unknown_figures_are_dashes(small_card: Make) -> None:
    text = printed(small_card({"ndcg@10": {"a": math.nan, "b": 0.1}}), 80)
    [line] = [line for line in text.splitlines() if line.startswith("a ")]
    assert line.split() == ["a", "\N{EM DASH}", "1.0", "s"]


def test_names_can_neither_steer_the_terminal_nor_use_markup(small_card: Make) -> None:
    card = small_card({"ndcg@10": {"\x1b[2J[bold]a[/bold]": 0.1}}, title="[red]t\x1b]0;x\x07")
    text = printed(card, 80)
    assert "\x1b" not in text
    assert "[bold]a[/bold]" in text
    assert "[red]t" in text


def test_a_scorecard_without_models_prints_its_title(small_card: Make) -> None:
    assert "nobody" in printed(small_card(title="nobody"), 80)
