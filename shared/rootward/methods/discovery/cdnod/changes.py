"""Phases 1 and 2 of CD-NOD: the time index is a variable; what stays tied to it has changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import stats

from rootward.numerics.independence import correlation_p, correlations, partial_correlations
from rootward.numerics.kernels import kernel_p
from rootward.numerics.memory import whitened
from rootward.numerics.pace import GoOn, always
from rootward.numerics.skeleton import IndependenceTest, oriented, skeleton

_RIDGE = 1e-9
_FAINT = 0.1
"""Share of the noise from which on the size of a residual counts."""
_LEAST_SCALE = 1e-3
_HALF = 0.5
_NO_SHIFT = 0.05
"""P-value of a shift of level above which there was none."""


@dataclass(frozen=True, eq=False)
class LinearIndexTest:
    """Partial F against the index, partial correlation between variables; the index comes last.

    Against the index rows count for as many as their memory leaves them (n_eff), in level and in
    size of what is left over, so that a change of spread counts too. Between variables the index
    is always held fixed and rows are whitened: an edge is not made of a common shift.
    """

    values: Float[np.ndarray, "rows variables lags"]
    """Each variable, now and `lag` rows before."""
    index: Float[np.ndarray, "rows parts"]
    calm: int
    """First rows, on which memory is measured: all, or those before the onset."""
    correlation: Float[np.ndarray, "variables variables"]
    samples: int

    @classmethod
    def of(
        cls,
        values: Float[np.ndarray, "rows variables"],
        index: Float[np.ndarray, "rows parts"],
        since_gap: Int[np.ndarray, " rows"] | None = None,
        *,
        calm: int | None = None,
        lags: int = 0,
    ) -> LinearIndexTest:
        """Prepared for many tests; causes are held fixed with `lags` rows of their past."""
        since = np.arange(len(values)) if since_gap is None else since_gap
        rows = np.flatnonzero(since >= lags)
        now = values[rows]
        inside = now - _fit(_with_ones(index[rows]), now)
        white = whitened(inside, since[rows] - lags).innovations
        past = np.stack([values[rows - lag] for lag in range(lags + 1)], axis=2)
        first = len(rows) if calm is None else int((rows < calm).sum())
        return cls(past, index[rows], first, correlations(white), len(white))

    @property
    def size(self) -> int:
        return len(self.correlation) + 1

    def pairs(self) -> tuple[np.ndarray, np.ndarray]:
        variables = len(self.correlation)
        strength, p = np.zeros((2, variables + 1, variables + 1))
        strength[:-1, :-1] = self.correlation
        p[:-1, :-1] = correlation_p(self.correlation, self.samples, 0)
        for variable in range(variables):
            found = self.against_index(variable, ())
            strength[variable, -1], p[variable, -1] = found
            strength[-1, variable], p[-1, variable] = found
        return strength, p

    def given(
        self, pair: tuple[int, int], conditions: Int[np.ndarray, "tests conditions"]
    ) -> tuple[np.ndarray, np.ndarray]:
        variable, other = min(pair), max(pair)
        if other == len(self.correlation):
            found = np.array([self.against_index(variable, c) for c in conditions.tolist()])
            return found[:, 0], found[:, 1]
        found = np.array([self._between((variable, other), c) for c in conditions.tolist()])
        return found[:, 0], found[:, 1]

    def _between(self, pair: tuple[int, int], given: Sequence[int]) -> tuple[float, float]:
        fixed = np.array([[k for k in given if k < len(self.correlation)]], dtype=np.int64)
        r = partial_correlations(self.correlation, pair, fixed)
        return float(r[0]), float(correlation_p(r, self.samples, fixed.shape[1])[0])

    def against_index(self, variable: int, given: Sequence[int]) -> tuple[float, float]:
        """Share of what `given` leaves over that the index explains, as a root; and its p-value.

        Level and spread are tested; the weights of `given` too, where the level stayed: a shift
        takes causes far outside of where their weights were learnt. Held fixed, `given` must also
        take off at least half of the shift. Where it moves so much with the index that nothing
        can be told apart it has explained nothing, and the level is that with nothing held fixed.
        """
        design, now = self._design(given), self.values[:, variable, 0]
        scale = self._scale(design, now)
        with_index = np.column_stack((design, self.index))
        rest = now / scale - _fit(with_index / scale[:, None], now / scale)
        found = [
            self._gain(design, self.index, now, scale),
            self._spread(rest * scale, scale[0]),
        ]
        if len(given) and abs(self.shift_left(variable, given)) > _HALF * abs(
            self.shift_left(variable, ())
        ):
            found[0] = self._levels_alone[variable]
        if len(given) and self._levels_alone[variable][1] > _NO_SHIFT:
            products = self.index[:, :1] * (design[:, 1:] - design[:, 1:].mean(axis=0))
            found.append(self._gain(with_index, products, now, scale))
        strength, p = min(found, key=lambda each: each[1])
        return strength, min(1.0, len(found) * p)

    @cached_property
    def _levels_alone(self) -> list[tuple[float, float]]:
        """Strength and p-value of each variable's shift with nothing held fixed."""
        design = self._design(())
        return [
            self._gain(design, self.index, now, self._scale(design, now))
            for now in self.values[:, :, 0].T
        ]

    def _gain(
        self,
        design: Float[np.ndarray, "rows weights"],
        added: Float[np.ndarray, "rows parts"],
        now: Float[np.ndarray, " rows"],
        scale: Float[np.ndarray, " rows"],
    ) -> tuple[float, float]:
        whole = np.column_stack((design, added)) / scale[:, None]
        y = now / scale
        without = y - _fit(design / scale[:, None], y)
        return self._partial_f(without, y - _fit(whole, y), added.shape[1], whole.shape[1])

    def _scale(
        self, design: Float[np.ndarray, "rows weights"], now: Float[np.ndarray, " rows"]
    ) -> Float[np.ndarray, " rows"]:
        """Deviation of what a fit leaves over, before and after the onset: unequal noise."""
        whole = np.column_stack((design, self.index))
        rest = now - _fit(whole, now)
        before, after = rest[: self.calm], rest[self.calm :]
        own = [float(part.std()) if len(part) > 1 else 0.0 for part in (before, after)]
        least = max(_LEAST_SCALE * max(own), 1e-12)
        found = np.full(len(rest), max(own[0], least))
        found[self.calm :] = max(own[1], least)
        return found

    def shift_left(self, variable: int, given: Sequence[int]) -> float:
        """The first index column's weight for a variable once `given` are held fixed."""
        design = np.column_stack((self.index[:, 0], self._design(given)))
        return float(_weights(design, self.values[:, variable, 0])[0])

    def effective_rows(self, variable: int) -> float:
        """How many independent rows a variable has once the index is accounted for."""
        now = self.values[:, variable, 0]
        rest = now - _fit(_with_ones(self.index), now)
        return len(now) * self._share(rest / self._scale(_with_ones(rest[:, None] * 0), now))

    def _spread(self, rest: Float[np.ndarray, " rows"], usual: float) -> tuple[float, float]:
        """The same for the size of what is new in each row: whitened, so that rows count whole."""
        white = whitened(rest[:, None])
        size = np.log(white.innovations[:, 0] ** 2 + (_FAINT * usual) ** 2)
        index = _with_ones(self.index[white.rows])
        rest = size - _fit(index, size)
        return self._partial_f(size - size.mean(), rest, index.shape[1] - 1, index.shape[1])

    def _share(self, rest: Float[np.ndarray, " rows"]) -> float:
        return float(whitened(rest[:, None]).effective_share[0])

    def _partial_f(
        self,
        without: Float[np.ndarray, " rows"],
        rest: Float[np.ndarray, " rows"],
        parts: int,
        weights: int,
    ) -> tuple[float, float]:
        """Root of the share explained and p-value of F, rows counted by what they remember."""
        total = float(without @ without)
        share = 1 - float(rest @ rest) / total if total > 0 else 0.0
        share = float(np.clip(share, 0.0, 1 - 1e-12))
        memory = self._share(rest)
        freedom = max(len(rest) * memory - weights, 1.0)
        f = share / parts / ((1 - share) / freedom)
        # a memory that had to be estimated leaves half as many degrees: its long-run variance
        # has a relative variance of 4 / n_eff
        certain = freedom if memory == 1.0 else max(freedom / 2, 1.0)
        return share**0.5, float(stats.f.sf(f, parts, certain))

    def _design(self, given: Sequence[int]) -> Float[np.ndarray, "rows weights"]:
        return _with_ones(self.values[:, list(given)].reshape(len(self.values), -1))


