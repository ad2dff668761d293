"""How long a diagnosis takes, and how much memory, as the number of series grows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter

import numpy as np

from rootward.model.series import Series
from rootward.model.window import Window
from rootward.rca.diagnose import diagnose
from rootward_cli import bench, rankers

METRICS = ("requests_per_second", "cpu_utilisation_ratio", "latency_seconds_mean", "errors_ratio")
ROWS, ONSET, STEP_SECONDS, MEMORY = 600, 500, 15.0, 0.7


@dataclass(frozen=True)
class Point:
    """One size."""

    series: int
    rows: int
    scores_seconds: float
    """Until there is a ranking from scores alone, median of the repeats."""
    seconds: float
    """Until the whole diagnosis is there, its causal graph included, median of the repeats."""
    peak_megabytes: float
    """The most that the process had resident up to here; sizes ascend."""
    right: bool
    """Whether the service that was broken stands first."""


def window(series: int, seed: int = 0) -> tuple[Window, str]:
    """Services of four metrics each with noise that is remembered; one is slow from row 500 on.

    Each service follows the one before with a row's lag, so that there is a graph to learn.
    """
    rng = np.random.default_rng(seed)
    names = tuple(
        Series.of(METRICS[k % len(METRICS)], f"service-{k // len(METRICS):05d}")
        for k in range(series)
    )
    values = np.zeros((ROWS, series))
    broken = series // 2 - series // 2 % len(METRICS) + 2
    for row in range(1, ROWS):
        fresh = rng.standard_normal(series)
        values[row] = MEMORY * values[row - 1] + fresh
        values[row, len(METRICS) :] += 0.2 * values[row - 1, : -len(METRICS)]
        values[row, broken] += 6.0 if row >= ONSET else 0.0
    times = 1_700_000_000.0 + STEP_SECONDS * np.arange(ROWS)
    found = Window(names, times, 100.0 + values, STEP_SECONDS, ONSET)
    return found, names[broken].service


def points(sizes: Sequence[int], repeats: int = 3) -> Iterator[Point]:
    """One point for each size, smallest first."""
    for size in sorted(sizes):
        made, broken = window(size)
        found = [_seconds(made) for _ in range(repeats)]
        yield Point(
            size,
            ROWS,
            float(np.median([first for first, _, _ in found])),
            float(np.median([whole for _, whole, _ in found])),
            bench.peak_megabytes(),
            all(cause == broken for _, _, cause in found),
        )


def _seconds(made: Window) -> tuple[float, float, str]:
    """Until there is a ranking from scores alone, until the diagnosis, and the service it names."""
    began = perf_counter()
    told: list[float] = []
    found = diagnose(
        made, discovery=rankers.discovery(), ranked=lambda _: told.append(perf_counter() - began)
    )
    return told[0], perf_counter() - began, found.candidates[0].service


def exponent(found: Sequence[Point]) -> float:
    """Growth of the seconds with the number of series, as a power: least squares on logarithms."""
    x = np.log([point.series for point in found])
    return float(np.polyfit(x, np.log([point.seconds for point in found]), 1)[0])


def text(found: Sequence[Point]) -> str:
    """A line for each point, and the growth."""
    lines = [
        f"{p.series:6} series x {p.rows} rows: scores {p.scores_seconds:.2f} s, whole "
        f"{p.seconds:.2f} s, peak {p.peak_megabytes:.0f} MB, {'right' if p.right else 'WRONG'}"
        for p in found
    ]
    if len(found) > 1:
        lines.append(f"seconds grow as series to the power of {exponent(found):.2f}")
    return "\n".join(lines)


def into(path: Path, found: Sequence[Point]) -> None:
    """Write the points under `scaling` into a JSON document, keeping what it holds."""
    document = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    document["scaling"] = [asdict(point) for point in found]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
