"""Causal dropouts as a method: gaps and false zeros in, the corrected graph out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from rootward.errors import InsufficientData, InvalidParameters
from rootward.methods.base import (
    TIME_IS_UP,
    About,
    Anchor,
    Cost,
    DiscoveryMethod,
    Family,
    Provenance,
)
from rootward.methods.discovery.dropout_pc.zero_deleted import ZeroDeleted, zero_deleted
from rootward.methods.ranking.surprise import observed
from rootward.model.case import Case
from rootward.model.graph import CausalGraph, Edge
from rootward.model.kind import Kind
from rootward.model.result import (
    Caveat,
    CaveatCode,
    Cell,
    Figure,
    GraphBlock,
    Inputs,
    Result,
    Table,
)
from rootward.model.traits import traits
from rootward.model.window import Window
from rootward.model.wording import listed, number
from rootward.numerics.anomaly import measured
from rootward.numerics.independence import correlations
from rootward.numerics.pace import GoOn, always
from rootward.numerics.skeleton import Skeleton, oriented, skeleton

_LEAST_ROWS = 30
_MOST_MISSING = 0.5
_ALIKE = 0.999
"""Correlation from which on two series are one."""
_FEW = 0.01
"""Share of dropped values from which on the correction is worth a word."""
_MANY = 0.3
_FURTHEST = 5.0
_OFTEN = 0.9
"""Share of zeros from which on a series rests at zero, and its zeros are values."""


@dataclass(frozen=True, eq=False)
class Corrected:
    """The graph with and without the correction, and what was dropped."""

    series: tuple[int, ...]
    """Columns of the window."""
    dropped: Bool[np.ndarray, "rows used"]
    test: ZeroDeleted
    found: Skeleton
    plain: Skeleton
    """With every dropped value filled by its series' mean, as is usual."""
    left_out: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class DropoutPC(DiscoveryMethod):
    """Draws edges that no small set of other series explains, counting only what was really seen.

    A value counts as dropped where nothing was measured, or where a zero stands that the metric
    cannot have. Each test leaves out the rows in which a series that is held fixed was dropped,
    and no others; nothing is filled in.
    """

    significance: float = 0.01
    """P-value up to which two series count as dependent."""
    most_conditions: int = 2
    """Largest set of series that is held fixed."""
    most_series: int = 30
    """Series in the graph: those that departed furthest; without an onset the most correlated."""
    zeros_drop: bool = True
    """Whether a zero of latency, utilisation or saturation is a failed scrape; else only gaps."""

    about = About(
        name="dropout_pc",
        family=Family.DISCOVERY,
        question="What does the graph look like in spite of failed scrapes and false zeros?",
        paper="Dai, Ng, Luo, Spirtes, Stojanov, Zhang 2024, Gene Regulatory Network Inference in "
        "the Presence of Dropouts: a Causal View, ICLR, arXiv 2403.15500",
        provenance=Provenance.RECONSTRUCTION,
        provenance_note="The zero-deleted test and PC as published. Which values count as dropped, "
        "the check for outages of several series and the count of rows by their memory are ours.",
        anchors=(Anchor.GRAPH,),
        cost=Cost.INSTANT,
        assumptions=(
            "Whether a value is dropped depends on that value alone.",
            "Series depend on each other linearly and within one row.",
        ),
        limits=(
            "What never was seen in common cannot be told: such pairs have no edge.",
            "Edges that the data cannot orient point both ways.",
        ),
        measured=(
            "10 variables, 10 edges, 5000 rows, 43 % of the values dropped, 10 seeds: 3.1 edges "
            "wrong on average; 8.1 when zeros are taken for values, 7.0 when means are filled in, "
            "1.3 when nothing is dropped.",
        ),
    )

    def __post_init__(self) -> None:
        if not 0 < self.significance < 1:
            raise InvalidParameters(f"significance is {self.significance}; it lies in (0, 1)")
        if self.most_series < 2 or self.most_conditions < 0:
            raise InvalidParameters("most_series is at least 2, most_conditions at least 0")

    def find(self, window: Window, go_on: GoOn = always) -> Corrected:
        """Both graphs of the rows before the onset.

        Raises:
            InsufficientData: too few rows, or fewer than two series that are seen and vary.
        """
        rows = measured(window.baseline)
        if len(rows) < _LEAST_ROWS:
            raise InsufficientData(f"needs {_LEAST_ROWS} baseline rows, got {len(rows)}")
        dropped = ~np.isfinite(rows)
        if self.zeros_drop:
            dropped |= _false_zeros(window, rows)
        alive = ~dropped.all(axis=1) & (np.arange(len(rows)) >= _begun(dropped))
        rows, dropped = rows[alive], dropped[alive]
        if len(rows) < _LEAST_ROWS:
            raise InsufficientData(f"needs {_LEAST_ROWS} rows with a value, got {len(rows)}")
        columns, left_out = _usable(window, rows, dropped, self.most_series)
        if len(columns) < 2:
            raise InsufficientData(
                f"needs two series that vary and are seen in half of the rows, got {len(columns)}"
            )
        test = zero_deleted(
            _in_deviations(rows[:, columns], dropped[:, columns]), dropped[:, columns]
        )
        found, plain = (self._search(each, go_on) for each in (test, test.as_if_seen()))
        return Corrected(tuple(columns), dropped[:, columns], test, found, plain, left_out)

    def _search(self, test: ZeroDeleted, go_on: GoOn) -> Skeleton:
        return skeleton(
            test,
            significance=self.significance,
            most_conditions=self.most_conditions,
            most_neighbours=8,
            go_on=go_on,
        )

    def discover(self, window: Window, seed: int) -> CausalGraph:
        return _graph(window, self.find(window))

    def learn(self, case: Case) -> CausalGraph:
        return _graph(case.window, self.find(case.window, case.go_on))

    def run(self, case: Case) -> Result:
        found = self.find(case.window, case.go_on)
        names = [str(case.window.series[c]) for c in found.series]
        share = float(found.dropped.mean())
        differs = np.triu(found.found.linked != found.plain.linked, 1)
        caveats = _caveats(found, names)
        return Result(
            answer=_answer(found, share, int(differs.sum())),
            blocks=(
                GraphBlock("Graph corrected for dropped values", _graph(case.window, found)),
                *(t for t in (_edges_that_differ(found, names), _dropouts(found, names)) if t.rows),
            ),
            status="weak" if caveats else "ok",
            caveats=caveats,
            headline=Figure("edges", float(np.triu(found.found.linked, 1).sum()), "edges"),
            baseline=Figure(
                "edges with means filled in", float(np.triu(found.plain.linked, 1).sum()), "edges"
            ),
            inputs=Inputs.of(
                case.window.select(found.series),
                effective_rows=len(found.dropped) * float(np.median(found.test.share)),
                dropped=found.left_out,
            ),
        )


