"""The losses, worked by hand."""

import math

import pytest
import torch

from shortlist.ranker.losses import distances, expected_distance, outcome_loss, watch_loss

NAN = float("nan")


def test_outcome_loss_is_the_mean_cross_entropy_of_known_rows():
    logit = torch.tensor([math.log(3.0), math.log(3.0), 50.0])
    # Odds of three to one: -log(3/4) where it came about, -log(1/4) where not.
    wanted = (math.log(4 / 3) + math.log(4)) / 2
    assert outcome_loss(logit, torch.tensor([1.0, 0.0, NAN])).item() == pytest.approx(wanted)


def test_unknown_outcomes_move_nothing():
    logit = torch.tensor([1.0, -2.0], requires_grad=True)
    loss = outcome_loss(logit, torch.tensor([NAN, 1.0]))
    loss.backward()
    assert logit.grad is not None
    assert logit.grad[0] == 0.0
    assert logit.grad[1].item() == pytest.approx(torch.sigmoid(torch.tensor(-2.0)).item() - 1.0)


def test_a_batch_that_knows_nothing_costs_nothing():
    nothing = torch.full((4,), NAN)
    said = torch.randn(4, requires_grad=True)
    for loss in (outcome_loss(said, nothing), watch_loss(said, nothing)):
        assert loss.item() == 0.0
        (gradient,) = torch.autograd.grad(loss, said)
        assert gradient.tolist() == [0.0] * 4


def test_seconds_that_are_not_known_move_nothing():
    said = torch.tensor([1.0, 1.0, 1.0], requires_grad=True)
    loss = watch_loss(said, torch.tensor([2.0, NAN, 1.0]))
    (gradient,) = torch.autograd.grad(loss, said)
    assert loss.item() > 0
    assert gradient[0] < 0
    assert gradient[1:].tolist() == [0.0, 0.0]


def test_expected_distance_weighs_pairs_by_their_chance_to_be_drawn():
    # Chances 1/2, 1/4, 1/4 of three videos; pairs of different ones weigh 1/8, 1/8 and 1/16.
    scores = torch.log(torch.tensor([[0.5, 0.25, 0.25]]))
    apart = torch.tensor([[[0.0, 1.0, 2.0], [1.0, 0.0, 4.0], [2.0, 4.0, 0.0]]])
    wanted = (1.0 / 8 + 2.0 / 8 + 4.0 / 16) / (1 / 8 + 1 / 8 + 1 / 16)
    listed = torch.ones(1, 3, dtype=torch.bool)
    assert expected_distance(scores, apart, listed).item() == pytest.approx(wanted)


def test_empty_places_have_no_part_in_the_distance():
    scores = torch.tensor([[0.3, -0.2, 9.0]])
    apart = torch.tensor([[[0.0, 0.7, 5.0], [0.7, 0.0, 5.0], [5.0, 5.0, 0.0]]])
    listed = torch.tensor([[True, True, False]])
    assert expected_distance(scores, apart, listed).item() == pytest.approx(0.7)


def test_the_distance_is_the_mean_over_lists():
    apart = torch.tensor([[[0.0, 1.0], [1.0, 0.0]], [[0.0, 3.0], [3.0, 0.0]]])
    both = expected_distance(torch.zeros(2, 2), apart, torch.ones(2, 2, dtype=torch.bool))
    assert both.item() == pytest.approx(2.0)


def test_the_distance_has_a_gradient_in_every_score_that_lifts_what_is_apart():
    content = torch.nn.functional.normalize(
        torch.tensor([[[1.0, 0.0], [1.0, 0.1], [0.0, 1.0]]]), dim=-1
    )
    scores = torch.tensor([[1.0, 0.5, 0.0]], requires_grad=True)
    listed = torch.ones(1, 3, dtype=torch.bool)
    far = expected_distance(scores, distances(content), listed)
    (gradient,) = torch.autograd.grad(far, scores)
    assert (gradient != 0).all()
    # The third stands apart from the two others, which are nearly the same.
    assert gradient[0, 2] > 0
    # Adding to all scores changes no share.
    assert gradient.sum().item() == pytest.approx(0.0, abs=1e-7)


def test_following_the_gradient_puts_what_is_apart_first():
    content = torch.nn.functional.normalize(
        torch.tensor([[[1.0, 0.0], [1.0, 0.1], [0.0, 1.0]]]), dim=-1
    )
    scores = torch.tensor([[2.0, 1.9, 0.0]], requires_grad=True)
    listed = torch.ones(1, 3, dtype=torch.bool)
    for _ in range(60):
        far = expected_distance(scores, distances(content), listed)
        (gradient,) = torch.autograd.grad(far, scores)
        scores = (scores + 0.5 * gradient).detach().requires_grad_()
    assert set(scores[0].topk(2).indices.tolist()) == {0, 2}


def test_distances_are_one_less_the_cosine():
    content = torch.tensor([[[1.0, 0.0], [0.6, 0.8], [-1.0, 0.0]]])
    wanted = torch.tensor([[[0.0, 0.4, 2.0], [0.4, 0.0, 1.6], [2.0, 1.6, 0.0]]])
    torch.testing.assert_close(distances(content), wanted)
