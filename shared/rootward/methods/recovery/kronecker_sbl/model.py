"""Sparse Bayesian learning whose prior variances are a Kronecker product. Arrays in, arrays out.

After He and Joseph 2024, Bayesian Algorithms for Kronecker-structured Sparse Vector Recovery With
Application to IRS-MIMO Channel Estimation, IEEE Transactions on Signal Processing,
arXiv 2307.14719.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
from jaxtyping import Bool, Float

TINY = 1e-12
ROUNDS = 150
CHANGE = 1e-4
"""Relative change of the prior variances at which the iteration ends."""
_FILLED = 3
"""Times that missing measurements are filled in anew."""
_AM_ROUNDS = 100
_AM_CHANGE = 1e-5

Gammas = tuple[np.ndarray, ...]
Fit = Callable[[np.ndarray, Gammas], Gammas]


@dataclass(frozen=True)
class Step:
    """How the prior variances follow the posterior, and when an index of a factor is dropped."""

    fit: Fit
    prune: float
    """Share of the largest variance of a factor below which an index leaves it."""


@dataclass(frozen=True, eq=False)
class Recovered:
    """The posterior of x in `y = (A1 ⊗ A2 ⊗ …) x + noise`."""

    mean: Float[np.ndarray, ...]
    """One axis for each factor."""
    deviation: Float[np.ndarray, ...]
    """Posterior standard deviation of each entry; 0 where the prior was pruned to 0."""
    gammas: Gammas
    """Prior variance of each index of each factor; 0 where pruned. The last carries the scale."""
    noise: float
    """Variance of the noise."""
    rank_one: float
    """Share of the posterior power, as a sum of squares, that one product captures in the first
    round, before the prior makes it one: low where two different faults are mixed."""
    rounds: int

    def support(self, share: float = 0.01) -> Bool[np.ndarray, ...]:
        """Entries whose mean exceeds a share of the largest one."""
        size = np.abs(self.mean)
        return np.asarray(size > share * max(float(size.max()), TINY))


def nearest_product(power: np.ndarray, gammas: Gammas) -> Gammas:
    """The SVD step: leading singular vectors, one factor after the other; no guarantee."""
    found: list[np.ndarray] = []
    rest = power
    for size in power.shape[:-1]:
        u, s, v = np.linalg.svd(rest.reshape(size, -1), full_matrices=False)
        found.append(np.abs(u[:, 0]))
        rest = s[0] * np.abs(v[0])
    return (*found, rest.ravel())


def alternating(power: np.ndarray, gammas: Gammas) -> Gammas:
    """The AM step: each factor in turn at its optimum given the others.

    It reaches a stationary point of the cost. Factors but the last have norm one afterwards.
    """
    found = list(gammas)
    before = _product(found)
    for _ in range(_AM_ROUNDS):
        for k in range(len(found)):
            others = [g if j != k else np.ones_like(g) for j, g in enumerate(found)]
            ratio = power / np.maximum(_product(others), TINY)
            axes = tuple(j for j in range(power.ndim) if j != k)
            found[k] = np.maximum(ratio.mean(axis=axes), TINY)
        found = _rescaled(found)
        after = _product(found)
        if np.linalg.norm(after - before) <= _AM_CHANGE * np.linalg.norm(before):
            break
        before = after
    return tuple(found)


def unstructured(power: np.ndarray, gammas: Gammas) -> Gammas:
    """The step of plain sparse Bayesian learning, for a single factor."""
    return (power,)


SVD = Step(nearest_product, 1e-3)
AM = Step(alternating, 1e-4)
"""With the repository's 1e-2 it loses true services where columns are alike."""
PLAIN = Step(unstructured, 1e-4)


