"""Kernel tests: dependence of any shape, given other variables or not."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy import stats
from scipy.linalg import eigh

_RIDGE = 1e-3
_KEPT = 1e-5
"""Eigenvalues below this share of the largest are left out of the null distribution."""


def gaussian_gram(
    x: Float[np.ndarray, "rows columns"], width: float | None = None
) -> Float[np.ndarray, "rows rows"]:
    """`exp(-|x - y|² / (2 width²))`; the width is the median distance of two rows unless given."""
    squared = ((x[:, None, :] - x[None, :, :]) ** 2).sum(axis=2)
    return gram_of_distances(squared, None if width is None else width**2)


def gram_of_distances(
    squared: Float[np.ndarray, "rows rows"], scale: float | None = None
) -> Float[np.ndarray, "rows rows"]:
    """`exp(-d² / (2 scale))`; the scale is the median of the squared distances unless given."""
    if scale is None:
        scale = (
            float(np.median(squared[np.triu_indices(len(squared), 1)])) if len(squared) > 1 else 1.0
        )
    return np.asarray(np.exp(-squared / (2 * max(scale, 1e-12))))


def centred(gram: Float[np.ndarray, "rows rows"]) -> Float[np.ndarray, "rows rows"]:
    """The Gram matrix of features with their mean taken off."""
    return np.asarray(gram - gram.mean(axis=0) - gram.mean(axis=1)[:, None] + gram.mean())


def normalised_hsic(
    one: Float[np.ndarray, "rows rows"], other: Float[np.ndarray, "rows rows"]
) -> float:
    """Dependence of two sets of features, 0 to 1: their Hilbert-Schmidt norm against their own.

    Gretton et al. 2005; takes Gram matrices, centred or not.
    """
    a, b = centred(one), centred(other)
    own = np.sqrt((a * a).sum() * (b * b).sum())
    return float((a * b).sum() / own) if own > 0 else 0.0


def hsic_p(
    one: Float[np.ndarray, "rows rows"],
    other: Float[np.ndarray, "rows rows"],
    rng: np.random.Generator,
    tries: int = 200,
) -> float:
    """Share of random pairings of the rows that look as dependent as the true one."""
    a, b = centred(one), centred(other)
    true = (a * b).sum()
    drawn = 0
    for _ in range(tries):
        order = rng.permutation(len(b))
        drawn += int((a * b[np.ix_(order, order)]).sum() >= true)
    return (drawn + 1) / (tries + 1)


def kernel_p(
    x: Float[np.ndarray, "rows x"], y: Float[np.ndarray, "rows y"], z: Float[np.ndarray, "rows z"]
) -> float:
    """P-value of x being independent of y given z; without columns in z, of plain independence.

    KCI (Zhang, Peters, Janzing, Schölkopf 2011, UAI) with its gamma approximation of the null.
    Columns are standardised; widths are median distances. Rows are taken as independent.
    """
    x, y, z = (_standard(v) for v in (x, y, z))
    a = centred(gaussian_gram(np.column_stack((x, z / 2))))
    b = centred(gaussian_gram(y))
    if z.shape[1]:
        c = centred(gaussian_gram(z))
        left = _RIDGE * np.linalg.inv(c + _RIDGE * np.eye(len(c)))
        a, b = left @ a @ left, left @ b @ left
        mean, variance = _null(a, b)
    else:
        rows = len(x)
        mean = float(np.trace(a) * np.trace(b) / rows)
        variance = float(2 * (a * a).sum() * (b * b).sum() / rows**2)
    if mean <= 0 or variance <= 0:
        return 1.0
    return float(stats.gamma.sf((a * b).sum(), mean**2 / variance, scale=variance / mean))


def _null(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    """Mean and variance of the statistic without dependence, from products of the features."""
    products = np.einsum("ni,nj->nij", _features(a), _features(b)).reshape(len(a), -1)
    rows, columns = products.shape
    moments = products @ products.T if columns > rows else products.T @ products
    return float(np.trace(moments)), float(2 * (moments * moments).sum())


def _features(gram: np.ndarray) -> np.ndarray:
    values, vectors = eigh((gram + gram.T) / 2, check_finite=False)
    kept = values > values.max(initial=0.0) * _KEPT
    return np.asarray(vectors[:, kept] * np.sqrt(values[kept]))


def _standard(x: np.ndarray) -> np.ndarray:
    deviation = x.std(axis=0)
    return np.asarray((x - x.mean(axis=0)) / np.where(deviation > 0, deviation, 1.0))
