"""Verbs that go by the bundle that is served take the pinned one where one is."""

import datetime as dt
from pathlib import Path

import pytest

from shortlist.bundle import (
    Bundle,
    BundleRecord,
    BundleStore,
    CardFacts,
    DataFacts,
    RunRecord,
    write_bundle,
)
from shortlist.cli import main as cli

DAY = dt.date(2026, 1, 5)
VERBS = (["simulate"], ["online", "load"], ["online", "drain"])


def make(work: Path, dataset: str) -> Bundle:
    part = work / "made" / dataset
    part.mkdir(parents=True)
    (part / "table").write_text(dataset)
    data = DataFacts(
        name=dataset,
        digest="d",
        users=1,
        videos=1,
        impressions=1,
        first_day=DAY,
        last_day=DAY,
        fitted_to=DAY,
    )
    record = BundleRecord(data=data, encoder="none", seed=1, settings={})
    card = CardFacts("A bundle.", [], [], "", [], [])
    bundle = write_bundle(work / "bundles", {"part": part}, record, card, RunRecord.here("run"))
    BundleStore(work / "bundles").publish(bundle.id)
    return bundle


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_the_dataset_is_that_of_the_pinned_bundle(verb, tmp_path, capsys) -> None:
    early, _ = make(tmp_path, "early"), make(tmp_path, "late")
    told = [*verb, "--set", f"paths.work={tmp_path}"]
    assert cli.run(told) == 66
    assert "error: no dataset 'late'" in capsys.readouterr().err
    assert cli.run([*told, "--set", f"serving.bundle={early.id[:8]}"]) == 66
    assert "error: no dataset 'early'" in capsys.readouterr().err


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_a_beginning_that_two_bundles_have_is_refused(verb, tmp_path, capsys) -> None:
    for end in ("00", "01"):
        (tmp_path / "bundles" / f"{'ab' * 15}{end}").mkdir(parents=True)
    told = [*verb, "--set", f"paths.work={tmp_path}", "--set", "serving.bundle=abab"]
    assert cli.run(told) == 65
    assert "'abab' may be bundle" in capsys.readouterr().err
