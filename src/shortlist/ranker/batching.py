"""Batches for training and validation: in which order windows come, and who takes which."""

from collections.abc import Iterator
from typing import Any, cast

import numpy as np
from torch.utils.data import DataLoader, Dataset, Sampler

from shortlist.ranker.windows import Batch, Ints, Windows, batch_of, batches


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
