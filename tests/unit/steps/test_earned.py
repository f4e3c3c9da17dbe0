"""The report says what each learned stage was worth, and whether it is served."""

from pathlib import Path

import pytest

from shortlist.errors import NotFoundError
from shortlist.evaluation.report.study_tables import fact_table
from shortlist.evaluation.scorecard import Study
from shortlist.ranker.artefacts import Lead, Note
from shortlist.steps.earned import stage_facts


def noted(into: Path, *leads: Lead) -> Path:
    sizes = {"history": 50, "list_size": 100, "profile_width": 3}
    Note(target="long_view", policy_lift=0.0, leads=leads, **sizes).save(into)
    return into


def test_each_stage_has_its_interval_and_its_fate(tmp_path: Path):
    figures = {"users": 1_234, "before": 0.08}
    prerank = Lead(stage="prerank", after=0.09, low=0.004, high=0.016, kept=True, **figures)
    listwise = Lead(stage="listwise", after=0.08, low=-0.002, high=0.002, kept=False, **figures)
    found = stage_facts(noted(tmp_path, prerank, listwise))
    assert [(fact.name, fact.value) for fact in found] == [
        ("NDCG@10 before the pre-rank, what came next for 1,234 users", 0.08),
        ("NDCG@10 gained by the pre-rank, at least (served)", 0.004),
        ("NDCG@10 gained by the pre-rank, at most", 0.016),
        ("NDCG@10 before the list ranker, what came next for 1,234 users", 0.08),
        ("NDCG@10 gained by the list ranker, at least (left out)", -0.002),
        ("NDCG@10 gained by the list ranker, at most", 0.002),
    ]
    table = fact_table(Study(model="shortlist", facts=found))
    assert table is not None
    assert len(table.rows) == len(found)


def test_where_outcomes_are_learned_nothing_is_told(tmp_path: Path):
    assert stage_facts(noted(tmp_path)) == []
    with pytest.raises(NotFoundError):
        stage_facts(tmp_path / "none")
