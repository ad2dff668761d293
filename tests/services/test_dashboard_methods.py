"""What API and pages tell of methods: where they are offered, how sure an answer is, why not."""

import re

import pytest
from fastapi.testclient import TestClient

from rootward.ports import Platform
from rootward.testing import fakes
from rootward_dashboard.app import create_app
from tests.services import made_up_incident as shop
from tests.services.page_reading import Page


@pytest.fixture
def filled() -> Platform:
    clock = fakes.ManualClock()
    clock.set(shop.NOW)
    platform = fakes.fake_platform(clock)
    shop.fill(platform)
    return platform


@pytest.fixture
def client(filled: Platform) -> TestClient:
    return TestClient(create_app(filled))


def part(page: str, name: str) -> str:
    """The slot of that name, as text of the page."""
    found = re.search(rf'<section class="slot" id="at-{name}".*?</section>', page, re.DOTALL)
    return found.group() if found else ""


def test_an_analysis_says_how_sure_it_is_and_how_it_was_made(client: TestClient):
    answer = client.get("/api/v1/incidents/INC-1").json()
    (weak,) = [a for a in answer["analyses"] if a["method"] == "similar"]
    assert weak["status"] == "weak"
    assert weak["result"]["caveats"][0]["code"] == "few_examples"
    assert weak["result"]["headline"] == {"name": "nDCG@10", "value": 0.5, "unit": ""}
    assert weak["result"]["baseline"]["name"] == "BM25"
    assert weak["result"]["inputs"]["dropped"] == {"cart|cpu": "constant"}
    assert (weak["seed"], weak["settings"], weak["versions"]) == (3, {"k": 5}, {"rootward": "0"})


def test_the_catalogue_says_where_a_method_is_offered_and_why_it_cannot_run(client: TestClient):
    known = {m["name"]: m for m in client.get("/api/v1/methods").json()["items"]}
    assert known["similar"]["anchors"] == ["similar"]
    assert known["similar"]["available"] is True
    assert known["remote"]["available"] is False
    assert "not installed" in known["remote"]["unavailable"]


def test_a_weak_answer_shows_caveat_baseline_inputs_and_whose_idea_it_is(client: TestClient):
    at_similar = part(client.get("/incidents/INC-1/report").text, "similar")

    for words in (
        "INC-3 looks most alike.", "weak", "There are only 9 earlier incidents.", "BM25",
        "worth 60 independent ones", "cart|cpu (constant)", "Alike is not the same cause.",
        "The encoder is ours.", "seed 3",
    ):  # fmt: skip
        assert words in at_similar, words


def test_what_runs_shows_how_far_it_is(client: TestClient):
    page = client.get("/incidents/INC-1/report").text

    assert "Running, 40 % done" in part(page, "patterns")


def test_the_report_holds_the_answers_and_asks_nothing(client: TestClient):
    text = client.get("/incidents/INC-1/report").text

    assert "INC-3 looks most alike." in text
    assert Page(text).named("form") == []
    assert "to ask" not in text
