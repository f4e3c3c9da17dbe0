"""What passes the gate is published, what does not is not, and a second run finds both decided."""

import datetime as dt
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
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
from shortlist.datasets.interactions import Doubles
from shortlist.errors import GateError, RefusedError
from shortlist.evaluation.gate import Verdict
from shortlist.evaluation.stages import Stages
from shortlist.settings import Settings
from shortlist.steps import gate as step
from shortlist.steps.engine import Engine
from shortlist.steps.evaluate import FIGURES, HEADLINE, best_popularity, read_figures
from shortlist.steps.line import Line
from shortlist.steps.output import Output
from shortlist.steps.publish import publish

USERS = 50
POPULAR: Doubles = np.linspace(0.3, 0.5, USERS)
DATASET = SimpleNamespace(path=Path("datasets/small"))
CONTENT = SimpleNamespace(vectors=None)


@pytest.fixture
def store(settings: Settings) -> BundleStore:
    return BundleStore(settings.paths.bundles)


def bundle_of(text: str, store: BundleStore, parts: Path) -> Bundle:
    for name in ("recall", "ranker", "items"):
        (parts / text / name).mkdir(parents=True)
        (parts / text / name / "table").write_text(text)
    day = dt.date(2026, 1, 5)
    record = BundleRecord(
        data=DataFacts(
            name="small",
            digest="d" * 64,
            users=1,
            videos=1,
            impressions=1,
            first_day=day,
            last_day=day,
            fitted_to=day,
        ),
        encoder="hashing",
        seed=1,
        settings={},
    )
    card = CardFacts("", [], [], "", [], [])
    places = {path.name: path for path in (parts / text).iterdir()}
    return write_bundle(store.root, places, record, card, RunRecord.here("run"))


def judged(directory: Path, candidate: Doubles) -> Path:
    directory.mkdir()
    figures = {"shortlist": candidate, "popularity": POPULAR, "popularity-rate": POPULAR - 0.1}
    np.savez(directory / FIGURES, allow_pickle=False, **figures)
    (directory / HEADLINE).write_text(json.dumps({"metric": "ndcg@10", "means": {}}))
    return directory


def gated(
    settings: Settings, evaluated: Path, published: Bundle | None, lines: list[str] | None = None
) -> Output:
    engine = Engine(settings, Stages(say=[].append if lines is None else lines.append))
    inputs = {"evaluated": evaluated.name}
    return step.gate(
        engine,
        inputs,
        DATASET,  # type: ignore[arg-type]
        CONTENT,  # type: ignore[arg-type]
        None,  # type: ignore[arg-type]
        evaluated,
        published,
    )


def test_a_better_one_passes_and_is_found_decided(settings: Settings, tmp_path: Path):
    lines: list[str] = []
    evaluated = judged(tmp_path / "better", POPULAR + 0.1)
    for _ in range(2):
        found = gated(settings, evaluated, None, lines)
    verdict = step.read_verdict(found.path)
    assert verdict.passed
    assert found.reused
    assert lines[0].startswith("gate: passed. The ranker beats popularity by 0.1000 of ndcg@10")
    # Found again, it must be true of a bundle that was published meanwhile.
    assert lines[1].endswith("There is no other published bundle to beat. (unchanged, reused)")


def test_a_worse_one_is_refused_by_the_better_popularity(settings: Settings, tmp_path: Path):
    evaluated = judged(tmp_path / "worse", POPULAR - 0.05)
    assert best_popularity(read_figures(evaluated)[1])[0] == pytest.approx(0.4)
    found = gated(settings, evaluated, None)
    assert not step.read_verdict(found.path).passed
    assert found.said.startswith("REFUSED. The ranker does not beat popularity")


@pytest.mark.parametrize(("ahead", "passed"), [(0.05, True), (0.0, False), (-0.05, False)])
def test_what_is_published_has_its_turn_in_the_same_arena(
    settings: Settings,
    store: BundleStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    ahead: float,
    passed: bool,
):
    theirs = POPULAR + 0.1
    monkeypatch.setattr(step, "sealed_truth", lambda dataset, truths: None)
    monkeypatch.setattr(step, "bout", lambda *given: SimpleNamespace(figures=lambda name: theirs))
    evaluated = judged(tmp_path / "evaluated", theirs + ahead)
    published = bundle_of("old", store, tmp_path / "parts")
    verdict = step.read_verdict(gated(settings, evaluated, published).path)
    assert verdict.passed == passed
    found = verdict.comparisons[1].difference
    assert found is not None
    assert found.value == pytest.approx(ahead)


def test_what_cannot_be_judged_on_this_log_keeps_nothing_out(
    settings: Settings, store: BundleStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def refusing(*given: object) -> object:
        raise RefusedError("it was trained on other videos")

    monkeypatch.setattr(step, "sealed_truth", lambda dataset, truths: None)
    monkeypatch.setattr(step, "bout", refusing)
    published = bundle_of("old", store, tmp_path / "parts")
    evaluated = judged(tmp_path / "evaluated", POPULAR + 0.1)
    verdict = step.read_verdict(gated(settings, evaluated, published).path)
    assert verdict.passed
    assert verdict.reasons[1] == (
        "The published bundle cannot be judged on this log: it was trained on other videos."
    )


def test_the_pointer_moves_only_where_the_gate_lets_it(store: BundleStore, tmp_path: Path):
    passed = Verdict(metric="ndcg@10", passed=True, comparisons=[])
    refused = Verdict(metric="ndcg@10", passed=False, comparisons=[])
    old, new = (bundle_of(text, store, tmp_path / "parts") for text in ("old", "new"))
    assert [publish(store, old, passed) for _ in range(2)] == [False, True]
    with pytest.raises(GateError, match=f"bundle {new.id[:12]} is not published"):
        publish(store, new, refused)
    assert store.pointer().current == old.id
    assert not publish(store, new, passed)
    assert store.pointer().current == new.id


def test_with_an_object_store_its_pointer_moves_and_its_bundle_is_the_rival(
    settings: Settings, store: BundleStore, tmp_path: Path
):
    passed = Verdict(metric="ndcg@10", passed=True, comparisons=[])
    remote = settings.remote.model_copy(update={"url": f"file://{tmp_path}/store"})
    old, new = (bundle_of(text, store, tmp_path / "parts") for text in ("old", "new"))

    def line(work: str) -> Line:
        paths = settings.paths.model_copy(update={"bundles": tmp_path / work})
        shared = settings.model_copy(update={"remote": remote, "paths": paths})
        return Line(shared, Stages(say=lambda line: None))

    first = line(store.root.relative_to(tmp_path).as_posix())
    assert [publish(first.store, old, passed) for _ in range(2)] == [False, True]
    assert store.pointer().current == old.id
    elsewhere = line("elsewhere")
    vars(elsewhere)["bundle"] = new
    rival = elsewhere._rival()
    assert rival is not None
    assert rival.manifest == old.manifest
    assert rival.path.parent == tmp_path / "elsewhere"


def test_a_published_bundle_is_held_against_the_one_that_it_replaced(
    settings: Settings, store: BundleStore, tmp_path: Path
):
    passed = Verdict(metric="ndcg@10", passed=True, comparisons=[])
    old, new = (bundle_of(text, store, tmp_path / "parts") for text in ("old", "new"))

    def rival() -> str | None:
        line = Line(settings, Stages(say=lambda line: None))
        vars(line)["bundle"] = new
        found = line._rival()
        return None if found is None else found.id

    assert rival() is None
    publish(store, new, passed)
    assert rival() is None
    publish(store, old, passed)
    assert rival() == old.id
    publish(store, new, passed)
    assert rival() == old.id
