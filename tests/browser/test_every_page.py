"""What holds for every page: axe finds nothing, colours and widths, no script of others."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Complaints
from tests.browser.shots import HEADERS, PAGES, SIZES
from tests.browser.shown import Shown

pytestmark = pytest.mark.browser
AXE = Path(__file__).parents[2] / "services/dashboard/web/node_modules/axe-core/axe.min.js"
EVERY = [(state, name) for state, pages in PAGES.items() for name in pages]
RUN = """
async () => {
  const found = await axe.run(document, {
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
  });
  return found.violations
    .filter((one) => ["serious", "critical"].includes(one.impact))
    .map((one) => `${one.id}: ${one.nodes.slice(0, 3).map((n) => n.html).join(" | ")}`);
}
"""


def opened(page: Page, server: Shown, address: str) -> Page:
    page.goto(server.url + address)
    page.wait_for_load_state("load")
    expect(page.locator("main .loading")).to_have_count(0)
    return page


def faults(page: Page) -> list[str]:
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[str] = page.evaluate(RUN)
    return found


@pytest.mark.parametrize(("state", "name"), EVERY)
def test_axe_finds_no_serious_fault(
    page: Page, servers: dict[str, Shown], complaints: Complaints, state: str, name: str
):
    complaints.expected = "403" if state in ("reader", "refused") else ""
    page.set_extra_http_headers(HEADERS.get(state, {}))
    opened(page, servers[state], PAGES[state][name])
    assert faults(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault_in_menus_and_dialogs(
    page: Page, servers: dict[str, Shown], scheme: Literal["light", "dark"]
):
    page.emulate_media(color_scheme=scheme)
    opened(page, servers["many"], PAGES["many"]["incident"])
    more = page.locator(".actions summary", has_text="More")
    dialog = page.get_by_role("dialog")
    for item in ("Merge others", "Split it", "Link others"):
        more.click()
        assert faults(page) == []
        page.get_by_role("button", name=item).click()
        expect(dialog.get_by_role("checkbox").first).to_be_visible()
        assert faults(page) == []
        page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
    page.get_by_role("button", name="Assign").click()
    assert faults(page) == []


@pytest.mark.parametrize("name", PAGES["many"])
def test_in_the_dark_axe_finds_no_serious_fault(page: Page, servers: dict[str, Shown], name: str):
    page.emulate_media(color_scheme="dark")
    opened(page, servers["many"], PAGES["many"][name])
    assert faults(page) == []


@pytest.mark.parametrize("name", PAGES["many"])
def test_a_page_is_never_wider_than_a_phone(page: Page, servers: dict[str, Shown], name: str):
    width, height = SIZES["phone"]
    page.set_viewport_size({"width": width, "height": height})
    opened(page, servers["many"], PAGES["many"][name])
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert faults(page) == []


def test_the_colours_are_those_of_the_system_until_somebody_chooses(
    page: Page, servers: dict[str, Shown]
):
    paper = "getComputedStyle(document.body).backgroundColor"
    page.emulate_media(color_scheme="dark")
    opened(page, servers["many"], "/")
    dark = page.evaluate(paper)
    page.get_by_role("group", name="Colours").get_by_role("button", name="Light").click()
    assert page.evaluate(paper) != dark
    page.reload()
    assert page.evaluate(paper) != dark


def test_times_are_utc_until_somebody_asks_for_local_ones(
    browser: Browser, servers: dict[str, Shown]
):
    context = browser.new_context(timezone_id="Asia/Kolkata")
    page = context.new_page()
    opened(page, servers["many"], "/incidents/INC-131")
    expect(page.locator(".facts.big")).to_contain_text("Started, UTC")
    expect(page.locator(".facts.big")).to_contain_text("14:01:20")
    page.get_by_role("group", name="Times").get_by_role("button", name="Local").click()
    expect(page.locator(".facts.big")).to_contain_text("Started, UTC+5:30")
    expect(page.locator(".facts.big")).to_contain_text("19:31:20")
    context.close()


def test_old_data_raises_a_banner_on_every_page(page: Page, servers: dict[str, Shown]):
    for address in ("/", "/incidents/INC-1", "/methods"):
        opened(page, servers["stale"], address)
        expect(page.get_by_text("Stale data.")).to_be_visible()


def test_the_status_page_tells_what_comes_in(page: Page, servers: dict[str, Shown]):
    opened(page, servers["many"], "/status")
    expect(page.get_by_text("Everything answers.")).to_be_visible()
    inflow = page.get_by_role("region", name="What comes in, service by service")
    expect(inflow).to_contain_text("orders-db")


def test_a_method_has_its_question_its_paper_and_a_form(page: Page, servers: dict[str, Shown]):
    opened(page, servers["many"], "/methods/ridge_granger")
    entry = page.locator("#method-ridge_granger")
    expect(entry.get_by_role("button", name="Run")).to_be_visible()
    entry.get_by_label("Incident").fill("INC-131")
    entry.locator("input").nth(1).fill("many")
    entry.get_by_role("button", name="Run").click()
    expect(entry).to_contain_text("is not a number")


def test_the_first_thing_tab_reaches_skips_to_the_content(page: Page, servers: dict[str, Shown]):
    opened(page, servers["many"], "/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


def test_the_status_sums_what_processes_counted_and_names_the_silent_one(
    page: Page, servers: dict[str, Shown]
):
    page.goto(f"{servers['silent'].url}/status")
    expect(page.locator(".verdict")).to_contain_text("ingest@node-2:17 fell silent")
    expect(page.locator(".facts")).to_contain_text("810 k")
    row = page.get_by_role("region", name="Processes").get_by_role("row").nth(1)
    expect(row).to_contain_text("silent for 4 min 20 s")
    assert faults(page) == []