def _begun(dropped: Bool[np.ndarray, "rows series"]) -> int:
    """The row from which on every series of the start is seen: rates have no first row."""
    first = (~dropped).argmax(axis=0)
    return int(first[first <= len(dropped) // 10].max(initial=0))


def _false_zeros(
    window: Window, rows: Float[np.ndarray, "rows series"]
) -> Bool[np.ndarray, "rows series"]:
    """Zeros of series that are rarely zero and measure what a running service always has."""
    kinds = traits(window.series).kinds
    never = (Kind.LATENCY, Kind.UTILISATION, Kind.SATURATION)
    zero = rows == 0
    busy = np.array([kind in never for kind in kinds], dtype=bool) & (zero.mean(axis=0) < _OFTEN)
    return np.asarray(zero & busy)


def _usable(
    window: Window,
    rows: Float[np.ndarray, "rows series"],
    dropped: Bool[np.ndarray, "rows series"],
    most: int,
) -> tuple[list[int], dict[str, str]]:
    """Columns that are seen often enough, vary and are not the same; why others were left out."""
    left_out: dict[str, str] = {}
    able: list[int] = []
    for column, series in enumerate(window.series):
        seen = rows[~dropped[:, column], column]
        if len(seen) < (1 - _MOST_MISSING) * len(rows):
            left_out[str(series)] = f"dropped in more than {_MOST_MISSING:.0%} of the rows"
        elif np.ptp(seen) <= 1e-9 * np.abs(seen).max():
            left_out[str(series)] = "constant before the onset"
        else:
            able.append(column)
    if not able:
        return [], left_out
    able.sort(key=lambda c: window.series[c])
    related = np.abs(correlations(_in_deviations(rows[:, able], dropped[:, able])))
    np.fill_diagonal(related, 0.0)
    weight = related.max(axis=0)
    if window.onset:
        weight = observed(window, window.onset)[1][able]
    kept: list[int] = []
    for k in sorted(range(len(able)), key=lambda k: (-round(float(weight[k]), 9), k)):
        twins = [m for m in kept if related[k, m] > _ALIKE]
        if twins:
            left_out[str(window.series[able[k]])] = f"the same as {window.series[able[twins[0]]]}"
        elif len(kept) < most:
            kept.append(k)
    return [able[k] for k in sorted(kept)], left_out


def _in_deviations(
    rows: Float[np.ndarray, "rows used"], dropped: Bool[np.ndarray, "rows used"]
) -> Float[np.ndarray, "rows used"]:
    """By the mean and deviation of what was seen; 0 where dropped, clipped far out."""
    seen = np.where(dropped, np.nan, rows)
    deviation = np.nanstd(seen, axis=0)
    away = (np.where(dropped, 0.0, rows) - np.nanmean(seen, axis=0)) / deviation
    return np.where(dropped, 0.0, np.clip(away, -_FURTHEST, _FURTHEST))


def _graph(window: Window, found: Corrected) -> CausalGraph:
    series = [window.series[c] for c in found.series]
    weakest = found.found.weakest
    edges = tuple(
        Edge(series[i], series[j], 0, abs(float(weakest[i, j])), int(np.sign(weakest[i, j])))
        for i, j in np.argwhere(oriented(found.found)).tolist()
    )
    return CausalGraph(window.series, edges)


def _answer(found: Corrected, share: float, differing: int) -> str:
    edges = int(np.triu(found.found.linked, 1).sum())
    drawn = f"{_edges(edges)} between {len(found.series)} series"
    if share < _FEW:
        return f"{drawn}; {share:.1%} of the values were dropped, so there is little to correct."
    differ = f"{_edges(differing)} {'differs' if differing == 1 else 'differ'}"
    return (
        f"{drawn}, corrected for {share:.1%} dropped values: {differ} from the graph with means "
        "filled in."
    )


def _edges(count: int) -> str:
    return f"{count} edge" if count == 1 else f"{count} edges"


def _edges_that_differ(found: Corrected, names: list[str]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for i, j in np.argwhere(np.triu(found.found.linked != found.plain.linked, 1)).tolist():
        kept = bool(found.found.linked[i, j])
        rows.append(
            (
                f"{names[i]} — {names[j]}",
                "only with the correction" if kept else "only without it",
                abs(float(found.found.weakest[i, j])),
                abs(float(found.plain.weakest[i, j])),
                found.test.rows_used((i, j), ()),
            )
        )
    columns = (
        "Edge",
        "Drawn",
        "Strength with the correction (correlation)",
        "Strength without (correlation)",
        "Rows",
    )
    return Table("Edges that depend on the correction", columns, tuple(rows))


def _dropouts(found: Corrected, names: list[str]) -> Table:
    share = found.dropped.mean(axis=0)
    order = sorted(np.flatnonzero(share > 0).tolist(), key=lambda k: (-share[k], names[k]))
    rows = tuple(
        (
            names[k],
            100 * float(share[k]),
            listed([names[m] for m in np.flatnonzero(found.test.together[k])][:3]),
        )
        for k in order
    )
    return Table("Dropped values", ("Series", "Dropped (%)", "Drops out together with"), rows)


def _caveats(found: Corrected, names: list[str]) -> tuple[Caveat, ...]:
    said = []
    share = float(found.dropped.mean())
    if not (found.found.complete and found.plain.complete):
        said.append(TIME_IS_UP)
    if share >= _FEW and found.test.together.any():
        joint = np.flatnonzero(found.test.together.any(axis=0)).tolist()
        said.append(
            Caveat(
                CaveatCode.MODEL_MISFIT,
                f"{len(joint)} series drop out together, such as "
                f"{listed([names[k] for k in joint[:2]])}, as when a node, an exporter or the "
                "traffic stops; rows that lack either of two such series were left out of their "
                "tests.",
            )
        )
    if share > _MANY:
        said.append(
            Caveat(
                CaveatCode.MANY_MISSING,
                f"{number(100 * share)} % of the values were dropped; weak edges are missed.",
            )
        )
    return tuple(said)
