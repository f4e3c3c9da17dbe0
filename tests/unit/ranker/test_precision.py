"""What half precision costs, worked by hand where the figures are small."""

import numpy as np
import pytest
import torch

from shortlist.ranker.lists import Pools
from shortlist.ranker.measured import Pair
from shortlist.ranker.precision import measure_precision


def pools(micro) -> Pools:
    return Pools(micro.recalled, micro.live, np.zeros(40, np.int64), micro.features.tags)


def measured(micro, cascade, rows=None):
    batches = [micro.batch(*range(8)), micro.batch(*range(8, 12))]
    return measure_precision(cascade, rows or micro.rows, batches, pools(micro), size=8)


def test_a_table_that_half_precision_holds_exactly_costs_nothing(micro):
    cascade = micro.cascade()
    tower = cascade.items

    def exact(_module, _inputs, made):
        return made.half().float()

    tower.register_forward_hook(exact)
    told = measured(micro, cascade)
    assert told.auc.cost == told.ndcg.cost == 0.0


def test_a_table_that_half_precision_ruins_costs_much(micro):
    cascade = micro.cascade()

    def shrunken(_module, _inputs, made):
        # Below the smallest half; what reads the table sees it at full size before.
        return made * 1e-9

    with torch.no_grad():
        cascade.items.register_forward_hook(shrunken)
        for reader in (cascade.prerank.item, cascade.prerank.of_item, cascade.history.token):
            reader.weight *= 1e9
    told = measured(micro, cascade)
    assert told.auc.float32 != told.auc.float16
    assert abs(told.auc.cost) > 0.001


def test_the_tower_is_left_as_it_was(micro):
    cascade = micro.cascade()
    before = cascade.items(torch.arange(40))
    measured(micro, cascade)
    assert torch.equal(cascade.items(torch.arange(40)), before)
    assert not torch.equal(before, before.half().float())


def test_the_area_is_that_of_the_known_rows(micro):
    from sklearn.metrics import roc_auc_score

    cascade = micro.cascade()
    target, logit = [], []
    with torch.no_grad():
        for batch in (micro.batch(*range(8)), micro.batch(*range(8, 12))):
            read = cascade.read(micro.rows, batch)
            logit.append(cascade(micro.rows, batch, read).logit[batch.predicted])
            target.append(micro.rows.target[batch.at[batch.predicted]])
    known = ~torch.cat(target).isnan()
    told = measured(micro, cascade)
    assert told.rows == int(known.sum())
    wanted = roc_auc_score(torch.cat(target)[known], torch.cat(logit)[known])
    assert told.auc.float32 == pytest.approx(wanted)


def test_rows_that_cannot_tell_give_no_figure(micro):
    from dataclasses import replace

    silent = replace(micro.rows, target=torch.ones_like(micro.rows.target))
    told = measured(micro, micro.cascade(), silent)
    assert (told.lists, told.auc, told.ndcg) == (0, Pair.of(None, None), Pair.of(None, None))
    assert told.auc.cost is None
