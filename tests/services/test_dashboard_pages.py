"""The pages: every state, and what each says."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

from rootward.model.graph import CausalGraph, Edge
from rootward.model.incident import Band, Status
from rootward.model.placement import PlacedPod, Placement
from rootward.model.series import Sample, SampleBatch
from rootward.ports import Platform
from rootward_dashboard.app import create_app
from tests.services import made_up_incident as shop
from tests.services.page_reading import Page, bare, see, with_diagnosis


def test_the_list_shows_the_first_cause_with_its_confidence(reader: TestClient):
    page = reader.get("/report").text
    assert "INC-1" in page
    assert "orders-db" in page
    assert "High confidence" in page
    assert "12 min ago" in page
    assert "2026-09-21 14:01:20 UTC" in page


def test_the_page_says_which_services_are_not_to_be_ruled_out(reader: TestClient):
    page = reader.get("/incidents/INC-1/report").text
    assert 'Not to be ruled out: <span class="chip">orders</span>' in page
    assert reader.get("/api/v1/incidents/INC-1/diagnosis").json()["likely"] == [
        "orders-db", "orders",
    ]  # fmt: skip


def test_the_list_goes_on_with_older_incidents_page_by_page():
    platform = bare()
    for number in range(120):
        platform.incidents.open(shop.older(number))
    client = TestClient(create_app(platform))
    titles: list[str] = []
    address: str | None = "/report?status=resolved"
    while address:
        text = client.get(address).text
        titles += [part.split("<")[0] for part in text.split("occasion ")[1:]]
        following = [a["href"] for a in Page(text).named("a") if a.get("rel") == "next"]
        address = following[0] if following else None
        assert address is None or "status=resolved" in address
    assert [int(t) for t in titles] == list(reversed(range(120)))


@pytest.mark.parametrize("address", ["/report?status=broken", "/report?cursor=zzz"])
def test_a_list_that_cannot_be_is_a_page_that_says_so(reader: TestClient, address: str):
    answer = reader.get(address)
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("text/html")
    assert "Invalid input" in answer.text


def test_before_any_data_the_list_says_how_to_send_some():
    page = see(bare())
    assert "No data yet" in page
    assert "remote_write" in page
    assert "http://testserver/api/v1/write" in page
    assert "<strong>0 series</strong>" in page


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
    page = see(platform, "/report?status=open")
    assert "All quiet" in page
    assert "The last incident was resolved" in page


def test_a_filter_that_nothing_matches_offers_the_way_back(reader: TestClient):
    assert "No incidents match" in reader.get("/report?service=nobody").text


def test_the_conclusion_stands_first_and_its_evidence_below(reader: TestClient):
    page = reader.get("/incidents/INC-1/report").text
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
            'id="h-similar"',
            "Reproduce",
        )
    ]
    assert order == sorted(order)
    assert "Running, 40 % done" in page


def test_five_causes_are_cards_and_all_stand_in_the_table(reader: TestClient):
    page = reader.get("/incidents/INC-1/report").text
    assert page.count("cause-card") == 5
    assert "All 12 candidates" in page
    assert "currency" in page


def test_the_report_tells_what_was_tried_judged_and_ruled_out_and_where_causes_run():
    platform = with_diagnosis()
    pods = tuple(PlacedPod(f"orders-{k}", "orders", "node-a", ()) for k in range(5))
    platform.placements.put([Placement("shop", shop.NOW - 30, pods, ())])
    client = TestClient(create_app(platform))
    assert "What was tried" not in client.get("/incidents/INC-1/report").text
    at = "/api/v1/incidents/INC-1"
    step = {"action": "roll_back", "service": "orders-db", "helped": True, "note": "<at once>"}
    assert client.post(f"{at}/outcomes", json=step).is_success
    word = {"service": "orders-db", "verdict": "confirmed", "reason": "long locks"}
    assert client.post(f"{at}/feedback", json=word).is_success
    unlisted = {"service": "dns", "verdict": "confirmed", "reason": "it was DNS"}
    assert client.post(f"{at}/feedback", json=unlisted).is_success
    page = " ".join(client.get("/incidents/INC-1/report").text.split())
    for text in (
        "<dt>dns</dt><dd>local said <time",
        "confirmed, it was DNS",
        "What was tried, and what came of it",
        "<td>it helped</td><td>local</td>",
        "&lt;at once&gt;",
        "local said <time",
        "confirmed, long locks",
        "Runs now as <code>orders-0</code> on node-a",
        "and 2 more on 1 node in all",
        "Ruled out or unlikely, and why",
        "departed 15 s after orders-db, which drives it",
        "<dt>First failure</dt>",
    ):
        assert text in page


def test_every_edge_that_is_drawn_stands_in_a_table(reader: TestClient):
    page = reader.get("/incidents/INC-1/report").text
    table = page.split('aria-label="Edges of the causal graph"')[1].split("</table>")[0]
    assert page.count('class="edge') >= 5
    assert table.count("<tr>") - 1 == page.split('class="scroll graph-scroll"')[1].split(
        "</figure>"
    )[0].count('class="edge')


def test_a_graph_without_the_cause_shows_other_edges_and_says_so():
    edges = (Edge(shop.CART, shop.CATALOG, 1, 0.5),)
    page = see(with_diagnosis(graph=CausalGraph(shop.EVERY, edges)), "/incidents/INC-1/report")
    assert "No learned edge touches the first candidate or the symptom" in page
    assert page.count('class="edge') == 1


def test_without_any_edge_the_page_says_that_none_was_learned():
    page = see(with_diagnosis(graph=CausalGraph(shop.EVERY, ())), "/incidents/INC-1/report")
    assert "No causal edge was learned" in page
    assert 'class="edge' not in page


def test_a_candidate_is_set_against_the_symptom_only_where_both_were_measured_alike():
    late = [c for c in shop.candidates() if c.series != shop.FRONTEND]
    page = see(with_diagnosis(candidates=tuple(late)), "/incidents/INC-1/report")
    assert "departed at 14:01:20 UTC" in page
    assert "14:01:20 UTC, 1 min before the symptom" not in page
    assert "14:01:20 UTC, 1 min before the symptom" in see(
        with_diagnosis(), "/incidents/INC-1/report"
    )


def test_the_second_opinions_say_where_they_differ(reader: TestClient):
    page = reader.get("/incidents/INC-1/report").text
    assert page.count("same first service") == 2
    assert "puts orders first and orders-db at 2" in page


def test_analyses_show_every_kind_of_block_and_why_some_have_no_answer(reader: TestClient):
    page = reader.get("/incidents/INC-1/report").text
    for text in (
        "Which service do the effects lead back to?",
        "orders-db stands first with a score of 2.4.",
        "Services by score",
        "Latency, p99",
        "warm-3",
        "cold-5",
        "A plain paragraph.",
        "Failed: ZeroDivisionError: division by zero",
        "damping = 0.9",
    ):
        assert text in page


def test_a_running_diagnosis_says_so_and_shows_what_changed():
    platform = bare()
    platform.incidents.open(shop.incident())
    page = see(platform, "/incidents/INC-1/report")
    assert "The diagnosis is running" in page
    assert "What changed, first to last" in page


def test_a_failed_diagnosis_says_why():
    platform = bare()
    platform.incidents.open(shop.incident())
    platform.incidents.fail("INC-1", "window has 40 rows, 120 are needed")
    page = see(platform, "/incidents/INC-1/report")
    assert "window has 40 rows, 120 are needed" in page


def test_a_later_failure_does_not_hide_the_diagnosis_before():
    platform = with_diagnosis()
    platform.incidents.fail("INC-1", "the queue went away")
    page = see(platform, "/incidents/INC-1/report")
    assert "what stands here is the one before" in page
    assert "Lock waits in orders-db" in page


def test_an_abstention_names_what_was_checked_and_calls_candidates_weak():
    platform = with_diagnosis(
        abstained=True,
        band=Band.NONE,
        confidence=0.2,
        conclusion="No confident cause: three candidates lie within 5 %.",
    )
    page = see(platform, "/incidents/INC-1/report")
    assert "What was checked:" in page
    assert "240 rows of 96 series" in page
    assert "constant over the whole window" in page
    assert page.count('class="weak"') == 5
    assert "Ranked causes" not in page
    assert "in 10 diagnoses" not in page
    assert "No confident cause" in see(platform, "/report")


def test_old_data_raises_a_banner():
    platform = bare()
    platform.samples.append(SampleBatch.of([Sample(shop.CART, shop.NOW - 240.0, 1.0)]))
    platform.incidents.open(shop.incident())
    for address in ("/report", "/incidents/INC-1/report"):
        page = see(platform, address)
        assert "Stale data." in page
        assert "4 min ago" in page


def test_the_report_needs_no_script_and_has_no_navigation(reader: TestClient):
    answer = reader.get("/incidents/INC-1/report")
    assert "script-src 'none'" in answer.headers["content-security-policy"]
    page = Page(answer.text)
    assert page.named("script") == []
    assert page.named("form") == []
    assert page.named("nav") == []
    folded = [d.get("class") or "" for d in page.named("details") if "open" not in d]
    assert all("not_applicable" in kind or "failed" in kind for kind in folded)


@pytest.mark.parametrize(
    "build", [bare, lambda: with_diagnosis(candidates=(), excerpts=(), opinions=())]
)
def test_a_diagnosis_with_little_in_it_still_makes_a_page(build: Callable[[], Platform]):
    platform = build()
    platform.incidents.open(shop.incident(changes=(), status=Status.RESOLVED))
    assert "INC-1" in see(platform, "/incidents/INC-1/report")
