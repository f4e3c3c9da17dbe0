"""The verdict is worded from the goals, whichever of them hold or are known."""

import math

import pytest

from shortlist.evaluation.report.verdict import goal_name, goal_words, verdict
from shortlist.evaluation.scorecard import Estimate, Goal, Scorecard, Study

SPACE = "\N{NO-BREAK SPACE}"


def study_of(*goals: Goal) -> Study:
    return Study(model="shortlist", goals=list(goals))


def lead(value: float, low: float, high: float) -> Goal:
    return Goal(
        key="ahead",
        name="Lead in the ndcg@10 over ease",
        against="ease",
        measured=Estimate(value=value, low=low, high=high, n=9),
        holds=low > 0,
    )


def test_what_is_asked_is_told_in_sentences(model_card: Scorecard) -> None:
    assert model_card.study is not None
    assert verdict(model_card.study) == (
        "shortlist beats every baseline, the hardest (lightgbm) by 0.061 [0.057, 0.065]; it "
        f"reaches 93{SPACE}% of the informed observer's lift over random lists.",
        f"Beside the observer, shortlist finds 95{SPACE}% as many of the oracle's best videos "
        "among its first 1,000 and has an AUC 0.004 below on logged rows and 0.001 above on "
        "random rows.",
        f"The page of shortlist has +43{SPACE}% distinct tags and +12{SPACE}% content distance "
        f"against its plain list, and \N{MINUS SIGN}1.4{SPACE}% expected clicks.",
    )


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (
            (0.02, -0.01, 0.05),
            "beyond chance: it is ahead of ease by 0.020 [\N{MINUS SIGN}0.010, 0.050]",
        ),
        (
            (-0.02, -0.05, 0.01),
            "beyond chance: it is behind ease by 0.020 [\N{MINUS SIGN}0.010, 0.050]",
        ),
        (
            (-0.04, -0.05, -0.03),
            "does not beat every baseline: ease is ahead by 0.040 [0.030, 0.050]",
        ),
    ],
)
def test_a_lead_that_is_none_is_not_called_one(
    found: tuple[float, float, float], said: str
) -> None:
    [told] = verdict(study_of(lead(*found)))
    assert said in told
    assert "beats" not in told


def test_what_is_unknown_is_not_told() -> None:
    unknown = lead(math.nan, math.nan, math.nan).model_copy(update={"holds": None})
    assert verdict(study_of(unknown)) == ()


def test_a_goal_is_shown_in_its_own_unit_and_in_a_readers_words(model_card: Scorecard) -> None:
    assert model_card.study is not None
    goals = {goal.key: goal for goal in model_card.study.goals}
    assert goal_words(goals["lift"]) == (f"93.0{SPACE}%", "[92.0, 94.0]")
    assert goal_words(goals["auc_logged"]) == ("0.0040", "[0.0019, 0.0059]")
    assert goal_name(goals["ahead"]).startswith("Lead in the Expected-gain NDCG@10 over lightgbm")
    assert goal_name(goals["tags"]) == goals["tags"].name
