"""An incident to take along: the bundle that repeats its diagnosis, and its report as one file."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from rootward.bundle.package import Bundle, bundled
from rootward.ports import Platform
from rootward_dashboard import report
from rootward_dashboard.access import Asking
from rootward_dashboard.api.routing import problems
from rootward_dashboard.names import incident_name
from rootward_dashboard.problems import Problem


def add(routes: APIRouter, platform: Platform) -> None:
    """Bundle and report."""

    def bundle(caller: Asking, key: str) -> Response:
        """The rows, configuration, versions, seed and answer of the diagnosis, as a zip file.

        `rootward replay-diagnosis BUNDLE` makes the same ranking of it. The rows are kept for
        30 days.
        """
        known = platform.incidents.get(key, caller.tenant)
        found = platform.incidents.diagnosis(known.id, caller.tenant)
        question = platform.exhibits.of(known.id, caller.tenant)
        if found is None or question is None:
            raise Problem(
                404,
                "no_bundle",
                "No bundle",
                "There is no diagnosis yet, or its rows are no longer kept; diagnose it again.",
            )
        body = bundled(Bundle(known, question, found))
        return _file(body, "application/zip", f"{incident_name(known)}.zip")

    def page(request: Request, caller: Asking, key: str) -> Response:
        """The report of an incident as one HTML file without scripts."""
        known = platform.incidents.get(key, caller.tenant)
        text = report.one_file(request, platform, known)
        return _file(text.encode(), "text/html; charset=utf-8", f"{incident_name(known)}.html")

    for path, endpoint, name, kind in (
        ("bundle", bundle, "get_bundle", "application/zip"),
        ("report", page, "get_report", "text/html"),
    ):
        routes.add_api_route(
            f"/incidents/{{key}}/{path}",
            endpoint,
            methods=["GET"],
            operation_id=name,
            response_class=Response,
            responses={
                200: {
                    "description": "The file.",
                    "content": {kind: {"schema": {"type": "string", "format": "binary"}}},
                },
                **problems(401, 403, 404, 422, 503),
            },
        )


def _file(body: bytes, kind: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(body, media_type=kind, headers=headers)
