"""What was published before the log grew has its turn before the gate all the same."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from shortlist.evaluation.gate import Verdict
from shortlist.evaluation.judge import sealed_truth
from shortlist.evaluation.stages import Stages
from shortlist.recommender.contestant import NAME, Contestant
from shortlist.recommender.drawn import slate_of
from shortlist.settings import Settings
from shortlist.steps.arena import bout
from shortlist.steps.engine import Engine
from shortlist.steps.evaluate import FIGURES, HEADLINE, POPULARITY
from shortlist.steps.gate import contestant, gate, read_verdict


@pytest.fixture(scope="module")
def settings(trained) -> Settings:
    return trained.settings.model_copy(
        update={"evaluation": trained.settings.evaluation.model_copy(update={"users": 30})}
    )


@pytest.fixture(scope="module")
def evaluated(trained, settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The candidate of today, judged; popularity is made to be of no concern."""
    into = tmp_path_factory.mktemp("evaluated")
    slate = slate_of(trained.bundle)
    held = bout(
        trained.dataset,
        trained.view.content,
        trained.cut,
        sealed_truth(trained.dataset, settings.paths.truth),
        {NAME: lambda: Contestant(trained.directories, slate, digest="candidate")},
        settings,
        settings.paths.work / "runs",
        Stages(say=lambda line: None),
    )
    figures = held.figures(NAME)
    np.savez(into / FIGURES, allow_pickle=False, **{NAME: figures, POPULARITY: figures - 0.2})
    (into / HEADLINE).write_text(json.dumps({"metric": held.metric, "means": {}}))
    return into


def verdict(of, trained, settings: Settings, evaluated: Path) -> Verdict:
    content = SimpleNamespace(vectors=trained.view.content, encoder="hashing-32")
    found = gate(
        Engine(settings, Stages(say=lambda line: None)),
        {"evaluated": "today"},
        trained.dataset,
        content,  # type: ignore[arg-type]
        trained.cut,
        evaluated,
        of.bundle,
    )
    return read_verdict(found.path)


def test_a_bundle_of_fewer_videos_and_users_is_compared(
    trained, earlier, settings: Settings, evaluated: Path
):
    told = verdict(earlier, trained, settings, evaluated)
    assert not any("cannot be judged" in reason for reason in told.reasons)
    assert len(told.comparisons) == 2
    found = told.comparisons[1].difference
    assert found is not None
    assert np.isfinite(found.value)
    assert found.value != 0
    # On the bundle of today there is no difference: so both figures are of the same users.
    same = verdict(trained, trained, settings, evaluated).comparisons[1].difference
    assert same is not None
    assert same.value == 0


def test_new_videos_are_placed_only_by_the_encoder_of_the_training(earlier):
    own = contestant(earlier.bundle, "hashing-32")
    other = contestant(earlier.bundle, "mpnet")
    assert (own._new_videos, other._new_videos) == ("projected", "last")
