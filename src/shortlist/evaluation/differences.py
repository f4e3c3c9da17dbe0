"""Who is better than whom on the same users: paired differences with their intervals."""

from collections.abc import Sequence

import numpy as np

from shortlist.evaluation.descriptions import OBSERVER, ORACLE
from shortlist.evaluation.metrics.intervals import paired_difference
from shortlist.evaluation.scorecard import PairedDifference
from shortlist.evaluation.tally import Tally, by_model


def differences(
    tally: Tally, own: Sequence[str], k: int, resamples: int, seed: int
) -> list[PairedDifference]:
    """The models of this system, then the best contender, against every other model.

    No two models are compared twice: each pair stands with whom it was first asked of. Figures that
    fewer than two users have are not compared.

    Args:
        tally: figures of each user.
        own: names of the models of this system.
        k: length of the judged list.
        resamples: behind each interval.
        seed: of the resamples.
    """
    found: list[PairedDifference] = []
    for metric, source in (
        (f"expected_gain_ndcg@{k}", tally.truth),
        (f"page_value@{k}", tally.truth),
        (f"ndcg@{k}", tally.logged),
    ):
        able = by_model(source, metric)
        contenders = [name for name in able if name not in (ORACLE, OBSERVER)]
        if not contenders or np.isfinite(able[contenders[0]]).sum() < 2:
            continue
        best = max(contenders, key=lambda name: float(np.nanmean(able[name])))
        done: set[frozenset[str]] = set()
        for first in dict.fromkeys([*(name for name in own if name in able), best]):
            for second in able:
                pair = frozenset((first, second))
                if len(pair) < 2 or pair in done:
                    continue
                done.add(pair)
                difference = paired_difference(
                    able[first], able[second], resamples=resamples, seed=seed
                )
                found.append(
                    PairedDifference(
                        metric=metric, first=first, second=second, difference=difference
                    )
                )
    return found
