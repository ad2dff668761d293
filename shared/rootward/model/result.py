"""What a method answers: a sentence and blocks. A closed set of plain data, each with a `kind`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from rootward.model.graph import CausalGraph
from rootward.model.window import Window

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


class CaveatCode(StrEnum):
    """Which assumption did not hold on these data; a stable word for machines."""

    FEW_EFFECTIVE_ROWS = "few_effective_rows"
    """The rows resemble their neighbours so much that they count for few."""
    MANY_MISSING = "many_missing"
    DROPPED_SERIES = "dropped_series"
    """Series that could not be used; `Inputs.dropped` names them."""
    POOR_OVERLAP = "poor_overlap"
    """The groups that are compared hardly resemble each other."""
    WEAK_INSTRUMENT = "weak_instrument"
    NOT_IDENTIFIED = "not_identified"
    """More than one answer fits the data as well as this one."""
    UNSTABLE = "unstable"
    """Other seeds or resamples say something else."""
    EXTRAPOLATION = "extrapolation"
    """The answer lies outside of what was seen."""
    NONLINEAR = "nonlinear"
    MODEL_MISFIT = "model_misfit"
    """The model explains little of the data."""
    NO_BETTER_THAN_BASELINE = "no_better_than_baseline"
    FEW_EXAMPLES = "few_examples"
    DEADLINE = "deadline"
    """Time was up; this is the best until then."""
    OPINION = "opinion"
    """Said by a learned model, not computed from the incident's data."""


@dataclass(frozen=True)
class Caveat:
    """An assumption that failed its check on these data, and what that means for the answer."""

    code: CaveatCode
    text: str


@dataclass(frozen=True)
class Figure:
    """A measured quantity: what it is, its value, its unit."""

    name: str
    value: float
    unit: str = ""


MOST_NAMES = 100
"""Series that `Inputs` names; the others are counted."""


@dataclass(frozen=True)
class Inputs:
    """What a method really looked at."""

    series: tuple[str, ...]
    """The first hundred by name."""
    series_count: int
    start_unix: float
    end_unix: float
    rows: int
    effective_rows: float | None = None
    """How many independent rows they are worth; None where the method does not rest on it."""
    dropped: Mapping[str, str] = field(default_factory=dict)
    """Series left out and why, the first hundred."""

    @classmethod
    def of(
        cls,
        window: Window,
        *,
        effective_rows: float | None = None,
        dropped: Mapping[str, str] | None = None,
    ) -> Inputs:
        """The series of a window but for those dropped."""
        left_out = dict(dropped or {})
        names = [str(s) for s in window.series if str(s) not in left_out]
        return cls(
            tuple(names[:MOST_NAMES]),
            len(names),
            float(window.times[0]) if len(window.times) else 0.0,
            float(window.times[-1]) if len(window.times) else 0.0,
            len(window.times),
            effective_rows,
            dict(list(left_out.items())[:MOST_NAMES]),
        )


@dataclass(frozen=True)
class Result:
    """A method's answer to its question."""

    answer: str
    """One sentence, with numbers and units."""
    blocks: tuple[Block, ...] = ()
    cautions: tuple[str, ...] = ()
    """What the reader must not conclude, in words only; a failed check is a caveat."""
    status: Literal["ok", "weak"] = "ok"
    """Weak: an assumption failed its check, `caveats` says which; the answer may be wrong."""
    caveats: tuple[Caveat, ...] = ()
    headline: Figure | None = None
    """The number that the answer rests on."""
    baseline: Figure | None = None
    """The same quantity by the simple method that `name` says."""
    inputs: Inputs | None = None
    found: bool | None = None
    """Of a method with `About.level`: whether it claims to have found something."""


@dataclass(frozen=True)
class Analysis:
    """One method run on one incident: its result, or why there is none."""

    incident_id: str
    method: str
    parameters: str
    """Canonical JSON of the parameters that differ from the defaults, `{}` for none."""
    status: Literal["ok", "weak", "not_applicable", "failed", "running"]
    result: Result | None = None
    """Present where status is `ok` or `weak`, and only there."""
    reason: str = ""
    """Why it is not applicable, or the error it failed with."""
    seconds: float = 0.0
    """Wall-clock time."""
    cpu_seconds: float = 0.0
    seed: int = 0
    settings: str = "{}"
    """Canonical JSON of every parameter as it was used."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Of Rootward and of the libraries that numbers depend on."""
    progress: float = 0.0
    """Share of the work that is done, 0 to 1, while status is `running`."""


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
    """Run on every incident by itself?"""
    version: str
    provenance: str = "paper"
    provenance_note: str = ""
    scope: str = "incident"
    anchors: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    cost: str = "seconds"
    trigger: str = "request"
    assumptions: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    library: str = ""
    level: float | None = None
    unavailable: str = ""
    """Why no worker can run it; empty where they can."""
