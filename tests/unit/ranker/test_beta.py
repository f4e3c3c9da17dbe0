"""The weight of distance moves what is ranked first apart, and what that costs is measured."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch

from shortlist.ranker.fit import fit
from shortlist.ranker.lists import lists_of
from shortlist.ranker.losses import distances

FIRST = 3


@dataclass(frozen=True)
class First:
    """Of the first three of many lists: their content distance, and how often they are clicked."""

    distance: float
    value: float
    lists: float
    """Error of the list ranker in the last epoch."""


@torch.no_grad()
def what_is_first(micro, scratch, beta: float) -> First:
    settings = micro.settings.model_copy(update={"beta": beta})
    fitted = fit(micro.view, micro.recalled, settings, scratch)
    assert fitted is not None
    cascade = fitted.cascade.eval()
    batch = micro.batch(*range(len(micro.windows)))
    read = cascade.read(micro.rows, batch)
    rng = np.random.default_rng(0)
    drawn = lists_of(micro.rows, batch, fitted.pools, share=1.0, size=8, rng=rng)
    ranked = cascade.rank_lists(micro.rows, batch, read, drawn)
    first = torch.gather(
        drawn.video, 1, (ranked.click + ranked.diversity).topk(FIRST, dim=1).indices
    )
    apart = distances(torch.from_numpy(micro.view.content)[first])
    # The makers of the world know the truth: users click on videos of their own parity.
    user = batch.user[drawn.window]
    value = torch.where(user[:, None] % 2 == first % 2, 0.85, 0.15)
    lists = fitted.curves.points["train/lists"]
    return First(
        distance=float(apart.sum((1, 2)).mean() / (FIRST * (FIRST - 1))),
        value=float(value.mean()),
        lists=lists[max(lists)],
    )


def test_beta_moves_what_is_ranked_first_apart_at_a_measured_cost(micro, tmp_path, record_property):
    plain = what_is_first(micro, tmp_path / "plain", 0.0)
    diverse = what_is_first(micro, tmp_path / "diverse", 0.3)
    gained = diverse.distance - plain.distance
    cost = plain.value - diverse.value
    record_property("distance", [plain.distance, diverse.distance])
    record_property("value", [plain.value, diverse.value])
    assert gained > 0.08
    # Who wants one kind of videos alone is shown some of the other kind.
    assert 0.0 < cost < 0.15
    # Outcomes are told as well as before: the diversity head carries the rest.
    assert diverse.lists == pytest.approx(plain.lists, abs=0.05)


def test_without_beta_the_diversity_head_says_nothing(micro, tmp_path):
    settings = micro.settings.model_copy(update={"beta": 0.0, "epochs": 1})
    fitted = fit(micro.view, micro.recalled, settings, tmp_path)
    assert fitted is not None
    assert float(fitted.cascade.listwise.diversity.weight.detach().abs().max()) == 0.0
