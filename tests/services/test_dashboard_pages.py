"""The pages: every state, escaping, headers, and what a screen reader needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from tests.services import made_up_incident as shop

from rootward.model.graph import CausalGraph, Edge
from rootward.model.incident import Band, Candidate, Change, Evidence, Opinion, Status
from rootward.model.result import Analysis, Bars, Note, Result
from rootward.model.series import Sample, SampleBatch, Series
from rootward.ports import Platform
from rootward.testing.fakes import FakeJobs, ManualClock, fake_platform
from rootward_dashboard.app import create_app
from rootward_dashboard.app import router as dashboard_routes

_VOID = {"meta", "link", "input", "br", "hr", "img", "wbr"}


@dataclass
class Page(HTMLParser):
    """What stands on a page: its elements with their attributes, and whether tags pair up."""

    text: str = ""
    elements: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    unpaired: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self._open: list[str] = []
        self.feed(self.text)
        self.unpaired += self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.unpaired.append(tag)

    def named(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of every element of one kind."""
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture
def filled() -> Platform:
    platform = fake_platform(ManualClock(shop.NOW))
    shop.fill(platform)
    return platform


@pytest.fixture(scope="module")
def client() -> TestClient:
    """For tests that only read; the platform behind it is theirs together."""
    platform = fake_platform(ManualClock(shop.NOW))
    shop.fill(platform)
    return TestClient(create_app(platform))


def bare(now: float = shop.NOW) -> Platform:
    return fake_platform(ManualClock(now))


def see(platform: Platform, address: str = "/") -> str:
    answer = TestClient(create_app(platform)).get(address)
    assert answer.status_code == 200
    return answer.text


def with_diagnosis(**other: object) -> Platform:
    platform = bare()
    opened = platform.incidents.open(shop.incident())
    platform.incidents.save(opened.id, shop.diagnosis(**other))
    return platform


ADDRESSES = ("/", "/incidents/INC-1", "/incidents/INC-1/report", "/methods", "/status", "/nothing")


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_page_can_be_read_without_seeing_it(client: TestClient, address: str):
    page = Page(client.get(address).text)
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
def test_a_page_with_navigation_has_a_skip_link_and_landmarks(client: TestClient, address: str):
    page = Page(client.get(address).text)
    assert {"class": "skip", "href": "#main"} in page.named("a")
    assert len(page.named("header")) >= 1
    assert any(a.get("aria-label") == "Main" for a in page.named("nav"))


@pytest.mark.parametrize("address", ADDRESSES)
def test_nothing_on_a_page_needs_more_than_the_policy_allows(client: TestClient, address: str):
    answer = client.get(address)
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


def test_every_static_file_a_page_names_is_there_and_kept_for_long(client: TestClient):
    page = Page(client.get("/").text)
    files = [a["href"] for a in page.named("link")] + [a["src"] for a in page.named("script")]
    for address in files:
        answer = client.get(str(address))
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
    assert client.get("/favicon.ico").headers["content-type"] == "image/svg+xml"
    assert client.get("/static/nothing.css").status_code == 404


def test_the_list_shows_the_first_cause_with_its_confidence(client: TestClient):
    page = client.get("/").text
    assert "INC-1" in page
    assert "orders-db" in page
    assert "High confidence" in page
    assert "12 min ago" in page
    assert "2026-09-21 14:01:20 UTC" in page


def test_the_list_goes_on_with_older_incidents_page_by_page():
    platform = bare()
    for number in range(120):
        platform.incidents.open(shop.older(number))
    client = TestClient(create_app(platform))
    titles: list[str] = []
    address: str | None = "/?status=resolved"
    while address:
        text = client.get(address).text
        titles += [part.split("<")[0] for part in text.split("occasion ")[1:]]
        following = [a["href"] for a in Page(text).named("a") if a.get("rel") == "next"]
        address = following[0] if following else None
        assert address is None or "status=resolved" in address
    assert [int(t) for t in titles] == list(reversed(range(120)))


@pytest.mark.parametrize("address", ["/?status=broken", "/?cursor=zzz"])
def test_a_list_that_cannot_be_is_a_page_that_says_so(client: TestClient, address: str):
    answer = client.get(address)
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("text/html")
    assert "Invalid input" in answer.text


def test_before_any_data_the_list_says_how_to_send_some():
    page = see(bare())
    assert "No data yet" in page
    assert "remote_write" in page
    assert "http://testserver/api/v1/write" in page
    assert "<strong>0 series</strong>" in page
    assert Page(page).named("meta")[-1].get("http-equiv") == "refresh"


