"""Logins: sessions that cannot be planted, forms that other sites cannot send, and what is written
down of it all."""

from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from rootward import telemetry
from rootward.access.gate import FRESH_SECONDS, Asked
from rootward.access.throttle import FREE_BY_NAME
from rootward.errors import Unavailable
from rootward.model.access import Right, Role
from rootward.ports import Platform
from rootward.testing.fakes import ManualClock
from rootward_dashboard.stream import stream
from tests.services import made_up_incident
from tests.services.access_client import PASSWORD, Closed, closed, form_key
from tests.services.page_reading import Page

SHOWN = ("/", "/api/v1/me", "/api/v1/incidents/x", "/metrics", "/api/v1/audit", "/status", "/x",
         "/openapi.json", "/report")  # fmt: skip
DIAGNOSE = "/api/v1/incidents/INC-1/diagnose"
HTTPS = {"base_url": "https://rootward.example"}


@pytest.fixture
def site(fake_platform: Platform) -> Closed:
    return closed(fake_platform)


def actions(site: Closed) -> list[tuple[str, str, str]]:
    return [(e.who, e.action, e.outcome) for e in site.platform.access.audit().items]


class TestThePage:
    def test_a_browser_is_sent_there_and_back_to_where_it_wanted(self, site: Closed):
        client = site.client()
        sent = client.get("/report?x=1&y=%2F")
        assert sent.headers["location"] == "/login?next=%2Freport%3Fx%3D1%26y%3D%252F"
        page = Page(client.get(sent.headers["location"]).text)
        (wanted,) = [i for i in page.named("input") if i["name"] == "next"]
        form = {"name": "viewer", "password": PASSWORD, "next": wanted["value"]}
        answer = client.post("/login", data=form)
        assert (answer.status_code, answer.headers["location"]) == (303, "/report?x=1&y=%2F")
        assert client.get("/report").status_code == 200

    def test_it_can_be_read_without_seeing_it_and_needs_no_script(self, site: Closed):
        answer = site.client().get("/login")
        page = Page(answer.text)
        assert page.unpaired == []
        assert len(page.named("h1")) == len(page.named("main")) == 1
        assert {"name", "password"} <= {label["for"] for label in page.named("label")}
        assert page.named("script") == []
        assert "script-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"

    def test_a_wrong_password_is_told_and_kept_nowhere(self, site: Closed):
        client = site.client()
        answer = client.post("/login", data={"name": "viewer", "password": "wrong-secret-word"})
        assert answer.status_code == 401
        assert "Wrong name or password." in answer.text
        assert "wrong-secret-word" not in answer.text
        assert "www-authenticate" not in answer.headers, "the browser would ask by itself"
        assert "set-cookie" not in answer.headers
        assert actions(site) == [("viewer", "login", "refused")]

    @pytest.mark.parametrize(
        "wanted",
        ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)",
         "\\evil", "/\t/evil.example", "/ok\r\nSet-Cookie: a=b", "", "evil", "/%0d%0a\x00"],
    )  # fmt: skip
    def test_it_leads_nowhere_else(self, wanted: str, site: Closed):
        form = {"name": "viewer", "password": PASSWORD, "next": wanted}
        answer = site.client().post("/login", data=form)
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        assert "evil" not in str(answer.headers)
        shown = site.client().get("/login", params={"next": wanted})
        assert 'name="next" value="/"' in shown.text

    def test_guessing_is_slowed_down_and_the_owner_comes_in_from_elsewhere(self, site: Closed):
        guesser = site.client(client=("192.0.2.1", 1))
        for _ in range(FREE_BY_NAME):
            guesser.post("/login", data={"name": "admin", "password": "guess"})
        answer = guesser.post("/login", data={"name": "admin", "password": PASSWORD})
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
        owner = site.client(client=("192.0.2.2", 1))
        right = {"name": "admin", "password": PASSWORD}
        assert owner.post("/login", data=right).status_code == 303

    def test_a_form_too_large_is_not_read(self, site: Closed):
        form = {"name": "x", "password": "y" * 2**21}
        assert site.client().post("/login", data=form).status_code == 413

    def test_where_no_login_is_needed_there_is_none(self, fake_platform: Platform):
        open_one = closed(fake_platform, login=False)
        answer = open_one.client().get("/login?next=/status")
        assert (answer.status_code, answer.headers["location"]) == (303, "/status")
        assert open_one.client().get("/api/v1/me").json()["name"] == "local"


