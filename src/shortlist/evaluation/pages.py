"""Lists taken as pages: what they are worth, how varied they are, and what a slate changes."""

from collections.abc import Mapping
from dataclasses import dataclass

from shortlist.datasets.interactions import Doubles, Ints
from shortlist.evaluation.against_truth import gains, page_values, sample_rows
from shortlist.evaluation.arena import Arena
from shortlist.evaluation.descriptions import OBSERVER, ORACLE, RANDOM
from shortlist.evaluation.metrics import beyond_accuracy, ranking
from shortlist.evaluation.metrics.intervals import exact, mean_intervals, relative_change
from shortlist.evaluation.performance import Performance
from shortlist.evaluation.scorecard import Estimate, PageResult
from shortlist.evaluation.shown import Shown
from shortlist.evaluation.tally import PerUser
from shortlist.evaluation.turns import Turn
from shortlist.world.truth import Truth


@dataclass(frozen=True)
class Audience:
    """The users whose pages are judged: the sample where there is a truth, else the watchers.

    Attributes:
        arena: the arena.
        truth: of its world; None for a real log.
        size: slots of a page.
        rows: places of the users among the judged, int64 [m].
    """

    arena: Arena
    truth: Truth | None
    size: int
    rows: Ints

    def figures(self, pages: Ints) -> PerUser:
        """Figures of each user's page, by metric, float64 [m].

        Against the truth: ``page_value``, with fatigue inside the page, and ``static_value``, the
        expected clicks if no slot tired the viewer for the next. Against a log: NDCG and hit rate,
        NaN for users with nothing to find.

        Args:
            pages: rows of videos, int64 [m, size]; -1 where a page is shorter.
        """
        arena, size = self.arena, self.size
        found: PerUser = {}
        if self.truth is not None:
            found[f"page_value@{size}"] = page_values(self.truth, arena, pages)
            found[f"static_value@{size}"] = gains(self.truth, arena, pages).sum(axis=1)
        else:
            relevant = [arena.relevant[row] for row in self.rows]
            found[f"ndcg@{size}"] = ranking.ndcg(pages, relevant, size)
            found[f"hit_rate@{size}"] = ranking.hit_rate(pages, relevant, size)
        found[f"distinct_tags@{size}"] = beyond_accuracy.distinct_tags(pages, arena.catalogue.tags)
        found[f"content_distance@{size}"] = beyond_accuracy.content_distance(
            pages, arena.view.content
        )
        return found

    def estimates(self, pages: Ints, resamples: int, seed: int) -> dict[str, Estimate]:
        """``figures`` as means with intervals, and the coverage of all pages together."""
        found = mean_intervals(self.figures(pages), resamples=resamples, seed=seed)
        covered = beyond_accuracy.coverage(pages, int(self.arena.live.sum()))
        return found | {f"coverage@{self.size}": exact(covered, len(pages))}

    def plain(self, performance: Performance) -> Ints:
        """A model's best as a page without a slate, int64 [m, size]."""
        return performance.lists[self.rows, : self.size]

    def served(self, shown: Shown) -> Ints:
        """A model's own pages, int64 [m, size]."""
        return shown.pages[self.rows, : self.size]


def audience(arena: Arena, truth: Truth | None, size: int) -> Audience:
    """The sample where there is a truth, else everybody with something to find."""
    if truth is not None:
        return sampled(arena, truth, size)
    rows = ranking_rows(arena)
    return Audience(arena, None, size, rows)


def sampled(arena: Arena, truth: Truth | None, size: int) -> Audience:
    """The sample, also on a real log."""
    return Audience(arena, truth, size, sample_rows(arena))


def ranking_rows(arena: Arena) -> Ints:
    """Places of the watchers among the judged, int64 [watchers]."""
    return arena.judged.searchsorted(arena.watchers)


def judge_pages(
    turn: Turn, others: Mapping[str, Performance], of: Audience, resamples: int, seed: int
) -> tuple[list[PageResult], dict[str, Estimate]]:
    """The page beside the same model's plain list, and beside others' lists.

    Args:
        turn: of the model; it makes pages.
        others: performances of the models whose lists are set beside, by name.
        of: whose pages are judged.
        resamples: behind each interval.
        seed: of the resamples.

    Returns:
        The results, and the relative change from the plain list to the page by metric.
    """
    assert turn.shown is not None
    plain, page = of.plain(turn.performance), of.served(turn.shown)
    results = [
        PageResult(
            name=f"{turn.name}, page", kind="page", figures=of.estimates(page, resamples, seed)
        ),
        PageResult(
            name=f"{turn.name}, without a slate",
            kind="plain",
            figures=of.estimates(plain, resamples, seed),
        ),
        *(
            PageResult(
                name=name,
                kind="other",
                figures=of.estimates(of.plain(performance), resamples, seed),
            )
            for name, performance in others.items()
        ),
    ]
    changed = changes(of.figures(page), of.figures(plain), resamples, seed)
    covered = f"coverage@{of.size}"
    after, before = (result.figures[covered].value for result in results[:2])
    return results, changed | {covered: exact(after / before - 1, len(page))}


def changes(after: PerUser, before: PerUser, resamples: int, seed: int) -> dict[str, Estimate]:
    """Relative change of each metric's mean, the users paired."""
    return {
        metric: relative_change(values, before[metric], resamples, seed)
        for metric, values in after.items()
    }


def neighbours(turns: Mapping[str, Performance], strongest: str | None) -> dict[str, Performance]:
    """Whose lists stand beside a page: random ones, the best baseline's and the ceilings'."""
    wanted = [RANDOM, strongest, OBSERVER, ORACLE]
    return {name: turns[name] for name in wanted if name is not None and name in turns}


def page_ndcg(
    turn: Turn, performances: Mapping[str, Performance], arena: Arena, size: int
) -> dict[str, Doubles]:
    """NDCG against the log of the model's pages and of all others' lists, of each watcher."""
    assert turn.shown is not None
    rows = ranking_rows(arena)
    relevant = [arena.relevant[row] for row in rows]
    lists = {name: done.lists[rows, :size] for name, done in performances.items()}
    lists[turn.name] = turn.shown.pages[rows, :size]
    return {name: ranking.ndcg(found, relevant, size) for name, found in lists.items()}
