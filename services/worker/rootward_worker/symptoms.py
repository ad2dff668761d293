"""What the detector makes of framed rows: which series changed, and which change does harm.

Pure: a window in, findings out. A symptom is what a caller would feel: latency, errors,
availability, traffic that stops. All else only joins an incident, unless a service has no
symptom series, or a resource runs out steadily.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import replace

import numpy as np

from rootward.model.incident import Change, Incident
from rootward.model.kind import Kind, unit_of
from rootward.model.series import Series
from rootward.model.window import Window
from rootward.numerics.departure import (
    FAST,
    LOOK,
    Departures,
    Rule,
    calibrate,
    departures,
    onset_row,
)
from rootward_worker.finding import Finding, Normal, Traits
from rootward_worker.leaks import LEAST_GROWTH
from rootward_worker.names import Names, names_of

LEAST_LATENCY_RATIO = 1.5
LEAST_LATENCY_SECONDS = 0.005
LEAST_SHARE = 0.02
"""Of all requests: a smaller rise of errors does no harm worth an incident."""
LEAST_EVENTS = 3.0
"""Failed requests within the short median's rows."""
LARGEST_TRAFFIC_RATIO = 0.5
"""Traffic that keeps more than this is no outage."""
GROWTH_ROWS = 8
"""And must have risen at each of so many rows."""
ONSET_ROWS = 60
"""An onset lies within these newest rows."""
LARGE = 2.0
"""A lone symptom opens an incident at once from this multiple of its bound on."""
LASTING_ROWS = 6
"""A lone symptom that is not large opens one once it lasts for so many rows."""

_STATISTIC = re.compile(r"_?(p\d+|mean|avg|max|median)$")


def learn(frame: Window, usable: np.ndarray, rule: Rule) -> Normal:
    """What is normal for each series, from the usable rows."""
    base = np.where(usable[:, None], frame.values, np.nan)
    names = names_of(frame.series)
    traits = _traits(names, base)
    floor = _floors(frame, traits, base)
    calibration = calibrate(_transformed(frame.values, traits), usable, floor, names.metric, rule)
    judged = np.isfinite(calibration.bounds[0])
    felt = {names.services[k] for k in np.unique(names.service[judged & names.symptom])}
    count = np.bincount(names.service[judged], minlength=len(names.services))
    return Normal(frame.series, traits, calibration, frozenset(felt), count)


def standing(frame: Window, usable: np.ndarray, normal: Normal) -> Departures:
    """How the newest rows stand against what is normal."""
    tail = _transformed(frame.values[-LOOK:], normal.traits)
    return departures(tail, usable[-LOOK:], normal.calibration)


def findings(frame: Window, normal: Normal, now: Departures) -> tuple[Finding, ...]:
    """Every series that has left its baseline by the last row, the largest score first.

    In a service whose own resources changed strongly, half the bound is enough of a symptom.
    """
    away = (np.abs(now.score) >= 1) | _supported(normal.traits.names, now)
    found = [_finding(frame, now, normal, int(c)) for c in np.flatnonzero(away)]
    found = [f for f in found if abs(f.score) >= 1 or f.harmful]
    found += _starved(frame, normal, found)
    return tuple(sorted(found, key=lambda f: (-abs(f.score), f.series)))


def _supported(names: Names, now: Departures) -> np.ndarray:
    """Symptoms past half their bound in services with a strong, harmful change beneath them."""
    strong = names.resource & (now.score * names.direction >= LARGE)
    services = np.zeros(len(names.services), dtype=bool)
    services[names.service[strong]] = True
    return np.asarray(names.symptom & services[names.service] & (np.abs(now.score) >= 0.5))


def still_away(
    frame: Window, normal: Normal, now: Departures, incident: Incident
) -> frozenset[Series]:
    """The symptoms of an incident that are not back yet.

    Back is what lies within half its bound. The symptom that opened it may drift too much to
    have a bound worth the name: it is back once it has made half the way.
    """
    traits, column = normal.traits, normal.traits.names.column
    found = set()
    for change in incident.changes:
        c = column.get(change.series)
        if c is None or np.isnan(now.after[c]) or not _harms(change, frame, traits, c):
            continue
        before, after = (_transformed_one(v, traits, c) for v in (change.before, change.after))
        sign = np.sign(after - before)
        if normal.calibration.bounds[0, c] <= abs(after - before):
            away = now.level[c] * sign >= 0.5
        else:
            half = abs(after - before) / 2
            away = change.series == incident.symptom and (now.after[c] - before) * sign > half
        if away:
            found.add(change.series)
    return frozenset(found)


