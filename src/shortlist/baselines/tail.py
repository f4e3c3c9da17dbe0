"""The tail of a history, held out so that what is learned from models is learned out of fold."""

import datetime as dt
from dataclasses import replace

import numpy as np

from shortlist.datasets.interactions import Interactions, TrainingView
from shortlist.datasets.split import fit_and_tuning, split_days
from shortlist.settings.datasets import DatasetsSettings


def hold_out_tail(view: TrainingView, days: int, events: int) -> tuple[TrainingView, Interactions]:
    """Cut a view in two: an earlier view to fit models to, and the rows that came after it.

    Args:
        view: the whole history; left as it is.
        days: how many of the log's last days to hold out; always at least one stays.
        events: where the log bears one day: how many of each user's last events, at most half.
    """
    logged = [dt.date(1970, 1, 1) + dt.timedelta(days=int(day)) for day in np.unique(view.log.day)]
    if not logged:
        return view, view.log
    settings = DatasetsSettings(
        validation_days=max(min(days, len(logged) - 1), 1), validation_events=events
    )
    cut = split_days([*logged, view.as_of], settings, test_from=view.as_of)
    early, late = fit_and_tuning(view.log, cut)
    return replace(view, log=early, as_of=cut.tuning_as_of), late
