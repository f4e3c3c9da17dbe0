"""A user's profile: what he declared. What he did is the history encoder's to read."""

import numpy as np
import numpy.typing as npt

from shortlist.datasets.catalogue import Catalogue, Users

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


def declared(users: Users, catalogue: Catalogue) -> Floats:
    """What users declared, as indicators, float32 [n_users, p].

    Columns: interests (the catalogue's tags), then language, activity and age band.
    """
    tag = {name: place for place, name in enumerate(catalogue.tag_names)}
    interests = np.zeros((len(users), len(tag)), np.float32)
    for row, listed in enumerate(users.table.column("interests").to_pylist()):
        interests[row, [tag[name] for name in listed or [] if name in tag]] = 1.0
    bands = users.table.column("age_band").to_pylist()
    known = {name: place for place, name in enumerate(sorted(set(filter(None, bands))))}
    band = np.array([known.get(name, -1) for name in bands], np.int64)
    parts = [
        interests,
        _indicators(users.language, len(users.languages)),
        _indicators(users.activity, len(users.activities)),
        _indicators(band, len(known)),
    ]
    return np.concatenate(parts, axis=1)


def _indicators(codes: Ints, count: int) -> Floats:
    table = np.zeros((len(codes), count), np.float32)
    known = np.flatnonzero(codes >= 0)
    table[known, codes[known]] = 1.0
    return table
