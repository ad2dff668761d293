"""A test of independence that is not fooled by values that were dropped."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float, Int

from rootward.numerics.independence import correlation_p, correlations, partial_correlations
from rootward.numerics.memory import autocorrelations, pair_shares
from rootward.numerics.regression import false_discovery_control

_LEAST_LEFT = 3
"""Rows beyond the conditions that a test needs to say anything."""
_JOINT_RATE = 0.01
"""False-discovery rate at which two series are said to drop out together."""
_JOINT = 0.5
"""Correlation of two dropout indicators from which on they are one outage: what their values
have in common makes less."""
_MOST_LAGS = 50


@dataclass(frozen=True, eq=False)
class ZeroDeleted:
    """Fisher's z that drops a row only where a variable that is held fixed was not seen.

    `Z_a ⊥ Z_b | Z_S` holds exactly where `X_a ⊥ X_b | Z_S, D_S = 0` (Dai et al. 2024, theorem 1):
    dropouts of the tested pair stay in, as the zeros that they are. Where two variables drop out
    together the pair's own dropouts are a common effect of the outage and are left out as well
    (ours: one indicator for both).
    """

    values: Float[np.ndarray, "rows variables"]
    """One constant for each variable where it was dropped: its zero, or its mean."""
    dropped: Bool[np.ndarray, "rows variables"]
    together: Bool[np.ndarray, "variables variables"]
    share: Float[np.ndarray, "variables variables"]
    """Independent samples per row, for each pair."""
    _by_rows: dict[tuple[int, ...], tuple[np.ndarray, int]] = field(default_factory=dict)

    def as_if_seen(self) -> ZeroDeleted:
        """The same test blind to dropouts: every filled value taken for one that was seen."""
        return ZeroDeleted(
            self.values, np.zeros_like(self.dropped), np.zeros_like(self.together), self.share
        )

    @property
    def size(self) -> int:
        return self.values.shape[1]

    def pairs(self) -> tuple[np.ndarray, np.ndarray]:
        strength, p = np.eye(self.size), np.zeros((self.size, self.size))
        for i in range(self.size):
            for j in range(i + 1, self.size):
                strength[i, j], p[i, j] = self._test((i, j), ())
        upper = np.triu(np.ones_like(p, dtype=bool), 1)
        return np.where(upper, strength, strength.T), np.where(upper, p, p.T)

    def given(
        self, pair: tuple[int, int], conditions: Int[np.ndarray, "tests conditions"]
    ) -> tuple[np.ndarray, np.ndarray]:
        found = np.array([self._test(pair, tuple(line)) for line in conditions.tolist()])
        return found[:, 0], found[:, 1]

    def rows_used(self, pair: tuple[int, int], given: tuple[int, ...]) -> int:
        """How many rows a test rests on."""
        return self._correlation(self._seen_in(pair, given))[1]

    def _test(self, pair: tuple[int, int], given: tuple[int, ...]) -> tuple[float, float]:
        correlation, rows = self._correlation(self._seen_in(pair, given))
        if rows <= len(given) + _LEAST_LEFT:
            return 0.0, 1.0
        if given:
            r = partial_correlations(correlation, pair, np.array([given], dtype=np.int64))
        else:
            r = correlation[pair[0], pair[1], None]
        return float(r[0]), float(correlation_p(r, rows * float(self.share[pair]), len(given))[0])

    def _seen_in(self, pair: tuple[int, int], given: tuple[int, ...]) -> tuple[int, ...]:
        """Variables that must have been seen in a row for it to count."""
        return tuple(sorted({*given, *(pair if self.together[pair] else ())}))

    def _correlation(self, seen: tuple[int, ...]) -> tuple[np.ndarray, int]:
        if seen not in self._by_rows:
            rows = ~self.dropped[:, list(seen)].any(axis=1)
            self._by_rows[seen] = correlations(self.values[rows]), int(rows.sum())
        return self._by_rows[seen]


def zero_deleted(
    values: Float[np.ndarray, "rows variables"], dropped: Bool[np.ndarray, "rows variables"]
) -> ZeroDeleted:
    """The test, with pairs that drop out together found and rows counted by their memory.

    Dropped values become 0: values around 0 get their mean, values away from it a clear mark.
    """
    memory = autocorrelations(values, ~dropped, min(_MOST_LAGS, max(1, len(values) // 4)))
    filled = np.where(dropped, 0.0, values)
    return ZeroDeleted(filled, dropped, drop_together(values, dropped), pair_shares(memory))


def drop_together(
    values: Float[np.ndarray, "rows variables"], dropped: Bool[np.ndarray, "rows variables"]
) -> Bool[np.ndarray, "variables variables"]:
    """Pairs whose dropouts depend on each other beyond what their values explain.

    Under the model a dropout depends on its own variable alone. That value is unseen, so the last
    one that was seen stands for it. Where two dropout indicators stay correlated by a half and
    more once both of those are held fixed, something else makes them drop: a node that was out,
    an exporter that died (a check of ours, not a theorem).
    """
    latest = _last_seen(np.where(dropped, np.nan, values))
    indicator = dropped.astype(np.float64)
    size = values.shape[1]
    often = dropped.any(axis=0) & ~dropped.all(axis=0)
    p = np.ones((size, size))
    for i, j in np.argwhere(np.triu(np.outer(often, often), 1)).tolist():
        columns = np.column_stack((indicator[:, [i, j]], latest[:, [i, j]]))
        r = partial_correlations(correlations(columns), (0, 1), np.array([[2, 3]]))
        p[i, j] = correlation_p(r, len(values), 2)[0] if r[0] >= _JOINT else 1.0
    upper = np.triu_indices(size, 1)
    found = np.zeros((size, size), dtype=bool)
    found[upper] = false_discovery_control(p[upper], _JOINT_RATE)
    return found | found.T


def _last_seen(values: Float[np.ndarray, "rows variables"]) -> Float[np.ndarray, "rows variables"]:
    """The value of the latest earlier row in which a variable was seen; its mean before any."""
    seen = np.isfinite(values)
    row = np.where(seen, np.arange(len(values))[:, None], -1)
    before = np.maximum.accumulate(np.vstack((np.full((1, values.shape[1]), -1), row[:-1])), axis=0)
    count = np.maximum(seen.sum(axis=0), 1)
    mean = np.where(seen, values, 0.0).sum(axis=0) / count
    found = np.take_along_axis(values, np.maximum(before, 0), axis=0)
    return np.where(before >= 0, found, mean)
