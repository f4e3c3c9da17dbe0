"""Off-policy estimates stand beside the truth; refusals are told in their own words."""

from collections.abc import Callable

from shortlist.evaluation.report.exhibits.off_policy import off_policy
from shortlist.evaluation.scorecard import Estimate, Scorecard

Make = Callable[..., Scorecard]


def with_answers(card: Scorecard, **answers: dict[str, Estimate | str]) -> Scorecard:
    models = [
        model.model_copy(update={"off_policy": answers.get(model.name, {})})
        for model in card.models
    ]
    return card.model_copy(update={"models": models})


def around(value: float, half: float = 0.05) -> Estimate:
    return Estimate(value=value, low=value - half, high=value + half, n=10)


def test_intervals_that_hold_the_truth_are_counted(small_card: Make) -> None:
    card = small_card(truth={"policy_value": {"a": 0.3, "b": 0.5}})
    card = with_answers(card, a={"IPS": around(0.32), "DR": around(0.2)}, b={"DR": around(0.5)})
    exhibit = off_policy(card)
    assert exhibit is not None
    assert exhibit.finding == "2 of 3 intervals from the log hold the true value."
    assert [words for _, words in exhibit.legend] == ["IPS", "DR", "truth"]
    assert exhibit.drawing is not None
    assert ">Policy value (clicks per impression)<" in exhibit.drawing.wide


def test_a_refusal_is_a_sentence_told_once_for_all_its_estimators(small_card: Make) -> None:
    card = small_card({"ndcg@10": {"a": 0.3, "b": 0.2}})
    card = with_answers(
        card, a={"IPS": "too few rows", "DR": "too few rows"}, b={"IPS": around(0.3), "DR": "odd"}
    )
    exhibit = off_policy(card)
    assert exhibit is not None
    assert exhibit.notes == ("a (IPS and DR): too few rows.", "b (DR): odd.")
    assert exhibit.finding == (
        "The log allows 1 estimate of what a model is worth; for 2 models a verdict was refused."
    )


def test_refusals_alone_need_no_drawing(small_card: Make) -> None:
    card = with_answers(small_card({"ndcg@10": {"a": 0.3}}), a={"IPS": "too few rows"})
    exhibit = off_policy(card)
    assert exhibit is not None
    assert exhibit.drawing is None
    assert exhibit.finding == "The log allows no verdict on any model."


def test_without_answers_there_is_no_plot(small_card: Make) -> None:
    assert off_policy(small_card({"ndcg@10": {"a": 0.3}})) is None
