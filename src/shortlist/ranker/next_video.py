"""Learning what a user goes on to watch, where everything that was shown was chosen by a policy.

Such a log says little of what would have come of other videos, but whom it shows a video next is
what recommendations are judged by. The towers start from a closed form of co-watching and stay
there: fitted by a softmax over the catalogue they come nearer to what is rarely watched, and order
the first ten worse. The pre-rank and the list ranker learn what to change in the lists that the
towers make.
"""

from collections.abc import Iterable
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from shortlist.datasets.interactions import Floats
from shortlist.ranker.artefacts import Lead
from shortlist.ranker.calibration import calibration
from shortlist.ranker.cascade import Cascade, Read
from shortlist.ranker.company import Companion, item_table
from shortlist.ranker.earned import LISTWISE, PRERANK, gain, lead, silence
from shortlist.ranker.features import MOMENT_WIDTH
from shortlist.ranker.lists import Lists
from shortlist.ranker.start import RECENT, Start, begin
from shortlist.ranker.training import MONITORED, Training
from shortlist.ranker.windows import Batch, Rows
from shortlist.settings.ranker import RankerSettings

_DEEP: Final = 1_000
"""Best videos of the towers among which the pre-rank learns to choose, as many as are recalled."""


class NextVideoTraining(Training):
    """The pre-rank and the list ranker, with their errors about what comes next."""

    def __init__(
        self,
        cascade: Cascade,
        rows: Rows,
        companion: Companion,
        age: Floats,
        settings: RankerSettings,
        start: Start,
        *,
        steps: int,
        seed: int,
    ) -> None:
        """Make ready.

        Args:
            cascade: fresh, with a memory, and of affinities that biases multiply.
            rows: the log.
            companion: knows which videos are live.
            age: what `video_age` says of every video when the log ends, float32 [n_videos].
            settings: of the training.
            start: of the towers.
            steps: of all epochs together.
            seed: of everything that is drawn.
        """
        begin(cascade, start)
        super().__init__(cascade, rows, companion, settings, steps=steps, seed=seed)
        self.start, self.vectors = start, searched_vectors(cascade)
        live = torch.zeros(len(self.vectors), dtype=torch.bool)
        live[torch.from_numpy(companion.pools.live)] = True
        self.live, self.age = live, torch.from_numpy(age)

    def renew(self) -> None:
        """Nothing: the towers do not move, and lists are drawn by them at every step."""

    def finish(self, held_out: Iterable[Batch]) -> list[Lead]:
        """Let go of what was not worth learning, calibrate the rest, and let it know all rows."""
        leads = []
        self.served.items.start = self.start.judging
        self.vectors = searched_vectors(self.served)
        for stage in (PRERANK, LISTWISE):
            # What was let go of bears on what comes after it.
            leads.append(self._lead(stage, held_out))
            if not leads[-1].kept:
                silence(self.served, stage)
        self.served.calibration = calibration(self.served, self.rows, held_out)
        self.served.items.start = self.start.served
        return leads

    @torch.no_grad()
    def _lead(self, stage: str, held_out: Iterable[Batch]) -> Lead:
        """How much better what came next is ranked by a stage than by the one before it."""
        self.served.eval()
        users: list[npt.NDArray[np.int64]] = []
        before: list[npt.NDArray[np.float64]] = []
        after: list[npt.NDArray[np.float64]] = []
        for batch in held_out:
            # Every start knows the earlier ones.
            hidden = self._until_end(batch) <= RECENT
            window, place = (self._wanted(batch) & hidden).nonzero(as_tuple=True)
            at = window, place
            if len(window) == 0:
                continue
            read = self.served.read(self.rows, batch)
            found = self.rows.video[batch.at[at]]
            video = self._best(batch, read, at, _DEEP)
            judged = self.served.prerank_lists(self.rows, batch, read, self._lists(at, video))
            orders = [judged.base, judged.logit]
            if stage == LISTWISE:
                best = judged.logit.topk(min(self.settings.list_size, video.shape[1]), dim=1)
                video = video.gather(1, best.indices)
                ranked = self.served.rank_lists(self.rows, batch, read, self._lists(at, video))
                orders = [best.values, ranked.click]
            users.append(batch.user[window].numpy())
            for logit, gains in zip(orders, (before, after), strict=True):
                gains.append(gain(logit, video == found[:, None]).numpy())
        return lead(stage, users, before, after)

    def _until_end(self, batch: Batch) -> Tensor:
        """Rows of the same user from each row to the last one, itself counted, int64 [b, l]."""
        return torch.from_numpy(self.rows.borders)[1:][batch.user][:, None] - batch.at

    def training_step(self, batch: Batch, _: int) -> Tensor:
        """The loss of what came next at one place of each window."""
        wanted = self._wanted(batch)
        chance = torch.from_numpy(self.rng.random(wanted.shape)) * wanted
        at = torch.arange(len(wanted)), chance.argmax(dim=1)
        counts, found = wanted.any(dim=1), self.rows.video[batch.at[at]]
        read = self.cascade.read(self.rows, batch)
        best = self._best(batch, read, at, _DEEP)
        near = best[:, : self.settings.list_size]
        # Company from all depths for the pre-rank; for the list ranker, what it will be given.
        places = torch.from_numpy(self.rng.random(best.shape).argsort(axis=1))
        deep = torch.gather(best, 1, places[:, : near.shape[1]])
        absent = ~(deep == found[:, None]).any(dim=1)
        deep[:, 0] = torch.where(absent, found, deep[:, 0])
        known = counts & (best == found[:, None]).any(dim=1)
        deep_lists, near_lists = self._lists(at, deep), self._lists(at, near)
        prerank = self.cascade.prerank_lists(self.rows, batch, read, deep_lists)
        of_rows = choice_loss(prerank.logit, deep == found[:, None], known)
        ranked = self.cascade.rank_lists(self.rows, batch, read, near_lists)
        of_lists = choice_loss(ranked.click, near == found[:, None], counts)
        apart = self.apart(ranked, near)
        self.tell({"train/outcome": of_rows, "train/lists": of_lists, "train/distance": apart})
        return self.settings.alpha * (of_rows + of_lists) - self.settings.beta * apart

    def validation_step(self, batch: Batch, _: int) -> None:
        """Error about all that came next in windows that are never learned."""
        served = self.served
        window, place = self._wanted(batch).nonzero(as_tuple=True)
        missed = float(np.log(max(int(self.live.sum()), 2)))
        lost = torch.full((1,), missed)
        if len(window):
            read, at = served.read(self.rows, batch), (window, place)
            near = self._best(batch, read, at, self.settings.list_size)
            found = near == self.rows.video[batch.at[at]][:, None]
            click = served.rank_lists(self.rows, batch, read, self._lists(at, near)).click
            said = torch.log_softmax(click, dim=1).masked_fill(~found, 0.0).sum(dim=1)
            # What the list lacks costs as much as a guess among all.
            lost = torch.where(found.any(dim=1), -said, missed)
        self.log_dict({MONITORED: lost.mean()}, batch_size=len(lost), sync_dist=True)

    def _wanted(self, batch: Batch) -> Tensor:
        """Places where something came next that was to the user's liking, bool [b, l]."""
        at = batch.at
        return batch.predicted & (self.rows.target[at] == 1) & self.live[self.rows.video[at]]

    @torch.no_grad()
    def _best(self, batch: Batch, read: Read, at: tuple[Tensor, Tensor], count: int) -> Tensor:
        """Videos that the towers rank first before some places, the best first, int64 [m, n]."""
        window, place = at
        scores = read.user[window, place] @ self.vectors.T
        scores[:, ~self.live] = -torch.inf
        # As in serving: nobody is shown what he has seen.
        before = batch.filled[window] & (torch.arange(batch.at.shape[1]) < place[:, None])
        row, column = before.nonzero(as_tuple=True)
        scores[row, self.rows.video[batch.at[window][row, column]]] = -torch.inf
        return scores.topk(min(count, int(self.live.sum())), dim=1).indices

    def _lists(self, at: tuple[Tensor, Tensor], video: Tensor) -> Lists:
        moment = functional.pad(self.age[video][..., None], (0, MOMENT_WIDTH - 1))
        unknown = torch.full(video.shape, torch.nan)
        return Lists(at[0], at[1], video, unknown, moment, torch.ones(video.shape))


@torch.no_grad()
def searched_vectors(cascade: Cascade) -> Tensor:
    """By whose inner product with a user vector videos are ranked, float32 [n, w]."""
    return cascade.prerank.searched(cascade.prerank.item_vectors(item_table(cascade)))


def choice_loss(logit: Tensor, chosen: Tensor, counts: Tensor) -> Tensor:
    """Mean cross-entropy of what was chosen from lists, 0 where no list counts.

    Args:
        logit: [m, n].
        chosen: which one it was, bool [m, n]; a list where it is none does not count.
        counts: which lists may count, bool [m].

    >>> logit = torch.tensor([[0.0, 0.0], [9.0, 0.0]])
    >>> choice_loss(logit, torch.tensor([[True, False], [False, False]]), torch.ones(2).bool())
    tensor(0.6931)
    """
    held = (counts & chosen.any(dim=1)).float()
    said = (torch.log_softmax(logit, dim=1) * chosen).sum(dim=1)
    return -(said * held).sum() / held.sum().clamp(min=1)
