"""How well discovery finds known graphs: series with a true graph in, AUROC out."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from rootward.errors import InvalidInput, RootwardError
from rootward.methods.base import DiscoveryMethod
from rootward.methods.registry import Registry, spelled
from rootward.model.graph import CausalGraph
from rootward.model.series import Series
from rootward.model.window import Window
from rootward.testing.cases import Planted

EVERY_PAIR: Mapping[str, Mapping[str, Any]] = {
    "lagged_correlation": {"threshold": 0.0},
    "ridge_granger": {"false_discovery_rate": 1.0},
    "neural_granger": {"false_discovery_rate": 1.0},
    "run_faithful": {"every_pair": True},
}
"""Parameters with which a method weighs all pairs; others are scored on the edges they draw."""


def auroc(
    scores: CausalGraph | Float[np.ndarray, "series series"],
    truth: Float[np.ndarray, "series series"],
) -> float:
    """Chance that a true edge scores above a false one, ties half; the diagonal left out.

    Raises:
        InvalidInput: the truth has no edge, or nothing but edges.
    """
    found = scores.matrix() if isinstance(scores, CausalGraph) else scores
    pairs = ~np.eye(len(truth), dtype=bool)
    true, false = found[pairs & (truth > 0)], found[pairs & (truth == 0)]
    if not (true.size and false.size):
        raise InvalidInput("AUROC needs a truth with both edges and pairs without one")
    above = np.mean(true[:, None] > false[None, :])
    return float(above + 0.5 * np.mean(true[:, None] == false[None, :]))


def truth_matrix(planted: Planted) -> Float[np.ndarray, "series series"]:
    """1 at [cause, effect] for every true edge."""
    position = {s: k for k, s in enumerate(planted.window.series)}
    truth = np.zeros((len(position), len(position)))
    for cause, effect in planted.edges:
        truth[position[cause], position[effect]] = 1.0
    return truth


def load_cases(directory: Path) -> Iterator[tuple[str, str, Planted]]:
    """(data set, case, series with their graph) for every `*/*/truth.json` below a directory.

    Beside it lies `series.csv` with a first column `t`, in rows. `truth.json` has `nodes` and
    `edges`, each `[cause, effect, lag or null]`.

    Raises:
        InvalidInput: there is none, or one is not of this form.
    """
    found = sorted(directory.glob("*/*/truth.json"))
    if not found:
        raise InvalidInput(f"no case below {directory}: expected */*/truth.json")
    for path in found:
        yield path.parent.parent.name, path.parent.name, _read(path)


def _read(path: Path) -> Planted:
    try:
        truth = json.loads(path.read_text())
        with (path.parent / "series.csv").open(newline="") as file:
            header, *rows = list(csv.reader(file))
        values = np.array([[float(cell or "nan") for cell in row] for row in rows])
        edges = [(str(edge[0]), str(edge[1])) for edge in truth["edges"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidInput(f"{path.parent}: {error}") from error
    names = {n: Series.of(n, n) for n in header[1:]}
    if unknown := {n for edge in edges for n in edge} - set(names):
        raise InvalidInput(f"{path}: edges name unknown series {', '.join(sorted(unknown))}")
    window = Window(tuple(names.values()), values[:, 0], values[:, 1:], _step(values[:, 0]))
    pairs = frozenset((names[i], names[j]) for i, j in edges if i != j)
    return Planted(window, pairs)


def _step(times: Float[np.ndarray, " rows"]) -> float:
    return float(np.median(np.diff(times)))


@dataclass(frozen=True)
class Score:
    """One method on one case."""

    dataset: str
    case: str
    method: str
    auroc: float | None
    """None where the method failed; `error` says why."""
    seconds: float
    error: str = ""


def score_all(
    directory: Path, registry: Registry, methods: Sequence[str], seed: int = 0
) -> Iterator[Score]:
    """Every discovery method on every case of a directory, one by one.

    A method is a name, with parameters after it where they are not the defaults:
    `neural_granger:density=0.25`.
    """
    for dataset, case, planted in load_cases(directory):
        for text in methods:
            name, parameters = spelled(text)
            method = registry.make(name, {**EVERY_PAIR.get(name, {}), **parameters})
            if not isinstance(method, DiscoveryMethod):
                raise InvalidInput(f"{name} is not a discovery method")
            yield replace(_score(dataset, case, method, planted, seed), method=text)


def _score(dataset: str, case: str, method: DiscoveryMethod, planted: Planted, seed: int) -> Score:
    began = time.perf_counter()
    name = method.about.name
    try:
        value = auroc(method.discover(planted.window, seed), truth_matrix(planted))
    except RootwardError as error:
        return Score(dataset, case, name, None, time.perf_counter() - began, str(error))
    return Score(dataset, case, name, value, time.perf_counter() - began)


@dataclass(frozen=True)
class Summary:
    """One method over one data set; failures count as a coin toss of 0.5."""

    dataset: str
    method: str
    cases: int
    failures: int
    mean_auroc: float
    median_seconds: float


def summaries(scores: Sequence[Score]) -> tuple[Summary, ...]:
    """Means by data set and method, in the order in which they first appear."""
    groups: dict[tuple[str, str], list[Score]] = {}
    for score in scores:
        groups.setdefault((score.dataset, score.method), []).append(score)
    return tuple(
        Summary(
            dataset=dataset,
            method=method,
            cases=len(group),
            failures=sum(s.auroc is None for s in group),
            mean_auroc=float(np.mean([0.5 if s.auroc is None else s.auroc for s in group])),
            median_seconds=float(np.median([s.seconds for s in group])),
        )
        for (dataset, method), group in groups.items()
    )
