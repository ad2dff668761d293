"""Earlier incidents that look alike, from what lists know of them."""

from __future__ import annotations

from dataclasses import dataclass

from rootward.model.incident import Incident
from rootward.model.summary import IncidentQuery, Summary
from rootward.ports import Platform

COMPARED = 300
"""Incidents that are compared, the newest."""
MOST = 10
LEAST_SCORE = 0.2
_SERVICES, _SYMPTOM, _CAUSE = 0.5, 0.25, 0.25
"""What the three parts of the score weigh."""


@dataclass(frozen=True)
class Like:
    """An incident, and how much it has in common with another."""

    summary: Summary
    score: float
    shared: tuple[str, ...]
    same_symptom: bool


def alike(platform: Platform, incident: Incident, own: Summary) -> tuple[Like, ...]:
    """The most alike of the newest incidents, the best first.

    The score is half the share of common services (Jaccard), a quarter for a symptom of the same
    service and metric, a quarter for the same first cause.
    """
    page = platform.incidents.search(IncidentQuery(), incident.tenant, limit=COMPARED)
    found = [_like(own, one) for one in page.items if one.incident.id != incident.id]
    good = [one for one in found if one.score >= LEAST_SCORE]
    order = sorted(good, key=lambda one: (-one.score, -one.summary.incident.opened_unix))
    return tuple(order[:MOST])


def _like(own: Summary, other: Summary) -> Like:
    mine, its = {*own.services}, {*other.services}
    one, two = own.incident.symptom, other.incident.symptom
    same = (one.service, one.metric) == (two.service, two.metric)
    cause = own.first_cause is not None and own.first_cause == other.first_cause
    sure = not (own.abstained or other.abstained)
    score = _SERVICES * len(mine & its) / max(1, len(mine | its))
    score += _SYMPTOM * same + _CAUSE * (cause and sure)
    return Like(other, score, tuple(sorted(mine & its)), same)
