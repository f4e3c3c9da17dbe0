"""How alike two videos are: by what they show and how they are tagged, never by who watched them.

Collaborative vectors are left out on purpose. Two videos are near in them because the same people
want both, which is what makes both relevant to one person: a page spread over that space is a page
of less relevant videos (`docs/decisions/0009-the-slates-kernel.md`).
"""

from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import scipy.sparse as sp

from shortlist.datasets.catalogue import Catalogue

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

_SINGLES: Final = np.arange(1 << 16, dtype=np.uint16).view(np.float16).astype(np.float32)
"""Every number of half precision: looking one up takes half as long as converting it."""


@dataclass(frozen=True, slots=True)
class SlateItems:
    """What the slate must know of every video; row ``j`` everywhere is row ``j`` of the table.

    Attributes:
        content: content vectors, float16 or float32 [n, c], rows of unit length or zero; they may
            be memory-mapped, only the candidates' rows are read.
        tags: who has which tag, CSR [n, t], non-zero where so.
        creator: int64 [n], -1 where unknown.
        main_tag: the tag that a video lists first, int64 [n], -1 where it has none.
        upload_day: days since 1970-01-01, int64 [n].
        tag_names: names of the tags, in the order of the columns.
        popular: which may be called so, bool [n]; None where no reasons are asked for.
    """

    content: npt.NDArray[Any]
    tags: sp.csr_array
    creator: Ints
    main_tag: Ints
    upload_day: Ints
    tag_names: tuple[str, ...]
    popular: npt.NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return len(self.creator)

    @classmethod
    def from_catalogue(
        cls,
        catalogue: Catalogue,
        content: npt.NDArray[Any],
        popular: npt.NDArray[np.bool_] | None = None,
    ) -> Self:
        """Take the columns of a videos table.

        Args:
            catalogue: the videos.
            content: their content vectors, float16 or float32 [n, c].
            popular: which may be called so, bool [n].
        """
        return cls(
            # An array of the same memory, for a mapped one pays Python at every indexing.
            content=np.asarray(content),
            tags=catalogue.tags,
            creator=catalogue.creator,
            main_tag=_first_listed(catalogue),
            upload_day=catalogue.upload_day,
            tag_names=catalogue.tag_names,
            popular=popular,
        )


def similarity(items: SlateItems, video: Ints, content_share: float) -> Floats:
    r"""Likeness of every pair of candidates: a blend of two cosines.

    .. math:: S_{ij} = (1 - w) \frac{|T_i \cap T_j|}{\sqrt{|T_i| |T_j|}} + w \, c_i \cdot c_j

    Both parts are Gram matrices, so ``S`` is positive semidefinite whatever the weight. A video
    without tags or without a content vector is like none but itself in that part.

    Args:
        items: of all videos.
        video: rows of the candidates, int64 [k].
        content_share: ``w``, from 0 to 1.

    Returns:
        float32 [k, k], ones on the diagonal.
    """
    content = _singles(items.content[video])
    # Unit rows of half precision are off by up to a thousandth.
    length = np.sqrt(np.einsum("kc,kc->k", content, content))
    content *= (np.sqrt(content_share) / np.where(length > 0, length, 1))[:, None]
    alike = content @ content.T
    tags = _unit_tags(items.tags, video) * np.float32(np.sqrt(1 - content_share))
    alike += tags @ tags.T
    np.fill_diagonal(alike, 1.0)
    return np.asarray(alike, np.float32)


def excused(similarity: Floats, diversity: Floats, weight: float) -> Floats:
    r"""Likeness after the ranker's diversity head has been heard.

    A candidate that adds something for this viewer pays less for its likeness to the page, so it
    trades relevance for distance at its own price:

    .. math:: S'_{ij} = S_{ij} \sqrt{(1 - w d_i)(1 - w d_j)}, \quad i \ne j

    That is ``DSD + (1 - D^2)`` with a diagonal ``D`` between 0 and 1, so ``S'`` is positive
    semidefinite like ``S``. Where ``d`` or ``w`` is 0, nothing changes.

    Args:
        similarity: ``S``, float32 [k, k], ones on the diagonal.
        diversity: ``d``, float32 [k], from 0 to 1.
        weight: ``w``, from 0 to 1.

    Returns:
        float32 [k, k], ones on the diagonal.

    >>> alike = np.array([[1.0, 0.8], [0.8, 1.0]], np.float32)
    >>> excused(alike, np.array([0.0, 0.75], np.float32), 1.0).round(2).tolist()
    [[1.0, 0.4000000059604645], [0.4000000059604645, 1.0]]
    """
    if weight == 0 or not diversity.any():
        return similarity
    price = np.sqrt(1 - np.float32(weight) * diversity)
    alike = similarity * np.outer(price, price)
    np.fill_diagonal(alike, 1.0)
    return np.asarray(alike, np.float32)


def listed_tags(tags: sp.csr_array, video: Ints) -> tuple[Ints, Ints]:
    """Who of some videos has which tag.

    By hand, because slicing a sparse matrix takes longer than all the rest of a page.

    Args:
        tags: of all videos, CSR [n, t].
        video: rows of videos, int64 [k].

    Returns:
        Places in ``video``, ascending, and columns of ``tags``, both int64 of one length.
    """
    borders = tags.indptr
    starts = borders[video].astype(np.int64, copy=False)
    counts = borders[video + 1] - starts
    ends = counts.cumsum()
    place = np.arange(len(video)).repeat(counts)
    # What of the flat list lies before a video's own tags is what its places are off by.
    entry = np.arange(len(place)) + (starts - ends + counts).repeat(counts)
    return place, tags.indices[entry].astype(np.int64, copy=False)


def _singles(values: npt.NDArray[Any]) -> Floats:
    """The same numbers in single precision, in memory of their own."""
    if values.dtype != np.float16:
        return values.astype(np.float32)
    return _SINGLES.take(values.view(np.uint16))


def _unit_tags(tags: sp.csr_array, video: Ints) -> Floats:
    """Unit vectors of tags over those that occur, float32 [k, some]; rows without a tag are 0."""
    place, tag = listed_tags(tags, video)
    # By counting: sorting, as `unique` does, takes longer for so few.
    column = (np.bincount(tag, minlength=tags.shape[1]) > 0).cumsum() - 1
    vectors = np.zeros((len(video), int(column[-1]) + 1 if len(column) else 0), np.float32)
    length = np.sqrt(np.bincount(place, minlength=len(video)))
    vectors[place, column[tag]] = 1 / length[place]
    return vectors


def _first_listed(catalogue: Catalogue) -> Ints:
    lists = catalogue.table.column("tags").combine_chunks()
    counts = pc.list_value_length(lists).fill_null(0).to_numpy(zero_copy_only=False)
    starts = np.cumsum(counts) - counts
    codes = pc.index_in(lists.flatten(), value_set=pa.array(catalogue.tag_names, pa.string()))
    main = np.full(len(catalogue), -1, np.int64)
    main[counts > 0] = codes.to_numpy(zero_copy_only=False)[starts[counts > 0]]
    return main
