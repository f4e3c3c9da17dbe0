"""Training curves: what each loss was, epoch by epoch."""

import json
from pathlib import Path
from typing import Any

import lightning.pytorch as pl

Points = list[tuple[int, float]]


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
        """Write name to [[epoch, value], ...] as JSON, names sorted."""
        lists = {name: sorted(points.items()) for name, points in sorted(self.points.items())}
        path.write_text(json.dumps(lists, indent=1) + "\n")


def load_curves(path: Path) -> dict[str, Points]:
    """Read what `Curves.save` wrote."""
    lists = json.loads(path.read_text())
    return {name: [(int(epoch), float(value)) for epoch, value in lists[name]] for name in lists}
