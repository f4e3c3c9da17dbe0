"""The model card says what the bundle was made of, how good it is, and where it ends."""

import math

import pytest

from shortlist.bundle import CardMetric
from shortlist.bundle.card import render_card


def card_of(workshop, **changes) -> str:
    return render_card(workshop.bundle("one").manifest, workshop.card(**changes))


def test_a_card_has_every_section_in_its_order(workshop):
    text = card_of(workshop)
    assert [line for line in text.splitlines() if line.startswith("#")] == [
        f"# Bundle {workshop.bundle('one').id}",
        "## Intended use",
        "## Not for",
        "## Data",
        "## Training",
        "## How it was judged",
        "## Figures",
        "## Limits",
        "## Settings",
    ]
    assert text.endswith("|\n")


@pytest.mark.parametrize(
    "line",
    [
        "A recommender of short videos.",
        "- Pages of ten videos.",
        "- Decisions about people.",
        "| impressions | 24,000 |",
        "| days | 2026-01-05 to 2026-01-18 |",
        "| fitted to | 2026-01-14 |",
        "| judged from | 2026-01-15 |",
        "| encoder | hashing-768 |",
        "Seed 7.",
        "On 2,000 users.",
        "| NDCG@10 | this bundle | 0.8123 | 0.8 to 0.82 |",
        "| recall of the index | 0.9688 |",
        "- Knows one language at a time.",
        "| recall.candidates | 1000 |",
    ],
)
def test_a_card_says(workshop, line):
    assert line in card_of(workshop).splitlines()


def test_what_is_not_known_is_said_to_be(workshop):
    text = card_of(
        workshop,
        limits=[],
        metrics=[CardMetric("AUC", "ceiling", math.nan), CardMetric("AUC", "random", 0.5)],
    )
    assert "## Limits\n\nNone told.\n" in text
    assert "| AUC | ceiling | unknown |  |" in text
    assert "| AUC | random | 0.5 |  |" in text


@pytest.mark.parametrize(
    ("own", "line"), [("None", "Seed 7."), ("3", "Seed 7, of the ranker's training 3.")]
)
def test_a_seed_of_the_rankers_own_is_said_beside_the_other(workshop, own, line):
    bundle = workshop.bundle("one", settings={"ranker.seed": own}).manifest
    assert line in render_card(bundle, workshop.card()).splitlines()


def test_no_figure_at_all_is_said_too(workshop):
    bundle = workshop.bundle("one", measured={}, headline=None).manifest
    text = render_card(bundle, workshop.card(metrics=[]))
    assert "## Figures\n\nNone.\n" in text


def test_a_cell_cannot_break_the_table(workshop):
    text = card_of(workshop, metrics=[CardMetric("a|b\nc", "x", 1.0)])
    assert "| a\\|b c | x | 1 |  |" in text.splitlines()
