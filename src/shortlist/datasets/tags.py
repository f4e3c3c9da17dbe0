"""How much each listed tag says of a video."""

from typing import Final

import scipy.sparse as sp

from shortlist.datasets.catalogue import Catalogue

_LISTED_WEIGHT: Final = 0.35


def listed_tags(catalogue: Catalogue) -> sp.csr_array:
    """Weights of the tags of each video, rows sum to 1, CSR of float64 [n_videos, n_tags].

    Creators list the tag that fits best first, so weights fall with the place in the list.
    """
    names = {name: place for place, name in enumerate(catalogue.tag_names)}
    rows, columns, weights = [], [], []
    for row, listed in enumerate(catalogue.table.column("tags").to_pylist()):
        total = sum(_LISTED_WEIGHT**place for place in range(len(listed)))
        for place, name in enumerate(listed):
            rows.append(row)
            columns.append(names[name])
            weights.append(_LISTED_WEIGHT**place / total)
    return sp.csr_array((weights, (rows, columns)), shape=(len(catalogue), len(names)))
