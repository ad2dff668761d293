"""Diagnoses and methods: run one on an incident, and what can be run."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from rootward.model.incident import Incident
from rootward.ports import Platform
from rootward_dashboard import answers, reading, wire
from rootward_dashboard import schemas as out
from rootward_dashboard.access import Asking
from rootward_dashboard.api.routing import PREFIX, change, get, root
from rootward_dashboard.names import incident_key
from rootward_dashboard.problems import Problem


def add(routes: APIRouter, platform: Platform) -> None:
    """Run a diagnosis or a method on an incident; list the methods."""

    def diagnose(request: Request, response: Response, caller: Asking, key: str) -> out.QueuedOut:
        """Diagnose an incident (again); the outcome replaces the last diagnosis."""
        incident = platform.incidents.get(key, caller.tenant)
        platform.jobs.submit("diagnose", incident_id=incident.id, tenant=caller.tenant)
        return _queued(response, "diagnose", incident, _url(request, incident) + "/diagnosis")

    def analyse(
        request: Request, response: Response, caller: Asking, key: str, wanted: answers.AnalysisIn
    ) -> out.QueuedOut:
        """Run a method of the catalogue on an incident."""
        incident = platform.incidents.get(key, caller.tenant)
        _check(platform, wanted)
        platform.jobs.submit(
            "analyse",
            incident_id=incident.id,
            method=wanted.method,
            params=wanted.params,
            tenant=caller.tenant,
        )
        return _queued(response, "analyse", incident, _url(request, incident))

    def methods() -> answers.MethodsOut:
        """Every method: what it says about itself, and why no worker can run it if none can."""
        return answers.MethodsOut(items=[wire.method(m) for m in platform.results.catalogue()])

    at = "/incidents/{key}"
    change(routes, f"{at}/diagnose", diagnose, "diagnose_incident", out.QueuedOut, status=202)
    change(routes, f"{at}/analyses", analyse, "analyse_incident", out.QueuedOut, status=202)
    get(routes, "/methods", methods, "list_methods", answers.MethodsOut)


def _check(platform: Platform, wanted: answers.AnalysisIn) -> None:
    entry = reading.methods(platform).get(wanted.method)
    if entry is None:
        raise Problem(
            422,
            "unknown_method",
            "No such method",
            f"There is no method {wanted.method!r}; GET {PREFIX}/methods lists them.",
            (out.FieldError(pointer="/method", detail="not in the catalogue"),),
        )
    reading.checked_parameters(entry, wanted.params)


def _queued(response: Response, job: str, incident: Incident, url: str) -> out.QueuedOut:
    response.headers["Location"] = url
    return out.QueuedOut(job=job, incident_id=incident.id, url=url)


def _url(request: Request, incident: Incident) -> str:
    return f"{root(request)}{PREFIX}/incidents/{incident_key(incident)}"
