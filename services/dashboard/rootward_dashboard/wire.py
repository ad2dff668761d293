"""Model values as wire types."""

from __future__ import annotations

import json
from collections.abc import Mapping

from rootward.model.alert import Alert
from rootward.model.change_event import ChangeEvent
from rootward.model.graph import CausalGraph, Edge
from rootward.model.incident import Candidate, Change, Diagnosis
from rootward.model.kind import unit_of
from rootward.model.result import Analysis, GraphBlock, MethodEntry, Result
from rootward.model.series import Series
from rootward.model.summary import Summary
from rootward.ports import SeriesInfo
from rootward_dashboard import answers, spread
from rootward_dashboard import schemas as out
from rootward_dashboard.figures import instant
from rootward_dashboard.names import incident_key, incident_name


def series(value: Series) -> out.SeriesOut:
    """A series with its labels."""
    return out.SeriesOut(
        key=value.key,
        name=str(value),
        metric=value.metric,
        service=value.service,
        labels=dict(value.labels),
    )


def known_series(info: SeriesInfo) -> out.KnownSeriesOut:
    """A series with the time of its last sample."""
    return out.KnownSeriesOut(
        **series(info.series).model_dump(),
        last_at=instant(info.last_unix),
        last_unix=info.last_unix,
    )


def incident(value: Summary, now: float, root: str) -> out.IncidentOut:
    """An incident as the list shows it; `root` is the path the app is mounted at."""
    one, handling = value.incident, value.incident.handling
    key = incident_key(one)
    end = now if one.resolved_unix is None else one.resolved_unix
    seen = handling.acknowledged_unix
    return out.IncidentOut(
        id=one.id,
        number=one.number,
        name=incident_name(one),
        title=one.title,
        status=one.status,
        severity=one.severity,
        services=list(value.services),
        symptom=series(one.symptom),
        onset_at=instant(one.onset_unix),
        onset_unix=one.onset_unix,
        opened_at=instant(one.opened_unix),
        opened_unix=one.opened_unix,
        resolved_at=None if one.resolved_unix is None else instant(one.resolved_unix),
        resolved_unix=one.resolved_unix,
        duration_seconds=max(0.0, end - one.onset_unix),
        acknowledged_at=None if seen is None else instant(seen),
        acknowledged_unix=seen,
        acknowledged_by=handling.acknowledged_by,
        assignee=handling.assignee,
        resolved_by=handling.resolved_by,
        version=handling.version,
        merged=list(handling.absorbed),
        links=list(handling.links),
        diagnosis=out.DiagnosisState(
            state=value.state,
            reason=value.reason,
            conclusion=value.conclusion,
            band=value.band,
            confidence=value.confidence,
            abstained=value.abstained,
            first_cause=value.first_cause,
        ),
        url=f"{root}/api/v1/incidents/{key}",
        page_url=f"{root}/incidents/{key}",
    )


def change(value: Change) -> out.ChangeOut:
    """A change with the unit that the metric's name states."""
    return out.ChangeOut(
        series=series(value.series),
        onset_at=instant(value.onset_unix),
        onset_unix=value.onset_unix,
        score=value.score,
        before=value.before,
        after=value.after,
        unit=unit_of(value.series.metric),
    )


def alert(value: Alert) -> out.AlertOut:
    """An alert with its labels and what it says."""
    return out.AlertOut(
        key=value.key,
        name=value.name,
        status=value.status,
        service=value.service,
        summary=value.summary,
        labels=dict(value.labels),
        annotations=dict(value.annotations),
        starts_at=instant(value.starts_unix),
        starts_unix=value.starts_unix,
        ends_at=None if value.ends_unix is None else instant(value.ends_unix),
        ends_unix=value.ends_unix,
        seen_unix=value.seen_unix,
        url=value.url,
        incident_id=value.incident_id or None,
        opened=value.opened,
    )


def change_event(value: ChangeEvent) -> out.ChangeEventOut:
    """What was done, when and by whom."""
    return out.ChangeEventOut(
        id=value.id,
        source=value.source,
        type=value.type,
        kind=value.kind,
        service=value.service,
        title=value.title,
        at=instant(value.at_unix),
        at_unix=value.at_unix,
        author=value.author,
        url=value.url,
        details=dict(value.details),
    )


