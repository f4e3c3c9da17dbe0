"""A learned stage is served only where it ranks better what came next."""

import numpy as np
import pytest
import torch

from shortlist.ranker.batching import in_order
from shortlist.ranker.cascade import Cascade, Judged, Ranked
from shortlist.ranker.company import Companion
from shortlist.ranker.earned import LISTWISE, PRERANK, gain, lead, silence
from shortlist.ranker.fit import fit
from shortlist.ranker.history import USER_WIDTH
from shortlist.ranker.lists import Pools
from shortlist.ranker.next_video import NextVideoTraining, searched_vectors
from shortlist.ranker.start import RECENT, Start


def training(micro) -> NextVideoTraining:
    """Before its first step, so that each stage orders as the one before it."""
    torch.manual_seed(0)
    cascade = Cascade(micro.features, micro.profile_width, micro.settings, co_watch=True)
    pools = Pools(micro.recalled, micro.live, np.zeros(40, np.int64), micro.features.tags)
    return NextVideoTraining(
        cascade,
        micro.rows,
        Companion([], micro.rows.profile, 0.0, pools, nearest=2),
        np.zeros(40, np.float32),
        micro.settings,
        Start.of(micro.view, micro.features, USER_WIDTH - 1, np.arange(len(micro.view.users))),
        steps=10,
        seed=1,
    )


def noise(cascade: Cascade, stage: str) -> None:
    last = cascade.prerank.dense[-1] if stage == PRERANK else cascade.listwise.click
    with torch.no_grad():
        last.weight.normal_(std=5.0)


@pytest.fixture
def held_out(micro):
    return in_order(micro.windows, 8, 0, 1)


def heads(cascade: Cascade) -> dict[str, bool]:
    """Whether each stage says anything."""
    return {
        PRERANK: bool(cascade.prerank.dense[-1].weight.any()),
        LISTWISE: bool(cascade.listwise.click.weight.any()),
    }


def test_gain_is_the_discount_of_the_right_ones_place():
    logit = torch.tensor([[3.0, 2.0, 1.0], [1.0, 2.0, 3.0], [0.0, 0.0, 0.0], [5.0, 4.0, 3.0]])
    found = torch.eye(3, dtype=torch.bool)[[1, 0, 1, 2]]
    found[3] = False
    expected = [1 / np.log2(3), 1 / np.log2(4), 1 / np.log2(3), 0.0]
    np.testing.assert_allclose(gain(logit, found), expected)
    deep = torch.arange(12.0)[None]
    assert gain(deep, deep == 1.0).item() == 0.0  # In the eleventh place.


def test_a_lead_is_of_the_means_of_users():
    """Users 4 and 9 gain .2 and .4: mean .3, standard error .1."""
    users = [np.array([4, 9]), np.array([4])]
    before, after = [np.array([0.1, 0.0]), np.array([0.3])], [np.array([0.5, 0.4]), np.array([0.3])]
    told = lead(PRERANK, users, before, after)
    assert (told.users, told.before, told.after) == (2, pytest.approx(0.1), pytest.approx(0.4))
    assert told.low == pytest.approx(0.3 - 1.96 * 0.1)
    assert told.high == pytest.approx(0.3 + 1.96 * 0.1)
    assert told.kept


def test_a_lead_that_may_be_chance_is_not_enough():
    users, before = [np.arange(4)], [np.zeros(4)]
    assert not lead(PRERANK, users, before, [np.array([0.9, -0.1, 0.0, 0.1])]).kept
    assert not lead(PRERANK, users, before, before).kept
    assert lead(PRERANK, users, before, [np.array([0.4, 0.5, 0.4, 0.5])]).kept
    assert not lead(PRERANK, [np.arange(1)], [np.zeros(1)], [np.ones(1)]).kept
    assert not lead(PRERANK, [], [], []).kept


