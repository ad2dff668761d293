"""What the detector makes of framed rows: which series changed, and which change does harm.

Pure: a window in, findings out. A symptom is what a caller would feel: latency, errors,
availability, traffic that stops. All else only joins an incident, unless a service has no
symptom series, or a resource runs out steadily.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import replace

import numpy as np

from rootward.model.incident import Change, Incident
from rootward.model.kind import Kind, harmful_direction, kind_of, unit_of
from rootward.model.series import INSTANCE, Series
from rootward.model.window import Window
from rootward.numerics.departure import (
    FAST,
    Calibration,
    Departures,
    Rule,
    calibrate,
    departures,
    onset_row,
)
from rootward_worker.finding import Finding, Normal, Traits
from rootward_worker.leaks import FILLS, LEAST_GROWTH

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
SILENT_ROWS = 4
ONSET_ROWS = 60
"""An onset lies within these newest rows."""
LARGE = 2.0
"""A lone symptom opens an incident at once from this multiple of its bound on."""
LASTING_ROWS = 6
"""A lone symptom that is not large opens one once it lasts for so many rows."""
LEAST_PRESENT_ROWS = 30

_OF_THE_MONITORING = re.compile(r"^scrape_|^python_|^go_|^jvm_|gc_|promhttp|rootward_")
_STATISTIC = re.compile(r"_?(p\d+|mean|avg|max|median)$")
_SHARE = re.compile(r"ratio|rate|percent|success|availab|%")
_FLOOR = {Kind.LATENCY: 0.1, Kind.TRAFFIC: 0.1, Kind.SATURATION: 0.1}
"""Least relative deviation that counts as one; 0.05 elsewhere."""


def with_totals(frame: Window) -> Window:
    """The frame with traffic summed over the instances of a service, where there are several.

    Traffic that moves from one instance to another is no outage.
    """
    groups: dict[tuple[str, str], list[int]] = defaultdict(list)
    for c, one in enumerate(frame.series):
        if one.instance and kind_of(one.metric) is Kind.TRAFFIC and len(one.labels) == 2:
            groups[(one.metric, one.service)].append(c)
    totals = {
        Series.of(metric, service): columns
        for (metric, service), columns in groups.items()
        if len(columns) > 1
    }
    totals = {s: c for s, c in totals.items() if s not in set(frame.series)}
    if not totals:
        return frame
    sums = []
    for columns in totals.values():
        part = frame.values[:, columns]
        sums.append(np.where(np.all(np.isnan(part), axis=1), np.nan, np.nansum(part, axis=1)))
    return Window(
        (*frame.series, *totals),
        frame.times,
        np.column_stack([frame.values, *sums]),
        frame.step_seconds,
    )


def learn(frame: Window, usable: np.ndarray, rule: Rule) -> Normal:
    """What is normal for each series, from the usable rows."""
    base = np.where(usable[:, None], frame.values, np.nan)
    traits = _traits(frame, base)
    names: dict[str, int] = {}
    group = np.array([names.setdefault(s.metric, len(names)) for s in frame.series], dtype=np.int64)
    floor = _floors(frame, traits, base)
    calibration = calibrate(_transformed(frame.values, traits), usable, floor, group, rule)
    return Normal(frame.series, traits, calibration)


def findings(frame: Window, usable: np.ndarray, normal: Normal) -> tuple[Finding, ...]:
    """Every series that has left its baseline by the last row, the largest score first.

    In a service whose own resources changed strongly, half the bound is enough of a symptom.
    """
    values = _transformed(frame.values, normal.traits)
    now = departures(values, usable, normal.calibration)
    away = (np.abs(now.score) >= 1) | _supported(frame, normal.traits, now)
    found = [_finding(frame, values, normal, now, int(c)) for c in np.flatnonzero(away)]
    found = [f for f in found if abs(f.score) >= 1 or f.harmful]
    found += _starved(frame, normal, found)
    return tuple(sorted(found, key=lambda f: (-abs(f.score), f.series)))


def _supported(frame: Window, traits: Traits, now: Departures) -> np.ndarray:
    """Symptoms past half their bound in services with a strong, harmful change beneath them."""
    beneath = np.array([kind in (Kind.UTILISATION, Kind.SATURATION) for kind in traits.kind])
    strong = beneath & (now.score * traits.direction >= LARGE)
    services = {frame.series[int(c)].service for c in np.flatnonzero(strong)}
    inside = np.array([s.service in services for s in frame.series], dtype=bool)
    return traits.symptom & inside & (np.abs(now.score) >= 0.5)


def still_away(
    frame: Window, usable: np.ndarray, normal: Normal, incident: Incident
) -> frozenset[Series]:
    """The symptoms of an incident that are not back yet.

    Back is what lies within half its bound. The symptom that opened it may drift too much to
    have a bound worth the name: it is back once it has made half the way.
    """
    traits, column = normal.traits, {s: c for c, s in enumerate(frame.series)}
    now = departures(_transformed(frame.values, traits), usable, normal.calibration)
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


def _traits(frame: Window, base: np.ndarray) -> Traits:
    kinds = tuple(kind_of(s.metric) for s in frame.series)
    direction = np.array([harmful_direction(s.metric) for s in frame.series])
    top = np.nanmax(np.where(np.isfinite(base), base, -np.inf), axis=0, initial=-np.inf)
    low = np.nanmin(np.where(np.isfinite(base), base, np.inf), axis=0, initial=np.inf)
    share = np.array(
        [
            kind is Kind.ERRORS and bool(_SHARE.search(s.metric)) and _is_share(s, t)
            for kind, s, t in zip(kinds, frame.series, top, strict=True)
        ]
    )
    full = np.where(share, np.where(top > 1.5, 100.0, 1.0), 0.0)
    errors = np.array([kind is Kind.ERRORS or s.metric == "up" for kind, s in _pairs(kinds, frame)])
    logarithmic = (low >= 0) & (top > 0) & ~errors
    return Traits(
        kind=kinds,
        direction=direction,
        symptom=symptom_columns(frame.series, kinds),
        logarithmic=logarithmic,
        offset=0.1 * _positive_median(base),
        full=full,
    )


def _pairs(kinds: tuple[Kind, ...], frame: Window) -> list[tuple[Kind, Series]]:
    return list(zip(kinds, frame.series, strict=True))


def _is_share(series: Series, top: float) -> bool:
    """Whether values may be a share of all; a rate of errors per second is none."""
    if series.metric.endswith("_errors_rate"):
        return False
    return bool(top <= 100.5)


def symptom_columns(series: tuple[Series, ...], kinds: tuple[Kind, ...]) -> np.ndarray:
    """Which series a caller feels; traffic only where it is that of a whole service."""
    instances: dict[tuple[str, str], set[str]] = defaultdict(set)
    for one in series:
        instances[(one.metric, one.service)].add(one.instance)
    felt = []
    for one, kind in zip(series, kinds, strict=True):
        only = len(instances[(one.metric, one.service)] - {""}) <= 1 or not one.label(INSTANCE)
        felt.append(
            not _OF_THE_MONITORING.search(one.metric)
            and (
                kind in (Kind.LATENCY, Kind.ERRORS)
                or one.metric == "up"
                or (kind is Kind.TRAFFIC and only)
            )
        )
    return np.array(felt, dtype=bool)


def _positive_median(base: np.ndarray) -> np.ndarray:
    ordered = np.sort(np.where(base > 0, base, np.nan), axis=0)
    rows = np.count_nonzero(np.isfinite(ordered), axis=0)
    if not len(ordered):
        return np.ones(base.shape[1])
    middle = ordered[np.maximum(rows - 1, 0) // 2, np.arange(base.shape[1])]
    return np.where(rows > 0, middle, 1.0)


def _transformed(values: np.ndarray, traits: Traits) -> np.ndarray:
    """Logarithms where ratios matter more than differences; all else as it is."""
    logs = np.log(np.maximum(values, 0.0) + traits.offset)
    return np.where(traits.logarithmic, logs, values)


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
    relative = np.array([_FLOOR.get(kind, 0.05) for kind in traits.kind])
    largest = np.nanmax(np.where(np.isfinite(frame.values), np.abs(frame.values), 0.0), axis=0)
    linear = np.maximum(relative * 10 * traits.offset * np.any(base > 0, axis=0), 0.01 * largest)
    linear = np.maximum(linear, 1e-9)
    counted = np.array([s.metric.endswith("_errors_rate") for s in frame.series], dtype=bool)
    linear = np.where(counted, np.maximum(linear, 0.5 / frame.step_seconds), linear)
    linear = np.where(traits.full > 0, 0.003 * traits.full, linear)
    return np.where(traits.logarithmic, relative, linear)


def _finding(
    frame: Window, values: np.ndarray, normal: Normal, now: Departures, column: int
) -> Finding:
    calibration, traits = normal.calibration, normal.traits
    score = float(now.score[column])
    before = _restored(now.before[column], traits, column)
    after = _restored(now.after[column], traits, column)
    finding = Finding(
        series=frame.series[column],
        onset=_onset(values[:, column], now, calibration, column),
        score=score,
        size=float(now.size[column]),
        before=before,
        after=after,
        harmful=False,
    )
    felt = _harms(finding, frame, traits, column) and _enough(frame, column)
    harmful = felt or _runs_out(finding, frame, column)
    return replace(finding, harmful=harmful)


def _onset(column: np.ndarray, now: Departures, calibration: Calibration, c: int) -> int:
    """The first row that is away; of a large change, the first that has made half the way."""
    tail = min(len(column), ONSET_ROWS)
    half = abs(now.after[c] - now.before[c]) / 4
    scale = half if now.before[c] != calibration.centre[c] else calibration.scale[c]
    sign = 1.0 if now.score[c] > 0 else -1.0
    found = onset_row(column[-tail:], now.before[c], max(scale, 1e-12), sign)
    return len(column) - tail + min(found, tail - FAST)


def _harms(finding: Finding | Change, frame: Window, traits: Traits, column: int) -> bool:
    """Whether a caller feels it, and enough of it."""
    if not traits.symptom[column]:
        return False
    before, after, kind = finding.before, finding.after, traits.kind[column]
    rise = (after - before) * (traits.direction[column] or 1)
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
    return after >= 2 * before if rise > 0 else traits.direction[column] < 0


def _enough(frame: Window, column: int) -> bool:
    """Whether a share stands for enough requests; yes where nobody counted them."""
    one = frame.series[column]
    if not one.metric.endswith("_errors_ratio"):
        return True
    total = Series(one.metric.removesuffix("_errors_ratio") + "_rate", one.labels)
    if total not in frame.series:
        return True
    rate = frame.values[-FAST:, frame.series.index(total)]
    failed = np.nansum(rate * frame.values[-FAST:, column]) * frame.step_seconds
    return bool(failed >= LEAST_EVENTS)


def _runs_out(finding: Finding, frame: Window, column: int) -> bool:
    """Whether a resource that can run out has been filling up steadily since the onset."""
    if not FILLS.search(finding.series.metric) or finding.score < 1:
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
    judged = np.isfinite(normal.calibration.bounds[0])
    felt = {frame.series[int(c)].service for c in np.flatnonzero(judged & normal.traits.symptom)}
    least_score, least_share = (2 * LARGE, 0.5) if felt else (LARGE, 0.2)
    count = Counter(frame.series[int(c)].service for c in np.flatnonzero(judged))
    strong: dict[str, list[Finding]] = defaultdict(list)
    for finding in found:
        lasts = len(frame.values) - finding.onset >= LASTING_ROWS
        if finding.series.service not in felt and abs(finding.score) >= least_score and lasts:
            strong[finding.series.service].append(finding)
    marked = [
        max(own, key=lambda f: (abs(f.score), f.series))
        for service, own in strong.items()
        if len(own) >= max(3, least_share * count[service])
    ]
    for finding in marked:
        found.remove(finding)
    return [replace(finding, harmful=True) for finding in marked]
