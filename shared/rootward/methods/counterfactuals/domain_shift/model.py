"""Domain counterfactuals: the same rows, had another regime's mechanisms been at work."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Float
from scipy.optimize import minimize

from rootward.numerics.pace import GoOn, always

SLOPE = 0.5
"""Of the mixing's leaky unit on its negative side."""
SHARPNESS = 20.0
"""Inverse width of the sigmoid that stands for the kink while fitting, per deviation."""
SCREENED_ROWS = 300
"""Rows of each domain that the restarts see; the best of them go on with all."""
FIRST_ITERATIONS, MOST_ITERATIONS = 30, 200
"""Of L-BFGS, for every restart and for the best quarter of them."""
FINALISTS = 3
_STEEPER = float(np.log(1 / SLOPE))

Matrix = Float[np.ndarray, "latents latents"]
Domain = Float[np.ndarray, "_ variables"]
"""Rows of one regime, time first."""


@dataclass(frozen=True, eq=False)
class DomainModel:
    """`x = mix^-1 (leaky(z) - offset) + mean` with `noise = into_noise[d] z + level[d]`, by domain.

    `noise` is standard normal and lower triangular in z. All but the last `changed` rows of
    `into_noise` and `level` are the same in every domain.
    """

    mean: Float[np.ndarray, " variables"]
    mix: Matrix
    offset: Float[np.ndarray, " latents"]
    into_noise: tuple[Matrix, ...]
    level: tuple[Float[np.ndarray, " latents"], ...]
    changed: int
    loss: float
    """Negative log-likelihood per row in whitened units; for comparing restarts, not models."""

    def latents(self, x: Domain) -> Float[np.ndarray, "rows latents"]:
        """z of each row."""
        u = (x - self.mean) @ self.mix.T + self.offset
        return np.where(u > 0, u, u / SLOPE)

    def counterfactual(self, x: Domain, source: int, target: int) -> Domain:
        """Rows of domain `source` with their own noise, through the mechanisms of `target`."""
        if source == target or not self.changed:
            return x.copy()
        noise = self.latents(x) @ self.into_noise[source].T + self.level[source]
        z = np.linalg.solve(self.into_noise[target], (noise - self.level[target]).T).T
        u = np.where(z > 0, z, z * SLOPE) - self.offset
        return np.asarray(np.linalg.solve(self.mix, u.T).T + self.mean)

    def surprise(self, x: Domain, domain: int) -> Float[np.ndarray, " rows"]:
        """Negative log-likelihood of each row in nats, without the constant of the normal."""
        z = self.latents(x)
        noise = z @ self.into_noise[domain].T + self.level[domain]
        bent = _STEEPER * np.sum(z < 0, axis=1)
        scale = np.linalg.slogdet(self.mix)[1] + np.log(np.diag(self.into_noise[domain])).sum()
        return np.asarray(0.5 * np.sum(noise**2, axis=1) - bent - scale)


