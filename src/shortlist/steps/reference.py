"""The reference step: a sample of what was learned from, beside which live traffic can be laid.

Whoever looks for drift compares live impressions, their contexts and the ranker's probabilities
with these. The sample is of the last days of the history, a week where there is one, so that no
weekday is missing. Whole sessions are drawn, since what a viewer just saw bears on the probability.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from shortlist.datasets.interactions import Bools, Floats, Interactions, TrainingView
from shortlist.datasets.split import Split
from shortlist.datasets.store import Dataset
from shortlist.recommender.contestant import Contestant
from shortlist.settings.slate import SlateSettings
from shortlist.steps import view
from shortlist.steps.engine import Engine
from shortlist.steps.output import Output
from shortlist.steps.step import Step

PART: Final = "reference"
IMPRESSIONS: Final = "impressions.parquet"
SCORES: Final = "scores.parquet"
USERS: Final = "users.parquet"
ROWS: Final = 10_000
"""Impressions of a sample at most."""
_DAYS: Final = 7
_DECIMALS: Final = 4
_KEYS: Final = ("impression_id", "user_id", "video_id")

REFERENCE: Final = Step(
    PART,
    sources=(
        *view.SOURCES,
        "bundle/manifest.py",
        "bundle/opened.py",
        "bundle/run.py",
        "ranker",
        "recall",
        "recommender",
        "slate",
        "steps/reference.py",
    ),
    settings=("seed", *view.SETTINGS),
)


def reference(
    engine: Engine,
    inputs: Mapping[str, str],
    dataset: Dataset,
    cut: Split,
    parts: Mapping[str, Path],
    learned: Callable[[], TrainingView],
) -> Output:
    """Draw the sample and ask the ranker, or find it drawn; the same bytes for the same input.

    Args:
        engine: runs the step.
        inputs: digests of the data and of the candidate's parts.
        dataset: the log.
        cut: where its history ends.
        parts: of the candidate.
        learned: loads what it learned from; asked only where something is to be drawn.

    Raises:
        StorageError: the disk refused.
    """

    def body(into: Path, _: Path) -> str:
        table = sample(dataset, cut, engine.settings.seed)
        history = learned()
        keys = table.select(_KEYS)
        said = pa.array(probabilities(table, history, parts), pa.float32())
        users = dataset.users()
        seen = pc.is_in(users.column("user_id"), table.column("user_id").combine_chunks())
        for name, rows in (
            (IMPRESSIONS, table),
            (SCORES, keys.append_column("probability", said)),
            (USERS, users.filter(seen)),
        ):
            pq.write_table(rows.combine_chunks(), into / name, compression="zstd")
        return f"{table.num_rows:,} impressions of {last_days(dataset, cut)[0]} and later"

    return engine.run(REFERENCE, inputs, body)


def last_days(dataset: Dataset, cut: Split) -> list[dt.date]:
    """The days that a sample is of: the last of the history, a week, but at most half of them."""
    days = [day for day in dataset.days() if day <= cut.history.last]
    return days[-min(_DAYS, max(1, len(days) // 2)) :]


def sample(dataset: Dataset, cut: Split, seed: int, rows: int = ROWS) -> pa.Table:
    """Impressions of whole sessions of the last days, in the order of the log.

    Args:
        dataset: the log.
        cut: where its history ends.
        seed: of the draw.
        rows: how many at most; an impression without a session is one of its own.
    """
    days = last_days(dataset, cut)
    whole = dataset.impressions(["session_id"], days[0], days[-1])
    kept = _drawn(whole.column("session_id"), seed, rows)
    parts, start = [], 0
    for table in dataset.each_day(None, days[0], days[-1]):
        parts.append(table.filter(kept[start : start + table.num_rows]))
        start += table.num_rows
    return pa.concat_tables(parts)


def probabilities(table: pa.Table, history: TrainingView, parts: Mapping[str, Path]) -> Floats:
    """What the ranker says of impressions, knowing of their users what was before them all.

    Args:
        table: impressions of the last days of the history.
        history: that the ranker learned from, these days too: it knows them better than live ones.
        parts: of a trained recommender.

    Returns:
        Probabilities of the target, rounded, so that no machine's last bit shows, float32 [n].
    """
    rows = Interactions.from_table(table, history.users, history.catalogue)
    first = int(rows.day.min(initial=history.as_of_day))
    before = replace(
        history,
        log=history.log.take(history.log.day < first),
        as_of=dt.date(1970, 1, 1) + dt.timedelta(days=first),
    )
    model = Contestant(parts, SlateSettings(), digest="", hindsight=True).fit(before)
    return np.round(model.predict(rows), _DECIMALS)


def _drawn(sessions: pa.ChunkedArray, seed: int, rows: int) -> Bools:
    """Which rows belong to sessions that are drawn, bool [n]."""
    known = sessions.is_valid().to_numpy(zero_copy_only=False)
    number = np.arange(len(sessions))
    # Below all sessions' numbers, so that no row without one joins any.
    own = np.where(known, sessions.fill_null(0).to_numpy(), -1 - number)
    _, session, sizes = np.unique(own, return_inverse=True, return_counts=True)
    order = np.random.default_rng([seed, len(sizes)]).permutation(len(sizes))
    chosen = np.zeros(len(sizes), np.bool_)
    chosen[order[np.cumsum(sizes[order]) <= rows]] = True
    found: Bools = chosen[session]
    return found
