"""From a window with an onset to services, most suspect first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from rootward.model.series import Series
from rootward.model.window import Window
from rootward.numerics.anomaly import deviations
from rootward.rca.onset import departures


@dataclass(frozen=True, eq=False)
class Ranking:
    """Services, most suspect first, and what the order rests on."""

    onset: int
    services: tuple[str, ...]
    shares: Float[np.ndarray, " services"]
    """Score of each service; they sum to 1."""
    speaking: tuple[int, ...]
    """For each service the column that speaks most clearly."""
    z: Float[np.ndarray, "rows series"]
    """Signed deviations from the baseline; NaN where not measured."""
    surprise: Float[np.ndarray, " series"]
    """Size of each series' departure; 0 where there is none."""
    onsets: Int[np.ndarray, " series"]
    """Row of each departure, `NEVER` where there is none."""


def columns_of(series: tuple[Series, ...]) -> dict[str, list[int]]:
    """The columns of each service, services sorted by name."""
    columns: dict[str, list[int]] = {}
    for column, one in enumerate(series):
        columns.setdefault(one.service, []).append(column)
    return dict(sorted(columns.items()))


def rank(window: Window, onset: int) -> Ranking:
    """Services by how surprising their clearest series is."""
    z = deviations(window.values, window.values[:onset])
    away = np.abs(np.nan_to_num(z[onset:]))
    surprise = np.log1p(away.max(axis=0, initial=0.0))
    owned = columns_of(window.series)
    clearest = {s: max(c, key=lambda k: (surprise[k], window.series[k])) for s, c in owned.items()}
    score = {service: float(surprise[column]) ** 2 for service, column in clearest.items()}
    services = tuple(sorted(score, key=lambda s: (-score[s], s)))
    raw = np.array([score[s] for s in services]) + 1e-12
    return Ranking(
        onset,
        services,
        raw / raw.sum(),
        tuple(clearest[s] for s in services),
        z,
        surprise,
        departures(z, onset),
    )
