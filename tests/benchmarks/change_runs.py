"""How soon a broken mechanism is noticed, at equal false alarms, beside the usual detectors."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from rootward.numerics.laws import Group, Laws, learnt_laws
from rootward.numerics.simulate import System, simulate
from rootward.numerics.watch import Watch

SERIES = 10
"""Of a system."""
BASELINE = 1000
PER_WEEK = 7 * 86400 / 15
"""Rows of a week at 15 s."""
FALSE_ROWS = 1 / (1000 * PER_WEEK)
"""One false alarm a week for a thousand series."""
LONGEST = 400
"""Rows after a change in which it is waited for; an undetected one counts as so many."""


class Detector(Protocol):
    """Takes rows, gives a statistic for each series: alarms are where it is over a threshold."""

    def step(self, row: np.ndarray) -> np.ndarray: ...

    def restart(self, columns: np.ndarray) -> None: ...


class Mechanisms:
    """The product's watch, as a statistic."""

    def __init__(self, laws: Laws) -> None:
        self._watch = Watch(laws, FALSE_ROWS)

    def step(self, row: np.ndarray) -> np.ndarray:
        return np.abs(self._watch.step(row).score)

    def restart(self, columns: np.ndarray) -> None:
        self._watch.restart(columns)


class RawCusum:
    """Page 1954 on the values themselves, both sides, made for a shift of one deviation."""

    def __init__(self, laws: Laws) -> None:
        self._laws = laws
        self._sums = np.zeros((2, len(laws.centre)))

    def step(self, row: np.ndarray) -> np.ndarray:
        z = (row - self._laws.centre) / self._laws.scale
        self._sums = np.maximum(self._sums + np.stack([z - 0.5, -z - 0.5]), 0.0)
        return self._sums.max(axis=0)

    def restart(self, columns: np.ndarray) -> None:
        self._sums[:, columns] = 0.0


class Bocpd:
    """Adams, MacKay 2007 on the residuals of the same laws: unit noise, mean drawn anew.

    The statistic is the log odds that the mean changed within the last `longest` rows. Run
    lengths beyond are pooled in the last place, where the mean is that of the baseline, 0.
    """

    def __init__(self, laws: Laws, *, longest: int = 60, hazard: float = 1e-4) -> None:
        self._watch = Watch(laws, FALSE_ROWS, model_error=0.0)
        series = len(laws.centre)
        self._prior, self._hazard = 9.0, hazard
        self._log = np.full((longest + 1, series), -np.inf)
        self._log[-1] = 0.0
        self._sum = np.zeros((longest, series))
        ages = np.arange(longest)[:, None]
        self._precision = 1 / self._prior + ages

    def step(self, row: np.ndarray) -> np.ndarray:
        x = np.clip(np.nan_to_num(self._watch.innovations(row)), -8.0, 8.0)
        variance = 1 + 1 / self._precision
        young = -0.5 * np.log(variance) - (x - self._sum / self._precision) ** 2 / 2 / variance
        grown = self._log + np.vstack([young, -(x[None] ** 2) / 2])
        total = np.logaddexp.reduce(grown, axis=0)
        old = np.logaddexp(grown[-1], grown[-2])
        self._log = np.vstack(
            [total + np.log(self._hazard), grown[:-2] + np.log1p(-self._hazard), old[None]]
        )
        self._sum = np.vstack([np.zeros((1, len(x))), self._sum[:-1] + x])
        self._log -= np.logaddexp.reduce(self._log, axis=0)
        recent = np.logaddexp.reduce(self._log[:-1], axis=0)
        return recent - self._log[-1]

    def restart(self, columns: np.ndarray) -> None:
        self._log[:, columns] = -np.inf
        self._log[-1, columns] = 0.0


class ResidualScan:
    """The likeliest single change of the mean within the last rows of the residuals.

    What PELT (Killick, Fearnhead, Eckley 2012) with normal cost finds when run again at every
    row, as long as there is one change to find.
    """

    def __init__(self, laws: Laws, *, longest: int = 60) -> None:
        self._watch = Watch(laws, FALSE_ROWS, model_error=0.0)
        self._recent = np.zeros((longest, len(laws.centre)))
        self._ages = np.arange(1, longest + 1)[:, None]

    def step(self, row: np.ndarray) -> np.ndarray:
        x = np.clip(np.nan_to_num(self._watch.innovations(row)), -8.0, 8.0)
        self._recent = np.vstack([x[None], self._recent[:-1]])
        sums = np.cumsum(self._recent, axis=0)
        return (sums**2 / (2 * self._ages)).max(axis=0)

    def restart(self, columns: np.ndarray) -> None:
        self._recent[:, columns] = 0.0