@pytest.mark.parametrize("stage", [PRERANK, LISTWISE])
def test_a_stage_that_noise_made_worse_is_silenced(micro, held_out, stage):
    made = training(micro)
    noise(made.served, stage)
    leads = {told.stage: told for told in made.finish(held_out)}
    assert leads[stage].users > 10
    assert leads[stage].before != leads[stage].after
    assert not leads[stage].kept
    assert heads(made.served) == {PRERANK: False, LISTWISE: False}


@pytest.mark.parametrize("stage", [PRERANK, LISTWISE])
def test_a_stage_that_helps_is_kept(micro, held_out, stage, monkeypatch):
    """One that knows what came next, beside one of noise."""
    made = training(micro)
    for each in (PRERANK, LISTWISE):
        noise(made.served, each)

    def knowing(rows, batch, read, drawn):
        answer = rows.video[batch.at[drawn.window, drawn.place]][:, None]
        told = (drawn.video == answer).float()
        return Judged(told, -told) if stage == PRERANK else Ranked(told, -told)

    wise = "prerank_lists" if stage == PRERANK else "rank_lists"
    monkeypatch.setattr(made.served, wise, knowing)
    leads = {told.stage: told for told in made.finish(held_out)}
    assert leads[stage].low > 0
    assert leads[stage].after > leads[stage].before
    assert heads(made.served) == {each: each == stage for each in (PRERANK, LISTWISE)}


def test_only_rows_that_the_start_has_not_seen_are_judged(micro, held_out, monkeypatch):
    made = training(micro)
    seen = []
    best = made._best

    def watched(batch, read, at, count):
        seen.append(batch.at[at])
        return best(batch, read, at, count)

    monkeypatch.setattr(made, "_best", watched)
    made._lead(PRERANK, held_out)
    at = torch.cat(seen).numpy()
    assert (micro.rows.target[at] == 1).all()
    ends = micro.rows.borders[1:][micro.rows.user[at]]
    assert set((ends - at).tolist()) == set(range(1, RECENT + 1))


def test_stages_are_judged_beside_a_start_that_knows_all_but_the_answers(
    micro, held_out, monkeypatch
):
    made = training(micro)
    beside = []
    gained = made._lead

    def watched(stage, batches):
        table = made.served.items.start
        beside.append(torch.equal(table, made.start.judging))
        vectors = searched_vectors(made.served)
        beside.append(torch.equal(vectors, made.vectors))
        return gained(stage, batches)

    monkeypatch.setattr(made, "_lead", watched)
    made.finish(held_out)
    assert beside == [True] * 4
    assert torch.equal(made.served.items.start, made.start.served)


def test_where_all_is_silent_lists_are_ordered_by_the_towers_to_the_last_digit(micro, held_out):
    made = training(micro)
    for stage in (PRERANK, LISTWISE):
        noise(made.served, stage)
        silence(made.served, stage)
    rows, batch = micro.rows, micro.batch(0, 1)
    with torch.no_grad():
        made.served.listwise.diversity.weight.normal_()
        read = made.served.eval().read(rows, batch)
        at = torch.tensor([0, 1]), torch.tensor([5, 6])
        drawn = made._lists(at, torch.arange(18).reshape(2, 9))
        judged = made.served.prerank_lists(rows, batch, read, drawn)
        ranked = made.served.rank_lists(rows, batch, read, drawn)
    assert torch.equal(judged.logit, judged.base)
    assert torch.equal(ranked.click, judged.base)
    assert ranked.diversity.abs().max() > 0


def test_the_note_says_what_each_stage_was_worth(micro, tmp_path):
    settings = micro.settings.model_copy(update={"objective": "next", "epochs": 1})
    fitted = fit(micro.view, micro.recalled, settings, tmp_path)
    assert fitted is not None
    assert [told.stage for told in fitted.note.leads] == [PRERANK, LISTWISE]
    kept = {told.stage: told.kept for told in fitted.note.leads}
    assert heads(fitted.cascade) == kept
    assert fitted.note.silent == [stage for stage in kept if not kept[stage]]