def convincing(harmful: list[Finding], found: tuple[Finding, ...], rows: int) -> bool:
    """Whether symptoms are enough for an incident.

    A percentile of few requests wiggles more than its own past tells, and takes the other
    percentiles of the same requests along: those are one symptom. It needs another symptom,
    another change in its own service, size, or time.
    """
    families = {_family(f) for f in harmful}
    supported = any(
        f.series.service == service and _family(f) != (service, name)
        for f in found
        for service, name in families
    )
    return bool(harmful) and (
        len(families) > 1
        or supported
        or any(
            f.gone
            or f.series.metric == "up"
            or abs(f.score) >= LARGE
            or rows - f.onset >= LASTING_ROWS
            for f in harmful
        )
    )


def _family(finding: Finding) -> tuple[str, str]:
    """The service and the metric without its statistic: what two percentiles share."""
    return finding.series.service, _STATISTIC.sub("", finding.series.metric)


def _traits(names: Names, base: np.ndarray) -> Traits:
    top = np.fmax.reduce(base, axis=0, initial=-np.inf)
    low = np.fmin.reduce(base, axis=0, initial=np.inf)
    share = names.may_be_share & (top <= 100.5)
    return Traits(
        names,
        logarithmic=(low >= 0) & (top > 0) & ~names.failures,
        offset=0.1 * _positive_median(base),
        full=np.where(share, np.where(top > 1.5, 100.0, 1.0), 0.0),
    )


