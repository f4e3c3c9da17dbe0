"""A process of its own that trains on the micro world of the unit tests.

    python worker.py MICRO INTO SCRATCH [--pause EPOCH:STEP] [--processes N]

With ``--pause`` it waits in the middle of an epoch, to be killed there. With ``--processes`` it is
one of those that torchrun started: it exports nothing, and says what its weights came to.
"""

import argparse
import hashlib
import importlib.util
import json
import os
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from shortlist.ranker.fit import fit, train_ranker
from shortlist.ranker.outcomes import OutcomeTraining


def loaded(path: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location("micro", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def pause_at(epoch: int, step: int, flag: Path) -> None:
    train = OutcomeTraining.training_step

    def waiting(self: OutcomeTraining, batch: Any, which: int) -> torch.Tensor:
        if (self.current_epoch, which) == (epoch, step):
            flag.touch()
            time.sleep(600)
        return train(self, batch, which)

    OutcomeTraining.training_step = waiting  # type: ignore[assignment,method-assign]


def say_weights(into: Path) -> None:
    def said(self: OutcomeTraining) -> None:
        weights = b"".join(weight.numpy().tobytes() for weight in self.state_dict().values())
        told = {"weights": hashlib.sha256(weights).hexdigest(), "steps": self.global_step}
        (into / f"{self.global_rank}.json").write_text(json.dumps(told))

    OutcomeTraining.on_train_end = said  # type: ignore[assignment,method-assign]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("micro")
    parser.add_argument("into", type=Path)
    parser.add_argument("scratch", type=Path)
    parser.add_argument("--pause")
    parser.add_argument("--processes", type=int, default=1)
    given = parser.parse_args()
    micro = loaded(given.micro)
    view, recalled = micro.make_view(), micro.make_recalled()
    settings = micro.SETTINGS.model_copy(update={"processes": given.processes})
    if given.pause:
        epoch, step = map(int, given.pause.split(":"))
        pause_at(epoch, step, given.scratch.parent / "paused")
    if given.processes == 1:
        train_ranker(view, recalled, settings, given.into, given.scratch)
        return
    given.into.mkdir(exist_ok=True)
    say_weights(given.into)
    fitted = fit(view, recalled, settings, given.scratch)
    assert (fitted is None) == (os.environ["RANK"] != "0")
    if fitted is not None:
        fitted.curves.save(given.into / "curves.json")


if __name__ == "__main__":
    main()