def diagnosis(
    incident_id: str, value: Diagnosis, graph_version: int | None = None
) -> out.DiagnosisOut:
    """A whole diagnosis, and the version of the kept graph that was in force."""
    return out.DiagnosisOut(
        incident_id=incident_id,
        conclusion=value.conclusion,
        band=value.band,
        confidence=value.confidence,
        abstained=value.abstained,
        likely=list(value.likely),
        onset_at=None if value.onset_unix is None else instant(value.onset_unix),
        onset_unix=value.onset_unix,
        symptom=None if value.symptom is None else series(value.symptom),
        candidates=[candidate(c) for c in value.candidates],
        graph=graph(value.graph, value.step_seconds),
        spread=_spread(value),
        opinions=[
            out.OpinionOut(method=o.method, services=list(o.services)) for o in value.opinions
        ],
        cautions=list(value.cautions),
        excerpts=[
            out.ExcerptOut(
                series=series(e.series),
                times_unix=list(e.times),
                values=list(e.values),
                low=e.low,
                high=e.high,
                unit=e.unit,
            )
            for e in value.excerpts
        ],
        method=value.method,
        parameters=dict(value.parameters),
        seed=value.seed,
        version=value.version,
        graph_version=graph_version,
        start_at=instant(value.start_unix),
        start_unix=value.start_unix,
        end_at=instant(value.end_unix),
        end_unix=value.end_unix,
        step_seconds=value.step_seconds,
        rows=value.rows,
        series_count=value.series_count,
        seconds=value.seconds,
    )


def graph(value: CausalGraph, step_seconds: float | None) -> out.GraphOut:
    """A causal graph; lags in seconds where the step is known."""
    return out.GraphOut(
        series=[series(s) for s in value.series],
        edges=[edge(e, step_seconds) for e in value.edges],
    )


def edge(value: Edge, step_seconds: float | None) -> out.EdgeOut:
    """An edge; its lag in seconds where the step is known."""
    return out.EdgeOut(
        cause=value.cause.key,
        effect=value.effect.key,
        lag_rows=value.lag,
        lag_seconds=None if step_seconds is None else value.lag * step_seconds,
        weight=value.weight,
        sign=value.sign,
        confidence=value.confidence,
    )


def _spread(value: Diagnosis) -> out.SpreadOut | None:
    if not value.candidates or value.symptom is None:
        return None
    part = spread.spread(value.graph, value.candidates[0].series, value.symptom)
    told = part if part.edges else spread.whole(value.graph)
    return out.SpreadOut(
        series=[s.key for s in told.series],
        edges=[edge(e, value.step_seconds) for e in told.edges],
        connected=bool(part.edges) and part.connected,
    )


def analysis(
    value: Analysis, questions: Mapping[str, str], step_seconds: float | None
) -> answers.AnalysisOut:
    """An analysis with the question its method answers; lags in seconds where the step is known."""
    return answers.AnalysisOut(
        method=value.method,
        question=questions.get(value.method, ""),
        parameters=json.loads(value.parameters),
        status=value.status,
        reason=value.reason,
        progress=value.progress,
        seconds=value.seconds,
        cpu_seconds=value.cpu_seconds,
        seed=value.seed,
        settings=json.loads(value.settings),
        versions=dict(value.versions),
        result=None if value.result is None else _result(value.result, step_seconds),
    )


def method(value: MethodEntry) -> answers.MethodOut:
    """A method of the catalogue."""
    return answers.MethodOut(
        name=value.name,
        family=value.family,
        question=value.question,
        summary=value.summary,
        paper=value.paper,
        default=value.default,
        version=value.version,
        available=not value.unavailable,
        unavailable=value.unavailable,
        provenance=value.provenance,
        provenance_note=value.provenance_note,
        scope=value.scope,
        anchors=list(value.anchors),
        needs=list(value.needs),
        cost=value.cost,
        trigger=value.trigger,
        assumptions=list(value.assumptions),
        limits=list(value.limits),
        library=value.library,
        level=value.level,
        parameters_schema=json.loads(value.schema),
    )


def provisional(value: Candidate) -> out.ProvisionalOut:
    """A candidate before a causal graph is known."""
    return out.ProvisionalOut(
        service=value.service,
        series=value.series.key,
        score=value.score,
        onset_unix=value.onset_unix,
    )


def candidate(value: Candidate) -> out.CandidateOut:
    """A possible root cause."""
    return out.CandidateOut(
        rank=value.rank,
        service=value.service,
        series=series(value.series),
        score=value.score,
        onset_at=None if value.onset_unix is None else instant(value.onset_unix),
        onset_unix=value.onset_unix,
        also=[series(one) for one in value.also],
        evidence=[
            out.EvidenceOut(kind=e.kind, text=e.text, value=e.value, unit=e.unit)
            for e in value.evidence
        ],
    )


def _result(value: Result, step_seconds: float | None) -> answers.ResultOut:
    blocks = [
        answers.GraphBlockOut(title=b.title, graph=graph(b.graph, step_seconds))
        if isinstance(b, GraphBlock)
        else b
        for b in value.blocks
    ]
    return answers.ResultOut(
        answer=value.answer,
        blocks=blocks,
        cautions=list(value.cautions),
        status=value.status,
        caveats=list(value.caveats),
        headline=value.headline,
        baseline=value.baseline,
        inputs=value.inputs,
        found=value.found,
    )
