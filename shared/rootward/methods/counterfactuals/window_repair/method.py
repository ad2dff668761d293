"""Redraw only the broken stretch of only the broken series, and leave the rest as recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Bool, Float

from rootward.errors import InsufficientData, InvalidParameters
from rootward.methods.base import About, Cost, Family, Method, Need, Provenance
from rootward.methods.counterfactuals.affected import Affected, affected
from rootward.methods.counterfactuals.window_repair.model import (
    INVERTED_TO,
    Repairer,
    Shape,
    trained,
)
from rootward.model.case import Case
from rootward.model.kind import unit_of
from rootward.model.result import (
    Block,
    Caveat,
    CaveatCode,
    Figure,
    Heatmap,
    Inputs,
    Line,
    Lines,
    Result,
    Table,
)
from rootward.model.window import Window
from rootward.model.wording import duration, number, quantity
from rootward.numerics.training import generator

_FRAMES = 8
_LEAST_FRAME_ROWS, _MOST_FRAME_ROWS = 2, 30
_LEAST_BEFORE = 80
_SHOWN_SERIES = 4
_ENOUGH_STEPS = 0.5
"""Share of the training below which an answer is not worth showing."""


@dataclass(frozen=True, eq=False)
class Repair:
    """A window around the onset, what was masked in it, and several redraws."""

    chosen: Affected
    first: int
    """Row of the case's window where the repaired one begins."""
    recorded: Float[np.ndarray, "rows series"]
    """In baseline deviations, like `draws`."""
    mask: Bool[np.ndarray, "rows series"]
    suspicion: Float[np.ndarray, "frames series"]
    draws: Float[np.ndarray, "draws rows series"]

    @property
    def repaired(self) -> Float[np.ndarray, "rows series"]:
        """Mean of the draws."""
        return np.asarray(self.draws.mean(axis=0))

    def area(self, column: int) -> Float[np.ndarray, " draws"]:
        """Recorded less redrawn, in the series' unit, summed over the masked rows."""
        away = self.recorded[:, column] - self.draws[:, :, column]
        return np.asarray(self.chosen.deviation[column] * away.sum(axis=1))


def repair_window(
    chosen: Affected, repairer: Repairer, seed: int, *, guidance: float = 2.0, stride: int = 10
) -> Repair:
    """Find what is broken in the window around the onset, and redraw it."""
    shape, random = repairer.shape, generator(seed + 1)
    first = min(chosen.onset - 2 * shape.frame_rows, len(chosen.values) - shape.rows)
    recorded = chosen.values[first : first + shape.rows]
    mask, suspicion = repairer.mask(recorded, random)
    found = repairer.redrawn(recorded, mask, random, guidance=guidance, stride=stride)
    wide = np.repeat(mask, shape.frame_rows, axis=0)
    return Repair(chosen, first, recorded, wide, suspicion, found)


