"""The slate step: the trade-off that this ranker needs for pages as varied as is wanted.

Distinct tags can be counted without knowing what a page is worth: neither a world's truth nor a
later day is asked. Where as many users are drawn as the judge draws, they are the same ones; then
the tags that the judge counts differ from these only by the context in which pages are made.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import numpy as np

from shortlist.datasets.declared import declared_rows
from shortlist.datasets.events import Histories
from shortlist.datasets.interactions import Floats, Interactions, Ints, TrainingView
from shortlist.datasets.schema import CONTEXT_WIDTH
from shortlist.evaluation.metrics.beyond_accuracy import distinct_tags
from shortlist.evaluation.sampling import sampled_users
from shortlist.progress import track
from shortlist.recommender.cascade import Cascade
from shortlist.recommender.parts import Parts
from shortlist.recommender.request import Request
from shortlist.recommender.without import Without
from shortlist.settings.slate import UNJUDGED, SlateSettings
from shortlist.slate.kernel import SlateItems
from shortlist.slate.page import Drawing, select_pages
from shortlist.slate.ranked import Ranked
from shortlist.slate.settled import PART, Settled
from shortlist.slate.tuning import MOST, least
from shortlist.steps import view
from shortlist.steps.engine import Engine
from shortlist.steps.output import Output
from shortlist.steps.step import Step

SLATE: Final = Step(
    PART,
    sources=(
        *view.SOURCES,
        "bundle/manifest.py",
        "bundle/opened.py",
        "bundle/run.py",
        "evaluation/metrics/beyond_accuracy.py",
        "evaluation/metrics/ratios.py",
        "evaluation/sampling.py",
        "ranker",
        "recall",
        "recommender",
        "slate",
        "steps/slate.py",
    ),
    settings=("seed", "slate", *view.SETTINGS),
    # The first is what is looked for.
    free=("slate.trade_off", *UNJUDGED),
)
_DECIMALS: Final = 4


def tune(
    engine: Engine,
    inputs: Mapping[str, str],
    parts: Mapping[str, Path],
    learned: Callable[[], TrainingView],
) -> Output:
    """Find the trade-off, or find it found; the same bytes for the same input.

    Args:
        engine: runs the step.
        inputs: digests of the data and of the recommender's parts.
        parts: of a trained recommender.
        learned: loads the history, whose users ask; needed only where something is to be found.

    Raises:
        StorageError: the disk refused.
    """
    settings, seed = engine.settings.slate, engine.settings.seed

    def body(into: Path, _: Path) -> str:
        history, opened = learned(), Parts.open(parts)
        users = sampled_users(len(history.users), settings.tuning_users, seed)
        found = measured(answered(history, opened, users), opened.items, settings)
        found.save(into)
        short = f", not {_percent(found.aim)}: none up to {MOST:g} does" if found.short else ""
        return (
            f"trade-off {found.trade_off:g}: {_percent(found.reached)} more distinct tags{short}, "
            f"on pages of {found.users:,} users"
        )

    return engine.run(SLATE, inputs, body)


def answered(history: TrainingView, parts: Parts, users: Ints) -> list[Ranked]:
    """The best candidates of each user on the day the history ends, as served.

    Each asks in the context of the user's last impression; without one in none.

    Args:
        history: whose users ask.
        parts: of a trained recommender.
        users: rows of the users table, int64 [m].
    """
    histories = Histories.from_log(history.log, len(history.users))
    said = declared_rows(parts.vocabulary, history.users.table)
    contexts = last_contexts(history.log, len(history.users))
    requests = []
    for user in users.tolist():
        events = histories.of(user)
        requests.append(Request(events, said[user], np.unique(events.video), contexts[user]))
    answers = Cascade(parts).answers(requests, float(history.as_of_day))
    return [answer.ranked for answer in track(answers, "slate", total=len(requests))]


def last_contexts(log: Interactions, users: int) -> Floats:
    """Context of each user's last row, float32 [users, 32]; 0 for who has none."""
    found = np.zeros((users, CONTEXT_WIDTH), np.float32)
    seen, back = np.unique(log.user[::-1], return_index=True)
    found[seen] = log.context[len(log) - 1 - back]
    return found


def measured(ranked: list[Ranked], items: SlateItems, settings: SlateSettings) -> Settled:
    """The least trade-off that reaches the aim.

    Pages are held against the best videos as ranked, without rules: what the judge calls the page
    without a slate.

    Args:
        ranked: the candidates of each request.
        items: of all videos.
        settings: of the slate; its trade-off is not looked at.
    """
    plain = select_pages(ranked, items, Without(diversity=True).slate(settings))
    before = distinct_tags(plain, items.tags).mean()
    drawing = Drawing(ranked, items, settings)

    def gain(trade_off: float) -> float:
        after = distinct_tags(drawing.pages(settings.method, trade_off), items.tags).mean()
        return float(after / before - 1) if before > 0 else 0.0

    found = least(gain, settings.more_tags)
    return Settled(
        trade_off=found.trade_off,
        aim=settings.more_tags,
        reached=round(found.gain, _DECIMALS),
        users=len(ranked),
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