class TestTheCookie:
    def test_scripts_and_other_sites_do_not_get_it(self, site: Closed):
        answer = site.client().post("/login", data={"name": "viewer", "password": PASSWORD})
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("rootward=")
        assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))
        assert "Secure" not in cookie
        assert "Domain" not in cookie

    def test_over_tls_no_other_host_of_the_site_can_plant_one(self, site: Closed):
        client = site.client(**HTTPS)
        answer = client.post("/login", data={"name": "viewer", "password": PASSWORD})
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-rootward=")
        assert {"HttpOnly", "SameSite=lax", "Path=/", "Secure"} <= set(cookie.split("; "))
        word = client.cookies["__Host-rootward"]
        other = site.client(**HTTPS, headers={"Cookie": f"rootward={word}"})
        assert other.get("/api/v1/me").status_code == 401

    def test_below_a_path_it_stays_there(self, site: Closed):
        client = site.client(**HTTPS, root_path="/rootward")
        sent = client.get("/rootward/report")
        assert sent.headers["location"] == "/rootward/login?next=%2Freport"
        form = {"name": "viewer", "password": PASSWORD}
        for wanted in ("/report", "/rootward/report"):
            answer = client.post("/rootward/login", data=form | {"next": wanted})
            assert answer.headers["location"] == "/rootward/report"
        assert answer.headers["set-cookie"].startswith("__Secure-rootward=")
        assert "Path=/rootward;" in answer.headers["set-cookie"]
        assert client.get("/rootward/report").status_code == 200
        out = client.post("/rootward/logout")
        assert out.headers["location"] == "/rootward/login"
        assert client.get("/rootward/report").status_code == 303

    def test_one_that_was_planted_before_the_login_is_worth_nothing_after_it(self, site: Closed):
        attacker = site.logged_in(Role.VIEWER)
        planted = attacker.cookies["rootward"]
        victim = site.client()
        form, header = {"name": "admin", "password": PASSWORD}, {"Cookie": f"rootward={planted}"}
        victim.post("/login", data=form, headers=header)
        assert victim.cookies["rootward"] != planted
        assert victim.get("/api/v1/me").json()["name"] == "admin"
        assert attacker.get("/api/v1/me").status_code == 401, "the old one ended"

    def test_logging_out_ends_it_on_the_server(self, site: Closed):
        client = site.logged_in(Role.ADMIN)
        word = client.cookies["rootward"]
        answer = client.post("/logout")
        assert (answer.status_code, answer.headers["location"]) == (303, "/login")
        assert "Max-Age=0" in answer.headers["set-cookie"]
        thief = site.client(headers={"Cookie": f"rootward={word}"})
        assert thief.get("/api/v1/me").status_code == 401
        assert actions(site)[0] == ("admin", "logout", "done")

    def test_it_does_not_open_ingest_to_other_sites(self, site: Closed):
        client = site.logged_in(Role.ADMIN)
        sent = {"samples": []}
        answer = client.post("/api/v1/samples", json=sent, headers={"Origin": "https://evil"})
        assert answer.status_code == 403


