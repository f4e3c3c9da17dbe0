"""Gaussian beliefs about many vectors at once, and their packed second moments."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Beliefs:
    """Independent Gaussian beliefs.

    Attributes:
        mean: float64 [n, d].
        covariance: float64 [n, d, d].
    """

    mean: Doubles
    covariance: Doubles

    def second(self) -> Doubles:
        """Expected outer products, float64 [n, d, d]."""
        return np.asarray(self.covariance + self.mean[:, :, None] * self.mean[:, None, :])


def posterior(precision: Doubles, pull: Doubles, prior: Doubles, prior_mean: Doubles) -> Beliefs:
    """Combine evidence with a prior.

    Args:
        precision: of the evidence, float64 [n, d, d].
        pull: precision times the evidence's mean, float64 [n, d].
        prior: prior precision, the same for all, float64 [d, d].
        prior_mean: float64 [n, d].
    """
    whole = precision + prior
    covariance = np.linalg.inv(whole)
    mean = np.einsum("nij,nj->ni", covariance, pull + prior_mean @ prior)
    return Beliefs(mean, np.asarray(covariance))


def pack(matrices: Doubles) -> Doubles:
    """Upper triangles as rows, off-diagonal entries doubled, float64 [n, d * (d + 1) / 2].

    The inner product of ``pack(a)`` with ``triangle(b)`` is the inner product of the matrices.

    >>> a, b = np.array([[[1.0, 2.0], [2.0, 3.0]]]), np.array([[[5.0, 7.0], [7.0, 1.0]]])
    >>> float((pack(a) * triangle(b)).sum()), float((a * b).sum())
    (36.0, 36.0)
    """
    upper = triangle(matrices)
    row, column = np.triu_indices(matrices.shape[-1])
    return np.asarray(upper * np.where(row == column, 1.0, 2.0))


def triangle(matrices: Doubles) -> Doubles:
    """Upper triangles as rows, float64 [n, d * (d + 1) / 2]."""
    row, column = np.triu_indices(matrices.shape[-1])
    return np.asarray(matrices[:, row, column])


def unpack(rows: Doubles, width: int) -> Doubles:
    """Symmetric matrices from ``triangle`` rows, float64 [n, width, width]."""
    row, column = np.triu_indices(width)
    whole = np.empty((len(rows), width, width))
    whole[:, row, column] = rows
    whole[:, column, row] = rows
    return whole
