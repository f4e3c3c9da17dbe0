"""Ids of any kind as int64: whole numbers stay what they are, other names are numbered."""

import hashlib
import re
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from shortlist.datasets.values import INTEGER, are_integers


@dataclass(frozen=True)
class Ids:
    """The ids of one table.

    Attributes:
        ids: ascending, int64 [n].
        names: the names they stand for in the source, [n]; None where these are the ids.
    """

    ids: npt.NDArray[np.int64]
    names: pa.StringArray | None

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def of(cls, names: pa.Array) -> Self:
        """Ids for distinct names, whatever their order.

        >>> Ids.of(pa.array(["10", "9"])).ids
        array([ 9, 10])
        >>> Ids.of(pa.array(["ann", "9"])).names.to_pylist()
        ['9', 'ann']
        """
        if are_integers(names):
            return cls(np.sort(names.cast(pa.int64()).to_numpy()), None)
        ordered = names.take(pc.sort_indices(names))
        return cls(np.arange(len(ordered), dtype=np.int64), ordered)

    def encode(self, names: pa.Array) -> pa.Int64Array:
        """The id of each name; null where it is null or unknown."""
        if self.names is not None:
            return pc.index_in(names, value_set=self.names).cast(pa.int64())
        canonical = pc.match_substring_regex(names, INTEGER)
        numbers = pc.if_else(canonical, names, None).cast(pa.int64())
        known = pc.is_in(numbers, value_set=pa.array(self.ids))
        return pc.if_else(known, numbers, None)

    def external(self) -> pa.Array:
        """The column ``external_id``: names, or null where the ids are the source's own."""
        return pa.nulls(len(self), pa.string()) if self.names is None else self.names


def opaque(names: pa.Array) -> pa.Int64Array:
    """Numbers that tell names apart without a table of all names: for sessions and creators.

    A whole number stands for itself; the 63-bit hashes of other names collide with a probability
    below one in a million for the first four million of them.

    >>> opaque(pa.array(["17", None, "17"])).to_pylist()
    [17, None, 17]
    """
    encoded = names.dictionary_encode()
    numbers = [
        int(name) if re.fullmatch(INTEGER, name) else _hash(name)
        for name in encoded.dictionary.to_pylist()
    ]
    return pa.array(numbers, pa.int64()).take(encoded.indices)


def _hash(name: str) -> int:
    digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1
