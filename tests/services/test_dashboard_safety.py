"""Pages that can be read without seeing them, and that nothing from outside breaks into."""

from __future__ import annotations

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from rootward.model.incident import Candidate, Change, Evidence, Opinion
from rootward.model.result import Analysis, Bars, Note, Result
from rootward.model.series import Sample, SampleBatch, Series
from rootward.ports import Platform
from rootward_dashboard.app import create_app
from rootward_dashboard.app import router as dashboard_routes
from tests.services import made_up_incident as shop
from tests.services.page_reading import Page, bare, see

ADDRESSES = ("/report", "/incidents/INC-1/report", "/nothing")


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_page_can_be_read_without_seeing_it(reader: TestClient, address: str):
    page = Page(reader.get(address).text)
    assert page.unpaired == []
    assert len(page.named("h1")) == 1
    assert len(page.named("main")) == 1
    assert page.named("html")[0]["lang"] == "en"
    assert all("aria-label" in s or s.get("aria-hidden") for s in _outer_svgs(page))
    assert all("scope" in attributes for attributes in page.named("th"))
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))
    labels = {a["for"] for a in page.named("label")}
    fields = page.named("select") + [i for i in page.named("input") if i.get("type") != "hidden"]
    assert {f["id"] for f in fields} <= labels


def _outer_svgs(page: Page) -> list[dict[str, str | None]]:
    """Pictures; a drawing inside a picture stretches and carries no name of its own."""
    return [s for s in page.named("svg") if s.get("preserveaspectratio") != "none"]


@pytest.mark.parametrize("address", [a for a in ADDRESSES if not a.endswith("report")])
def test_a_page_with_navigation_has_a_skip_link_and_landmarks(reader: TestClient, address: str):
    page = Page(reader.get(address).text)
    assert {"class": "skip", "href": "#main"} in page.named("a")
    assert len(page.named("header")) >= 1
    assert any(a.get("aria-label") == "Main" for a in page.named("nav"))


@pytest.mark.parametrize("address", ADDRESSES)
def test_nothing_on_a_page_needs_more_than_the_policy_allows(reader: TestClient, address: str):
    answer = reader.get(address)
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'")
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    page = Page(answer.text)
    assert all("style" not in a for _, a in page.elements)
    assert not any(name.startswith("on") for _, a in page.elements for name in a)
    assert page.named("style") == []
    assert all(s.get("src") for s in page.named("script"))
    addresses = [a.get("href") or a.get("src") or "" for _, a in page.elements]
    assert not [a for a in addresses if a.startswith(("http", "//", "javascript:"))]


def test_every_static_file_a_page_names_is_there_and_kept_for_long(reader: TestClient):
    page = Page(reader.get("/report").text)
    files = [a["href"] for a in page.named("link")]
    for address in files:
        answer = reader.get(str(address))
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
    assert reader.get("/favicon.ico").headers["content-type"] == "image/svg+xml"
    assert reader.get("/static/nothing.css").status_code == 404


HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


def hostile_platform() -> Platform:
    """Every text that comes from outside tries to break out."""
    platform = bare()
    bad = Series.of(HOSTILE, HOSTILE, instance=HOSTILE, job=HOSTILE)
    edges = shop.graph().edges
    graph = type(shop.graph())(
        (*shop.EVERY, bad), (*edges, type(edges[0])(bad, shop.FRONTEND, 1, 2.0, 1, 0.9))
    )
    change = Change(bad, shop.ONSET, 9.0, 1.0, 2.0)
    opened = platform.incidents.open(
        shop.incident(title=HOSTILE, symptom=bad, changes=(change, *shop.incident().changes))
    )
    first = Candidate(1, HOSTILE, bad, 1.0, (Evidence(HOSTILE, HOSTILE),), shop.ONSET)
    platform.incidents.save(
        opened.id,
        shop.diagnosis(
            conclusion=HOSTILE,
            candidates=(first,),
            graph=graph,
            cautions=(HOSTILE,),
            method=HOSTILE,
            version=HOSTILE,
            parameters={HOSTILE: HOSTILE},
            opinions=(Opinion(HOSTILE, (HOSTILE,)),),
            excerpts=(
                shop.excerpt(bad, 1.0, 2.0, HOSTILE, 0.0),
                shop.excerpt(shop.FRONTEND, 1.0, 2.0, "s", 0.0),
            ),
        ),
    )
    platform.incidents.fail(opened.id, HOSTILE)
    blocks = (Bars(HOSTILE, (HOSTILE,), (1.0,), HOSTILE), Note(HOSTILE))
    result = Result(HOSTILE, blocks, (HOSTILE,))
    platform.results.save(Analysis(opened.id, HOSTILE, "{}", "ok", result, "", 0.1))
    platform.results.save(Analysis(opened.id, "b", "{}", "failed", None, HOSTILE, 0.1))
    platform.results.save_catalogue(
        [type(shop.catalogue()[0])(HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, "{}", True, "1")]
    )
    platform.samples.append(SampleBatch.of([Sample(bad, shop.NOW, 1.0)]))
    return platform


@pytest.mark.parametrize("address", ["/report", "/incidents/INC-1/report"])
def test_text_from_outside_never_becomes_markup(address: str):
    text = see(hostile_platform(), address)
    page = Page(text)
    assert "<script>alert" not in text
    assert page.named("img") == []
    assert not any("onerror" in a for _, a in page.elements)
    assert page.unpaired == []
    assert "&lt;script&gt;" in text


def test_a_hostile_query_comes_back_escaped(reader: TestClient):
    text = reader.get("/report", params={"service": HOSTILE}).text
    assert "<script>alert" not in text
    assert Page(text).named("img") == []
    assert "<script>alert" not in reader.get("/incidents/%3Cscript%3Ealert(1)").text


def test_under_a_path_of_its_own_every_link_stays_below_it(filled: Platform):
    client = TestClient(create_app(filled), root_path="/rootward")
    for address in ("/report", "/incidents/INC-1/report"):
        page = Page(client.get("/rootward" + address).text)
        links = [a.get("href") or a.get("action") or a.get("src") for _, a in page.elements]
        inside = [link for link in links if link and not link.startswith(("#", "?"))]
        assert all(link.startswith("/rootward/") for link in inside)
    answer = client.post("/rootward/api/v1/incidents/INC-1/diagnose")
    assert answer.headers["location"] == "/rootward/api/v1/incidents/INC-1/diagnosis"
    listed = client.get("/rootward/api/v1/incidents").json()["items"][0]
    assert listed["page_url"] == "/rootward/incidents/INC-1"


def test_its_routes_bring_their_errors_and_headers_into_another_app(filled: Platform):
    app = FastAPI()
    app.include_router(dashboard_routes(filled))
    answer = TestClient(app).get("/api/v1/incidents/INC-99")
    assert answer.json()["code"] == "not_found"
    assert "content-security-policy" in answer.headers
