"""The web app's page: what it loads, under which policy, and what answers where it is not built."""

from __future__ import annotations

import gzip
import json
from importlib.resources import files
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from rootward.model.graph import CausalGraph, Edge
from rootward_dashboard import assets
from rootward_dashboard.app import create_app
from rootward_dashboard.assets import Built, built_in
from tests.services import made_up_incident as shop
from tests.services.page_reading import Page, bare, with_diagnosis

APP = Built(
    entry="app/assets/main-1.js",
    theme="app/assets/theme-1.js",
    styles=("app/assets/main-1.css",),
    preloads=("app/assets/time-1.js",),
)
PAGES = ("/", "/incidents/INC-1", "/methods", "/methods/baro", "/status")
MOST_SCRIPT = 150_000
"""Bytes of JavaScript, in gzip, before the first page shows."""

needs_build = pytest.mark.skipif(assets.BUILT is None, reason="make web builds the app")


@pytest.mark.parametrize("address", PAGES)
@pytest.mark.parametrize("root", ["", "/rootward"])
def test_every_page_of_the_app_loads_the_same_scripts_from_here(address: str, root: str):
    client = TestClient(create_app(bare(), APP), root_path=root)
    answer = client.get(root + address)
    page = Page(answer.text)
    assert answer.status_code == 200
    assert page.unpaired == []
    assert page.named("html")[0]["data-root"] == root
    assert [s["src"] for s in page.named("script")] == [
        f"{root}/static/{APP.theme}",
        f"{root}/static/{APP.entry}",
    ]
    assert all(str(link["href"]).startswith(root + "/static/") for link in page.named("link"))


def test_the_app_runs_no_script_but_its_own():
    policy = TestClient(create_app(bare(), APP)).get("/").headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "connect-src 'self'" in policy
    assert "unsafe" not in policy


def test_without_scripts_a_page_leads_to_the_plain_one():
    page = TestClient(create_app(bare(), APP)).get('/incidents/INC-1"><b>').text
    assert "/incidents/INC-1%22%3E%3Cb%3E/report" in page
    assert "<b>" not in page


def test_where_the_app_was_not_built_the_plain_pages_answer():
    client = TestClient(create_app(with_diagnosis(), None))
    assert "orders-db" in client.get("/").text
    assert "Ranked causes" in client.get("/incidents/INC-1").text
    missing = client.get("/status")
    assert missing.status_code == 404
    assert "make web" in missing.text


def test_a_build_is_read_from_its_manifest(tmp_path: Path):
    assert built_in(tmp_path) == (None, {})
    manifest = {
        "src/main.tsx": {
            "file": "assets/main-1.js",
            "imports": ["_time-1.js"],
            "css": ["assets/main-1.css"],
        },
        "src/theme.ts": {"file": "assets/theme-1.js"},
        "_time-1.js": {"file": "assets/time-1.js"},
    }
    (tmp_path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    (tmp_path / "assets").mkdir()
    for name in ("main-1.js", "main-1.css", "theme-1.js", "time-1.js", "notes.txt"):
        (tmp_path / "assets" / name).write_text("x" * 2000, encoding="utf-8")
    built, found = built_in(tmp_path)
    assert built == APP
    assert sorted(found) == [
        f"app/assets/{n}" for n in ("main-1.css", "main-1.js", "theme-1.js", "time-1.js")
    ]
    packed = found["app/assets/main-1.js"].packed
    assert packed is not None
    assert gzip.decompress(packed) == b"x" * 2000


def test_a_file_comes_packed_only_to_those_who_can_unpack():
    client = TestClient(create_app(bare()))
    packed = client.get("/static/rootward.css", headers={"Accept-Encoding": "gzip"})
    plain = client.get("/static/rootward.css", headers={"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.text == plain.text


@needs_build
def test_what_the_first_page_loads_is_there_and_small_enough():
    built = assets.BUILT
    assert built is not None
    client = TestClient(create_app(bare()))
    scripts = (built.entry, built.theme, *built.preloads)
    for name in (*scripts, *built.styles):
        answer = client.get(f"/static/{name}")
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
    size = sum(len(assets.asset(s).packed or assets.asset(s).body) for s in scripts)
    assert size < MOST_SCRIPT, f"{size} bytes of initial JavaScript"


@needs_build
def test_the_app_names_no_other_host():
    folder = files("rootward_dashboard") / "static" / "app" / "assets"
    allowed = ("http://www.w3.org/",)
    for file in folder.iterdir():
        text = file.read_text(encoding="utf-8")
        found = {part.split('"')[0] for part in text.split('"http')[1:]}
        assert not [f for f in found if f and not f"http{f}".startswith(allowed)], file.name


def test_the_api_tells_the_app_the_way_from_the_cause_to_the_symptom():
    client = TestClient(create_app(with_diagnosis()))
    told = client.get("/api/v1/incidents/INC-1/diagnosis").json()
    spread = told["spread"]
    assert spread["connected"] is True
    assert spread["series"][0] == shop.LOCKS.key
    assert spread["series"][-1] == shop.FRONTEND.key
    assert len(spread["edges"]) < len(told["graph"]["edges"])
    ends = {key for edge in spread["edges"] for key in (edge["cause"], edge["effect"])}
    assert ends <= set(spread["series"])


def test_where_no_way_was_learned_the_api_says_so():
    graph = CausalGraph(shop.EVERY, (Edge(shop.CART, shop.CATALOG, 1, 0.5, 1, 0.9),))
    client = TestClient(create_app(with_diagnosis(graph=graph)))
    spread = client.get("/api/v1/incidents/INC-1/diagnosis").json()["spread"]
    assert spread["connected"] is False
    assert [e["cause"] for e in spread["edges"]] == [shop.CART.key]
    alone = TestClient(create_app(with_diagnosis(candidates=())))
    assert alone.get("/api/v1/incidents/INC-1/diagnosis").json()["spread"] is None
