"""What the observer sees of an impression besides who met what: columns of a regression."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from shortlist.baselines.observer.blocks import times
from shortlist.datasets.catalogue import Catalogue, Users
from shortlist.datasets.interactions import Bools, Interactions, Ints
from shortlist.datasets.schema import CONTEXT_FEATURES

Doubles = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]

RECOVERY: Final = 0.85
_LISTED_WEIGHT: Final = 0.35
_DAYPARTS: Final = ("night", "morning", "afternoon", "evening", "headphones")
_AT: Final = [CONTEXT_FEATURES.index(name) for name in _DAYPARTS]
_SLOW: Final = CONTEXT_FEATURES.index("slow_network")

EXTRA_COLUMNS: Final = (
    "other language",
    "log age",
    "tired",
    "slow network x length",
    # Chosen videos are better than their features say: the policy knew something.
    "random exposure",
    "one",
)


@dataclass(frozen=True)
class Design:
    """Columns of a regression, one row per impression.

    Attributes:
        dense: context features and ``EXTRA_COLUMNS``, float32 [n, 38].
        tags: parts of the day (and headphones) by tag, CSR of float32 [n, 5 * n_tags].
    """

    dense: Floats
    tags: sp.csr_array

    def logit(self, dense: Doubles, tags: Doubles) -> Doubles:
        """What coefficients of the two blocks say of each row, float64 [n]."""
        return np.asarray(times(self.dense, dense) + self.tags @ tags)

    def take(self, rows: Bools) -> "Design":
        """The rows of a mask; the design itself where that is all of them."""
        return self if rows.all() else Design(self.dense[rows], self.tags[rows])


def soft_tags(catalogue: Catalogue) -> sp.csr_array:
    """How likely each tag is a video's main one, rows sum to 1, CSR [n_videos, n_tags].

    Creators list the tag that fits best first, so weights fall with the place in the list.
    """
    names = {name: place for place, name in enumerate(catalogue.tag_names)}
    rows, columns, weights = [], [], []
    for row, listed in enumerate(catalogue.table.column("tags").to_pylist()):
        share = _LISTED_WEIGHT ** np.arange(len(listed))
        for name, weight in zip(listed, share / share.sum() if listed else share, strict=True):
            rows.append(row)
            columns.append(names[name])
            weights.append(weight)
    shape = (len(catalogue), len(names))
    return sp.csr_array((weights, (rows, columns)), shape=shape)


def expected_tiredness(rows: Interactions, tags: sp.csr_array) -> Doubles:
    """Expected recent videos of the same main tag in the session, float64 [n].

    ``rows`` hold whole sessions; rows without a session count as the first of one.
    """
    result = np.zeros(len(rows))
    known = np.flatnonzero(rows.session >= 0)
    order = known[np.lexsort((rows.position[known], rows.session[known]))]
    session = rows.session[order]
    fresh = np.r_[True, session[1:] != session[:-1]][: len(order)]
    place = np.arange(len(order)) - np.maximum.accumulate(np.where(fresh, np.arange(len(order)), 0))
    number = np.cumsum(fresh) - 1
    state = np.zeros((int(number.max(initial=-1)) + 1, tags.shape[1]), np.float32)
    dense = tags.astype(np.float32).toarray()
    for step in range(int(place.max(initial=-1)) + 1):
        here = np.flatnonzero(place == step)
        profile = dense[rows.video[order[here]]]
        sessions = number[here]
        result[order[here]] = np.einsum("nt,nt->n", state[sessions], profile)
        state[sessions] = RECOVERY * state[sessions] + profile
    return result


def log_age(day: Ints | int, catalogue: Catalogue, video: Ints) -> Doubles:
    """``log(1 + age / 7 days)`` of videos on a day (since 1970-01-01), float64 [n]."""
    age = np.maximum(day - catalogue.upload_day[video], 0)
    return np.asarray(np.log1p(age / 7.0))


def length(catalogue: Catalogue) -> Doubles:
    """Standardised log duration, 0 where unknown, float64 [n_videos]."""
    known = np.log(catalogue.duration_seconds.astype(np.float64).clip(min=1.0))
    spread = np.nanstd(known) if np.isfinite(known).any() else 1.0
    middle = np.nanmean(known) if np.isfinite(known).any() else 0.0
    return np.asarray(np.nan_to_num((known - middle) / (spread or 1.0)))


def design(rows: Interactions, users: Users, catalogue: Catalogue, tags: sp.csr_array) -> Design:
    """Columns for logged rows; ``rows`` hold whole sessions and carry their context if known."""
    width = len(CONTEXT_FEATURES)
    dense = np.zeros((len(rows), width + len(EXTRA_COLUMNS)), np.float32)
    if rows.context.shape[1]:
        dense[:, :width] = rows.context
    spoken = np.array([*users.languages, ""])[users.language[rows.user]]
    heard = np.array([*catalogue.languages, ""])[catalogue.language[rows.video]]
    columns = (
        spoken != heard,
        log_age(rows.day, catalogue, rows.video),
        expected_tiredness(rows, tags),
        dense[:, _SLOW] * length(catalogue)[rows.video],
        rows.random_exposure,
        1.0,
    )
    for place, column in enumerate(columns, start=width):
        dense[:, place] = column
    return Design(dense, _by_tag(tags.astype(np.float32)[rows.video], dense))


def standing(
    context: npt.NDArray[np.float32], day: int, catalogue: Catalogue, tags: sp.csr_array
) -> Design:
    """Columns for every video in one context, an empty session and its own language."""
    count = len(catalogue)
    extra = np.zeros((count, len(EXTRA_COLUMNS)), np.float32)
    extra[:, 1] = log_age(day, catalogue, np.arange(count))
    extra[:, 3] = float(context[_SLOW]) * length(catalogue)
    extra[:, 4:] = 1.0
    dense = np.concatenate([np.tile(context, (count, 1)), extra], axis=1)
    return Design(dense, _by_tag(tags.astype(np.float32), dense))


def _by_tag(profile: sp.csr_array, dense: Floats) -> sp.csr_array:
    """Tags of each row times its part of the day and its headphones, CSR [n, 5 * n_tags]."""
    blocks = []
    for at in _AT:
        block = sp.csr_array(sp.diags_array(dense[:, at]) @ profile)
        # Most rows lie in one part of the day: the others would be kept as zeros.
        block.eliminate_zeros()
        blocks.append(block)
    return sp.csr_array(sp.hstack(blocks))
