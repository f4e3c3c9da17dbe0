"""Fit the sources that learn from a log, and write their tables."""

from pathlib import Path

import numpy as np
import scipy.sparse as sp

from shortlist.datasets.events import kinds
from shortlist.datasets.interactions import Floats, TrainingView
from shortlist.datasets.signals import user_video
from shortlist.files import staged_directory
from shortlist.recall.popularity import log_odds, popularity_scores
from shortlist.recall.strength import strengths
from shortlist.recall.tables import Tables
from shortlist.settings.recall import RecallSettings


def fit_recall(view: TrainingView, settings: RecallSettings, into: Path) -> None:
    """Write the tables of popularity, tags and the collaborative source.

    The same bytes for the same input.

    Args:
        view: what to learn from; only its live videos will ever be recalled.
        settings: how.
        into: directory to write; replaced whole.

    Raises:
        StorageError: the disk refused.
    """
    tables = Tables(
        settings=settings,
        target=view.target,
        as_of_day=view.as_of_day,
        live=view.catalogue.uploaded_before(view.as_of),
        popularity=popularity_scores(view, settings),
        log_odds=log_odds(view, settings),
        tags=view.catalogue.tags,
        item_factors=item_factors(view, settings),
    )
    with staged_directory(into) as aside:
        tables.write(aside)


def confidences(view: TrainingView) -> sp.csr_array:
    """Users by videos: the strength of the strongest positive event of each pair, float32 CSR.

    Read from the kinds of events, since these are all that a request brings along.
    """
    strength = strengths(kinds(view.log), view.target)
    liked = np.flatnonzero(strength)
    return user_video(view, liked, strength[liked])


def item_factors(view: TrainingView, settings: RecallSettings) -> Floats:
    """Factors of the videos by ALS, float32 [n_videos, width]; zeros where nobody liked one."""
    # Fitting libraries are not where candidates are served.
    from implicit.cpu.als import AlternatingLeastSquares  # noqa: PLC0415
    from threadpoolctl import threadpool_limits  # noqa: PLC0415

    liked = confidences(view)
    if liked.nnz == 0:
        return np.zeros((len(view.catalogue), settings.als_factors), np.float32)
    with threadpool_limits(1, "blas"):
        model = AlternatingLeastSquares(
            factors=settings.als_factors,
            iterations=settings.als_iterations,
            regularization=settings.als_l2,
            alpha=settings.als_confidence,
            random_state=view.seed,
            num_threads=1,
        )
        model.fit(sp.csr_matrix(liked), show_progress=False)
    factors: Floats = np.array(model.item_factors, np.float32)
    factors[np.bincount(liked.indices, minlength=len(factors)) == 0] = 0
    return factors
