"""Tokens and people by the API: what admins may do, and what nobody may."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from rootward.model.access import Person, Right, Role
from rootward.ports import Platform
from tests.services.access_client import PASSWORD, Closed, closed, form_key

TOKENS, PEOPLE = "/api/v1/tokens", "/api/v1/people"
NEW = {"name": "anna", "role": "responder", "password": "a long enough password"}


@pytest.fixture
def site(fake_platform: Platform) -> Closed:
    return closed(fake_platform)


@pytest.fixture
def admin(site: Closed) -> TestClient:
    client = site.logged_in(Role.ADMIN)
    client.headers["X-CSRF-Token"] = form_key(client)
    return client


def test_a_token_is_shown_once_works_and_ends_when_it_is_revoked(site: Closed, admin: TestClient):
    made = admin.post(TOKENS, json={"name": "ci", "scopes": ["read"], "days": 7})
    assert (made.status_code, made.headers["cache-control"]) == (201, "no-store")
    text, token = made.json()["text"], made.json()["token"]
    assert token["expires_unix"] - token["created_unix"] == 7 * 86_400
    listed = admin.get(TOKENS)
    assert text not in listed.text
    assert [one["name"] for one in listed.json()["items"]] == ["ci"]
    shown = {"Authorization": f"Bearer {text}"}
    assert site.client().get("/api/v1/incidents", headers=shown).status_code == 200
    revoked = admin.post(f"{TOKENS}/{token['id']}/revoke")
    assert (revoked.status_code, revoked.json()["valid"]) == (200, False)
    site.platform.clock.advance(60.0)
    assert site.client().get("/api/v1/incidents", headers=shown).status_code == 401


def test_no_answer_with_a_secret_is_kept_to_be_given_again(admin: TestClient):
    key = {"Idempotency-Key": "once"}
    wanted = {"name": "ci", "scopes": ["read"]}
    first = admin.post(TOKENS, json=wanted, headers=key)
    again = admin.post(TOKENS, json=wanted, headers=key)
    assert (first.status_code, again.status_code) == (201, 400)
    assert first.json()["text"] not in again.text


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        ({"name": "ci", "scopes": []}, 422),
        ({"name": "ci", "scopes": ["all"]}, 422),
        ({"name": "a b", "scopes": ["read"]}, 400),
        ({"name": "local", "scopes": ["read"]}, 400),
        ({"name": "ci", "scopes": ["read"], "days": -1}, 422),
        ({"name": "ci", "scopes": ["read"], "tenant": "other"}, 422),
    ],
)
def test_a_token_that_is_none_is_not_made(wanted: object, status: int, admin: TestClient):
    assert admin.post(TOKENS, json=wanted).status_code == status
    assert admin.get(TOKENS).json()["items"] == []


def test_a_person_is_added_changed_and_removed_and_logins_end_each_time(
    site: Closed, admin: TestClient
):
    assert admin.post(PEOPLE, json=NEW).status_code == 201
    assert admin.post(PEOPLE, json=NEW).status_code == 409
    browser = site.client()
    form = {"name": "anna", "password": NEW["password"]}
    assert browser.post("/login", data=form).status_code == 303
    assert browser.get("/api/v1/me").json()["role"] == "responder"
    changed = admin.patch(f"{PEOPLE}/anna", json={"role": "viewer"})
    assert (changed.status_code, changed.json()["role"]) == (200, "viewer")
    assert browser.get("/api/v1/me").status_code == 401
    other = {"password": "another long password"}
    assert admin.patch(f"{PEOPLE}/anna", json=other).status_code == 200
    assert browser.post("/login", data=form).status_code == 401
    assert browser.post("/login", data=form | other).status_code == 303
    assert admin.delete(f"{PEOPLE}/anna").status_code == 200
    assert browser.get("/api/v1/me").status_code == 401
    assert admin.get(f"{PEOPLE}").json()["items"] != []


def test_nobody_shuts_themselves_out(admin: TestClient):
    assert admin.delete(f"{PEOPLE}/admin").status_code == 409
    assert admin.patch(f"{PEOPLE}/admin", json={"role": "viewer"}).status_code == 409
    assert admin.get("/api/v1/me").json()["role"] == "admin"


@pytest.mark.parametrize(
    ("change", "status"),
    [({}, 400), ({"password": "short"}, 422), ({"role": "king"}, 422), ({"tenant": "x"}, 422)],
)
def test_a_change_that_is_none_is_refused(change: object, status: int, admin: TestClient):
    assert admin.patch(f"{PEOPLE}/viewer", json=change).status_code == status


def test_a_refused_password_is_not_told_again(admin: TestClient):
    refused = admin.post(PEOPLE, json=NEW | {"password": "hunter2"})
    assert refused.status_code == 422
    assert "hunter2" not in refused.text


def test_other_tenants_are_out_of_reach(site: Closed, admin: TestClient):
    text = site.token(Right.READ, tenant="other")
    site.platform.access.put_person(Person("eve", "other", Role.VIEWER, 0.0, "x"))
    (token,) = site.platform.access.tokens()
    assert admin.get(TOKENS).json()["items"] == []
    assert admin.post(f"{TOKENS}/{token.id}/revoke").status_code == 404
    assert "eve" not in admin.get(PEOPLE).text
    assert admin.delete(f"{PEOPLE}/eve").status_code == 404
    assert admin.patch(f"{PEOPLE}/eve", json={"role": "admin"}).status_code == 404
    shown = {"Authorization": f"Bearer {text}"}
    assert site.client().get("/api/v1/incidents", headers=shown).status_code == 200


@pytest.mark.parametrize("role", [Role.VIEWER, Role.RESPONDER])
def test_only_admins_manage_who_comes_in(role: Role, site: Closed):
    client = site.logged_in(role)
    headers = {"X-CSRF-Token": form_key(client)}
    wanted = {"name": "mine", "scopes": ["admin"]}
    assert client.post(TOKENS, json=wanted, headers=headers).status_code == 403
    raised = client.patch(f"{PEOPLE}/{role.value}", json={"role": "admin"}, headers=headers)
    assert raised.status_code == 403
    assert client.get(PEOPLE).status_code == 403
    assert client.get(TOKENS).status_code == 403


def test_it_takes_the_form_key_and_this_site(site: Closed):
    client = site.logged_in(Role.ADMIN)
    wanted = {"name": "ci", "scopes": ["read"]}
    assert client.post(TOKENS, json=wanted).status_code == 403
    elsewhere = {"X-CSRF-Token": form_key(client), "Origin": "https://evil.example"}
    assert client.post(TOKENS, json=wanted, headers=elsewhere).status_code == 403


def test_the_audit_log_names_whom_it_was_about_and_no_secret(admin: TestClient):
    text = admin.post(TOKENS, json={"name": "ci", "scopes": ["read"]}).json()["text"]
    admin.post(PEOPLE, json=NEW)
    log = admin.get("/api/v1/audit")
    told = {(one["who"], one["action"], one["target"]) for one in log.json()["items"]}
    assert ("admin", "create_token", "/api/v1/tokens ci") in told
    assert ("admin", "add_person", "/api/v1/people anna") in told
    assert text not in log.text
    assert NEW["password"] not in log.text
    assert PASSWORD not in log.text