DETECTORS = {
    "mechanisms": Mechanisms,
    "CUSUM, raw series": RawCusum,
    "BOCPD on residuals": Bocpd,
    "PELT on residuals": ResidualScan,
}


def system(seed: int) -> System:
    """Ten series, at most two causes each, lags one and two, a memory of their own."""
    rng = np.random.default_rng([77, seed])
    weights = np.zeros((2, SERIES, SERIES))
    order = rng.permutation(SERIES)
    for place in range(1, SERIES):
        for cause in rng.choice(place, size=min(2, place), replace=False):
            weight = rng.choice([-1, 1]) * rng.uniform(0.4, 0.7)
            weights[rng.integers(2), order[cause], order[place]] = weight
    return System(rng.uniform(0.2, 0.8, SERIES), weights, np.ones(SERIES))


@dataclass(frozen=True, eq=False)
class Broken:
    """A system whose mechanism changes at one series."""

    series: int
    rows: np.ndarray
    """From the change on."""
    followers: np.ndarray
    """Series that the broken one reaches."""


def broken(seed: int, before: np.ndarray) -> Broken:
    """A shift of its own level by 1.5 to 6 deviations of the noise, or a link that turned round."""
    rng = np.random.default_rng([78, seed])
    known = system(seed)
    series = int(rng.integers(SERIES))
    push = np.zeros((len(before) + LONGEST, SERIES))
    changed = known
    if rng.random() < 0.3 and known.weights[:, :, series].any():
        weights = known.weights.copy()
        weights[:, :, series] *= -1
        changed = System(known.own, weights, known.noise)
    else:
        push[len(before) :, series] = rng.choice([-1, 1]) * rng.uniform(1.5, 6.0)
    rows = _continued(known, changed, push, seed)
    reach = np.linalg.matrix_power(np.eye(SERIES) + (known.weights != 0).any(axis=0), SERIES) > 0
    followers = np.flatnonzero(reach[series] & (np.arange(SERIES) != series))
    return Broken(series, rows[len(before) :], followers)


def _continued(known: System, changed: System, push: np.ndarray, seed: int) -> np.ndarray:
    """The quiet rows of the seed once more, and what follows them under the changed system."""
    quiet = len(push) - LONGEST
    first = simulate(known, quiet, np.random.default_rng([79, seed]))
    rng = np.random.default_rng([80, seed])
    values = np.vstack([first, np.zeros((LONGEST, SERIES))])
    for t in range(quiet, len(values)):
        past = changed.bend(values[t - 2 : t][::-1])
        driven = np.einsum("li,lij->j", past, changed.weights)
        noise = changed.noise * rng.standard_normal(SERIES)
        values[t] = changed.own * values[t - 1] + driven + push[t] + noise
    return values


def quiet(systems: int, rows: int) -> np.ndarray:
    """Rows of many systems in which nothing changes, side by side."""
    return np.concatenate(
        [simulate(system(k), rows, np.random.default_rng([79, k])) for k in range(systems)], axis=1
    )


def laws_of(values: np.ndarray) -> Laws:
    """Each system is one group; nothing of the true graph is told."""
    groups = [
        Group(tuple(range(first, first + SERIES))) for first in range(0, values.shape[1], SERIES)
    ]
    return learnt_laws(values[:BASELINE], np.arange(BASELINE), groups)


def statistic_at_rate(detector: Detector, rows: np.ndarray, rate: float) -> float:
    """The threshold that a statistic passes once in 1 / rate rows of a series.

    The highest of each series and stretch of 200 rows has an exponential tail, which is followed
    from what was seen to what was not.
    """
    blocks = []
    top = np.full(rows.shape[1], -np.inf)
    for k, row in enumerate(rows, start=1):
        top = np.maximum(top, detector.step(row))
        if k % 200 == 0:
            blocks.append(top)
            top = np.full(rows.shape[1], -np.inf)
    peaks = np.sort(np.concatenate(blocks))
    tail = peaks[int(0.99 * len(peaks)) :]
    scale = float(np.mean(tail - tail[0]))
    wanted = rate * 200
    return float(tail[0] + scale * np.log(max(0.01 / wanted, 1.0)))