@dataclass(frozen=True, eq=False)
class KernelIndexTest:
    """KCI throughout: any shape of dependence, at a price; the index comes last."""

    values: Float[np.ndarray, "rows variables"]
    index: Float[np.ndarray, "rows parts"]

    @property
    def size(self) -> int:
        return self.values.shape[1] + 1

    def pairs(self) -> tuple[np.ndarray, np.ndarray]:
        p = np.zeros((self.size, self.size))
        for i in range(self.size):
            for j in range(i + 1, self.size):
                p[i, j] = p[j, i] = self._p(i, j, ())
        return 1 - p, p

    def given(
        self, pair: tuple[int, int], conditions: Int[np.ndarray, "tests conditions"]
    ) -> tuple[np.ndarray, np.ndarray]:
        p = np.array([self._p(*pair, tuple(line)) for line in conditions.tolist()])
        return 1 - p, p

    def _p(self, i: int, j: int, given: tuple[int, ...]) -> float:
        last = self.values.shape[1]
        fixed = set(given) | (set() if last in (i, j) else {last})
        z = [self._column(k) for k in sorted(fixed)]
        rest = np.column_stack(z) if z else np.empty((len(self.values), 0))
        return kernel_p(self._column(i), self._column(j), rest)

    def _column(self, variable: int) -> Float[np.ndarray, "rows columns"]:
        if variable == self.values.shape[1]:
            return self.index
        return self.values[:, variable, None]


