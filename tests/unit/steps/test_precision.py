"""What half precision costs stands in the scorecard and in the report, in words."""

import math
from pathlib import Path

import pytest

from shortlist.errors import CorruptError, NotFoundError
from shortlist.evaluation.report.study_tables import fact_table
from shortlist.evaluation.scorecard import Study
from shortlist.ranker.measured import Pair, Precision
from shortlist.steps.precision import precision_facts


def measured(into: Path, *, ndcg: Pair) -> Path:
    told = Precision(rows=1_234, lists=56, auc=Pair.of(0.7654, 0.7641), ndcg=ndcg)
    told.save(into)
    return into


def test_each_figure_is_told_before_and_after_and_what_it_lost(tmp_path: Path):
    found = precision_facts(measured(tmp_path, ndcg=Pair.of(0.5, 0.51)))
    assert [(fact.name, round(fact.value, 4)) for fact in found] == [
        ("AUC of the pre-rank on 1,234 held-out rows, items in float32", 0.7654),
        ("AUC of the same, items in float16 as served", 0.7641),
        ("AUC lost to half precision", 0.0013),
        ("NDCG@10 of the list ranker on 56 held-out lists, items in float32", 0.5),
        ("NDCG@10 of the same, items in float16 as served", 0.51),
        ("NDCG@10 lost to half precision", -0.01),
    ]


def test_the_scorecard_and_the_report_show_them(tmp_path: Path):
    found = precision_facts(measured(tmp_path, ndcg=Pair.of(None, None)))
    study = Study(model="shortlist", facts=found)
    again = Study.model_validate_json(study.model_dump_json())
    assert [fact.name for fact in again.facts] == [fact.name for fact in found]
    assert math.isnan(again.facts[-1].value)
    table = fact_table(again)
    assert table is not None
    lost = next(row for row in table.rows if row[0].text == "AUC lost to half precision")
    assert (lost[1].text, lost[2].text) == ("0.00130", "about 0")


def test_what_was_not_measured_or_is_torn_is_named(tmp_path: Path):
    with pytest.raises(NotFoundError, match=r"precision.json is missing; train the ranker again"):
        precision_facts(tmp_path)
    (tmp_path / "precision.json").write_text("{}")
    with pytest.raises(CorruptError, match=r"precision.json is damaged"):
        precision_facts(tmp_path)