def test_with_data_and_without_incidents_all_is_quiet():
    platform = bare()
    platform.samples.append(SampleBatch.of([Sample(s, shop.NOW - 4.0, 1.0) for s in shop.EVERY]))
    page = see(platform)
    assert "All quiet" in page
    assert "12 series" in page
    assert "No data yet" not in page


def test_with_nothing_open_the_list_says_since_when_it_is_quiet():
    platform = bare()
    platform.samples.append(SampleBatch.of([Sample(shop.CART, shop.NOW - 4.0, 1.0)]))
    platform.incidents.open(shop.older(286))
    page = see(platform, "/?status=open")
    assert "All quiet" in page
    assert "The last incident was resolved" in page


def test_a_filter_that_nothing_matches_offers_the_way_back(client: TestClient):
    assert "No incidents match" in client.get("/?service=nobody").text


def test_the_conclusion_stands_first_and_its_evidence_below(client: TestClient):
    page = client.get("/incidents/INC-1").text
    order = [
        page.index(text)
        for text in (
            "<h1>Lock waits in orders-db",
            "High confidence",
            "Ranked causes",
            "How it spread",
            'id="h-evidence"',
            "Read with care",
            "Second opinions",
            "What changed, first to last",
            'id="h-analyses"',
            "Reproduce",
        )
    ]
    assert order == sorted(order)
    assert 'http-equiv="refresh"' not in page


def test_five_causes_are_cards_and_all_stand_in_the_table(client: TestClient):
    page = client.get("/incidents/INC-1").text
    assert page.count("cause-card") == 5
    assert "All 12 candidates" in page
    assert "currency" in page


def test_every_edge_that_is_drawn_stands_in_a_table(client: TestClient):
    page = client.get("/incidents/INC-1").text
    table = page.split('aria-label="Edges of the causal graph"')[1].split("</table>")[0]
    assert page.count('class="edge') >= 5
    assert table.count("<tr>") - 1 == page.split('class="scroll graph-scroll"')[1].split(
        "</figure>"
    )[0].count('class="edge')


def test_a_graph_without_the_cause_shows_other_edges_and_says_so():
    edges = (Edge(shop.CART, shop.CATALOG, 1, 0.5),)
    page = see(with_diagnosis(graph=CausalGraph(shop.EVERY, edges)), "/incidents/INC-1")
    assert "No learned edge touches the first candidate or the symptom" in page
    assert page.count('class="edge') == 1


def test_without_any_edge_the_page_says_that_none_was_learned():
    page = see(with_diagnosis(graph=CausalGraph(shop.EVERY, ())), "/incidents/INC-1")
    assert "No causal edge was learned" in page
    assert 'class="edge' not in page


def test_a_candidate_is_set_against_the_symptom_only_where_both_were_measured_alike():
    late = [c for c in shop.candidates() if c.series != shop.FRONTEND]
    page = see(with_diagnosis(candidates=tuple(late)), "/incidents/INC-1")
    assert "departed at 14:01:20 UTC" in page
    assert "14:01:20 UTC, 1 min before the symptom" not in page
    assert "14:01:20 UTC, 1 min before the symptom" in see(with_diagnosis(), "/incidents/INC-1")


def test_the_second_opinions_say_where_they_differ(client: TestClient):
    page = client.get("/incidents/INC-1").text
    assert page.count("same first service") == 2
    assert "puts orders first and orders-db at 2" in page


def test_analyses_show_every_kind_of_block_and_why_some_have_no_answer(client: TestClient):
    page = client.get("/incidents/INC-1").text
    for text in (
        "Which service do the effects lead back to?",
        "orders-db stands first with a score of 2.4.",
        "Services by score",
        "Latency, p99",
        "warm-3",
        "cold-5",
        "A plain paragraph.",
        "Not applicable: needs 480 rows, got 240",
        "Failed: ZeroDivisionError: division by zero",
        "damping = 0.9",
    ):
        assert text in page


def test_a_running_diagnosis_looks_again_every_three_seconds():
    platform = bare()
    platform.incidents.open(shop.incident())
    page = see(platform, "/incidents/INC-1")
    assert "The diagnosis is running" in page
    assert {"http-equiv": "refresh", "content": "3"} in Page(page).named("meta")
    assert "What changed, first to last" in page