class TestForms:
    def test_a_session_changes_something_only_with_its_form_key(self, site: Closed):
        client = site.logged_in(Role.RESPONDER)
        key = form_key(client)
        assert client.post(DIAGNOSE).status_code == 403
        assert client.post(DIAGNOSE, headers={"X-CSRF-Token": "0" * 64}).status_code == 403
        other = form_key(site.logged_in(Role.ADMIN))
        assert client.post(DIAGNOSE, headers={"X-CSRF-Token": other}).status_code == 403
        assert client.post(DIAGNOSE, headers={"X-CSRF-Token": key}).status_code == 404
        assert client.post(DIAGNOSE, data={"csrf_token": key}).status_code == 404, "as a form"
        assert client.post(DIAGNOSE, data={"csrf_token": other}).status_code == 403

    def test_a_repeated_request_gets_its_answer_again_only_after_the_gate(self, site: Closed):
        opened = site.platform.incidents.open(made_up_incident.incident())
        path = f"/api/v1/incidents/{opened.id}/comments"
        key, said = {"Idempotency-Key": "k"}, {"text": "looking"}
        mine = site.bearer(Right.RESPOND) | key
        client = site.client()
        first = client.post(path, json=said, headers=mine)
        again = client.post(path, json=said, headers=mine)
        assert first.status_code == again.status_code < 300, first.text
        assert again.headers["idempotency-replayed"] == "true"
        browser = site.logged_in(Role.RESPONDER)
        assert client.post(path, json=said, headers=key).status_code == 401
        assert browser.post(path, json=said, headers=key).status_code == 403, "no form key"
        viewer = site.bearer(Right.READ) | key
        assert client.post(path, json=said, headers=viewer).status_code == 403
        assert client.post(path, json=said, headers=mine | {"Origin": "null"}).status_code == 403

    def test_a_token_needs_no_key(self, site: Closed):
        headers = site.bearer(Right.RESPOND)
        assert site.client().post(DIAGNOSE, headers=headers).status_code == 404

    @pytest.mark.parametrize(
        "headers",
        [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
         {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": ""},
         {"Origin": "http://testserver.evil.example"}, {"Origin": "http://testserver:81"}],
    )  # fmt: skip
    def test_what_another_site_sends_is_refused_whoever_asks(self, headers, site: Closed):
        client = site.logged_in(Role.ADMIN)
        headers = headers | {"X-CSRF-Token": form_key(client)}
        for path in (DIAGNOSE, "/login", "/logout"):
            assert client.post(path, headers=headers).status_code == 403, path
        answer = client.post(DIAGNOSE, headers=headers)
        assert answer.json()["code"] == "cross_site"
        assert client.get("/api/v1/me").status_code == 200, "the login is still there"

    @pytest.mark.parametrize(
        "headers",
        [{"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}, {},
         {"Origin": "http://testserver"}],
    )  # fmt: skip
    def test_what_our_own_pages_send_passes(self, headers, site: Closed):
        client = site.logged_in(Role.ADMIN)
        headers = headers | {"X-CSRF-Token": form_key(client)}
        assert client.post(DIAGNOSE, headers=headers).status_code == 404


class TestRoles:
    @pytest.mark.parametrize(
        ("role", "diagnose", "audit"), [("viewer", 403, 403), ("responder", 404, 403),
                                        ("admin", 404, 200)],
    )  # fmt: skip
    def test_each_may_do_what_its_role_says(self, role, diagnose, audit, site: Closed):
        client = site.logged_in(Role(role))
        headers = {"X-CSRF-Token": form_key(client)}
        assert client.get("/api/v1/incidents").status_code == 200
        assert client.post(DIAGNOSE, headers=headers).status_code == diagnose
        assert client.get("/api/v1/audit").status_code == audit

    def test_me_says_who_is_asking(self, site: Closed):
        me = site.logged_in(Role.RESPONDER).get("/api/v1/me")
        assert me.headers["cache-control"] == "no-store"
        told = me.json()
        del told["csrf_token"]
        assert told == {
            "name": "responder", "role": "responder", "tenant": "default",
            "rights": ["read", "respond"], "may_log_out": True,
        }  # fmt: skip
        program = site.client().get("/api/v1/me", headers=site.bearer(Right.READ)).json()
        assert (program["role"], program["csrf_token"], program["may_log_out"]) == (None, "", False)


class TestTheAuditLog:
    def test_every_change_stands_there_done_or_not(self, site: Closed):
        client = site.logged_in(Role.VIEWER, client=("192.0.2.7", 1))
        client.post(DIAGNOSE, headers={"X-CSRF-Token": form_key(client)})
        client.get("/api/v1/incidents")
        headers = site.bearer(Right.RESPOND)
        site.client().post(DIAGNOSE, headers=headers)
        assert actions(site) == [
            ("token:t0", "diagnose_incident", "failed"),
            ("viewer", "diagnose_incident", "refused"),
            ("viewer", "login", "done"),
        ]
        entry = site.platform.access.audit().items[1]
        assert (entry.target, entry.address, entry.detail) == (DIAGNOSE, "192.0.2.7", "403")

    def test_who_is_nobody_fills_no_pages(self, site: Closed):
        site.client().post(DIAGNOSE)
        site.client().post("/login", data={"name": "x"}, headers={"Origin": "https://evil"})
        assert actions(site) == []

    def test_an_admin_reads_it_page_by_page(self, site: Closed):
        client = site.logged_in(Role.ADMIN)
        for _ in range(2):
            site.logged_in(Role.VIEWER)
        first = client.get("/api/v1/audit?limit=2").json()
        assert [e["who"] for e in first["items"]] == ["viewer", "viewer"]
        rest = client.get("/api/v1/audit", params={"cursor": first["next_cursor"]}).json()
        assert [(e["who"], e["action"]) for e in rest["items"]] == [("admin", "login")]

    def test_a_hostile_address_and_name_stay_text(self, site: Closed):
        bad = "<script>alert(1)</script>"
        answer = site.client().post("/login", data={"name": bad, "password": "x"})
        assert bad not in answer.text
        assert quote(bad) not in answer.text


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Whatever is logged, as an operator's terminal gets it."""
    root, written = logging.getLogger(), io.StringIO()
    handlers, level = root.handlers[:], root.level
    telemetry.set_up_logging("DEBUG", "json", written)
    yield written
    root.handlers[:] = handlers
    root.setLevel(level)


def test_no_secret_is_written_anywhere(fake_platform: Platform, log: io.StringIO):
    """Everything that a run answers, logs and stores, after tokens and passwords went in."""
    site = closed(fake_platform)
    token, word = site.token(Right.ADMIN), "very secret password"
    client, header = site.client(), {"Authorization": f"Bearer {token}"}
    answers = [
        *(client.get(path, headers=header) for path in SHOWN),
        *(client.post("/login", data={"name": n, "password": word}) for n in ("admin", "nobody")),
        client.post("/login", json={"name": "admin", "password": word}),
        client.post("/api/v1/samples", json={"samples": [{"password": 1}]}, headers=header),
        client.post("/api/v1/samples", content=b"{", headers=header),
        client.post(DIAGNOSE, headers={"Authorization": f"Basic {token}"}),
        client.post("/v1/metrics", headers={"Authorization": f"Bearer {token}x"}),
    ]
    browser = site.logged_in(Role.ADMIN)
    session = browser.cookies["rootward"]
    answers += [browser.get("/api/v1/audit"), browser.get("/metrics"), browser.get("/status")]
    client.get(f"/incidents/{token}?token={token}", headers=header)  # a mistake of the sender
    logging.getLogger("rootward").error("upstream said %s", token)

    seen = "".join(a.text + str(a.headers) for a in answers) + log.getvalue()
    seen += repr(vars(fake_platform.access))
    assert "upstream said rw_…" in seen
    assert [secret for secret in (token, word, PASSWORD, session) if secret in seen] == []


class TestTheStreamOfEvents:
    def test_it_ends_when_its_reader_logs_out(self, site: Closed):
        client = site.logged_in(Role.VIEWER)
        asked = Asked(session=client.cookies["rootward"])

        async def listen() -> list[str]:
            told = stream(
                site.platform,
                "default",
                None,
                poll_seconds=0,
                admitted=lambda: site.gate.still(asked, Right.READ),
            )
            await anext(told)
            assert client.post("/logout").status_code == 303
            return [text async for text in told]

        assert asyncio.run(listen()) == [], "not even one sign of life"

    def test_it_asks_about_the_login_that_opened_it(
        self, site: Closed, monkeypatch: pytest.MonkeyPatch
    ):
        client = site.logged_in(Role.VIEWER)
        asked_about: list[tuple[str, Right]] = []

        def refuse(asked: Asked, right: Right) -> bool:
            asked_about.append((asked.session, right))
            return False

        monkeypatch.setattr(site.gate, "still", refuse)
        assert client.get("/api/v1/events").text.count("event:") == 0
        assert asked_about == [(client.cookies["rootward"], Right.READ)]

    def test_watching_does_not_keep_a_login_alive(self, site: Closed, clock: ManualClock):
        client = site.logged_in(Role.VIEWER)
        asked = Asked(session=client.cookies["rootward"])
        idle = site.gate.logins.lifetime.idle_seconds
        clock.set(clock.now() + idle - 1)
        assert site.gate.still(asked, Right.READ)
        clock.set(clock.now() + 2)
        assert not site.gate.still(asked, Right.READ)

    def test_a_revoked_token_ends_it_and_an_outage_does_not(
        self, site: Closed, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
    ):
        asked = Asked(authorization=site.bearer(Right.READ)["Authorization"])
        assert site.gate.still(asked, Right.READ)
        assert not site.gate.still(asked, Right.RESPOND)
        (token,) = site.platform.access.tokens()
        site.platform.access.revoke_token(token.id, clock.now())
        clock.set(clock.now() + FRESH_SECONDS)
        assert not site.gate.still(asked, Right.READ)

        def away(_: str) -> None:
            raise Unavailable("no database")

        monkeypatch.setattr(site.platform.access, "session", away)
        assert site.gate.still(Asked(session="x"), Right.READ)