def shape_for(chosen: Affected, width: int) -> Shape:
    """Frames so long that eight of them hold two normal ones and the incident, if they may be.

    Raises:
        InsufficientData: the rows before the onset hold too few such windows.
    """
    since = len(chosen.since)
    rows = int(np.clip(-(-since // (_FRAMES - 2)), _LEAST_FRAME_ROWS, _MOST_FRAME_ROWS))
    rows = min(rows, chosen.onset // (2 * _FRAMES))
    if rows < _LEAST_FRAME_ROWS:
        raise InsufficientData(
            f"needs {2 * _FRAMES * _LEAST_FRAME_ROWS} rows before the onset, got {chosen.onset}"
        )
    return Shape(_FRAMES, len(chosen.series), rows, width, 2)


@dataclass(frozen=True, kw_only=True)
class WindowRepair(Method):
    """Redraws the anomalous stretch of the anomalous series as in normal operation.

    A small diffusion model is taught on the rows before the onset, as they are and with made-up
    anomalies. Where its two views of a stretch differ, the stretch is masked and drawn anew;
    outside of the mask every value is exactly the recorded one.
    """

    most_series: int = 6
    """Series looked at: the symptom, its service's traffic, and those that moved furthest."""
    steps: int = 600
    """Training steps; fewer are faster and miss faint anomalies."""
    width: int = 48
    """Width of the network's tokens."""
    guidance: float = 2.0
    """How strongly the redrawing is pulled to normal operation."""
    stride: int = 10
    """Noise levels, of 70, that one move of the redrawing takes."""

    quick: ClassVar[Mapping[str, int | float | str | bool]] = {
        "steps": 2,
        "width": 8,
        "most_series": 2,
        "stride": 35,
    }
    exceptions: ClassVar[Mapping[str, str]] = {
        "scaling_units": "it answers in the units of the series; its own test scales them"
    }
    about = About(
        name="window_repair",
        family=Family.COUNTERFACTUALS,
        question="What would only the broken stretch have looked like in normal operation?",
        paper="Shin, Kim, Lee, Lee, Yoon 2023, Edit-A-Video: Single Video Editing with "
        "Object-Aware Consistency, ACML, arXiv 2303.07945",
        needs=frozenset({Need.ONSET}),
        provenance=Provenance.RECONSTRUCTION,
        provenance_note="The paper edits videos and its code was not found. The mapping of "
        "metric windows to frames, the network, the made-up anomalies, the levels at which the "
        "mask is found and its threshold are ours; attention maps are not injected.",
        cost=Cost.MINUTES,
        measured=(
            "Planted shifts on waves, six series, twenty windows, the default steps: masked "
            "stretches are told with an area under the curve of 1.00; squared error inside 0.014 "
            "with the mask it finds, 0.015 given the true one, 0.63 for a straight line through "
            "the true mask, 3.9 as recorded.",
        ),
        assumptions=(
            "The rows before the onset show normal operation.",
            "The anomaly looks like a shift, a spike, a ramp or a flat line.",
        ),
        limits=(
            "The repaired stretch is a likely course, not the one that would have happened.",
            "What changed outside of the masked stretch is not counted.",
        ),
    )

    def __post_init__(self) -> None:
        if self.most_series < 2 or self.steps < 1 or self.width < 4 or self.width % 4:
            raise InvalidParameters(
                "most_series is at least 2, steps at least 1, width a multiple of 4"
            )
        if not 1 <= self.stride <= INVERTED_TO or INVERTED_TO % self.stride:
            raise InvalidParameters(f"stride divides {INVERTED_TO}, the levels that are passed")

    def run(self, case: Case) -> Result:
        chosen = affected(case, self.most_series, least_before=_LEAST_BEFORE, least_since=4)
        shape = shape_for(chosen, self.width)
        before = chosen.before
        starts = np.arange(len(before) - shape.rows + 1)
        windows = before[starts[:, None] + np.arange(shape.rows)]
        repairer = trained(windows, shape, case.seed, steps=self.steps, go_on=case.go_on)
        if repairer.steps < _ENOUGH_STEPS * self.steps:
            raise InsufficientData(
                f"time was up after {repairer.steps} of {self.steps} training steps; give it longer"
            )
        found = repair_window(
            chosen, repairer, case.seed, guidance=self.guidance, stride=self.stride
        )
        return _result(case, found, repairer.steps < self.steps)


def _result(case: Case, repair: Repair, late: bool) -> Result:
    chosen, step = repair.chosen, case.window.step_seconds
    sizes = np.abs(repair.recorded - repair.repaired).sum(axis=0)
    order = sorted(range(len(sizes)), key=lambda k: (-float(sizes[k]), k))
    caveats = _caveats(repair, late)
    headline = baseline = None
    if repair.mask.any():
        k = order[0]
        unit = f"{unit_of(chosen.series[k].metric)}·s".lstrip("·")
        area = float(repair.area(k).mean()) * step
        headline = Figure(f"area between recorded and repaired, {chosen.series[k]}", area, unit)
        line = float(_straight_area(repair, k)) * step
        baseline = Figure("the same with a straight line through the mask", line, unit)
    return Result(
        _answer(case.window, repair, order),
        _blocks(case.window, repair, order),
        cautions=("The repaired course is one that normal operation might have taken.",),
        status="weak" if caveats else "ok",
        caveats=caveats,
        headline=headline,
        baseline=baseline,
        inputs=Inputs.of(
            case.window.select([case.window.series.index(s) for s in chosen.series]),
            dropped=chosen.dropped,
        ),
    )


def _straight_area(repair: Repair, column: int) -> float:
    """Recorded less a straight line through the masked rows, in the series' unit."""
    at, inside = np.arange(len(repair.mask)), repair.mask[:, column]
    x = repair.recorded[:, column]
    line = np.interp(at, at[~inside], x[~inside]) if (~inside).any() else np.zeros_like(x)
    return float(np.sum((x - line)[inside]) * repair.chosen.deviation[column])


def _answer(window: Window, repair: Repair, order: list[int]) -> str:
    chosen, hit = repair.chosen, repair.mask.any(axis=0)
    span = duration(len(repair.recorded) * window.step_seconds)
    if not hit.any():
        return (
            f"Nothing was redrawn: the {span} around the onset look like the rows before on all "
            f"{len(chosen.series)} series."
        )
    k = order[0]
    inside, series = repair.mask[:, k], chosen.series[k]
    recorded, normal = (
        float(chosen.mean[k] + chosen.deviation[k] * x[inside, k].mean())
        for x in (repair.recorded, repair.repaired)
    )
    return (
        f"{int(hit.sum())} of {len(chosen.series)} series were redrawn; {series} most: for "
        f"{duration(int(inside.sum()) * window.step_seconds)} it averaged "
        f"{quantity(recorded, series)}, where normal operation would have shown "
        f"{quantity(normal, series)}."
    )


def _caveats(repair: Repair, late: bool) -> tuple[Caveat, ...]:
    found = []
    inside = repair.mask
    if inside.any():
        spread = float(repair.draws.std(axis=0)[inside].mean())
        size = float(np.abs(repair.recorded - repair.repaired)[inside].mean())
        if spread > 0.5 * size:
            text = (
                f"The draws differ by {number(spread)} deviations from each other and by "
                f"{number(size)} from what was recorded."
            )
            found.append(Caveat(CaveatCode.UNSTABLE, text))
    end = repair.first + len(repair.mask)
    if end < len(repair.chosen.values):
        text = f"{len(repair.chosen.values) - end} rows behind the repaired window were left out."
        found.append(Caveat(CaveatCode.EXTRAPOLATION, text))
    if late:
        found.append(Caveat(CaveatCode.DEADLINE, "Training ended early for lack of time."))
    return tuple(found)


def _blocks(window: Window, repair: Repair, order: list[int]) -> tuple[Block, ...]:
    hit = [k for k in order if repair.mask[:, k].any()]
    lines = tuple(_lines(window, repair, k) for k in hit[:_SHOWN_SERIES])
    frame = len(repair.mask) // len(repair.suspicion)
    starts = window.times[repair.first + frame * np.arange(len(repair.suspicion))]
    onset = window.times[repair.chosen.onset]
    map_of = Heatmap(
        "How much each stretch looks like an incident (redrawn from 0.35 on)",
        tuple(str(s) for s in repair.chosen.series),
        tuple(f"{t - onset:+.0f} s" for t in starts),
        tuple(tuple(row) for row in repair.suspicion.T.tolist()),
    )
    return (*lines, _table(window, repair, hit), map_of)


def _lines(window: Window, repair: Repair, k: int) -> Lines:
    rows = slice(repair.first, repair.first + len(repair.mask))
    scale, level = repair.chosen.deviation[k], repair.chosen.mean[k]
    inside = repair.mask[:, k]

    def drawn(x: np.ndarray) -> tuple[float | None, ...]:
        return tuple(
            float(v) if m else None for v, m in zip(level + scale * x, inside, strict=True)
        )

    draws = repair.draws[:, :, k]
    return Lines(
        str(repair.chosen.series[k]),
        tuple(window.times[rows].tolist()),
        (
            Line("recorded", tuple((level + scale * repair.recorded[:, k]).tolist())),
            Line("repaired", drawn(draws.mean(axis=0))),
            Line("lowest draw", drawn(draws.min(axis=0))),
            Line("highest draw", drawn(draws.max(axis=0))),
        ),
        unit_of(repair.chosen.series[k].metric),
    )


def _table(window: Window, repair: Repair, hit: list[int]) -> Table:
    rows = []
    for k in hit:
        area = repair.area(k) * window.step_seconds
        series = repair.chosen.series[k]
        rows.append(
            (
                str(series),
                unit_of(series.metric),
                float(repair.mask[:, k].sum() * window.step_seconds),
                float(area.mean()),
                float(area.min()),
                float(area.max()),
            )
        )
    columns = (
        "series",
        "unit",
        "redrawn, s",
        "area, unit·s",
        "least of 4 draws",
        "most of 4 draws",
    )
    return Table("Impact: area between recorded and repaired", columns, tuple(rows))