@dataclass(frozen=True, eq=False)
class Changes:
    """Whose mechanism changed, and the graph between the variables."""

    changed: Bool[np.ndarray, " variables"]
    p: Float[np.ndarray, " variables"]
    """Largest p-value of the index against each variable over all sets that were held fixed."""
    arrows: Bool[np.ndarray, "variables variables"]
    """(cause, effect); both ways where the data cannot tell."""
    strength: Float[np.ndarray, "variables variables"]
    complete: bool
    """Whether there was time for every test."""


def changed_mechanisms(
    test: IndependenceTest,
    *,
    significance: float,
    index_significance: float,
    most_conditions: int = 3,
    most_neighbours: int = 6,
    go_on: GoOn = always,
) -> Changes:
    """Phases 1 and 2 (Huang et al. 2020, sections 3 and 4.1): the index is a variable like others.

    What stays dependent on the index whatever is held fixed has changed itself. The index has no
    cause, so its edges, colliders and Meek's rules direct others.
    """
    levels = np.full((test.size, test.size), significance)
    levels[-1], levels[:, -1] = index_significance, index_significance
    found = skeleton(
        test,
        significance=levels,
        most_conditions=most_conditions,
        most_neighbours=most_neighbours,
        go_on=go_on,
    )
    last = len(found.linked) - 1
    arrows = oriented(found, roots=(last,))
    return Changes(
        changed=found.linked[:last, last],
        p=found.p[:last, last],
        arrows=arrows[:last, :last],
        strength=found.weakest[:last, :last],
        complete=found.complete,
    )


def _with_ones(columns: Float[np.ndarray, "rows columns"]) -> Float[np.ndarray, "rows weights"]:
    return np.column_stack((np.ones(len(columns)), columns))


def _fit(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.asarray(x @ _weights(x, y))


def _weights(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Least squares by the normal equations of columns of unit length: fast, and many are made."""
    length = np.maximum(np.sqrt((x * x).sum(axis=0)), 1e-12)
    unit = x / length
    gram = unit.T @ unit + _RIDGE * np.eye(len(length))
    return np.asarray((np.linalg.solve(gram, unit.T @ y).T / length).T)
