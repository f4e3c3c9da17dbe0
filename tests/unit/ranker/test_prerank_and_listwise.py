"""Scores do not depend on the order of candidates, on padding, or on who else is in the batch."""

from copy import deepcopy
from typing import NamedTuple

import pytest
import torch
from torch import Tensor

from shortlist.ranker.graphs import HistoryGraph, ListGraph, PrerankGraph

TOLERANCE = {"rtol": 1e-5, "atol": 1e-5}


class Asked(NamedTuple):
    """What the graphs judge for two users: one with a whole history, one with two events."""

    ages: Tensor
    filled: Tensor
    rows: Tensor
    context: Tensor
    moment: Tensor
    prerank: Tensor
    listed: Tensor

    def user(self, which: int) -> "Asked":
        return Asked(*(part[which : which + 1] for part in self))

    def candidates(self, order: list[int]) -> "Asked":
        return self._replace(
            rows=self.rows[:, order],
            moment=self.moment[:, order],
            prerank=self.prerank[:, order],
            listed=self.listed[:, order],
        )


class Ranked(NamedTuple):
    prerank: Tensor
    click: Tensor
    diversity: Tensor


@pytest.fixture(scope="module")
def cascade(micro):
    return micro.cascade(list_layers=2)


@pytest.fixture(scope="module")
def asked(micro, cascade) -> Asked:
    torch.manual_seed(3)
    filled = torch.tensor([[True] * 6, [True, True, False, False, False, False]])
    width = micro.settings.width + 1
    return Asked(
        ages=torch.rand(2, 6) * 9,
        filled=filled,
        rows=torch.randn(2, 9, width).half(),
        context=torch.randn(2, 32),
        moment=torch.rand(2, 9, 3),
        prerank=torch.randn(2, 9),
        listed=torch.ones(2, 9, dtype=torch.bool),
    )


@torch.no_grad()
def ranked(cascade, asked: Asked, events: Tensor, kinds: Tensor, profile: Tensor) -> Ranked:
    user, tokens = HistoryGraph(cascade)(events, kinds, asked.ages, asked.filled, profile)
    seen = (user, tokens, asked.ages, asked.filled, asked.rows, asked.context, asked.moment)
    click, diversity = ListGraph(cascade)(*seen, asked.prerank, asked.listed)
    return Ranked(PrerankGraph(cascade)(*seen), click, diversity)


@pytest.fixture(scope="module")
def history(micro) -> tuple[Tensor, Tensor, Tensor]:
    torch.manual_seed(4)
    rows = torch.randn(2, 6, micro.settings.width + 1).half()
    return rows, torch.randint(0, 5, (2, 6)), torch.rand(2, micro.profile_width)


def test_scores_follow_their_candidates_into_another_order(cascade, asked, history):
    order = [4, 0, 8, 2, 6, 1, 7, 3, 5]
    one = ranked(cascade, asked, *history)
    other = ranked(cascade, asked.candidates(order), *history)
    for a, b in zip(one, other, strict=True):
        assert a.std() > 0.01
        torch.testing.assert_close(a[:, order], b, **TOLERANCE)


def test_a_prerank_logit_does_not_depend_on_the_other_candidates(cascade, asked, history):
    some = ranked(cascade, asked.candidates([2, 5]), *history).prerank
    everything = ranked(cascade, asked, *history).prerank
    torch.testing.assert_close(everything[:, [2, 5]], some, **TOLERANCE)


def test_the_list_ranker_sees_candidates_beside_one_another(cascade, asked, history):
    some = ranked(cascade, asked.candidates([0, 1, 2]), *history)
    other = ranked(cascade, asked.candidates([0, 1, 3]), *history)
    for a, b in ((some.click, other.click), (some.diversity, other.diversity)):
        assert not torch.allclose(a[:, :2], b[:, :2], atol=1e-3)


def test_empty_places_of_a_list_change_nothing(cascade, asked, history):
    places = list(range(9))
    listed = asked.listed.clone()
    listed[:, 6:] = False
    padded = ranked(cascade, asked._replace(listed=listed), *history)
    short = ranked(cascade, asked.candidates(places[:6]), *history)
    torch.testing.assert_close(padded.click[:, :6], short.click, **TOLERANCE)
    torch.testing.assert_close(padded.diversity[:, :6], short.diversity, **TOLERANCE)
    # What stands there means nothing, so it may be anything.
    rows = asked.rows.clone()
    rows[:, 6:] = 7.0
    strange = ranked(cascade, asked._replace(listed=listed, rows=rows), *history)
    torch.testing.assert_close(strange.click[:, :6], short.click, **TOLERANCE)


