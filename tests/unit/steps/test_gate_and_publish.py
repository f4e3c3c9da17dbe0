"""What passes the gate is published, what does not is not, and a second run finds both decided."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from shortlist.bundle import Bundle, BundleStore
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
from shortlist.steps.rival import rival_of

USERS = 50
POPULAR: Doubles = np.linspace(0.3, 0.5, USERS)
DATASET = SimpleNamespace(path=Path("datasets/small"))
CONTENT = SimpleNamespace(vectors=None)


def judged(directory: Path, candidate: Doubles) -> Path:
    directory.mkdir()
    figures = {"shortlist": candidate, "popularity": POPULAR, "popularity-rate": POPULAR - 0.1}
    np.savez(directory / FIGURES, allow_pickle=False, **figures)
    (directory / HEADLINE).write_text(json.dumps({"metric": "ndcg@10", "means": {}}))
    return directory


def gated(
    settings: Settings,
    evaluated: Path,
    published: Bundle | None,
    lines: list[str] | None = None,
    remark: str = "",
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
        remark,
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
    bundle_of: Callable[[str], Bundle],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    ahead: float,
    passed: bool,
):
    theirs = POPULAR + 0.1
    monkeypatch.setattr(step, "sealed_truth", lambda dataset, truths: None)
    monkeypatch.setattr(step, "bout", lambda *given: SimpleNamespace(figures=lambda name: theirs))
    evaluated = judged(tmp_path / "evaluated", theirs + ahead)
    published = bundle_of("old")
    verdict = step.read_verdict(gated(settings, evaluated, published).path)
    assert verdict.passed == passed
    found = verdict.comparisons[1].difference
    assert found is not None
    assert found.value == pytest.approx(ahead)


def test_what_cannot_be_judged_on_this_log_keeps_nothing_out(
    settings: Settings,
    bundle_of: Callable[[str], Bundle],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    def refusing(*given: object) -> object:
        raise RefusedError("it was trained on other videos")

    monkeypatch.setattr(step, "sealed_truth", lambda dataset, truths: None)
    monkeypatch.setattr(step, "bout", refusing)
    published = bundle_of("old")
    evaluated = judged(tmp_path / "evaluated", POPULAR + 0.1)
    verdict = step.read_verdict(gated(settings, evaluated, published).path)
    assert verdict.passed
    assert verdict.reasons[1] == (
        "The published bundle cannot be judged on this log: it was trained on other videos."
    )


def test_the_pointer_moves_only_where_the_gate_lets_it(
    store: BundleStore, bundle_of: Callable[[str], Bundle]
):
    passed = Verdict(metric="ndcg@10", passed=True, comparisons=[])
    refused = Verdict(metric="ndcg@10", passed=False, comparisons=[])
    old, new = (bundle_of(text) for text in ("old", "new"))
    assert [publish(store, old, passed) for _ in range(2)] == [False, True]
    with pytest.raises(GateError, match=f"bundle {new.id[:12]} is not published"):
        publish(store, new, refused)
    assert store.pointer().current == old.id
    assert not publish(store, new, passed)
    assert store.pointer().current == new.id


def test_with_an_object_store_its_pointer_moves_and_its_bundle_is_the_rival(
    settings: Settings,
    store: BundleStore,
    bundle_of: Callable[[str], Bundle],
    tmp_path: Path,
):
    passed = Verdict(metric="ndcg@10", passed=True, comparisons=[])
    remote = settings.remote.model_copy(update={"url": f"file://{tmp_path}/store"})
    old, new = (bundle_of(text) for text in ("old", "new"))

    def line(work: str) -> Line:
        paths = settings.paths.model_copy(update={"bundles": tmp_path / work})
        shared = settings.model_copy(update={"remote": remote, "paths": paths})
        return Line(shared, Stages(say=lambda line: None))

    first = line(store.root.relative_to(tmp_path).as_posix())
    assert [publish(first.store, old, passed) for _ in range(2)] == [False, True]
    assert store.pointer().current == old.id
    elsewhere = line("elsewhere")
    rival, _ = rival_of(elsewhere.store, new.id)
    assert rival is not None
    assert rival.manifest == old.manifest
    assert rival.path.parent == tmp_path / "elsewhere"


def test_a_published_bundle_that_cannot_be_opened_is_told_and_decided_anew(
    settings: Settings, tmp_path: Path
):
    lines: list[str] = []
    evaluated = judged(tmp_path / "better", POPULAR + 0.1)
    gated(settings, evaluated, None, lines)
    gone = "The published bundle ffffffffffff cannot be opened: it is gone."
    verdict = step.read_verdict(gated(settings, evaluated, None, lines, gone).path)
    assert verdict.passed
    assert verdict.reasons[1] == gone
    assert f" {gone} (" in lines[1]
    assert "reused" not in lines[1]