def fit_domains(
    domains: Sequence[Domain],
    changed: int,
    rng: np.random.Generator,
    *,
    restarts: int = 16,
    near: Sequence[DomainModel] = (),
    go_on: GoOn = always,
) -> tuple[DomainModel, ...]:
    """The likeliest models with at most `changed` latents that differ by domain, best first.

    Invertible latent domain models (Zhou, Bai, Kulinski, Kocaoglu, Inouye 2024): every class of
    equal counterfactuals holds one whose intervened latents come last. The inner equations are
    regressions, so their maximum has a closed form; only the mixing is searched, by L-BFGS from
    random rotations and from the mixings of models that are `near`. Domains weigh the same
    whatever their number of rows.
    """
    pooled = np.concatenate(domains)
    mean = pooled.mean(axis=0)
    spread = np.cov(pooled.T).reshape(len(mean), -1)
    spread = spread + 1e-9 * np.trace(spread) / len(mean) * np.eye(len(mean))
    root = np.linalg.cholesky(spread)
    white = [np.linalg.solve(root, (x - mean).T).T for x in domains]
    screened = [x[_thinned(len(x))] for x in white]
    found = [_descended(_start(model, mean, root), screened, changed) for model in near]
    tried: list[tuple[float, np.ndarray]] = []
    for k in range(restarts):
        if (found or tried) and not go_on(k / restarts):
            break
        start = _rotation(len(mean), rng)
        tried.append(_descended(start, screened, changed, FIRST_ITERATIONS))
    best = sorted(tried, key=_by_loss)[: max(FINALISTS, restarts // 4)]
    found += _in_time(
        [p for _, p in best], partial(_descended, white=screened, changed=changed), go_on
    )
    found = sorted(found, key=_by_loss)[:FINALISTS]
    final = _in_time(
        [p for _, p in found], partial(_descended, white=white, changed=changed), go_on
    )
    final = sorted(final, key=_by_loss)
    whiten = np.linalg.inv(root)
    return tuple(_model(domains, mean, whiten, p, changed, loss) for loss, p in final)


def _in_time(
    starts: Sequence[np.ndarray],
    descend: Callable[[np.ndarray], tuple[float, np.ndarray]],
    go_on: GoOn,
) -> list[tuple[float, np.ndarray]]:
    """Where each start leads; the first one at least, the others while there is time."""
    found: list[tuple[float, np.ndarray]] = []
    for start in starts:
        if found and not go_on(0.99):
            break
        found.append(descend(start))
    return found


def _start(model: DomainModel, mean: np.ndarray, root: np.ndarray) -> np.ndarray:
    """The mixing of a model in the whitened units of other rows."""
    moved = model.offset + (mean - model.mean) @ model.mix.T
    return np.concatenate([(model.mix @ root).ravel(), moved])


def _thinned(rows: int) -> slice:
    return slice(None, None, max(1, rows // SCREENED_ROWS))


def _rotation(size: int, rng: np.random.Generator) -> np.ndarray:
    turned = np.linalg.qr(rng.standard_normal((size, size)))[0]
    return np.concatenate([turned.ravel(), np.zeros(size)])


def _by_loss(fitted: tuple[float, np.ndarray]) -> float:
    return fitted[0]


def _descended(
    start: np.ndarray, white: Sequence[np.ndarray], changed: int, most: int = MOST_ITERATIONS
) -> tuple[float, np.ndarray]:
    found = minimize(
        _loss,
        start,
        (white, changed),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": most},
    )
    return float(found.fun), found.x


def _loss(
    packed: np.ndarray, white: Sequence[np.ndarray], changed: int
) -> tuple[float, np.ndarray]:
    """Negative log-likelihood with the inner equations at their best, and its gradient.

    With C_d the covariance of z in domain d and P the pooled one of the first, shared latents,
    the inner optimum is `(log|P| + mean_d (log|C_d| - log|C_d of the shared|)) / 2`. The count
    of negative units is smoothed, so that its gradient is seen.
    """
    size = white[0].shape[1]
    mix, offset = packed[: size * size].reshape(size, size), packed[size * size :]
    mapped = [x @ mix.T + offset for x in white]
    slopes = [np.where(u > 0, 1.0, 1 / SLOPE) for u in mapped]
    inner, pulls = _inner([u * s for u, s in zip(mapped, slopes, strict=True)], changed)
    scale = np.sqrt(np.mean([u.var(axis=0) for u in mapped], axis=0)) + 1e-9
    total = inner - np.linalg.slogdet(mix)[1]
    for_mix, for_offset = -np.linalg.inv(mix).T, np.zeros(size)
    for x, u, slope, pull in zip(white, mapped, slopes, pulls, strict=True):
        negative = 1 / (1 + np.exp(np.clip(SHARPNESS * u / scale, -50, 50)))
        share = 1 / (len(x) * len(white))
        total -= _STEEPER * share * negative.sum()
        g = pull * slope + _STEEPER * share * SHARPNESS / scale * negative * (1 - negative)
        for_mix = for_mix + g.T @ x
        for_offset += g.sum(axis=0)
    return float(total), np.concatenate([for_mix.ravel(), for_offset])


def _inner(latents: Sequence[np.ndarray], changed: int) -> tuple[float, list[np.ndarray]]:
    """The inner optimum and its gradient by z, domain by domain."""
    size = latents[0].shape[1]
    shared, count = size - changed, len(latents)
    total, pulls = 0.0, [np.zeros_like(z) for z in latents]
    if changed:
        for z, pull in zip(latents, pulls, strict=True):
            centred = z - z.mean(axis=0)
            spread = centred.T @ centred / len(z) + 1e-9 * np.eye(size)
            total += 0.5 * np.linalg.slogdet(spread)[1] / count
            weight = np.linalg.inv(spread)
            if shared:
                total -= 0.5 * np.linalg.slogdet(spread[:shared, :shared])[1] / count
                weight[:shared, :shared] -= np.linalg.inv(spread[:shared, :shared])
            pull += centred @ weight / (len(z) * count)
    if shared:
        middle = np.mean([z[:, :shared].mean(axis=0) for z in latents], axis=0)
        away = [z[:, :shared] - middle for z in latents]
        pooled = np.mean([a.T @ a / len(a) for a in away], axis=0) + 1e-9 * np.eye(shared)
        total += 0.5 * float(np.linalg.slogdet(pooled)[1])
        weight = np.linalg.inv(pooled)
        for a, pull in zip(away, pulls, strict=True):
            pull[:, :shared] += a @ weight / (len(a) * count)
    return total, pulls


def _model(
    domains: Sequence[Domain],
    mean: np.ndarray,
    whiten: np.ndarray,
    packed: np.ndarray,
    changed: int,
    loss: float,
) -> DomainModel:
    size = len(mean)
    mix, offset = packed[: size * size].reshape(size, size) @ whiten, packed[size * size :]
    mapped = [(x - mean) @ mix.T + offset for x in domains]
    latents = [np.where(u > 0, u, u / SLOPE) for u in mapped]
    pooled = np.concatenate(latents)
    weight = np.concatenate([np.full(len(z), 1 / len(z)) for z in latents])
    shared = [_equation(pooled, weight, row) for row in range(size - changed)]
    into_noise, level = [], []
    for z in latents:
        even = np.full(len(z), 1 / len(z))
        own = [_equation(z, even, row) for row in range(size - changed, size)]
        into_noise.append(np.array([matrix for matrix, _ in (*shared, *own)]))
        level.append(np.array([at for _, at in (*shared, *own)]))
    return DomainModel(mean, mix, offset, tuple(into_noise), tuple(level), changed, loss)


def _equation(
    z: np.ndarray, weight: np.ndarray, row: int
) -> tuple[Float[np.ndarray, " latents"], float]:
    """Latent `row` on those before it: what turns z into its standard noise, and the level."""
    inputs = np.column_stack([z[:, :row], np.ones(len(z))])
    root = np.sqrt(weight)
    found = np.linalg.lstsq(inputs * root[:, None], z[:, row] * root, rcond=None)[0]
    left = z[:, row] - inputs @ found
    deviation = max(float(np.sqrt(np.sum(weight * left**2) / weight.sum())), 1e-9)
    matrix = np.zeros(z.shape[1])
    matrix[:row], matrix[row] = -found[:-1] / deviation, 1 / deviation
    return matrix, float(-found[-1] / deviation)


TOLERANCE = 0.02
"""Nats per row by which fewer changed mechanisms may be less likely and still be preferred."""
TRIMMED = 0.1
"""Share of the held-out rows that may be odd, such as those while the change is under way."""


def sparsest(
    domains: Sequence[Domain],
    rng: np.random.Generator,
    *,
    restarts: int = 16,
    go_on: GoOn = always,
) -> tuple[DomainModel, ...]:
    """Models with the fewest changed mechanisms that explain held-out rows as well as any.

    From one on upward, until one more change explains no more; of those tried the first within
    `TOLERANCE` of the best, fitted to all rows, the likeliest fit first.
    """
    size = domains[0].shape[1]
    held = [_held_out(len(x)) for x in domains]
    learnt = [x[~h] for x, h in zip(domains, held, strict=True)]
    fresh = [x[h] for x, h in zip(domains, held, strict=True)]
    tried: list[tuple[DomainModel, ...]] = []
    surprises: list[float] = []
    for changed in range(1, size + 1):
        late = bool(tried) and not go_on(changed / (size + 2))
        if late or (tried and int(np.argmin(surprises)) < len(tried) - 1):
            break
        near = tried[-1] if tried else ()
        tried.append(fit_domains(learnt, changed, rng, restarts=restarts, near=near, go_on=go_on))
        typical = [_typical(tried[-1][0], x, d) for d, x in enumerate(fresh)]
        surprises.append(float(np.mean(typical)))
    chosen = int(np.flatnonzero(np.array(surprises) <= min(surprises) + TOLERANCE)[0])
    return fit_domains(domains, chosen + 1, rng, restarts=0, near=tried[chosen], go_on=go_on)


def _typical(model: DomainModel, x: Domain, domain: int) -> float:
    """Mean surprise without the rows that surprise most."""
    rows = np.sort(model.surprise(x, domain))
    return float(rows[: len(rows) - int(TRIMMED * len(rows))].mean())


def _held_out(rows: int) -> np.ndarray:
    """Every third of twelve blocks, so that neighbours in time are rarely parted."""
    block = np.arange(rows) * min(12, rows) // rows
    return np.asarray(block % 3 == 1)
