"""What a recommendation should bring about, where the settings leave it to the log."""

from typing import Literal

from shortlist.datasets.interactions import Target
from shortlist.datasets.split import Split
from shortlist.datasets.store import Dataset
from shortlist.errors import InputError


def chosen_target(wanted: Literal["auto"] | Target, dataset: Dataset, cut: Split) -> Target:
    """What recommendations should bring about: as is wanted, or as the history knows.

    Args:
        wanted: the setting ``evaluation.target``; ``auto`` takes the click where the history knows
            it of every row, else the long view.
        dataset: the log.
        cut: where its history ends.

    Raises:
        InputError: the history knows no such outcome of any row.
    """
    log = dataset.impressions(["click", "long_view"], cut.history.first, cut.history.last)
    target: Target
    if wanted == "auto":
        target = "click" if log.column("click").null_count == 0 else "long_view"
    else:
        target = wanted
    if log.column(target).null_count == log.num_rows:
        raise InputError(
            f"{dataset.path}: the history ({cut.history}) knows the {target} of no row, so no "
            "model can learn it; choose another with evaluation.target"
        )
    return target
