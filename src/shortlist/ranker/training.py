"""Training the cascade: a Lightning module over windows, resumed at epoch borders to the byte.

Lightning's checkpoints hold no state of random numbers, so the sampler is seeded anew from seed and
epoch, and dropout from these and the step: a run that was killed and resumed draws what it would
have. What is learned, losses and validation, is for subclasses to say.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, cast

import lightning.pytorch as pl
import numpy as np
import torch
from lightning.pytorch.utilities.types import OptimizerLRSchedulerConfig
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from shortlist.ranker.artefacts import Lead
from shortlist.ranker.cascade import Cascade, Ranked
from shortlist.ranker.company import Companion
from shortlist.ranker.losses import distances, expected_distance
from shortlist.ranker.windows import Batch, Rows
from shortlist.settings.ranker import RankerSettings

MONITORED: Final = "validation/outcome"
"""The error by which training stops and the best epoch is chosen."""
_WARM_UP: Final = 0.05


class Training(pl.LightningModule, ABC):
    """The cascade with its averaged weights and its optimizer."""

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
        """Make ready.

        Args:
            cascade: fresh weights.
            rows: the log.
            companion: whom training lists meet.
            settings: of the training.
            steps: of all epochs together.
            seed: of everything that is drawn.
        """
        super().__init__()
        self.cascade = cascade
        # What is validated and served is the mean of the latest weights: a step's noise is not in
        # it, and overfitting comes later.
        self.averaged = AveragedModel(
            cascade,
            multi_avg_fn=get_ema_multi_avg_fn(settings.averaging),  # type: ignore[no-untyped-call]
        ).requires_grad_(False)
        self.rows, self.companion = rows, companion
        self.settings, self.steps, self.seed = settings, steps, seed
        self.rng = np.random.default_rng()

    @abstractmethod
    def training_step(self, batch: Batch, _: int) -> Tensor:
        """The loss of one batch of windows."""

    @abstractmethod
    def validation_step(self, batch: Batch, _: int) -> None:
        """Log the errors of the served cascade on rows that are never learned."""

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
        self.renew()

    def renew(self) -> None:
        """Look for company anew, as the network now stands."""
        self.companion.renew(self.served)

    def finish(self, held_out: Iterable[Batch]) -> Sequence[Lead]:
        """Make the best weights ready to be served; nothing, unless a subclass has more to do.

        Args:
            held_out: windows of rows that were not learned.

        Returns:
            What the stages are worth that had to earn their place.
        """
        del held_out
        return ()

    def apart(self, ranked: Ranked, video: Tensor) -> Tensor:
        """Expected distance of what is ranked first in full lists, a scalar.

        Args:
            ranked: what the list ranker says, [m, n].
            video: of whom, [m, n].
        """
        return expected_distance(
            (ranked.click + ranked.diversity) / self.settings.temperature,
            distances(self.cascade.items.unit_content(video)),
            torch.ones_like(video, dtype=torch.bool),
        )

    def tell(self, losses: Mapping[str, Tensor]) -> None:
        """Log what a step of the training made small, in the mean of each epoch's steps."""
        self.log_dict(losses, on_step=False, on_epoch=True, batch_size=1, sync_dist=True)

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        """Dropout follows from the step too: loaders draw from the same stream, and not alike."""
        del batch
        key = [self.seed, self.current_epoch, self.global_rank, batch_idx]
        torch.manual_seed(int(np.random.default_rng(key).integers(2**62)))

    def transfer_batch_to_device(self, batch: Batch, device: Any, dataloader_idx: int) -> Batch:
        """Batches hold places in the log, which lies where the network does."""
        del device, dataloader_idx
        return batch

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
