"""What a method answers: a sentence and blocks. A closed set of plain data, each with a `kind`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rootward.model.graph import CausalGraph

Cell = str | float | int | None


@dataclass(frozen=True)
class Table:
    """Rows under named columns; the unit stands in the column's name."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    kind: Literal["table"] = "table"


@dataclass(frozen=True)
class Line:
    """One line of a plot; None where nothing was measured."""

    name: str
    values: tuple[float | None, ...]


@dataclass(frozen=True)
class Lines:
    """Lines over a common time axis in Unix seconds."""

    title: str
    times: tuple[float, ...]
    lines: tuple[Line, ...]
    unit: str = ""
    kind: Literal["lines"] = "lines"


@dataclass(frozen=True)
class Bars:
    """One value for each name, largest first unless the order means something."""

    title: str
    names: tuple[str, ...]
    values: tuple[float, ...]
    unit: str = ""
    kind: Literal["bars"] = "bars"


@dataclass(frozen=True)
class Heatmap:
    """`values[r][c]` belongs to row name r and column name c."""

    title: str
    row_names: tuple[str, ...]
    column_names: tuple[str, ...]
    values: tuple[tuple[float | None, ...], ...]
    unit: str = ""
    kind: Literal["heatmap"] = "heatmap"


@dataclass(frozen=True)
class Scatter:
    """Points with names; both axes say their unit."""

    title: str
    x_label: str
    y_label: str
    names: tuple[str, ...]
    x: tuple[float, ...]
    y: tuple[float, ...]
    kind: Literal["scatter"] = "scatter"


@dataclass(frozen=True)
class GraphBlock:
    """A causal graph."""

    title: str
    graph: CausalGraph
    kind: Literal["graph"] = "graph"


@dataclass(frozen=True)
class Note:
    """A paragraph of plain text."""

    text: str
    kind: Literal["note"] = "note"


Block = Table | Lines | Bars | Heatmap | Scatter | GraphBlock | Note


@dataclass(frozen=True)
class Result:
    """A method's answer to its question."""

    answer: str
    """One sentence, with numbers and units."""
    blocks: tuple[Block, ...] = ()
    cautions: tuple[str, ...] = ()
    """What the reader must not conclude."""


@dataclass(frozen=True)
class Analysis:
    """One method run on one incident: its result, or why there is none."""

    incident_id: str
    method: str
    parameters: str
    """Canonical JSON of the parameters that differ from the defaults, `{}` for none."""
    status: Literal["ok", "not_applicable", "failed"]
    result: Result | None = None
    """Present where status is `ok`, and only there."""
    reason: str = ""
    """Why it is not applicable, or the error it failed with."""
    seconds: float = 0.0


@dataclass(frozen=True)
class MethodEntry:
    """What the catalogue says of a method: all that API and pages know of it."""

    name: str
    family: str
    question: str
    paper: str
    summary: str
    """First paragraph of the class docstring."""
    schema: str
    """JSON schema of the parameters."""
    default: bool
    version: str
