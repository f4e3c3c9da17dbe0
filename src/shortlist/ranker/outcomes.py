"""Learning outcomes: what came of the videos that were shown, row by row and list by list."""

import torch
from torch import Tensor, nn

from shortlist.ranker.cascade import Cascade, Ranked
from shortlist.ranker.company import Companion
from shortlist.ranker.lists import Lists, lists_of
from shortlist.ranker.losses import outcome_loss, watch_loss
from shortlist.ranker.training import Training
from shortlist.ranker.windows import Batch, Rows
from shortlist.settings.ranker import RankerSettings


class OutcomeTraining(Training):
    """The cascade with its errors about outcomes."""

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
        """Make ready; arguments as of `Training`."""
        super().__init__(cascade, rows, companion, settings, steps=steps, seed=seed)
        self.watch = nn.Linear(1, 1)
        with torch.no_grad():
            self.watch.weight.fill_(0.5)
            self.watch.bias.fill_(rows.watch.nanmean().nan_to_num())

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
        of_lists, apart = self._of_lists(ranked, drawn), self.apart(ranked, drawn.video)
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
        self.tell(
            {
                "train/outcome": of_rows,
                "train/towers": of_towers,
                "train/watch": of_watch,
                "train/lists": of_lists,
                "train/distance": apart,
                "train/prior": prior,
            }
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

    def _of_lists(self, ranked: Ranked, drawn: Lists) -> Tensor:
        """Error on the shown videos of lists."""
        lift = self.cascade.policy_lift.detach() * (1.0 - drawn.random)
        return outcome_loss((ranked.click + lift).flatten(), drawn.target.flatten())
