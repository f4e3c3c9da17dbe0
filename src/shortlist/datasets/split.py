"""The temporal split: models are fitted to a history, tuned on its tail and judged on what follows.

One border in time for all users, because a border per user lets a model learn from what others did
after the moment it is judged at (Ji et al., "A Critical Study on Data Leakage in Recommender
System Offline Evaluation", TOIS 2023).
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from shortlist.datasets.interactions import Interactions, events_since
from shortlist.datasets.store import Dataset
from shortlist.errors import InputError, SettingsError
from shortlist.settings.datasets import DatasetsSettings


@dataclass(frozen=True)
class Window:
    """Days from ``first`` to ``last``, both inclusive."""

    first: dt.date
    last: dt.date

    def __str__(self) -> str:
        """As a sentence says it."""
        return f"{self.first}" if self.first == self.last else f"{self.first} to {self.last}"


@dataclass(frozen=True)
class Split:
    """Where a log is cut.

    Attributes:
        history: all that a model may be fitted to before it is judged, the validation days too.
        validation: the days at the tail of the history on which models are tuned; None where the
            history bears a single day (the source knows an order but no times), and each user's
            last events are held out instead.
        test: the days on which models are judged.
        validation_events: how many of a user's events are held out where ``validation`` is None.
    """

    history: Window
    validation: Window | None
    test: Window
    validation_events: int

    @property
    def as_of(self) -> dt.date:
        """The day for which a model fitted to the history recommends."""
        return self.test.first

    @property
    def tuning_as_of(self) -> dt.date:
        """The day for which a model fitted to the history without its tail recommends."""
        return self.test.first if self.validation is None else self.validation.first


def split(dataset: Dataset, settings: DatasetsSettings) -> Split:
    """Cut a dataset's log; as `split_days`."""
    return split_days(dataset.days(), settings, dataset.record.test_from)


def split_days(
    days: Sequence[dt.date], settings: DatasetsSettings, test_from: dt.date | None = None
) -> Split:
    """Cut the days of a log.

    Args:
        days: days that have impressions, ascending; empty days in between do not count.
        settings: how many days to test and to validate on.
        test_from: first test day where the source fixes it; `test_days` then counts for nothing.

    Raises:
        SettingsError: the log has too few days for the settings; the message names which.
        InputError: ``test_from`` leaves no history or no test days.

    >>> week = [dt.date(2026, 1, day) for day in range(5, 12)]
    >>> cut = split_days(week, DatasetsSettings(test_days=2, validation_days=1))
    >>> str(cut.history), str(cut.validation), str(cut.test)
    ('2026-01-05 to 2026-01-09', '2026-01-09', '2026-01-10 to 2026-01-11')
    """
    if test_from is None:
        if len(days) <= settings.test_days:
            raise SettingsError(
                f"datasets.test_days cannot be {settings.test_days}: the log has {len(days)} days, "
                f"so at most {max(len(days) - 1, 0)} can be test days"
            )
        border = len(days) - settings.test_days
    else:
        border = sum(day < test_from for day in days)
        if border in (0, len(days)):
            raise InputError(
                f"test_from {test_from} leaves {'no history' if border == 0 else 'no test days'}: "
                f"the log runs from {days[0]} to {days[-1]}"
            )
    if 1 < border <= settings.validation_days:
        raise SettingsError(
            f"datasets.validation_days cannot be {settings.validation_days}: the history has "
            f"{border} days ({days[0]} to {days[border - 1]}), so at most {border - 1} can be "
            "validation days"
        )
    tail = border - settings.validation_days
    return Split(
        history=Window(days[0], days[border - 1]),
        validation=Window(days[tail], days[border - 1]) if border > 1 else None,
        test=Window(days[border], days[-1]),
        validation_events=settings.validation_events,
    )


def fit_and_tuning(history: Interactions, cut: Split) -> tuple[Interactions, Interactions]:
    """Divide a history into the part to fit on and the tail to tune on; no row is in both.

    Where the tail is counted in events, each user gives the last ``cut.validation_events`` rows,
    but at most half of them, rounded down: a user with a single row is fitted to only.

    Args:
        history: the rows of ``cut.history``, in the order of the store.
        cut: where to divide.
    """
    if cut.validation is not None:
        border = (cut.validation.first - dt.date(1970, 1, 1)).days
        tail = history.day >= border
    else:
        rows = np.bincount(history.user)[history.user] if len(history) else history.user
        tail = events_since(history.user) < np.minimum(cut.validation_events, rows // 2)
    return history.take(~tail), history.take(tail)
