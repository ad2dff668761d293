"""The case of an incident: what its methods get to see."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from rootward.errors import InsufficientData
from rootward.methods.base import Need
from rootward.model.case import Case
from rootward.model.change_event import BEFORE_SECONDS, ChangeEvent
from rootward.model.incident import Diagnosis, Incident
from rootward.model.past import Document
from rootward.model.window import Window
from rootward.ports import Platform, WindowQuery
from rootward.rca.frame import framed
from rootward.rca.rollouts import experiment_of
from rootward_worker import outcomes, runbooks
from rootward_worker.calls import calls_within
from rootward_worker.options import WorkerOptions
from rootward_worker.windows import last_row_unix, window_of, without_earlier

MOST_HISTORY = 6
"""Windows before that of the incident."""
MOST_INCIDENTS = 1000
"""Earlier incidents that become documents, the newest."""
EXPERIMENT_SECONDS = 86_400.0
"""How long before an onset an experiment may have begun."""
_AT_ONCE = 100


@dataclass(frozen=True)
class Subject:
    """One incident, and where what is known of it is stored."""

    platform: Platform
    options: WorkerOptions
    incident: Incident

    @cached_property
    def diagnosis(self) -> Diagnosis | None:
        """Its diagnosis, if there is one."""
        return self.platform.incidents.diagnosis(self.incident.id, self.incident.tenant)

    @cached_property
    def window(self) -> Window:
        """The rows that its diagnosis looked at, as rates and latencies.

        Raises:
            InsufficientData: no samples there, or none from the incident.
        """
        end = (
            self.diagnosis.end_unix
            if self.diagnosis
            else last_row_unix(self.platform, self.options, self.incident)
        )
        whole = window_of(self.platform, self.options, self.incident, end)
        return without_earlier(self.platform, self.incident, whole)[0]

    @property
    def done(self) -> tuple[ChangeEvent, ...]:
        """What was done to the system just before the onset."""
        onset, tenant = self.incident.onset_unix, self.incident.tenant
        return self.platform.change_events.between(onset - BEFORE_SECONDS, onset, tenant)

    def case(self, needs: Iterable[Need]) -> Case:
        """Window, symptom, seed and calls, and of the rest what is needed and there.

        Raises:
            InsufficientData: no samples there, or none from the incident.
        """
        frame = framed(self.window)
        symptom = self.incident.symptom
        case = Case(
            window=frame,
            symptom=frame.series.index(symptom) if symptom in frame.series else None,
            seed=self.options.seed,
            calls=calls_within(self.platform, self.window.series, self.incident.tenant),
            done=self.done,
        )
        for need in sorted(set(needs) & set(_SUPPLY)):
            case = replace(case, **_SUPPLY[need](self))
        return case


def _graph(subject: Subject) -> dict[str, Any]:
    return {"graph": subject.diagnosis.graph if subject.diagnosis else None}


def _candidates(subject: Subject) -> dict[str, Any]:
    """The ranked causes, and what came of steps that were taken against such."""
    return {
        "candidates": subject.diagnosis.candidates if subject.diagnosis else (),
        "outcomes": outcomes.known(subject.platform, subject.incident.tenant),
    }


def _changes(subject: Subject) -> dict[str, Any]:
    return {"changes": tuple(sorted(subject.incident.changes, key=lambda c: c.onset_unix))}


def _text(subject: Subject) -> dict[str, Any]:
    return {"text": _said(subject.incident, subject.diagnosis) if subject.diagnosis else ""}


def _experiment(subject: Subject) -> dict[str, Any]:
    """What was recorded last before the end of the rows, a day before the onset at the earliest.

    Where nothing was: the last change that not all instances of its service got.
    """
    end, onset = float(subject.window.times[-1]), subject.incident.onset_unix
    platform, tenant = subject.platform, subject.incident.tenant
    recorded = platform.experiments.last(onset - EXPERIMENT_SECONDS, end, tenant)
    if recorded is not None:
        return {"experiment": recorded.experiment}
    events = platform.change_events.between(float(subject.window.times[0]), end, tenant)
    partial = (experiment_of(event, framed(subject.window)) for event in reversed(events))
    return {"experiment": next((one for one in partial if one is not None), None)}


def _history(subject: Subject) -> dict[str, Any]:
    """Windows of the same length that end where the next one begins, as far as there are any."""
    options, found = subject.options, []
    end = float(subject.window.times[0]) - options.step_seconds
    for _ in range(MOST_HISTORY):
        query = WindowQuery(end, options.window_rows, options.step_seconds, subject.incident.tenant)
        try:
            found.append(framed(subject.platform.samples.window(query)))
        except InsufficientData:
            break
        end -= options.window_rows * options.step_seconds
    return {"history": tuple(reversed(found))}


def _documents(subject: Subject) -> dict[str, Any]:
    earlier = [_document(subject.platform, one) for one in _earlier(subject)]
    return {"documents": (*reversed(earlier), *runbooks.read(subject.options.runbooks))}


def _earlier(subject: Subject) -> Iterator[Incident]:
    """Incidents that began before this one, the newest first."""
    cursor, seen = None, 0
    while seen < MOST_INCIDENTS:
        page = subject.platform.incidents.page(
            subject.incident.tenant, limit=_AT_ONCE, cursor=cursor
        )
        for one in page.items:
            if one.id != subject.incident.id and one.onset_unix < subject.incident.onset_unix:
                yield one
        seen += len(page.items)
        if page.next_cursor is None:
            return
        cursor = page.next_cursor


def _document(platform: Platform, incident: Incident) -> Document:
    found = platform.incidents.diagnosis(incident.id, incident.tenant)
    sure = found is not None and not found.abstained and bool(found.candidates)
    return Document(
        name=f"INC-{incident.number}",
        kind="incident",
        title=incident.title,
        text=_said(incident, found),
        answer=found.conclusion if found is not None and sure else "",
        onset_unix=incident.onset_unix,
        changes=incident.changes,
    )


def _said(incident: Incident, diagnosis: Diagnosis | None) -> str:
    """Title, conclusion and the evidence for the first candidates, one sentence a line."""
    lines = [incident.title]
    if diagnosis is not None:
        lines.append(diagnosis.conclusion)
        lines += [e.text for c in diagnosis.candidates[:3] for e in c.evidence]
    return "\n".join(lines)


_SUPPLY: Mapping[Need, Callable[[Subject], dict[str, Any]]] = {
    Need.GRAPH: _graph,
    Need.HISTORY: _history,
    Need.CHANGES: _changes,
    Need.CANDIDATES: _candidates,
    Need.DOCUMENTS: _documents,
    Need.TEXT: _text,
    Need.EXPERIMENT: _experiment,
}
