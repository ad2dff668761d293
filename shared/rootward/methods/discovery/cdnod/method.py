"""CD-NOD as a method: candidates in, who changed and who followed out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np
from jaxtyping import Float, Int

from rootward.errors import InsufficientData, InvalidParameters
from rootward.methods.base import (
    About,
    Anchor,
    Cost,
    DiscoveryMethod,
    Family,
    Need,
    Provenance,
    RankingMethod,
    Trigger,
)
from rootward.methods.discovery.cdnod.changes import (
    Changes,
    KernelIndexTest,
    LinearIndexTest,
    changed_mechanisms,
)
from rootward.methods.discovery.cdnod.directions import (
    LEAST_ROWS,
    LEAST_WINDOWS,
    MOST_POINTS,
    Direction,
    directed_by_change,
    driving_force,
)
from rootward.methods.discovery.departed import Departed, departed
from rootward.methods.ranking.incident import onset_of
from rootward.model.case import Case
from rootward.model.graph import CausalGraph, Edge
from rootward.model.result import (
    Block,
    Caveat,
    CaveatCode,
    Figure,
    GraphBlock,
    Inputs,
    Line,
    Lines,
    Result,
    Table,
)
from rootward.model.window import Window
from rootward.numerics.pace import GoOn, always

_FEW = 30.0
"""Effective rows below which a change that is not seen may well be there."""
_LEAST_BEFORE, _LEAST_AFTER = 20, 5
_ROWS_PER_LAG = 60
_MOST_WINDOWS = 20
_MOST_KERNEL_ROWS = 300
_FAR = 3.0
_CLEAR = 1e-6
"""P-value from which on a change is beyond doubt, and its size decides."""


@dataclass(frozen=True, eq=False)
class Found:
    """What CD-NOD says of the series that departed."""

    rows: Departed
    changes: Changes
    directions: tuple[Direction, ...]
    moved: Float[np.ndarray, " used"]
    """Shift of each series at the onset, in its deviations before."""
    left: Float[np.ndarray, " used"]
    """The part of the shift that the series' possible causes do not account for."""
    effective_rows: Float[np.ndarray, " used"]


