"""Products with tall matrices, kept in 32 bits and multiplied in 64, a block of rows at a time."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]

_ROWS = 8_192


def weighted_gram(matrix: Floats, weight: Doubles) -> Doubles:
    """Transposed matrix times the rows' weights times the matrix, float64 [f, f].

    Args:
        matrix: float32 [n, f].
        weight: float64 [n].

    >>> weighted_gram(np.array([[1, 2], [3, 4]], np.float32), np.array([1.0, 0.5])).tolist()
    [[5.5, 8.0], [8.0, 12.0]]
    """
    total = np.zeros((matrix.shape[1], matrix.shape[1]))
    for at in _blocks(len(matrix)):
        block = matrix[at].astype(np.float64)
        total += (block * weight[at, None]).T @ block
    return total


def transposed_times(matrix: Floats, values: Doubles) -> Doubles:
    """Transposed matrix [n, f] times values [n] or [n, d], float64 [f] or [f, d]."""
    total = np.zeros((matrix.shape[1], *values.shape[1:]))
    for at in _blocks(len(matrix)):
        total += matrix[at].astype(np.float64).T @ values[at]
    return total


def times(matrix: Floats, coefficients: Doubles) -> Doubles:
    """Matrix [n, f] times coefficients [f] or [f, d], float64 [n] or [n, d]."""
    result = np.empty((len(matrix), *coefficients.shape[1:]))
    for at in _blocks(len(matrix)):
        result[at] = matrix[at].astype(np.float64) @ coefficients
    return result


def _blocks(rows: int) -> Iterator[slice]:
    for low in range(0, rows, _ROWS):
        yield slice(low, low + _ROWS)
