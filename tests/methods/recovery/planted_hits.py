"""Kronecker-structured problems with a known answer, and how near an answer comes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rootward.methods.recovery.kronecker_sbl.model import coherent


@dataclass(frozen=True, eq=False)
class Problem:
    """`y` is what is seen of `truth` through the factors, with noise."""

    y: np.ndarray
    factors: tuple[np.ndarray, np.ndarray]
    truth: np.ndarray
    noise: float
    services: frozenset[int]


def random_dictionaries(seed: int, decibels: float) -> Problem:
    """30 x 20 unknowns, 18 x 12 measurements, a support of 3 x 3."""
    rng = np.random.default_rng(seed)
    factors = (rng.standard_normal((18, 30)), rng.standard_normal((12, 20)))
    factors = tuple(f / np.linalg.norm(f, axis=0) for f in factors)
    return _seen(factors, rng.choice(30, 3, replace=False), 3, decibels, rng)


def service_graph(seed: int, decibels: float = 15.0) -> Problem:
    """40 services of which 28 report, 12 kinds of which 10 are measured; two of each are hit.

    The services hit leave a trace of their own: one that neither reports nor is called by any
    that does, or whose trace is that of another, cannot be told by any method.
    """
    rng = np.random.default_rng(seed)
    calls = (rng.random((40, 40)) < 2 / 40) & ~np.eye(40, dtype=bool)
    steps = calls / np.maximum(calls.sum(axis=1, keepdims=True), 1)
    spread = np.linalg.inv(np.eye(40) - 0.6 * steps.T)
    couplings = np.eye(12) + 0.35 * rng.standard_normal((12, 12))
    reporting = np.sort(rng.choice(40, 28, replace=False))
    measured = np.sort(rng.choice(12, 10, replace=False))
    seen = spread[reporting]
    told = np.flatnonzero((np.abs(seen).sum(axis=0) > 0) & (coherent(seen).sum(axis=0) == 1))
    return _seen((seen, couplings[measured]), rng.choice(told, 2, replace=False), 2, decibels, rng)


def _seen(
    factors: tuple[np.ndarray, ...],
    rows: np.ndarray,
    kinds: int,
    decibels: float,
    rng: np.random.Generator,
) -> Problem:
    first, second = factors
    columns = rng.choice(second.shape[1], kinds, replace=False)
    hits = (len(rows), kinds)
    truth = np.zeros((first.shape[1], second.shape[1]))
    signs = rng.choice([-1.0, 1.0], hits)
    truth[np.ix_(rows, columns)] = signs * rng.uniform(0.5, 1.5, hits)
    clean = first @ truth @ second.T
    noise = float(np.mean(clean**2)) * 10 ** (-decibels / 10)
    y = clean + np.sqrt(noise) * rng.standard_normal(clean.shape)
    return Problem(y, (first, second), truth, noise, frozenset(rows.tolist()))


def nmse(found: np.ndarray, truth: np.ndarray) -> float:
    """Squared error as a share of the squared truth."""
    return float(np.sum((found - truth) ** 2) / np.sum(truth**2))


def overlap(found: np.ndarray, truth: np.ndarray) -> float:
    """Of the entries in either support, the share that is in both."""
    one, other = found != 0, truth != 0
    return float(np.sum(one & other) / np.sum(one | other))


def strongest(found: np.ndarray, count: int) -> list[int]:
    """The rows with the largest sums of squares, largest first."""
    return np.argsort(-np.sum(found**2, axis=1), kind="stable")[:count].tolist()


def recall(answers: Sequence[list[int]], problems: Sequence[Problem]) -> float:
    """Share of the services hit that stand among as many of the first."""
    found = [
        len(set(answer[: len(p.services)]) & p.services) / len(p.services)
        for answer, p in zip(answers, problems, strict=True)
    ]
    return float(np.mean(found))
