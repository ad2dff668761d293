"""A rollout of which it is known who got it, as an experiment on the rows of an incident. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import numpy as np

from rootward.model.change_event import INSTANCES, ChangeEvent
from rootward.model.experiment import Experiment
from rootward.model.kind import Kind, kind_of
from rootward.model.window import Window

LEAST_BEFORE = 10
"""Rows before the rollout that tell what is usual for an instance."""
LEAST_SINCE = 3
LEAST_OF_EACH = 2
"""Instances that got it, and that did not."""
_KINDS = (Kind.LATENCY, Kind.ERRORS, Kind.UTILISATION)
"""What is compared, the first that enough instances have."""


def experiment_of(event: ChangeEvent, window: Window) -> Experiment | None:
    """Instances that a change names got it, the other ones of its service did not.

    A unit is an instance in a row since the change, its outcome how far a metric lies above the
    instance's own mean before: latency, else errors, else utilisation, and of a kind the metric
    that most instances have. None where the change names no instances, or too few are measured.
    """
    named = {name for name in dict(event.details).get(INSTANCES, "").split(",") if name}
    start = int(np.searchsorted(window.times, event.at_unix))
    if not named or start < LEAST_BEFORE or len(window.times) - start < LEAST_SINCE:
        return None
    for metric, columns in _candidates(window, event.service):
        outcomes = {
            instance: found
            for instance, column in columns.items()
            if (found := _above_usual(window.values[:, column], start)) is not None
        }
        got = [instance for instance in outcomes if _is_named(instance, named)]
        if min(len(got), len(outcomes) - len(got)) >= LEAST_OF_EACH:
            return _experiment(event, metric, outcomes, frozenset(got))
    return None


def _candidates(window: Window, service: str) -> list[tuple[str, Mapping[str, int]]]:
    """Metrics of a service with the column of each instance, the ones to compare by first."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for column, series in enumerate(window.series):
        if series.service == service and series.instance and kind_of(series.metric) in _KINDS:
            found[series.metric].setdefault(series.instance, column)
    return sorted(
        found.items(), key=lambda one: (_KINDS.index(kind_of(one[0])), -len(one[1]), one[0])
    )


def _above_usual(values: np.ndarray, start: int) -> np.ndarray | None:
    before, since = (part[np.isfinite(part)] for part in (values[:start], values[start:]))
    if len(before) < LEAST_BEFORE or len(since) < LEAST_SINCE:
        return None
    return np.asarray(since - before.mean())


def _is_named(instance: str, named: set[str]) -> bool:
    """An instance is named as it is, or without its port."""
    return instance in named or instance.rpartition(":")[0] in named


def _experiment(
    event: ChangeEvent, metric: str, outcomes: Mapping[str, np.ndarray], got: frozenset[str]
) -> Experiment:
    flag = np.concatenate([np.full(len(x), float(name in got)) for name, x in outcomes.items()])
    return Experiment(
        name=event.title,
        instrument=flag,
        exposure=flag,
        outcome=np.concatenate(list(outcomes.values())),
        outcome_name=f"{metric} above its usual",
        covariates=np.empty((len(flag), 0)),
        clusters=tuple(name for name, x in outcomes.items() for _ in x),
    )