def recover(
    y: Float[np.ndarray, ...],
    factors: Sequence[Float[np.ndarray, "_ _"]],
    step: Step = SVD,
    *,
    noise: float | None = None,
) -> Recovered:
    """EM on the prior variances; `y` has one axis for each factor.

    `noise` is the variance of the noise, estimated along the way where it is None.
    """
    factors = [np.asarray(f, dtype=np.float64) for f in factors]
    kept = [np.arange(f.shape[1]) for f in factors]
    gammas: Gammas = tuple(_rescaled([np.ones(f.shape[1]) for f in factors]))
    s2 = max(0.1 * float(np.var(y)), TINY) if noise is None else noise
    before = np.zeros([f.shape[1] for f in factors])
    rounds, rank_one = 0, 1.0
    for rounds in range(1, ROUNDS + 1):
        gammas, kept = _pruned(gammas, kept, step.prune)
        used = [f[:, k] for f, k in zip(factors, kept, strict=True)]
        mean, variance = _posterior(y, used, gammas, s2)
        if noise is None:
            s2 = _noise(y, used, (mean, variance), gammas, s2)
        power = variance + mean**2
        rank_one = _rank_one(power) if rounds == 1 else rank_one
        gammas = step.fit(power, gammas)
        after = _placed(_product(gammas), before.shape, kept)
        if np.linalg.norm(after - before) <= CHANGE * np.linalg.norm(before):
            break
        before = after
    used = [f[:, k] for f, k in zip(factors, kept, strict=True)]
    mean, variance = _posterior(y, used, gammas, s2)
    return Recovered(
        mean=_placed(mean, before.shape, kept),
        deviation=_placed(np.sqrt(np.maximum(variance, 0.0)), before.shape, kept),
        gammas=tuple(_spread(g, k, f) for g, k, f in zip(gammas, kept, factors, strict=True)),
        noise=s2,
        rank_one=rank_one,
        rounds=rounds,
    )


def recover_partly_seen(
    y: Float[np.ndarray, ...],
    seen: Bool[np.ndarray, ...],
    factors: Sequence[Float[np.ndarray, "_ _"]],
    step: Step = SVD,
) -> Recovered:
    """The same where some of `y` was not measured: those are filled with what the fit foretells.

    Ours; the paper knows no missing measurements.
    """
    filled = np.where(seen, y, 0.0)
    found = recover(filled, factors, step)
    for _ in range(0 if seen.all() else _FILLED):
        foretold = found.mean
        for axis, factor in enumerate(factors):
            foretold = _along(foretold, np.asarray(factor, dtype=np.float64), axis)
        filled = np.where(seen, y, foretold)
        found = recover(filled, factors, step)
    return found


def plain(
    y: Float[np.ndarray, ...],
    factors: Sequence[Float[np.ndarray, "_ _"]],
    *,
    noise: float | None = None,
) -> Recovered:
    """Sparse Bayesian learning with a variance of its own for every entry (Tipping 2001)."""
    found = recover(y.ravel(), [reduce(np.kron, factors)], PLAIN, noise=noise)
    shape = tuple(f.shape[1] for f in factors)
    mean, power = found.mean.reshape(shape), found.mean.reshape(shape) ** 2
    return Recovered(
        mean,
        found.deviation.reshape(shape),
        (found.gammas[0].reshape(shape),),
        found.noise,
        _rank_one(power),
        found.rounds,
    )


def least_squares(
    y: Float[np.ndarray, ...], factors: Sequence[Float[np.ndarray, "_ _"]]
) -> np.ndarray:
    """The smallest x that explains y: what is left if nothing is taken as sparse."""
    found = y
    for axis, factor in enumerate(factors):
        found = _along(found, np.linalg.pinv(factor), axis)
    return found


def matching_pursuit(
    y: Float[np.ndarray, ...],
    factors: Sequence[Float[np.ndarray, "_ _"]],
    count: int,
) -> np.ndarray:
    """Orthogonal matching pursuit with `count` entries (Pati, Rezaiifar, Krishnaprasad 1993)."""
    matrix, target = reduce(np.kron, factors), y.ravel()
    length = np.maximum(np.linalg.norm(matrix, axis=0), TINY)
    chosen: list[int] = []
    weights, rest = np.zeros(0), target
    for _ in range(count):
        fits = np.abs(matrix.T @ rest) / length
        fits[chosen] = -1.0
        chosen.append(int(fits.argmax()))
        weights = np.linalg.lstsq(matrix[:, chosen], target)[0]
        rest = target - matrix[:, chosen] @ weights
    found = np.zeros(matrix.shape[1])
    found[chosen] = weights
    return found.reshape([f.shape[1] for f in factors])


