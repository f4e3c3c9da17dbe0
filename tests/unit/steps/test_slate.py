"""A trade-off is found on the history alone, for pages as the judge counts them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp

from shortlist.datasets.interactions import Ints
from shortlist.evaluation.arena import make_arena
from shortlist.evaluation.metrics import beyond_accuracy
from shortlist.evaluation.metrics.intervals import relative_change
from shortlist.evaluation.stages import Stages
from shortlist.files import file_digest
from shortlist.recommender.contestant import Contestant
from shortlist.recommender.parts import NAMES, Parts
from shortlist.settings.paths import PathsSettings
from shortlist.settings.slate import SlateSettings
from shortlist.slate.page import select_pages
from shortlist.slate.ranked import Ranked
from shortlist.slate.settled import FILE, read, settle
from shortlist.slate.tuning import MOST
from shortlist.steps.engine import Engine
from shortlist.steps.evaluate import Candidate
from shortlist.steps.line import Line
from shortlist.steps.output import Output
from shortlist.steps.publish import slate_figures
from shortlist.steps.slate import answered, last_contexts, measured, tune

AIM = 0.05


@pytest.fixture(scope="module")
def parts(trained) -> Parts:
    return Parts.open(trained.directories)


@pytest.fixture(scope="module")
def ranked(trained, parts: Parts) -> list[Ranked]:
    return answered(trained.view, parts, np.arange(60))


def made(trained, work: Path, **slate: object) -> Output:
    settings = trained.settings.model_copy(
        update={
            "paths": PathsSettings(work=work),
            "slate": SlateSettings.model_validate({"more_tags": AIM, "tuning_users": 30, **slate}),
        }
    )
    engine = Engine(settings, Stages(say=lambda line: None))
    return tune(engine, {}, trained.directories, lambda: trained.view)


def gain(pages: Ints, plain: Ints, parts: Parts) -> float:
    """As the judge has it."""
    after, before = (beyond_accuracy.distinct_tags(of, parts.items.tags) for of in (pages, plain))
    return relative_change(after, before, 10, 0).value


def test_two_searches_are_the_same_bytes_and_say_what_was_found(trained, tmp_path: Path):
    one, other = (made(trained, tmp_path / name) for name in ("one", "other"))
    assert file_digest(one.path / FILE) == file_digest(other.path / FILE)
    found = read(one.path)
    assert (found.aim, found.users) == (AIM, 30)
    assert found.reached >= AIM
    assert one.said == (
        f"trade-off {found.trade_off:g}: {100 * found.reached:.1f} % more distinct tags, on pages "
        "of 30 users"
    )


@pytest.mark.parametrize("method", ["dpp", "mmr"])
def test_it_is_the_least_that_reaches_the_aim_as_the_judge_counts(
    parts: Parts, ranked: list[Ranked], method: str
):
    settings = SlateSettings.model_validate({"method": method, "more_tags": AIM})
    found = measured(ranked, parts.items, settings)
    plain = np.stack([one.video[: settings.size] for one in ranked])

    def at(trade_off: float) -> float:
        own = settings.model_copy(update={"trade_off": trade_off})
        return gain(select_pages(ranked, parts.items, own), plain, parts)

    assert 0 < found.trade_off < MOST
    assert at(found.trade_off) == pytest.approx(found.reached, abs=5e-5)
    assert at(found.trade_off) >= AIM > at(found.trade_off - 0.001)


def test_what_is_out_of_reach_is_said_with_what_was_reached(trained, tmp_path: Path):
    output = made(trained, tmp_path, more_tags=7)
    found = read(output.path)
    assert found.short
    assert 0 < found.trade_off <= MOST
    assert f"% more distinct tags, not {700:.1f} %: none up to 0.8 does" in output.said


def test_without_tags_there_is_nothing_to_pay_for(parts: Parts, ranked: list[Ranked]):
    bare = replace(parts.items, tags=sp.csr_array(parts.items.tags.shape, dtype=np.float32))
    found = measured(ranked, bare, SlateSettings())
    assert (found.trade_off, found.reached, found.short) == (0, 0, True)


def test_the_users_and_their_lists_are_those_that_the_judge_draws(trained, ranked: list[Ranked]):
    arena = make_arena(
        trained.dataset,
        trained.cut,
        trained.view.content,
        target="click",
        context=None,
        sample=30,
        seed=trained.settings.seed,
    )
    # In no context at all both ask the same.
    log = replace(trained.view.log, context=np.zeros_like(trained.view.log.context))
    silent = answered(replace(trained.view, log=log), Parts.open(trained.directories), arena.sample)
    slate = settle(trained.settings.slate, trained.directories["slate"])
    model = Contestant(trained.directories, slate, digest="").fit(arena.view)
    for own, judged in zip(silent, model.ranked(arena.sample), strict=True):
        np.testing.assert_array_equal(own.video, judged.video)
    assert any(
        not np.array_equal(one.relevance, ranked[user].relevance)
        for one, user in zip(silent, arena.sample.tolist(), strict=True)
    )


def test_everybody_asks_in_the_context_of_the_last_row(trained):
    log = trained.view.log
    found = last_contexts(log, 61)
    assert not found[60].any()
    for user in np.unique(log.user).tolist():
        last = np.flatnonzero(log.user == user)[-1]
        np.testing.assert_array_equal(found[user], log.context[last])


def test_the_bundle_tells_what_was_measured(trained):
    found = slate_figures(Candidate(trained.directories, ""))
    assert found == {
        "slate's trade-off": 0.67,
        "more distinct tags, aim": 0.4,
        "more distinct tags, reached": 0.41,
    }
    untold = {name: trained.directories[name] for name in NAMES}
    assert slate_figures(Candidate(untold, "")) == {}


def test_a_number_needs_no_search(trained):
    settings = trained.settings
    told = settings.model_copy(update={"slate": SlateSettings(trade_off=0.3)})
    assert Line(told, Stages(say=lambda line: None)).tuned is None