def _positive_median(base: np.ndarray) -> np.ndarray:
    ordered = np.sort(np.where(base > 0, base, np.nan), axis=0)
    rows = np.count_nonzero(np.isfinite(ordered), axis=0)
    if not len(ordered):
        return np.ones(base.shape[1])
    middle = ordered[np.maximum(rows - 1, 0) // 2, np.arange(base.shape[1])]
    return np.where(rows > 0, middle, 1.0)


def _transformed(values: np.ndarray, traits: Traits) -> np.ndarray:
    """Logarithms where ratios matter more than differences; all else as it is."""
    raised = np.maximum(values, 0.0) + traits.offset
    return np.log(raised, out=values.copy(), where=traits.logarithmic)


def _transformed_one(value: float, traits: Traits, column: int) -> float:
    if not traits.logarithmic[column]:
        return value
    return float(np.log(max(value, 0.0) + traits.offset[column]))


def _restored(value: float, traits: Traits, column: int) -> float:
    if not traits.logarithmic[column]:
        return float(value)
    offset = float(traits.offset[column])
    restored = float(np.exp(value)) - offset
    return restored if restored > 1e-9 * offset else 0.0  # the logarithm's rounding, or nothing


def _floors(frame: Window, traits: Traits, base: np.ndarray) -> np.ndarray:
    """The least scale of each series, in transformed units."""
    relative = traits.names.floor
    largest = np.fmax.reduce(np.abs(frame.values), axis=0, initial=0.0)
    linear = np.maximum(relative * 10 * traits.offset * np.any(base > 0, axis=0), 0.01 * largest)
    linear = np.maximum(linear, 1e-9)
    counted = np.maximum(linear, 0.5 / frame.step_seconds)
    linear = np.where(traits.names.counted, counted, linear)
    linear = np.where(traits.full > 0, 0.003 * traits.full, linear)
    return np.where(traits.logarithmic, relative, linear)


def _finding(frame: Window, now: Departures, normal: Normal, column: int) -> Finding:
    traits = normal.traits
    before = _restored(now.before[column], traits, column)
    after = _restored(now.after[column], traits, column)
    finding = Finding(
        series=frame.series[column],
        onset=_onset(frame, now, normal, column),
        score=float(now.score[column]),
        size=float(now.size[column]),
        before=before,
        after=after,
        harmful=False,
    )
    felt = _harms(finding, frame, traits, column) and _enough(frame, traits.names, column)
    harmful = felt or _runs_out(finding, frame, traits, column)
    return replace(finding, harmful=harmful)


def _onset(frame: Window, now: Departures, normal: Normal, c: int) -> int:
    """The first row that is away; of a large change, the first that has made half the way."""
    tail = _transformed(frame.values[-ONSET_ROWS:, c : c + 1], normal.traits.of(c))[:, 0]
    calibration = normal.calibration
    half = abs(now.after[c] - now.before[c]) / 4
    scale = half if now.before[c] != calibration.centre[c] else calibration.scale[c]
    sign = 1.0 if now.score[c] > 0 else -1.0
    found = onset_row(tail, now.before[c], max(scale, 1e-12), sign)
    return len(frame.times) - len(tail) + min(found, len(tail) - FAST)


def _harms(finding: Finding | Change, frame: Window, traits: Traits, column: int) -> bool:
    """Whether a caller feels it, and enough of it."""
    if not traits.names.symptom[column]:
        return False
    before, after, kind = finding.before, finding.after, traits.names.kind[column]
    rise = (after - before) * (traits.names.direction[column] or 1)
    if finding.series.metric == "up":
        return before - after >= 0.5
    if kind is Kind.TRAFFIC:
        return after <= LARGEST_TRAFFIC_RATIO * before
    if traits.full[column] > 0:
        return bool(rise >= LEAST_SHARE * traits.full[column])
    if kind is Kind.LATENCY:
        seconds = {"s": 1.0, "ms": 1e-3}.get(unit_of(finding.series.metric))
        least = LEAST_LATENCY_SECONDS / seconds if seconds else 0.0
        return after >= LEAST_LATENCY_RATIO * before and after - before >= least
    if finding.series.metric.endswith("_errors_rate"):
        return rise * frame.step_seconds * FAST >= LEAST_EVENTS and after >= 2 * before
    return after >= 2 * before if rise > 0 else traits.names.direction[column] < 0


def _enough(frame: Window, names: Names, column: int) -> bool:
    """Whether a share stands for enough requests; yes where nobody counted them."""
    one = frame.series[column]
    if not one.metric.endswith("_errors_ratio"):
        return True
    total = Series(one.metric.removesuffix("_errors_ratio") + "_rate", one.labels)
    if total not in names.column:
        return True
    rate = frame.values[-FAST:, names.column[total]]
    failed = np.nansum(rate * frame.values[-FAST:, column]) * frame.step_seconds
    return bool(failed >= LEAST_EVENTS)


def _runs_out(finding: Finding, frame: Window, traits: Traits, column: int) -> bool:
    """Whether a resource that can run out has been filling up steadily since the onset."""
    if not traits.names.fills[column] or finding.score < 1:
        return False
    tail = frame.values[-GROWTH_ROWS:, column]
    if len(frame.values) - finding.onset < GROWTH_ROWS or not np.all(np.isfinite(tail)):
        return False
    grows = bool(np.all(np.diff(tail) > 0))
    is_dust = finding.before < 1e-6 * finding.after
    return grows and not is_dust and finding.after >= LEAST_GROWTH * finding.before


def _starved(frame: Window, normal: Normal, found: list[Finding]) -> list[Finding]:
    """For services without a symptom series: strong, broad and lasting changes take its place.

    Where other services have symptoms, those would tell of harm, and more is asked for.
    """
    if not found:
        return []
    least_score, least_share = (2 * LARGE, 0.5) if normal.felt else (LARGE, 0.2)
    count = dict(zip(normal.traits.names.services, normal.judged.tolist(), strict=True))
    strong: dict[str, list[Finding]] = defaultdict(list)
    for finding in found:
        lasts = len(frame.values) - finding.onset >= LASTING_ROWS
        one = finding.series.service
        if one not in normal.felt and abs(finding.score) >= least_score and lasts:
            strong[one].append(finding)
    marked = [
        max(own, key=lambda f: (abs(f.score), f.series))
        for service, own in strong.items()
        if len(own) >= max(3, least_share * count[service])
    ]
    for finding in marked:
        found.remove(finding)
    return [replace(finding, harmful=True) for finding in marked]