def coherent(
    factor: Float[np.ndarray, "observed unknown"], bound: float = 0.98
) -> Bool[np.ndarray, "unknown unknown"]:
    """Which columns no measurement can tell apart: alike in direction beyond the bound."""
    length = np.maximum(np.linalg.norm(factor, axis=0), TINY)
    unit = factor / length
    return np.asarray(np.abs(unit.T @ unit) > bound)


def _posterior(
    y: np.ndarray, factors: Sequence[np.ndarray], gammas: Gammas, s2: float
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of every entry, without forming the large matrix.

    With B_k = A_k diag(gamma_k) A_k' = U_k diag(l_k) U_k', the covariance of y has eigenvalues
    l_1 ⊗ l_2 ⊗ … + s2.
    """
    turned, squared, spectra = y, [], []
    bases = []
    for axis, (factor, gamma) in enumerate(zip(factors, gammas, strict=True)):
        spectrum, basis = np.linalg.eigh((factor * gamma) @ factor.T)
        spectra.append(np.maximum(spectrum, 0.0))
        bases.append(basis)
        squared.append((factor.T @ basis) ** 2)
        turned = _along(turned, basis.T, axis)
    eigenvalues = _product(spectra) + s2
    rest, inverse = turned / eigenvalues, 1.0 / eigenvalues
    for axis, (factor, basis) in enumerate(zip(factors, bases, strict=True)):
        rest = _along(rest, factor.T @ basis, axis)
        inverse = _along(inverse, squared[axis], axis)
    gamma = _product(gammas)
    return gamma * rest, np.maximum(gamma - gamma**2 * inverse, 0.0)


def _noise(
    y: np.ndarray,
    factors: Sequence[np.ndarray],
    posterior: tuple[np.ndarray, np.ndarray],
    gammas: Gammas,
    s2: float,
) -> float:
    mean, variance = posterior
    fitted = mean
    for axis, factor in enumerate(factors):
        fitted = _along(fitted, factor, axis)
    told = np.sum(1.0 - variance / np.maximum(_product(gammas), TINY))
    return max(float((np.sum((y - fitted) ** 2) + s2 * told) / y.size), TINY)


def _pruned(
    gammas: Gammas, kept: list[np.ndarray], share: float
) -> tuple[Gammas, list[np.ndarray]]:
    stay = [gamma >= share * gamma.max() for gamma in gammas]
    return (
        tuple(gamma[s] for gamma, s in zip(gammas, stay, strict=True)),
        [k[s] for k, s in zip(kept, stay, strict=True)],
    )


def _rescaled(gammas: list[np.ndarray]) -> list[np.ndarray]:
    """The same product with norm one in all factors but the last."""
    *first, last = gammas
    lengths = [max(float(np.linalg.norm(g)), TINY) for g in first]
    return [*(g / n for g, n in zip(first, lengths, strict=True)), last * float(np.prod(lengths))]


def _rank_one(power: np.ndarray) -> float:
    total = float(np.sum(power**2))
    if total <= 0 or power.ndim < 2:
        return 1.0
    product = _product(nearest_product(power, ()))
    return 1.0 - float(np.sum((power - product) ** 2)) / total


def _product(parts: Sequence[np.ndarray]) -> np.ndarray:
    return reduce(np.multiply.outer, parts)


def _along(values: np.ndarray, matrix: np.ndarray, axis: int) -> np.ndarray:
    return np.moveaxis(np.tensordot(matrix, values, axes=(1, axis)), 0, axis)


def _placed(values: np.ndarray, shape: tuple[int, ...], kept: list[np.ndarray]) -> np.ndarray:
    found = np.zeros(shape)
    found[np.ix_(*kept)] = values
    return found


def _spread(gamma: np.ndarray, kept: np.ndarray, factor: np.ndarray) -> np.ndarray:
    found = np.zeros(factor.shape[1])
    found[kept] = gamma
    return found
