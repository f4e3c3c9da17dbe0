"""Of a judgement the model card tells how lists rank, and what the pages are that are served."""

from shortlist.evaluation.scorecard import Estimate, ModelResult, PageResult, Scorecard, Study
from shortlist.steps.publish import card_facts, card_metrics


def at(value: float) -> Estimate:
    return Estimate(value=value, low=value - 1, high=value + 1, n=9)


def judged(study: Study | None) -> Scorecard:
    lists = ModelResult.model_construct(
        name="ours",
        truth={"expected_gain_ndcg@10": at(5), "page_value@10": at(6)},
        logged={"ndcg@10": at(3), "coverage@10": at(2)},
    )
    return Scorecard.model_construct(models=[lists], study=study, protocol=["On paper."])


def test_pages_are_those_that_are_served_and_lists_are_lists() -> None:
    served = {"page_value@10": at(7), "distinct_tags@10": at(20), "coverage@10": at(1)}
    pages = [PageResult(name="ours, page", kind="page", figures=served)]
    study = Study.model_construct(pages=pages)
    rows = [(row.subject, row.metric, row.value) for row in card_metrics(judged(study))]
    assert rows == [
        ("ours", "expected_gain_ndcg@10", 5),
        ("ours", "ndcg@10", 3),
        ("ours, page", "page_value@10", 7),
        ("ours, page", "distinct_tags@10", 20),
    ]


def test_without_a_study_nothing_is_said_of_pages() -> None:
    assert {row.subject for row in card_metrics(judged(None))} == {"ours"}


def test_the_summary_says_how_many_candidates_there_are() -> None:
    few, many = (card_facts(judged(None), candidates) for candidates in (200, 1_000))
    assert "a pre-rank over up to 200 candidates and a list ranker" in few.summary
    assert "a pre-rank over up to 1,000 candidates and a list ranker" in many.summary
    assert few.judged == "On paper."
