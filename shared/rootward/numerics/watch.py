"""A watch over the mechanisms of many series: which of them broke, by the row, in constant memory.

Each row every series is foretold by its law from its causes and its own past. What is left over
is noise as long as the mechanism holds, however far the causes have gone; running sums of
log-likelihood ratios (CUSUM: Page 1954) notice when it is noise no more.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from rootward.numerics.laws import Laws

SHIFTS = (1.0, -1.0, 3.0, -3.0)
"""Shifts, in deviations of the noise, that the sums are made for; they notice larger ones too."""
INFLATION = 4.0
"""Of the variance, that the last sum is made for: a weight that changed shows so."""
SUMS = len(SHIFTS) + 1
LEAST_CHANGED_ROWS = 3
"""Rows that an alarm takes at least."""
_CLIP = 8.0
_BLOCK = 5
_EXPONENTS = np.linspace(0.1, 1.0, 19)
MODEL_ERROR = 0.1
"""A law that foretells a value far from normal is believed up to this share of the distance."""


@dataclass(frozen=True, eq=False)
class Seen:
    """Where all series stand after a row."""

    score: Float[np.ndarray, " series"]
    """The largest of the sums over its threshold: from 1 on the mechanism has changed; 0 where
    there is no law. Negative where the series fell below its forecast."""
    began: Int[np.ndarray, " series"]
    """Rows since the largest sum left zero: the likeliest time of the change."""

    @property
    def changed(self) -> Bool[np.ndarray, " series"]:
        """Mechanisms that are taken to have changed."""
        return np.abs(self.score) >= 1.0


class Watch:
    """Takes rows one by one.

    `false_rows` is the share of rows at which a series may raise a false alarm; thresholds are
    set from it by the tail of the sums (Lundberg's exponent) that the held-out rows show, with
    their own heavy tails and memory.
    """

    def __init__(
        self,
        laws: Laws,
        false_rows: float,
        *,
        model_error: float = MODEL_ERROR,
    ) -> None:
        self._laws, self._model_error = laws, model_error
        series = len(laws.centre)
        self._series = series
        self.thresholds = thresholds(laws.left, false_rows)
        self._most = _most_gain(false_rows)
        self.thresholds[:, ~laws.watched] = np.inf
        self._sums = np.zeros((SUMS, series))
        self._began = np.zeros((SUMS, series), dtype=np.int64)
        self._recent = np.zeros((laws.lags + 1) * series + 1)
        self._last = laws.centre.copy()
        self._rows = 0

    def step(self, row: Float[np.ndarray, " series"]) -> Seen:
        """Look at one row; NaN where a series was not measured."""
        innovations = self.innovations(row)
        gains = ratios(np.nan_to_num(innovations), self._most)
        gains[:, np.isnan(innovations)] = 0.0
        self._sums += gains
        np.minimum(self._sums, 2 * self.thresholds, out=self._sums)
        self._began += 1
        fallen = self._sums <= 0
        self._sums[fallen] = 0.0
        self._began[fallen] = 0
        shares = self._sums / self.thresholds
        largest = shares.argmax(axis=0)
        columns = np.arange(self._series)
        sign = np.where(np.isin(largest, (1, 3)), -1.0, 1.0)
        return Seen(sign * shares[largest, columns], self._began[largest, columns].copy())

    def innovations(self, row: Float[np.ndarray, " series"]) -> Float[np.ndarray, " series"]:
        """What the laws leave of a row beyond what they may be wrong by, in deviations of noise.

        NaN for the first `lags` rows.
        """
        laws, series = self._laws, self._series
        self._last = np.where(np.isfinite(row), row, self._last)
        recent = self._recent
        recent[series:-1] = recent[: -1 - series].copy()
        recent[:series] = (self._last - laws.centre) / laws.scale
        self._rows += 1
        if self._rows <= laws.lags:
            return np.full(series, np.nan)
        x = recent[laws.at]
        forecast = np.full(series + 1, np.nan)
        forecast[laws.outputs] = (laws.weights @ x[:, :, None])[:, :, 0]
        doubt = np.zeros(series + 1)
        doubt[laws.outputs] = ((laws.covariance @ x[:, :, None])[:, :, 0] * x).sum(axis=1)[:, None]
        left = recent[:series] - forecast[:-1]
        # An error of the law does not average out while its inputs stay where they are: it is
        # taken off, not added to the noise.
        unusual = np.sqrt(np.maximum(doubt[:-1] - laws.doubt, 0.0))
        excuse = 2 * laws.noise * unusual + self._model_error * np.abs(forecast[:-1])
        unexcused = np.sign(left) * np.maximum(np.abs(left) - excuse, 0.0) / laws.noise
        return np.where(np.isfinite(row), unexcused, np.nan)

    def restart(self, columns: Int[np.ndarray, " columns"]) -> None:
        """Begin the sums of some series anew; all others keep theirs."""
        self._sums[:, columns] = 0.0
        self._began[:, columns] = 0


def ratios(
    innovations: Float[np.ndarray, "*rows series"], most: float
) -> Float[np.ndarray, "sums *rows series"]:
    """Log-likelihood ratios of each alternative against standard normal noise, `most` at most."""
    e = np.clip(innovations, -_CLIP, _CLIP)
    shifted = [delta * e - delta**2 / 2 for delta in SHIFTS]
    wider = e**2 * (1 - 1 / INFLATION) / 2 - np.log(INFLATION) / 2
    return np.minimum(np.stack([*shifted, wider]), most)


def _most_gain(false_rows: float) -> float:
    """What one row may add: a lone spike or two are no change of a mechanism."""
    return float(-np.log(false_rows / SUMS)) / LEAST_CHANGED_ROWS


def thresholds(
    left: Float[np.ndarray, "rows series"], false_rows: float
) -> Float[np.ndarray, "sums series"]:
    """Heights that each sum passes at a share `false_rows` of the rows while nothing changes.

    A sum with negative drift passes h about as often as exp(-x h), with x the root of
    E exp(x block) = 1 (Lundberg; Asmussen 2003, chapter XIII): 1 for normal noise without memory,
    less for heavy tails or a memory. Infinite where not even the smallest x will do.
    """
    rows = len(left) // _BLOCK * _BLOCK
    gains = ratios(np.nan_to_num(left[:rows]), _most_gain(false_rows))
    blocks = gains.reshape(SUMS, rows // _BLOCK, _BLOCK, left.shape[1]).sum(axis=2)
    grown = np.stack([_mean_exp(x * blocks) for x in _EXPONENTS])
    holds = grown <= 1.0
    exponent = np.where(holds, _EXPONENTS[:, None, None], 0.0).max(axis=0)
    height = -np.log(false_rows / SUMS)
    return np.where(exponent > 0, height / np.maximum(exponent, 1e-9), np.inf)


def _mean_exp(x: Float[np.ndarray, "sums blocks series"]) -> Float[np.ndarray, "sums series"]:
    return np.asarray(np.exp(np.minimum(x, 500.0)).mean(axis=1))
