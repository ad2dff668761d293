"""What a tenant sees is its own: pages, API and audit log, by token, login or a proxy's header."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from fastapi.routing import iter_route_contexts

from rootward.model.access import Right
from rootward.model.series import Sample, SampleBatch
from rootward.ports import Platform
from rootward.testing.fakes import ManualClock, fake_platform
from tests.services import made_up_incident as shop
from tests.services.access_client import Closed, closed
from tests.services.test_rights import ENDLESS, OPEN

OTHER = "other"
SECRETS = (shop.incident().title, "orders-db")
"""What stands on the pages of the tenant `other`, and may stand on no page of `default`."""


@pytest.fixture
def platform() -> Platform:
    """One in which the tenant `other` has an incident with all that belongs to it."""
    made = fake_platform(ManualClock(shop.NOW))
    opened = made.incidents.open(replace(shop.incident(), tenant=OTHER))
    made.incidents.save(opened.id, shop.diagnosis(), OTHER)
    for analysis in shop.analyses():
        made.results.save(analysis, OTHER)
    samples = [Sample(s, shop.NOW - 4.0, 1.0) for s in shop.EVERY]
    made.samples.append(SampleBatch.of(samples, tenant=OTHER))
    return made


def reading(site: Closed) -> list[str]:
    """The address of everything that can be read, for an incident that `other` has."""
    (opened,) = site.platform.incidents.current(OTHER)
    paths = {
        str(route.path)
        for route in iter_route_contexts(site.app.routes)
        if "GET" in route.methods and route.path not in OPEN | {ENDLESS}
    }
    known = [re.sub(r"{key}", opened.id, p) for p in paths]
    return sorted(p for p in known if "{" not in p)


def test_no_page_and_no_answer_shows_what_another_tenant_has(platform: Platform):
    site = closed(platform)
    mine = site.client(headers=site.bearer(Right.ADMIN))
    theirs = site.client(headers=site.bearer(Right.ADMIN, tenant=OTHER))
    shown = set()
    for path in reading(site):
        own = theirs.get(path).text
        shown |= {secret for secret in SECRETS if secret in own}
        answer = mine.get(path)
        assert [s for s in SECRETS if s in answer.text] == [], path
    assert shown == set(SECRETS), "they are there to be seen"
    assert mine.get("/report").status_code == theirs.get("/report").status_code == 200
    assert mine.get("/api/v1/status").json()["series"] == 0
    assert theirs.get("/api/v1/status").json()["series"] == len(shop.EVERY)


def test_nobody_changes_what_another_tenant_has(platform: Platform):
    site = closed(platform)
    (opened,) = platform.incidents.current(OTHER)
    client = site.client(headers=site.bearer(Right.ADMIN))
    for deed in ("acknowledge", "resolve", "diagnose"):
        assert client.post(f"/api/v1/incidents/{opened.id}/{deed}").status_code == 404, deed
    assert platform.incidents.get(opened.id, OTHER) == opened


def test_the_tenant_of_a_token_wins_over_a_header(platform: Platform):
    site = closed(platform, tenant_header="X-Scope-OrgID")
    headers = site.bearer(Right.READ) | {"X-Scope-OrgID": OTHER}
    assert site.client(headers=headers).get("/api/v1/incidents").json()["items"] == []
    assert site.client(headers=headers).get("/api/v1/me").json()["tenant"] == "default"


def test_where_nobody_logs_in_a_header_may_name_it(platform: Platform):
    site = closed(platform, login=False, tenant_header="X-Scope-OrgID")
    client = site.client()
    named = client.get("/api/v1/incidents", headers={"X-Scope-OrgID": OTHER}).json()
    assert len(named["items"]) == 1
    assert client.get("/api/v1/incidents").json()["items"] == []
    assert "orders-db" in client.get("/report", headers={"X-Scope-OrgID": OTHER}).text


def test_the_audit_log_is_each_tenants_own(platform: Platform):
    site = closed(platform)
    client = site.client(headers=site.bearer(Right.ADMIN, tenant=OTHER))
    client.post("/api/v1/incidents/INC-9/diagnose")
    (entry,) = client.get("/api/v1/audit").json()["items"]
    assert entry["action"] == "diagnose_incident"
    mine = site.client(headers=site.bearer(Right.ADMIN))
    assert mine.get("/api/v1/audit").json()["items"] == []
