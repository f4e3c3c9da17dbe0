"""The plots of a study: their findings are computed, and what is unknown is left out."""

import re
from collections.abc import Callable

import pytest

from shortlist.evaluation.report.exhibits.ablations import ablations
from shortlist.evaluation.report.exhibits.differences import forests
from shortlist.evaluation.report.exhibits.errors import errors
from shortlist.evaluation.report.exhibits.frontier import frontier
from shortlist.evaluation.report.exhibits.training import training
from shortlist.evaluation.report.sections import parts
from shortlist.evaluation.scorecard import Ablation, Estimate, Scorecard, Study

MINUS = "\N{MINUS SIGN}"
SPACE = "\N{NO-BREAK SPACE}"


def changed(card: Scorecard, **parts: object) -> Scorecard:
    assert card.study is not None
    return card.model_copy(update={"study": card.study.model_copy(update=parts)})


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaves the drawing out where only words are looked at; it takes its time."""
    for module in ("ablations", "differences", "errors", "frontier"):
        monkeypatch.setattr(
            f"shortlist.evaluation.report.exhibits.{module}.draw", lambda key, paint: None
        )


def test_the_frontier_tells_what_the_default_gains_and_costs(model_card: Scorecard) -> None:
    exhibit = frontier(model_card)
    assert exhibit is not None
    # At .5: 12.6 of 8.8 tags; 4.34 of 4.4 clicks; 4.3 of 4.7 clicks without fatigue.
    assert exhibit.finding == (
        f"At the default (dpp, 0.5) the page has +43{SPACE}% distinct tags against the plain "
        f"list, and Page value@10 changes by {MINUS}1.4{SPACE}% ({MINUS}8.5{SPACE}% if nobody "
        "tired)."
    )
    assert [words for _, words in exhibit.legend] == [
        "dpp", "mmr", "default", "plain list", "without fatigue",
    ]  # fmt: skip
    assert exhibit.drawing is not None
    assert re.findall(r">(Distinct tags@10|Content distance@10)<", exhibit.drawing.narrow)
    assert "mmr 0.2" in exhibit.alternative


@pytest.mark.usefixtures("undrawn")
def test_without_a_truth_the_frontier_is_of_what_the_log_tells(model_card: Scorecard) -> None:
    assert model_card.study is not None
    rename = {"page_value@10": "ndcg@10", "static_value@10": "hit_rate@10"}

    def logged(figures: dict[str, Estimate]) -> dict[str, Estimate]:
        return {rename.get(name, name): figure for name, figure in figures.items()}

    study = model_card.study
    exhibit = frontier(
        changed(
            model_card,
            pages=[p.model_copy(update={"figures": logged(p.figures)}) for p in study.pages],
            frontier=[p.model_copy(update={"figures": logged(p.figures)}) for p in study.frontier],
        )
    )
    assert exhibit is not None
    assert exhibit.finding.endswith(f"NDCG@10 changes by {MINUS}1.4{SPACE}%.")
    assert exhibit.notes == (
        "There is no truth behind a real log; NDCG@10 stands for the value of a page.",
    )


def test_ablations_name_the_part_that_is_missed_most_and_those_that_are_not(
    model_card: Scorecard,
) -> None:
    exhibit = ablations(model_card)
    assert exhibit is not None
    assert exhibit.finding == (
        "shortlist loses most without history: 0.210 of Expected-gain NDCG@10; without context "
        "the difference may be chance."
    )
    assert "nothing is trained anew" in exhibit.notes[0]
    assert exhibit.drawing is not None
    assert re.findall(r">without (history|context|listwise stage)<", exhibit.drawing.wide) == [
        "history", "listwise stage", "context",
    ]  # fmt: skip


@pytest.mark.usefixtures("undrawn")
def test_a_part_that_changed_no_list_is_told_apart_from_chance(model_card: Scorecard) -> None:
    assert model_card.study is not None
    idle = [
        one.model_copy(update={"same_lists": one.part == "context"})
        for one in model_card.study.ablations
    ]
    exhibit = ablations(changed(model_card, ablations=idle))
    assert exhibit is not None
    assert "context" not in exhibit.finding + exhibit.alternative
    assert exhibit.notes[1:] == ("Without context no list changed.",)
    none = [one.model_copy(update={"same_lists": True}) for one in idle]
    card = changed(model_card, ablations=none)
    assert ablations(card) is None
    section = parts(card)
    assert section is not None
    assert [block.kind for block in section.blocks] == ["table"]


@pytest.mark.usefixtures("undrawn")
def test_a_part_without_which_the_model_is_better_is_named(model_card: Scorecard) -> None:
    gain = Ablation(
        part="context", differences={"ndcg@10": Estimate(value=0.2, low=0.1, high=0.3, n=9)}
    )
    exhibit = ablations(changed(model_card, ablations=[gain]))
    assert exhibit is not None
    assert exhibit.finding == (
        "No part of shortlist is missed beyond chance in NDCG@10; it is better without context."
    )


@pytest.mark.usefixtures("undrawn")
def test_errors_name_the_groups_where_the_model_is_best_and_worst(model_card: Scorecard) -> None:
    users, videos = errors(model_card)
    assert users.finding == (
        "By events in the user's history, shortlist has its highest Expected-gain NDCG@10 at 10 "
        "to 900 (0.74) and its lowest at 0 to 9 (0.61)."
    )
    assert videos.finding == (
        "No group by days since the video's upload is large enough to tell where shortlist errs."
    )
    assert "no event yet" not in videos.alternative
    assert users.key != videos.key


def test_training_marks_the_best_epoch_and_pairs_what_was_learned_with_what_was_held_out(
    model_card: Scorecard,
) -> None:
    exhibit = training(model_card)
    assert exhibit is not None
    assert exhibit.finding == (
        "shortlist did best on what it was not shown in epoch 2, with a loss of 0.6200; training "
        "went on to epoch 3."
    )
    assert exhibit.drawing is not None
    assert re.findall(r">(outcome|lists)<", exhibit.drawing.wide) == ["outcome", "lists"]
    assert [words for _, words in exhibit.legend] == ["train", "validation", "best epoch"]


@pytest.mark.usefixtures("undrawn")
def test_what_the_model_was_compared_with_has_a_plot_of_its_own(model_card: Scorecard) -> None:
    own, others, _ = forests(model_card)
    assert own.finding == (
        "In Expected-gain NDCG@10, shortlist is ahead of lightgbm beyond chance, behind oracle "
        "beyond chance, level with informed-observer."
    )
    assert "shortlist" not in others.alternative


@pytest.mark.parametrize("exhibit", [frontier, ablations, training, errors])
def test_without_a_study_there_is_no_plot(
    world_card: Scorecard, exhibit: Callable[[Scorecard], object]
) -> None:
    assert not exhibit(world_card)
    empty = world_card.model_copy(update={"study": Study(model="shortlist")})
    assert not exhibit(empty)