@dataclass(frozen=True, kw_only=True)
class CDNOD(DiscoveryMethod, RankingMethod):
    """Tells series whose own mechanism changed at the onset from those that merely followed.

    The onset is taken as a variable among the others. A series that is independent of it once
    some others are held fixed only felt the incident; one that stays tied to it whatever is held
    fixed has changed itself. Only the series that departed furthest are looked at.
    """

    significance: float = 0.05
    """Chance of naming any series when none changed; shared out over the series looked at."""
    most_series: int = 12
    """Series looked at: those that departed furthest."""
    most_conditions: int = 2
    """Largest set of series that is held fixed."""
    most_lags: int = 2
    """Rows of their past that are held fixed with them, where there are rows enough."""
    test: Literal["linear", "kernel"] = "linear"
    """Kernels see dependence of any shape, on at most 300 rows, and take minutes."""

    quick: ClassVar[Mapping[str, int]] = {"most_series": 8}
    about = About(
        name="cdnod",
        family=Family.DISCOVERY,
        question="Whose own behaviour changed at the incident, and who merely felt it?",
        paper="Huang, Zhang, Zhang, Ramsey, Sanchez-Romero, Glymour, Schölkopf 2020, Causal "
        "Discovery from Heterogeneous/Nonstationary Data, JMLR 21(89), arXiv 1903.01672",
        needs=frozenset({Need.ONSET}),
        provenance=Provenance.RECONSTRUCTION,
        provenance_note="Phases 1 and 2 as published, with rows counted by their memory and a "
        "second test for changes of spread that are ours. Phase 3 compares windows instead of "
        "kernel embeddings (ours), phase 4 has fixed kernel widths (assumed).",
        anchors=(Anchor.GRAPH, Anchor.CANDIDATES, Anchor.TIMELINE),
        cost=Cost.INSTANT,
        trigger=Trigger.INCIDENT,
        assumptions=(
            "Every common cause of two series looked at is looked at, or moves with the onset.",
            "Series follow their causes linearly and within a few rows.",
            "All that changed did so at the onset.",
        ),
        limits=(
            "A series that is measured with noise hides its influence: what follows it can seem "
            "changed too.",
            "A changed mechanism need not be the root cause; it can be a reaction such as a "
            "restart.",
        ),
        level=0.05,
        measured=(
            "Five metrics of which one is shifted, 300 rows, 10 seeds: 10 of 10 shifted metrics "
            "named and no other; a z-score of the mean names 16 that only follow.",
            "Direction of an edge between two changed metrics, 20 windows of 30 rows, 40 pairs: "
            "95 % right; of the 27 it calls decided 96 %.",
        ),
    )

    def __post_init__(self) -> None:
        if not 0 < self.significance < 1:
            raise InvalidParameters(f"significance is {self.significance}; it lies in (0, 1)")
        if self.most_series < 2 or self.most_conditions < 0 or self.most_lags < 0:
            raise InvalidParameters("most_series is at least 2, the other counts at least 0")

    def find(self, window: Window, seed: int, go_on: GoOn = always) -> Found:
        """Phases 1 to 3 on the series that departed furthest.

        Raises:
            InsufficientData: no onset, too few rows on a side, or fewer than two series.
        """
        rows = departed(window, self.most_series)
        if rows.onset < _LEAST_BEFORE or len(rows.values) - rows.onset < _LEAST_AFTER:
            raise InsufficientData(
                f"needs {_LEAST_BEFORE} rows before the onset and {_LEAST_AFTER} after, got "
                f"{rows.onset} and {len(rows.values) - rows.onset}; widen the window"
            )
        index = (np.arange(len(rows.values)) >= rows.onset).astype(np.float64)[:, None]
        lags = min(self.most_lags, len(rows.values) // _ROWS_PER_LAG)
        linear = LinearIndexTest.of(rows.values, index, rows.since_gap, calm=rows.onset, lags=lags)
        test = _on_kernels(rows, index) if self.test == "kernel" else linear
        series = len(rows.columns)
        changes = changed_mechanisms(
            test,
            significance=self.significance,
            index_significance=self.significance / series,
            most_conditions=self.most_conditions,
            go_on=go_on,
        )
        arrows, directions = _directed(rows, changes, seed)
        possible = [np.flatnonzero(arrows[:, k]).tolist() for k in range(series)]
        return Found(
            rows,
            replace(changes, arrows=arrows),
            directions,
            np.array([linear.shift_left(k, ()) for k in range(series)]),
            np.array([linear.shift_left(k, possible[k]) for k in range(series)]),
            np.array([linear.effective_rows(k) for k in range(series)]),
        )

    def discover(self, window: Window, seed: int) -> CausalGraph:
        return _graph(window, self.find(window, seed))

    def scores(self, case: Case) -> Float[np.ndarray, " series"]:
        onset_of(case)
        found = self.find(case.window, case.seed, case.go_on)
        order = in_order(found)
        scores = np.zeros(len(case.window.series))
        scores[found.rows.columns[order]] = np.arange(len(order), 0, -1)
        return scores

    def run(self, case: Case) -> Result:
        found = self.find(case.window, case.seed, case.go_on)
        changed = np.flatnonzero(found.changes.changed)
        blocks: list[Block] = [
            _table(found),
            GraphBlock("What follows what", _graph(case.window, found)),
        ]
        if len(changed):
            blocks.append(_driving_forces(found))
        caveats = _caveats(found)
        far = int((np.abs(found.moved) > _FAR).sum())
        return Result(
            answer=_with_what_was_done(_answer(found), case, found),
            blocks=tuple(blocks),
            status="weak" if caveats else "ok",
            caveats=caveats,
            headline=Figure("series that changed themselves", float(len(changed)), "series"),
            baseline=Figure(
                f"series whose mean moved more than {_FAR:g} deviations", float(far), "series"
            ),
            inputs=Inputs.of(
                case.window.select(found.rows.columns.tolist()),
                effective_rows=float(np.median(found.effective_rows)),
                dropped=found.rows.dropped,
            ),
            found=bool(len(changed)),
        )


def _on_kernels(rows: Departed, index: Float[np.ndarray, "rows parts"]) -> KernelIndexTest:
    every = -(-len(rows.values) // _MOST_KERNEL_ROWS)
    return KernelIndexTest(rows.values[::every], index[::every])


def _directed(
    rows: Departed, changes: Changes, seed: int
) -> tuple[np.ndarray, tuple[Direction, ...]]:
    windows = _windows(rows)
    if int(windows.max(initial=0)) + 1 < LEAST_WINDOWS:
        return changes.arrows, ()
    rng = np.random.default_rng(seed)
    return directed_by_change(rows.values, windows, changes.changed, changes.arrows, rng)


def _windows(rows: Departed) -> Int[np.ndarray, " rows"]:
    """Windows of like length for phase 3, none over the onset."""
    length = max(LEAST_ROWS, len(rows.values) // _MOST_WINDOWS)
    before = max(1, rows.onset // length)
    after = max(1, (len(rows.values) - rows.onset) // length)
    first = np.arange(rows.onset) * before // rows.onset
    last = np.arange(len(rows.values) - rows.onset) * after // (len(rows.values) - rows.onset)
    return np.concatenate((first, before + last))


def _graph(window: Window, found: Found) -> CausalGraph:
    series = [window.series[c] for c in found.rows.columns]
    strength = found.changes.strength
    edges = tuple(
        Edge(series[i], series[j], 0, abs(float(strength[i, j])), int(np.sign(strength[i, j])))
        for i, j in np.argwhere(found.changes.arrows).tolist()
    )
    return CausalGraph(window.series, edges)


def in_order(found: Found) -> list[int]:
    """Changed series first, clear ones before others, by what of their shift is unaccounted for."""
    changes, left, names = found.changes, np.abs(found.left), found.rows.names
    return sorted(
        range(len(left)),
        key=lambda k: (not changes.changed[k], changes.p[k] > _CLEAR, -left[k], names[k]),
    )


def _answer(found: Found) -> str:
    names = found.rows.names
    changed = [k for k in in_order(found) if found.changes.changed[k]]
    followed = len(names) - len(changed)
    if not changed:
        return (
            f"None of the {len(names)} series that departed furthest is seen to have changed "
            "itself: each follows the others as before, or too few independent rows tell."
        )
    first = changed[0]
    others = f", then {', '.join(names[k] for k in changed[1:3])}" if changed[1:] else ""
    more = f" and {len(changed) - 3} more" if len(changed) > 3 else ""
    rest = f"; {followed} only follow, or moved too little to tell" if followed else ""
    return (
        f"{len(changed)} of {len(names)} series changed themselves, {names[first]} first: "
        f"{own_change(found, first)} (p {_p(found.changes.p[first])}){others}{more}{rest}."
    )


def own_change(found: Found, k: int) -> str:
    """What of its change is the series' own, in deviations of the baseline."""
    moved, left = float(found.moved[k]), float(found.left[k])
    if abs(left) < 1:
        return f"less its mean ({left:+.3g} deviations of its own) than how it varies"
    if moved * left < 0:
        foretold = moved - left
        return (
            f"it shifted by {moved:+.3g} deviations, where what moves it foretells {foretold:+.3g}"
        )
    return f"{left:+.3g} of its shift of {moved:+.3g} deviations are its own"


def _with_what_was_done(answer: str, case: Case, found: Found) -> str:
    """The answer, and what was done last to the first changed service to which anything was."""
    changed = [k for k in in_order(found) if found.changes.changed[k]]
    services = dict.fromkeys(case.window.series[found.rows.columns[k]].service for k in changed)
    return " ".join([answer, *[told for one in services if (told := case.done_to(one))][:1]])


def _p(p: float) -> str:
    return f"{p:.1g}" if p >= 1e-6 else "< 1e-6"


def _table(found: Found) -> Table:
    names, changes = found.rows.names, found.changes
    evidence = {(d.cause, d.effect): d for d in found.directions}
    rows = []
    for k in in_order(found):
        causes = np.flatnonzero(changes.arrows[:, k] & ~changes.arrows[k]).tolist()
        open_ends = np.flatnonzero(changes.arrows[:, k] & changes.arrows[k]).tolist()
        rows.append(
            (
                names[k],
                "changed" if changes.changed[k] else "follows or unclear",
                float(changes.p[k]),
                float(found.moved[k]),
                float(found.left[k]),
                ", ".join(names[c] + _by_change(evidence.get((c, k))) for c in causes),
                ", ".join(names[c] for c in open_ends),
            )
        )
    columns = (
        "Series",
        "Mechanism",
        "p (largest over what was held fixed)",
        "Shift (baseline deviations)",
        "Not accounted for (baseline deviations)",
        "Follows",
        "Linked, direction open",
    )
    return Table("Who changed and who followed", columns, tuple(rows))


def _by_change(found: Direction | None) -> str:
    if found is None or not found.decided:
        return ""
    return f" (by independent change, p {found.forward.p:.2g} against {found.backward.p:.2g})"


def _driving_forces(found: Found) -> Lines:
    """Curves of the three clearest changes, on at most 200 rows."""
    every = -(-len(found.rows.values) // MOST_POINTS)
    values, arrows = found.rows.values[::every], found.changes.arrows
    lines = []
    for k in [k for k in in_order(found) if found.changes.changed[k]][:3]:
        causes = np.flatnonzero(arrows[:, k] & ~arrows[k])
        curve = driving_force(values[:, k], values[:, causes])
        lines.append(Line(found.rows.names[k], tuple(float(v) for v in curve)))
    times = tuple(float(t) for t in found.rows.times[::every])
    return Lines("When each mechanism changed", times, tuple(lines), "deviations of the curve")


def _caveats(found: Found) -> tuple[Caveat, ...]:
    said = []
    if not found.changes.complete:
        said.append(
            Caveat(
                CaveatCode.DEADLINE,
                "Time was up before every set was held fixed; some that changed may only follow.",
            )
        )
    rows = float(np.median(found.effective_rows))
    if rows < _FEW:
        said.append(
            Caveat(
                CaveatCode.FEW_EFFECTIVE_ROWS,
                f"{len(found.rows.values)} rows are worth {rows:.0f} independent ones; a change "
                "that was not seen may be there.",
            )
        )
    if found.rows.dropped:
        said.append(
            Caveat(
                CaveatCode.DROPPED_SERIES,
                f"{len(found.rows.dropped)} of the series that departed furthest could not be "
                "used.",
            )
        )
    return tuple(said)