def test_empty_places_of_a_history_change_nothing(cascade, asked, history):
    rows, kinds, profile = history
    long = ranked(cascade, asked, *history)
    second = asked.user(1)
    short = second._replace(ages=second.ages[:, :2], filled=second.filled[:, :2])
    alone = ranked(cascade, short, rows[1:, :2], kinds[1:, :2], profile[1:])
    for a, b in zip(long, alone, strict=True):
        torch.testing.assert_close(a[1:], b, **TOLERANCE)
    strange = rows.clone()
    strange[1, 2:] = 9.0
    other = ranked(cascade, asked, strange, (kinds + asked.filled.logical_not()) % 5, profile)
    for a, b in zip(long, other, strict=True):
        torch.testing.assert_close(a, b, **TOLERANCE)


def test_scores_do_not_depend_on_the_batch(cascade, asked, history):
    together = ranked(cascade, asked, *history)
    for which in range(2):
        alone = ranked(cascade, asked.user(which), *(part[which : which + 1] for part in history))
        for a, b in zip(together, alone, strict=True):
            torch.testing.assert_close(a[which : which + 1], b, **TOLERANCE)


def test_who_has_no_history_is_judged_by_profile_and_context(cascade, asked, history):
    rows, kinds, profile = history
    nobody = asked._replace(filled=torch.zeros_like(asked.filled))
    one = ranked(cascade, nobody, *history)
    other = ranked(cascade, nobody._replace(ages=asked.ages + 3), rows + 1, kinds, profile)
    for a, b in zip(one, other, strict=True):
        assert a.isfinite().all()
        torch.testing.assert_close(a, b, **TOLERANCE)
    known = ranked(cascade, nobody, rows, kinds, profile + 1)
    assert not torch.allclose(one.prerank, known.prerank, atol=1e-3)


def test_every_input_of_the_list_ranker_bears_on_it(cascade, asked, history):
    one = ranked(cascade, asked, *history)
    rows, kinds, profile = history
    for other in (
        ranked(cascade, asked._replace(context=asked.context + 1), *history),
        ranked(cascade, asked._replace(moment=asked.moment + 1), *history),
        ranked(cascade, asked._replace(rows=asked.rows + 1), *history),
        ranked(cascade, asked._replace(ages=asked.ages + torch.arange(6)), *history),
        ranked(cascade, asked, rows, (kinds + 1) % 5, profile),
        ranked(cascade, asked, rows, kinds, profile + 1),
    ):
        for a, b in zip(one, other, strict=True):
            assert not torch.allclose(a, b, atol=1e-4)
    dearer = ranked(cascade, asked._replace(prerank=asked.prerank + 1), *history)
    assert not torch.allclose(one.click, dearer.click, atol=1e-4)


def test_the_diversity_head_is_a_share_and_excuses_some_of_a_list_only(cascade, asked, history):
    diversity = ranked(cascade, asked, *history).diversity
    assert ((diversity >= 0) & (diversity < 1)).all()
    assert (diversity > 0).any(dim=1).all()
    assert (diversity == 0).any(dim=1).all()


def test_the_diversity_head_has_no_level_of_its_own(cascade, asked, history):
    raised = deepcopy(cascade)
    with torch.no_grad():
        raised.listwise.diversity.bias += 3.0
    one, other = (ranked(each, asked, *history).diversity for each in (cascade, raised))
    assert torch.allclose(one, other, atol=1e-5)


def test_a_fresh_list_ranker_keeps_the_order_of_the_prerank(micro, asked):
    from shortlist.ranker.listwise import MultiTaskRanker

    ranker = MultiTaskRanker(micro.settings.width, 1, 0.0).eval()
    tokens, bias = torch.randn(2, 7, micro.settings.width), torch.zeros(2, 4, 9, 7)
    click, diversity = ranker(
        torch.randn(2, 128),
        tokens,
        bias,
        asked.rows.float(),
        asked.context,
        asked.moment,
        asked.prerank,
        asked.listed,
    )
    torch.testing.assert_close(click, asked.prerank)
    assert (diversity == 0).all()


def test_the_list_ranker_is_a_transformer_encoder_of_as_many_layers_as_set(micro):
    ranker = micro.cascade(list_layers=4).listwise
    assert isinstance(ranker.layers, torch.nn.TransformerEncoder)
    assert len(ranker.layers.layers) == 4


def test_the_score_of_the_vector_recall_is_the_inner_product(micro, cascade):
    table = cascade.items(torch.arange(40))
    vectors = cascade.prerank.item_vectors(table)
    user = torch.randn(1, 1, 128)
    user[..., -1] = 1.0
    nothing = torch.zeros(1, 40, 3), torch.zeros(1, 1, 32)
    base = cascade.prerank.base(user, table[None], nothing[1], nothing[0])
    product = (user[0] @ vectors.T)[0]
    # They differ by what all candidates of a request have in common.
    torch.testing.assert_close(base[0] - base[0, 0], product - product[0], rtol=1e-4, atol=1e-4)
