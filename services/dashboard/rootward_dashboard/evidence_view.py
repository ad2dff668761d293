"""The plots of an incident page: cause against symptom, and every excerpt on one time axis."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import median

from rootward.model.incident import Diagnosis, Excerpt, Incident
from rootward.model.series import Series
from rootward_dashboard import charts, figures
from rootward_dashboard.axes import TimeAxis
from rootward_dashboard.charts import Frame, Mark, Trace
from rootward_dashboard.svg import Markup

_CAUSE, _SYMPTOM, _OTHER = 0, 1, 2


@dataclass(frozen=True)
class Panel:
    """One small multiple and the numbers that say the same in words."""

    series: Series
    role: str
    """`cause`, `candidate`, `symptom`, or empty."""
    plot: Markup
    baseline: str
    before: str
    peak: str
    last: str
    missing: int


@dataclass(frozen=True)
class Timing:
    """What all plots of an incident share."""

    axis: TimeAxis
    onset: float | None
    end: float
    cause: Series | None
    """The series of the first candidate."""
    cause_word: str
    """`cause`, or `candidate` where nothing is sure enough to be called one."""
    cause_onset: float | None
    symptom: Series | None
    symptom_onset: float | None
    comparable: bool
    """Whether the symptom's onset was found in the same way as those of the candidates."""


def timing(incident: Incident, diagnosis: Diagnosis) -> Timing:
    """The axis over all excerpts, and when cause and symptom departed."""
    axis = TimeAxis.over(t for e in diagnosis.excerpts for t in e.times[:1] + e.times[-1:])
    first = diagnosis.candidates[0] if diagnosis.candidates else None
    symptom = diagnosis.symptom or incident.symptom
    found = {c.series: c.onset_unix for c in diagnosis.candidates if c.onset_unix is not None}
    onsets = {c.series: c.onset_unix for c in incident.changes} | found
    return Timing(
        axis=axis,
        onset=incident.onset_unix if diagnosis.onset_unix is None else diagnosis.onset_unix,
        end=axis.end if incident.resolved_unix is None else incident.resolved_unix,
        cause=None if first is None else first.series,
        cause_word="candidate" if diagnosis.abstained else "cause",
        cause_onset=None if first is None else first.onset_unix,
        symptom=symptom,
        symptom_onset=onsets.get(symptom),
        comparable=symptom in found,
    )


def panels(diagnosis: Diagnosis, shared: Timing) -> tuple[Panel, ...]:
    """Every excerpt as a small multiple: the cause first, then the symptom, then the others."""
    ordered = sorted(
        diagnosis.excerpts, key=lambda e: (e.series != shared.cause, e.series != shared.symptom)
    )
    return tuple(_panel(excerpt, shared) for excerpt in ordered)


def comparison(diagnosis: Diagnosis, shared: Timing) -> Markup | None:
    """Cause and symptom in one plot, each as a share of its own largest departure.

    None where one of the two has no excerpt, or both are the same series.
    """
    excerpts = {e.series: e for e in diagnosis.excerpts}
    cause, symptom = shared.cause, shared.symptom
    if cause not in excerpts or symptom not in excerpts or cause == symptom:
        return None
    traces = [
        _departure(excerpts[cause], shared.cause_word, _CAUSE, shared.onset),
        _departure(excerpts[symptom], "symptom", _SYMPTOM, shared.onset),
    ]
    marks = tuple(
        Mark(at, f"{word} {figures.clock(at)}", style)
        for word, style, at in (
            (shared.cause_word, "cause", shared.cause_onset),
            ("symptom", "symptom", shared.symptom_onset),
        )
        if at is not None and (style == "cause" or shared.comparable)
    )
    frame = Frame(shared.axis, "%", shade=_shade(shared), marks=marks, height=200)
    lead = ""
    if shared.comparable and shared.cause_onset is not None and shared.symptom_onset is not None:
        lead = (
            f"; the {shared.cause_word} departs {_order(shared.symptom_onset - shared.cause_onset)}"
        )
    label = (
        f"Departure from the baseline over time of the {shared.cause_word}, {cause}, "
        f"and of the symptom, {symptom}{lead}"
    )
    return charts.time_plot(traces, frame, label)


def thumbnail(excerpt: Excerpt, shared: Timing, style: int = _OTHER) -> Markup:
    """An excerpt without axes."""
    trace = Trace(str(excerpt.series), excerpt.times, excerpt.values, style)
    return charts.sparkline(trace, shared.axis, shared.onset, f"Course of {excerpt.series}")


def _panel(excerpt: Excerpt, shared: Timing) -> Panel:
    role = {shared.symptom: "symptom", shared.cause: shared.cause_word}.get(excerpt.series, "")
    style = {"": _OTHER, "symptom": _SYMPTOM}.get(role, _CAUSE)
    band = (excerpt.low, excerpt.high)
    told = all(math.isfinite(v) for v in band)
    marks = () if shared.onset is None else (Mark(shared.onset, "onset"),)
    frame = Frame(shared.axis, excerpt.unit, band if told else None, _shade(shared), marks)
    before = _known(excerpt, -math.inf, shared.onset)
    since = _known(excerpt, shared.onset, math.inf)
    known = _known(excerpt, -math.inf, None)
    peak = max(since, key=lambda v: abs(v - median(before or since)), default=None)

    def say(value: float | None) -> str:
        return figures.quantity(value, excerpt.unit)

    texts = (
        f"{say(excerpt.low)} to {say(excerpt.high)}" if told else figures.MISSING,
        say(median(before) if before else None),
        say(peak),
        say(known[-1] if known else None),
    )
    label = (
        f"{excerpt.series}: baseline {texts[0]}, median before the onset {texts[1]}, "
        f"farthest since {texts[2]}, last {texts[3]}"
    )
    trace = Trace(str(excerpt.series), excerpt.times, excerpt.values, style)
    plot = charts.time_plot([trace], frame, label)
    return Panel(excerpt.series, role, plot, *texts, missing=len(excerpt.values) - len(known))


def _known(excerpt: Excerpt, start: float | None, end: float | None) -> list[float]:
    """Measured values of start <= t < end; None as start holds nothing, as end everything."""
    if start is None:
        return []
    stop = math.inf if end is None else end
    return [
        v
        for t, v in zip(excerpt.times, excerpt.values, strict=True)
        if v is not None and math.isfinite(v) and start <= t < stop
    ]


def _departure(excerpt: Excerpt, name: str, style: int, onset: float | None) -> Trace:
    """Distance from the middle of the baseline, in percent of the largest distance."""
    middle = _middle(excerpt, onset)
    largest = max((abs(v - middle) for v in _known(excerpt, -math.inf, None)), default=0.0) or 1.0
    values = [
        None if v is None or not math.isfinite(v) else 100 * (v - middle) / largest
        for v in excerpt.values
    ]
    return Trace(name, excerpt.times, values, style)


def _middle(excerpt: Excerpt, onset: float | None) -> float:
    if math.isfinite(excerpt.low) and math.isfinite(excerpt.high):
        return (excerpt.low + excerpt.high) / 2
    before = _known(excerpt, -math.inf, onset)
    return median(before) if before else 0.0


def _shade(shared: Timing) -> tuple[float, float] | None:
    return None if shared.onset is None else (shared.onset, shared.end)


def _order(seconds: float) -> str:
    if abs(seconds) < 0.5:
        return "at the same time"
    return f"{figures.span(abs(seconds))} {'earlier' if seconds > 0 else 'later'}"