def test_a_failed_diagnosis_says_why_and_can_be_tried_again():
    platform = bare()
    platform.incidents.open(shop.incident())
    platform.incidents.fail("INC-1", "window has 40 rows, 120 are needed")
    page = see(platform, "/incidents/INC-1")
    assert "window has 40 rows, 120 are needed" in page
    form = next(f for f in Page(page).named("form") if f.get("method") == "post")
    answer = TestClient(create_app(platform)).post(str(form["action"]), follow_redirects=False)
    assert answer.status_code == 303
    assert isinstance(platform.jobs, FakeJobs)
    assert [j.name for j in platform.jobs.submitted] == ["diagnose"]
    following = see(platform, answer.headers["location"])
    assert "Queued." in following
    assert 'http-equiv="refresh"' in following


def test_a_later_failure_does_not_hide_the_diagnosis_before():
    platform = with_diagnosis()
    platform.incidents.fail("INC-1", "the queue went away")
    page = see(platform, "/incidents/INC-1")
    assert "what stands here is the one before" in page
    assert "Lock waits in orders-db" in page


def test_an_abstention_names_what_was_checked_and_calls_candidates_weak():
    platform = with_diagnosis(
        abstained=True,
        band=Band.NONE,
        confidence=0.2,
        conclusion="No confident cause: three candidates lie within 5 %.",
    )
    page = see(platform, "/incidents/INC-1")
    assert "What was checked:" in page
    assert "240 rows of 96 series" in page
    assert "constant over the whole window" in page
    assert page.count('class="weak"') == 5
    assert "Ranked causes" not in page
    assert "in 10 diagnoses" not in page
    assert "No confident cause" in see(platform, "/")


def test_old_data_raises_a_banner():
    platform = bare()
    platform.samples.append(SampleBatch.of([Sample(shop.CART, shop.NOW - 240.0, 1.0)]))
    platform.incidents.open(shop.incident())
    for address in ("/", "/incidents/INC-1", "/status"):
        page = see(platform, address)
        assert "Stale data." in page
        assert "4 min ago" in page


def test_the_report_needs_no_script_and_has_no_navigation(client: TestClient):
    answer = client.get("/incidents/INC-1/report")
    assert "script-src 'none'" in answer.headers["content-security-policy"]
    page = Page(answer.text)
    assert page.named("script") == []
    assert page.named("form") == []
    assert page.named("nav") == []
    folded = [d.get("class") or "" for d in page.named("details") if "open" not in d]
    assert all("not_applicable" in kind or "failed" in kind for kind in folded)


def test_a_method_is_asked_by_a_plain_form(filled: Platform):
    client = TestClient(create_app(filled))
    form = {"method": "pc"}
    answer = client.post("/incidents/INC-1/analyses", data=form, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/incidents/INC-1?queued=analyse#analyses"
    assert isinstance(filled.jobs, FakeJobs)
    (job,) = filled.jobs.submitted
    assert job.payload["method"] == "pc"
    assert client.post("/incidents/INC-1/analyses", data={"method": "?"}).status_code == 404


def test_the_status_page_shows_every_service(client: TestClient):
    page = client.get("/status").text
    assert "Everything answers" in page
    for series in shop.EVERY:
        assert series.service in page


def test_the_methods_page_shows_questions_and_papers(client: TestClient):
    page = client.get("/methods").text
    assert "Which series drive which?" in page
    assert "Spirtes et al. 2000" in page
    assert "No methods yet" in see(bare(), "/methods")


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


@pytest.mark.parametrize(
    "address", ["/", "/incidents/INC-1", "/incidents/INC-1/report", "/methods", "/status"]
)
def test_text_from_outside_never_becomes_markup(address: str):
    text = see(hostile_platform(), address)
    page = Page(text)
    assert "<script>alert" not in text
    assert page.named("img") == []
    assert not any("onerror" in a for _, a in page.elements)
    assert page.unpaired == []
    assert "&lt;script&gt;" in text


def test_a_hostile_query_comes_back_escaped(client: TestClient):
    text = client.get("/", params={"service": HOSTILE}).text
    assert "<script>alert" not in text
    assert Page(text).named("img") == []
    assert "<script>alert" not in client.get("/incidents/%3Cscript%3Ealert(1)").text


def test_under_a_path_of_its_own_every_link_stays_below_it(filled: Platform):
    client = TestClient(create_app(filled), root_path="/rootward")
    for address in ("/", "/incidents/INC-1", "/status", "/methods"):
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


@pytest.mark.parametrize(
    "build", [bare, lambda: with_diagnosis(candidates=(), excerpts=(), opinions=())]
)
def test_a_diagnosis_with_little_in_it_still_makes_a_page(build: Callable[[], Platform]):
    platform = build()
    platform.incidents.open(shop.incident(changes=(), status=Status.RESOLVED))
    assert "INC-1" in see(platform, "/incidents/INC-1")
