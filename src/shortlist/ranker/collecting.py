"""What each loss was, epoch by epoch, collected while a training runs."""

from pathlib import Path
from typing import Any

import lightning.pytorch as pl

from shortlist.ranker.curves import save_curves


class Curves(pl.Callback):
    """Collects the losses of an epoch when it ends; they survive a resumption."""

    def __init__(self) -> None:
        self.points: dict[str, dict[int, float]] = {}

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Note what was logged in this epoch."""
        del pl_module
        for name, value in trainer.callback_metrics.items():
            # Lightning gives the mean of an epoch its own name where steps are logged too.
            self.points.setdefault(name, {})[trainer.current_epoch] = float(value)

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return {"points": self.points}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self.points = state_dict["points"]

    def save(self, path: Path) -> None:
        """Write them, as `shortlist.ranker.curves` does."""
        save_curves(self.points, path)
