"""Blocks of a result as pictures and tables; every picture has a table that says the same."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from rootward.model.result import (
    Analysis,
    Bars,
    Block,
    Cell,
    GraphBlock,
    Heatmap,
    Inputs,
    Lines,
    MethodEntry,
    Note,
    Result,
    Scatter,
    Table,
)
from rootward_dashboard import charts, figures, graph_drawing, scatter
from rootward_dashboard.axes import TimeAxis
from rootward_dashboard.charts import Frame, Trace
from rootward_dashboard.graph_drawing import Legend
from rootward_dashboard.incident_view import arrows
from rootward_dashboard.spread import whole
from rootward_dashboard.svg import Markup

ROWS = 60
_SHADES = 5


@dataclass(frozen=True)
class Field:
    """A cell of a table: text, and how it looks."""

    text: str
    style: str = ""
    picture: Markup | None = None


@dataclass(frozen=True)
class Shown:
    """A block, ready for the template."""

    title: str
    text: str = ""
    """A paragraph; only notes have one."""
    picture: Markup | None = None
    legend: tuple[tuple[int, str], ...] = ()
    """Line style and name."""
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Field, ...], ...] = ()
    left_out: int = 0
    """Rows that are not shown."""
    aside: bool = False
    """The table only repeats the picture: it may be folded away."""


@dataclass(frozen=True)
class AnalysisView:
    """One analysis, ready for the template."""

    analysis: Analysis
    question: str
    paper: str
    parameters: str
    blocks: tuple[Shown, ...]
    entry: MethodEntry | None = None
    figures: tuple[tuple[str, str, str], ...] = ()
    """Name, value with unit, and role: headline or baseline."""
    used: str = ""
    """What was looked at, in words."""
    versions: str = ""


def analysis_view(
    analysis: Analysis, entry: MethodEntry | None, step_seconds: float | None
) -> AnalysisView:
    """An analysis with the question and the paper of its method, where they are known.

    Lags come in seconds where the step is known, in rows where it is not.
    """
    chosen = json.loads(analysis.parameters)
    return AnalysisView(
        analysis=analysis,
        question=entry.question if entry else analysis.method,
        paper=entry.paper if entry else "",
        parameters=", ".join(f"{k} = {v}" for k, v in chosen.items()) or "defaults",
        blocks=tuple(shown(b, step_seconds) for b in analysis.result.blocks)
        if analysis.result
        else (),
        entry=entry,
        figures=_figures(analysis.result) if analysis.result else (),
        used=_used(analysis.result.inputs) if analysis.result else "",
        versions=", ".join(f"{k} {v}" for k, v in analysis.versions.items()),
    )


def _figures(result: Result) -> tuple[tuple[str, str, str], ...]:
    told = ((result.headline, "headline"), (result.baseline, "baseline"))
    return tuple(
        (figure.name, figures.quantity(figure.value, figure.unit), role)
        for figure, role in told
        if figure is not None
    )


def _used(inputs: Inputs | None) -> str:
    if inputs is None:
        return ""
    words = f"{inputs.series_count} series, {inputs.rows} rows"
    if inputs.effective_rows is not None:
        words += f" worth {figures.number(inputs.effective_rows)} independent ones"
    if inputs.dropped:
        some = [f"{name} ({why})" for name, why in list(inputs.dropped.items())[:3]]
        more = len(inputs.dropped) - len(some)
        words += f"; left out: {', '.join(some)}" + (f" and {more} more" if more else "")
    return words


def shown(block: Block, step_seconds: float | None = None) -> Shown:
    """A block as text, picture and table."""
    if isinstance(block, GraphBlock):
        return _graph(block, step_seconds)
    return _VIEWS[block.kind](block)


def _table(block: Table) -> Shown:
    rows = tuple(tuple(Field(*_cell(c)) for c in row) for row in block.rows)
    return Shown(block.title, columns=block.columns, rows=rows[:ROWS], left_out=_over(rows))


def _lines(block: Lines) -> Shown:
    traces = [Trace(line.name, block.times, line.values, k) for k, line in enumerate(block.lines)]
    frame = Frame(TimeAxis.over(block.times), block.unit, height=180)
    rows = tuple(_course(line.name, line.values, block.unit) for line in block.lines)
    return Shown(
        block.title,
        picture=charts.time_plot(traces, frame, f"{block.title}: {len(traces)} lines over time"),
        legend=tuple((t.style % charts.STYLES, t.name) for t in traces),
        columns=("Line", "Lowest", "Median", "Highest", "Last"),
        rows=rows[:ROWS],
        left_out=_over(rows),
        aside=True,
    )


def _course(name: str, values: Sequence[float | None], unit: str) -> tuple[Field, ...]:
    known = [v for v in values if v is not None and math.isfinite(v)] or [math.nan]
    told = (min(known), median(known), max(known), known[-1])
    return (Field(name), *(Field(figures.quantity(v, unit), "number") for v in told))


def _bars(block: Bars) -> Shown:
    finite = [v for v in block.values if math.isfinite(v)]
    low, high = min(finite, default=0.0), max(finite, default=1.0)
    rows = tuple(
        (
            Field(name),
            Field(figures.quantity(value, block.unit), "number"),
            Field("", "bars", charts.bar(value, low, high, f"{name}: {figures.number(value)}"))
            if math.isfinite(value)
            else Field(""),
        )
        for name, value in zip(block.names, block.values, strict=True)
    )
    unit = f"Value, {block.unit}" if block.unit else "Value"
    return Shown(block.title, columns=("Name", unit, "Bar"), rows=rows[:ROWS], left_out=_over(rows))


def _heatmap(block: Heatmap) -> Shown:
    known = [abs(v) for row in block.values for v in row if v is not None and math.isfinite(v)]
    most = max(known, default=0.0) or 1.0
    rows = tuple(
        (Field(name), *(Field(figures.number(v), _shade(v, most)) for v in values))
        for name, values in zip(block.row_names, block.values, strict=True)
    )
    title = f"{block.title} ({block.unit})" if block.unit else block.title
    return Shown(title, columns=("", *block.column_names), rows=rows[:ROWS], left_out=_over(rows))


def _shade(value: float | None, most: float) -> str:
    if value is None or not math.isfinite(value):
        return "number heat"
    step = min(_SHADES, math.ceil(_SHADES * abs(value) / most - 1e-9))
    return f"number heat {'warm' if value >= 0 else 'cold'}-{step}"


def _scatter(block: Scatter) -> Shown:
    rows = tuple(
        (Field(name), Field(figures.number(x), "number"), Field(figures.number(y), "number"))
        for name, x, y in zip(block.names, block.x, block.y, strict=True)
    )
    return Shown(
        block.title,
        picture=scatter.scatter_plot(block),
        columns=("Point", block.x_label, block.y_label),
        rows=rows[:ROWS],
        left_out=_over(rows),
        aside=True,
    )


def _graph(block: GraphBlock, step_seconds: float | None) -> Shown:
    part = whole(block.graph)
    drawn = graph_drawing.drawing(
        part, Legend(step_seconds), f"{block.title}: {len(part.edges)} edges"
    )
    edges = tuple(sorted(block.graph.edges, key=lambda e: -e.weight))
    rows = tuple(
        (
            Field(str(a.cause)),
            Field(str(a.effect)),
            Field(a.lag, "number"),
            Field(a.sign, "nowrap"),
            Field(a.weight, "number"),
            Field(a.confidence, "number"),
        )
        for a in arrows(edges, step_seconds)
    )
    return Shown(
        block.title,
        picture=drawn if part.edges else None,
        columns=("Cause", "Effect", "Lag", "Sign", "Weight", "Confidence"),
        rows=rows[:ROWS],
        left_out=_over(rows),
        aside=bool(part.edges),
    )


def _note(block: Note) -> Shown:
    return Shown("", text=block.text)


def _cell(value: Cell) -> tuple[str, str]:
    if value is None:
        return figures.MISSING, "number"
    if isinstance(value, str):
        return value, ""
    return figures.number(float(value)), "number"


def _over(rows: Sequence[object]) -> int:
    return max(0, len(rows) - ROWS)


_VIEWS: dict[str, Callable[[Any], Shown]] = {
    "table": _table,
    "lines": _lines,
    "bars": _bars,
    "heatmap": _heatmap,
    "scatter": _scatter,
    "note": _note,
}
