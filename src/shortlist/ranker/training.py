"""Training the cascade: a Lightning module over windows, resumed at epoch borders to the byte.

Lightning's checkpoints hold no state of random numbers, so the sampler is seeded anew from seed and
epoch, and dropout from these and the step: a run that was killed and resumed draws what it would
have.
"""

from collections.abc import Iterator
from typing import Any, cast

import lightning.pytorch as pl
import numpy as np
import torch
from lightning.pytorch.utilities.types import OptimizerLRSchedulerConfig
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader, Dataset, Sampler

from shortlist.ranker.cascade import Cascade, Ranked
from shortlist.ranker.company import Companion
from shortlist.ranker.lists import Lists, lists_of
from shortlist.ranker.losses import distances, expected_distance, outcome_loss, watch_loss
from shortlist.ranker.windows import Batch, Ints, Rows, Windows, batch_of, batches
from shortlist.settings.ranker import RankerSettings

_WARM_UP = 0.05


class Training(pl.LightningModule):
    """The cascade with its losses and its optimizer."""

    def __init__(
        self,
        cascade: Cascade,
        rows: Rows,
        companion: Companion,
        settings: RankerSettings,
        *,
        steps: int,
        seed: int,
    ) -> None:
        super().__init__()
        self.cascade = cascade
        # What is validated and served is the mean of the latest weights: a step's noise is not in
        # it, and overfitting comes later.
        self.averaged = AveragedModel(
            cascade,
            multi_avg_fn=get_ema_multi_avg_fn(settings.averaging),  # type: ignore[no-untyped-call]
        ).requires_grad_(False)
        self.watch = nn.Linear(1, 1)
        with torch.no_grad():
            self.watch.weight.fill_(0.5)
            self.watch.bias.fill_(rows.watch.nanmean().nan_to_num())
        self.rows, self.companion = rows, companion
        self.settings, self.steps, self.seed = settings, steps, seed
        self.rng = np.random.default_rng()

    @property
    def served(self) -> Cascade:
        """The averaged cascade."""
        return cast("Cascade", self.averaged.module)

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Average in the weights of the step."""
        del outputs, batch, batch_idx
        self.averaged.update_parameters(self.cascade)

    def on_train_epoch_start(self) -> None:
        """Everything drawn in an epoch follows from seed, epoch and rank."""
        self.rng = np.random.default_rng([self.seed, self.current_epoch, self.global_rank, 1])
        self.companion.renew(self.served)

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        """Dropout follows from the step too: loaders draw from the same stream, and not alike."""
        del batch
        key = [self.seed, self.current_epoch, self.global_rank, batch_idx]
        torch.manual_seed(int(np.random.default_rng(key).integers(2**62)))

    def transfer_batch_to_device(self, batch: Batch, device: Any, dataloader_idx: int) -> Batch:
        """Batches hold places in the log, which lies where the network does."""
        del device, dataloader_idx
        return batch

    def training_step(self, batch: Batch, _: int) -> Tensor:
        """The loss of one batch of windows and of its lists."""
        settings = self.settings
        read = self.cascade.read(self.rows, batch)
        judged = self.cascade(self.rows, batch, read)
        at = batch.at[batch.predicted]
        target, watch = self.rows.target[at], self.rows.watch[at]
        of_rows = outcome_loss(judged.logit[batch.predicted], target)
        of_towers = outcome_loss(judged.base[batch.predicted], target)
        of_watch = self._watched(judged.logit[batch.predicted], watch)
        of_watch = of_watch + settings.tower_weight * self._watched(
            judged.base[batch.predicted], watch
        )
        drawn = lists_of(
            self.rows,
            batch,
            self.companion.pools,
            share=settings.list_share,
            size=settings.list_size,
            rng=self.rng,
        )
        ranked = self.cascade.rank_lists(self.rows, batch, read, drawn)
        of_lists, apart = self._lists(ranked, drawn)
        video, creator = self.cascade.items.surprise()
        prior = (settings.video_prior * video + settings.creator_prior * creator) / (
            2.0 * len(self.rows)
        )
        loss = (
            settings.alpha * (of_rows + of_lists)
            + settings.tower_weight * of_towers
            + settings.watch_weight * of_watch
            - settings.beta * apart
            + prior
        )
        self.log_dict(
            {
                "train/outcome": of_rows,
                "train/towers": of_towers,
                "train/watch": of_watch,
                "train/lists": of_lists,
                "train/distance": apart,
                "train/prior": prior,
            },
            on_step=False,
            on_epoch=True,
            batch_size=1,
            sync_dist=True,
        )
        return loss

    def _watched(self, logit: Tensor, watch: Tensor) -> Tensor:
        """Error of watch seconds by the same logit: who is sure to click watches for longer.

        A click tells whether, seconds tell how much: on the rows that were clicked they say more of
        the logit than the clicks do.
        """
        return watch_loss(self.watch(logit[:, None])[:, 0], watch)

    def validation_step(self, batch: Batch, _: int) -> None:
        """Errors on rows that are never learned."""
        served = self.served
        read = served.read(self.rows, batch)
        judged = served(self.rows, batch, read)
        target = self.rows.target[batch.at[batch.predicted]]
        losses = {
            "validation/outcome": outcome_loss(judged.logit[batch.predicted], target),
            "validation/towers": outcome_loss(judged.base[batch.predicted], target),
        }
        self.log_dict(losses, batch_size=int((~target.isnan()).sum()), sync_dist=True)

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        """AdamW with a warm-up and a cosine; priors, not decay, hold what single videos learn."""
        items = self.cascade.items
        held = [items.residual.weight, items.creator.weight]
        known = {id(parameter) for parameter in held}
        moved = [parameter for parameter in self.parameters() if parameter.requires_grad]
        rest = [parameter for parameter in moved if id(parameter) not in known]
        optimizer = torch.optim.AdamW(
            [
                {"params": rest, "weight_decay": self.settings.weight_decay},
                {"params": held, "weight_decay": 0.0},
            ],
            lr=self.settings.learning_rate,
            fused=True,
        )
        warm = max(1, round(_WARM_UP * self.steps))
        schedule = torch.optim.lr_scheduler.SequentialLR(
            optimizer,
            [
                torch.optim.lr_scheduler.LinearLR(optimizer, 0.02, 1.0, warm),
                torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, max(1, self.steps - warm)),
            ],
            [warm],
        )
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }

    def _lists(self, ranked: Ranked, drawn: Lists) -> tuple[Tensor, Tensor]:
        """Error on the shown videos of lists, and expected distance of what is ranked first."""
        lift = self.cascade.policy_lift.detach() * (1.0 - drawn.random)
        error = outcome_loss((ranked.click + lift).flatten(), drawn.target.flatten())
        content = self.cascade.items.unit_content(drawn.video)
        listed = torch.ones_like(drawn.video, dtype=torch.bool)
        apart = expected_distance(
            (ranked.click + ranked.diversity) / self.settings.temperature,
            distances(content),
            listed,
        )
        return error, apart


class Cuts(Dataset[Batch]):
    """Batches by the indices of their windows."""

    def __init__(self, windows: Windows) -> None:
        self.windows = windows

    def __getitem__(self, chosen: Ints) -> Batch:
        return batch_of(self.windows, chosen)


class EpochOrder(Sampler[Any]):
    """The batches of an epoch, in an order of seed and epoch; each rank takes its share of them."""

    def __init__(self, windows: Windows, size: int, seed: int, rank: int, ranks: int) -> None:
        self.windows, self.size, self.seed = windows, size, seed
        self.rank, self.ranks, self.epoch = rank, ranks, 0

    def set_epoch(self, epoch: int) -> None:
        """Called by Lightning before each epoch, also the first after a resumption."""
        self.epoch = epoch

    def __len__(self) -> int:
        batches_in_all = -(-len(self.windows) // self.size)
        return batches_in_all // self.ranks if self.ranks > 1 else batches_in_all

    def __iter__(self) -> Iterator[Ints]:
        order = batches(self.windows, self.size, self.seed, self.epoch)
        # Ranks step together, so a remainder that not all of them could take is left out.
        yield from order[self.rank :: self.ranks][: len(self)]


def loader(windows: Windows, order: Sampler[Any]) -> DataLoader[Batch]:
    """Batches ready made: nothing is left to collate."""
    return DataLoader(Cuts(windows), batch_size=None, sampler=order)


def in_order(windows: Windows, size: int, rank: int, ranks: int) -> DataLoader[Batch]:
    """All windows in batches, in their own order, for validation; each rank takes its share."""
    everything = np.arange(len(windows))
    # All must have something to say; a mean does not mind who says it how often.
    if len(windows) >= ranks:
        everything = everything[rank::ranks]
    parts = [everything[low : low + size] for low in range(0, len(everything), size)]
    return loader(windows, cast("Sampler[Any]", parts))
