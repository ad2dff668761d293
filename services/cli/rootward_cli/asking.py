"""Any method on one recording, with no server: the case it needs, and its answer as text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table as Grid

from rootward.errors import InsufficientData, MissingLibrary
from rootward.methods.base import Method, Need
from rootward.methods.needs import missing_library, missing_needs
from rootward.model.case import Case
from rootward.model.incident import Change, Diagnosis
from rootward.model.kind import Kind, kind_of
from rootward.model.result import Bars, Block, Cell, GraphBlock, Heatmap, Lines, Result, Scatter
from rootward.model.result import Table as TableBlock
from rootward.model.window import Window
from rootward.rca.diagnose import diagnose
from rootward.rca.frame import framed
from rootward.rca.labelled_calls import labelled_calls
from rootward.rca.onset import with_onset
from rootward_cli import rankers
from rootward_cli.cases import Recording
from rootward_worker import runbooks

CHANGE_DEVIATIONS = 6.0
"""How far the median since the onset must lie from the one before, to be a change."""
ROWS = 15
"""Rows of a block that are printed."""


@dataclass(frozen=True)
class Subject:
    """A recording, and what is computed of it at most once."""

    recording: Recording
    seed: int
    runbooks: Path | None = None

    @cached_property
    def diagnosis(self) -> Diagnosis:
        """Its diagnosis, with a learned graph."""
        window, calls = self.recording.window, self.recording.calls
        return diagnose(window, discovery=rankers.discovery(), calls=calls, seed=self.seed)

    @cached_property
    def window(self) -> Window:
        """Rates and latencies, with the onset that is known or found."""
        return with_onset(framed(self.recording.window))

    def case(self, needs: Iterable[Need]) -> Case:
        """What a method gets to see; a recording holds no earlier windows and no experiment."""
        known = labelled_calls(self.recording.window.series)
        case = Case(self.window, seed=self.seed, calls=(*self.recording.calls, *known))
        for need in sorted(set(needs) & set(_SUPPLY)):
            case = replace(case, **_SUPPLY[need](self))
        return case


def ask(subject: Subject, method: Method) -> Result:
    """The method's answer.

    Raises:
        InsufficientData: the recording holds too little, or not what the method needs.
        MissingLibrary: the method needs a library that is not installed.
    """
    name = method.about.name
    if lacking := missing_library(type(method)):
        raise MissingLibrary(f"{name} {lacking}")
    case = subject.case(method.about.needs)
    if lacking := missing_needs(method.about.needs, case):
        raise InsufficientData(f"{name} {lacking}")
    return method.run(case)


def changes(window: Window) -> tuple[Change, ...]:
    """Series whose median moved far since the onset, the farthest first."""
    if window.onset is None or not 3 <= window.onset < len(window.times):
        return ()
    found = []
    for series, before, after in zip(
        window.series, window.baseline.T, window.incident.T, strict=True
    ):
        known, seen = before[np.isfinite(before)], after[np.isfinite(after)]
        if len(known) < 3 or not len(seen):
            continue
        low, high = float(np.median(known)), float(np.median(seen))
        spread = max(1.4826 * float(np.median(np.abs(known - low))), 1e-3 * abs(low), 1e-12)
        score = (high - low) / spread
        if abs(score) >= CHANGE_DEVIATIONS:
            onset = float(window.times[window.onset])
            found.append(Change(series, onset, score, low, high))
    return tuple(sorted(found, key=lambda c: -abs(c.score)))


def _text(subject: Subject) -> dict[str, Any]:
    found = subject.diagnosis
    evidence = (e.text for c in found.candidates[:3] for e in c.evidence)
    return {"text": "\n".join((found.conclusion, *evidence))}


def _symptom(subject: Subject) -> dict[str, Any]:
    """The series that changed most of those that the diagnosis does not blame.

    What callers see, latencies and errors, comes before what they do not.
    """
    blamed = {c.service for c in subject.diagnosis.candidates[:1]}
    others = [c.series for c in changes(subject.window) if c.series.service not in blamed]
    felt = [s for s in others if kind_of(s.metric) in (Kind.LATENCY, Kind.ERRORS)]
    return {"symptom": subject.window.series.index((felt or others)[0])} if others else {}


_SUPPLY: Mapping[Need, Callable[[Subject], dict[str, Any]]] = {
    Need.GRAPH: lambda s: {"graph": s.diagnosis.graph},
    Need.CANDIDATES: lambda s: {"candidates": s.diagnosis.candidates},
    Need.CHANGES: lambda s: {"changes": changes(s.window)},
    Need.SYMPTOM: _symptom,
    Need.TEXT: _text,
    Need.DOCUMENTS: lambda s: {"documents": runbooks.read(s.runbooks)},
}


def show(result: Result, console: Console) -> None:
    """The result for a person: the answer, how sure it is, the figures behind it."""
    weak = "[yellow]weak:[/yellow] " if result.status == "weak" else ""
    console.print(f"{weak}[bold]{escape(result.answer)}[/bold]", soft_wrap=True)
    for figure, role in ((result.headline, ""), (result.baseline, "baseline ")):
        if figure is not None:
            unit = f" {figure.unit}" if figure.unit else ""
            console.print(f"{role}{escape(figure.name)}: {figure.value:.3g}{escape(unit)}")
    for caveat in result.caveats:
        console.print(f"[yellow]{caveat.code}:[/yellow] {escape(caveat.text)}", soft_wrap=True)
    for block in result.blocks:
        console.print(_grid(block))
    if used := result.inputs:
        worth = f", worth {used.effective_rows:.0f}" if used.effective_rows is not None else ""
        left = f"; {len(used.dropped)} left out" if used.dropped else ""
        console.print(f"{used.series_count} series, {used.rows} rows{worth}{left}", style="dim")
    for caution in result.cautions:
        console.print(f"[yellow]note:[/yellow] {escape(caution)}", soft_wrap=True)


def _grid(block: Block) -> Grid | str:
    if block.kind == "note":
        return escape(block.text)
    columns, rows = _cells(block)
    over = len(rows) - ROWS
    grid = Grid(*(escape(c) for c in columns), title=escape(block.title), title_justify="left")
    for row in rows[:ROWS]:
        grid.add_row(*(escape(_cell(c)) for c in row))
    if over > 0:
        grid.caption = f"and {over} more"
    return grid


def _cells(block: Block) -> tuple[tuple[str, ...], list[tuple[Cell, ...]]]:
    if isinstance(block, TableBlock):
        return block.columns, list(block.rows)
    if isinstance(block, Bars):
        return ("", block.unit), list(zip(block.names, block.values, strict=True))
    if isinstance(block, Heatmap):
        rows = zip(block.row_names, block.values, strict=True)
        return ("", *block.column_names), [(name, *values) for name, values in rows]
    if isinstance(block, Scatter):
        points: list[tuple[Cell, ...]] = list(zip(block.names, block.x, block.y, strict=True))
        return ("", block.x_label, block.y_label), points
    if isinstance(block, GraphBlock):
        edges = sorted(block.graph.edges, key=lambda e: -e.weight)
        shown: list[tuple[Cell, ...]] = [(str(e.cause), str(e.effect), e.weight) for e in edges]
        return ("cause", "effect", "weight"), shown
    assert isinstance(block, Lines)
    return ("line", "lowest", "highest", "last"), [_course(n.name, n.values) for n in block.lines]


def _course(name: str, values: tuple[float | None, ...]) -> tuple[Cell, ...]:
    known = [v for v in values if v is not None]
    return (name, min(known), max(known), known[-1]) if known else (name, None, None, None)


def _cell(value: Cell) -> str:
    if value is None:
        return "–"
    return value if isinstance(value, str) else f"{value:.4g}"