def delays(
    name: str, laws: list[Laws], threshold: float, cases: list[Broken], warm: list[np.ndarray]
) -> tuple[np.ndarray, float]:
    """Rows until the broken series is named, and the share of cases that name a follower."""
    waited, fooled = np.full(len(cases), float(LONGEST)), 0
    for k, case in enumerate(cases):
        detector = DETECTORS[name](laws[k])
        for row in warm[k]:
            detector.step(row)
        named = np.zeros(SERIES, dtype=bool)
        for since, row in enumerate(case.rows, start=1):
            over = detector.step(row) >= threshold
            if over[case.series] and waited[k] == LONGEST:
                waited[k] = since
            named |= over
        fooled += bool(named[case.followers].any())
    return waited, fooled / len(cases)


@dataclass(frozen=True)
class Race:
    """What came of all detectors."""

    threshold: Mapping[str, float]
    waited: Mapping[str, np.ndarray]
    fooled: Mapping[str, float]
    alarms: float
    """False alarms of the product's own thresholds in the quiet rows, as a share of those due."""
    updates_per_second: float


def race(systems: int, quiet_rows: int, cases: int) -> Race:
    """Thresholds from quiet rows, then delays on systems that break."""
    values = quiet(systems, BASELINE + quiet_rows)
    laws = laws_of(values)
    rows = values[BASELINE:]
    threshold = {n: statistic_at_rate(d(laws), rows, FALSE_ROWS) for n, d in DETECTORS.items()}
    alarms, rate = _own_alarms(laws, rows)
    before = [simulate(system(k), BASELINE, np.random.default_rng([79, k])) for k in range(cases)]
    single = [laws_of(b) for b in before]
    changes = [broken(k, before[k]) for k in range(cases)]
    warm = [b[-20:] for b in before]
    found = {n: delays(n, single, threshold[n], changes, warm) for n in DETECTORS}
    return Race(
        threshold,
        {n: waited for n, (waited, _) in found.items()},
        {n: fooled for n, (_, fooled) in found.items()},
        alarms / (rows.size * FALSE_ROWS),
        rate,
    )


def _own_alarms(laws: Laws, rows: np.ndarray) -> tuple[int, float]:
    """Alarms with the thresholds that the product sets itself, and rows of series a second."""
    watch, alarms = Watch(laws, FALSE_ROWS), 0
    began = time.process_time()
    for row in rows:
        changed = np.flatnonzero(watch.step(row).changed)
        alarms += len(changed)
        watch.restart(changed)
    return alarms, rows.size / (time.process_time() - began)


def table(result: Race) -> str:
    """One line a detector; delays in rows."""
    lines = [f"{'':22}{'threshold':>10}{'delay 10 %':>11}{'median':>8}{'90 %':>7}"
             f"{'found':>7}{'names a follower':>18}"]  # fmt: skip
    for name, waited in result.waited.items():
        low, middle, high = np.quantile(waited, (0.1, 0.5, 0.9))
        lines.append(
            f"{name:22}{result.threshold[name]:>10.2f}{low:>11.0f}{middle:>8.0f}{high:>7.0f}"
            f"{np.mean(waited < LONGEST):>7.0%}{result.fooled[name]:>18.0%}"
        )
    return "\n".join(lines)


def figures(result: Race) -> dict[str, float]:
    """What is kept."""
    median = {n: float(np.median(w)) for n, w in result.waited.items()}
    mean = {n: float(np.mean(w)) for n, w in result.waited.items()}
    return {
        "delay_ratio_to_cusum": median["mechanisms"] / median["CUSUM, raw series"],
        "mean_delay_ratio_to_cusum": mean["mechanisms"] / mean["CUSUM, raw series"],
        "delay_ratio_to_bocpd": median["mechanisms"] / median["BOCPD on residuals"],
        "delay_ratio_to_pelt": median["mechanisms"] / median["PELT on residuals"],
        "follower_alarm_share": result.fooled["mechanisms"],
        "follower_alarm_share_cusum": result.fooled["CUSUM, raw series"],
        "false_alarms_over_stated": result.alarms,
        "watch_updates_per_second": result.updates_per_second,
    }
