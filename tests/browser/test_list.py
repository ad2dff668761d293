"""The list of incidents in a browser: filters, pages, keys, work on many at once."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from rootward.model.incident import Status
from tests.browser.conftest import Complaints
from tests.browser.shots import HEADERS
from tests.browser.shown import OLDER, Shown
from tests.browser.test_every_page import faults
from tests.services import made_up_incident as shop

pytestmark = pytest.mark.browser
NEWEST = f"INC-{OLDER + 1}"


def rows(page: Page):
    return page.locator("table.incidents tbody tr")


def test_the_newest_incident_stands_first_with_its_cause_and_band(
    page: Page, servers: dict[str, Shown]
):
    page.goto(servers["many"].url)
    first = rows(page).first
    expect(first).to_contain_text(NEWEST)
    expect(first).to_contain_text("orders-db")
    expect(first).to_contain_text("High confidence")
    expect(rows(page)).to_have_count(50)


def test_filters_and_pages_stand_in_the_address(page: Page, servers: dict[str, Shown]):
    page.goto(servers["many"].url)
    page.get_by_role("link", name=re.compile("^Resolved")).click()
    expect(page).to_have_url(re.compile(r"status=resolved"))
    expect(rows(page).first).to_contain_text("INC-126")
    page.get_by_role("link", name="Older incidents").click()
    expect(page).to_have_url(re.compile(r"cursor="))
    expect(rows(page).first).to_contain_text("INC-76")
    page.reload()
    expect(rows(page).first).to_contain_text("INC-76")
    page.go_back()
    expect(rows(page).first).to_contain_text("INC-126")


def test_a_search_narrows_the_list_as_it_is_typed(page: Page, servers: dict[str, Shown]):
    page.goto(servers["many"].url)
    expect(rows(page)).to_have_count(50)
    page.keyboard.press("/")
    page.keyboard.type("frontend p99")
    expect(rows(page)).to_have_count(1)
    expect(page).to_have_url(re.compile(r"q=frontend"))


def test_a_facet_counts_what_it_leaves(page: Page, servers: dict[str, Shown]):
    page.goto(servers["many"].url)
    page.locator("details.menu summary", has_text="Severity").click()
    page.get_by_role("link", name=re.compile(r"critical\s+1")).click()
    expect(rows(page)).to_have_count(1)
    expect(page).to_have_url(re.compile("severity=critical"))


def test_everything_can_be_done_by_keyboard(server: Shown, page: Page):
    page.goto(server.url)
    expect(rows(page)).to_have_count(50)
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("a")
    expect(page.get_by_role("status").filter(has_text="INC-130 acknowledged.")).to_be_visible()
    expect(rows(page).nth(1)).to_contain_text("acknowledged")
    page.keyboard.press("r")
    expect(rows(page).nth(1)).to_contain_text("resolved")
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"/incidents/{NEWEST}$"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("Lock waits in orders-db")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("merge the selected incidents")


def test_three_incidents_merge_into_one_and_the_merge_can_be_taken_back(server: Shown, page: Page):
    page.goto(server.url)
    for name in ("INC-130", "INC-129", "INC-128"):
        page.get_by_label(f"Select {name}").check()
    page.keyboard.press("m")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Merge 3 incidents")
    dialog.get_by_role("button", name="Merge").click()
    expect(page.get_by_text("2 incidents merged into INC-128.")).to_be_visible()
    assert server.platform.incidents.get("INC-130").number == 128
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("incidents of their own again")).to_be_visible()
    assert server.platform.incidents.get("INC-130").number == 130


def test_a_new_incident_waits_until_it_is_asked_for(server: Shown, page: Page):
    page.goto(server.url)
    expect(rows(page).first).to_contain_text(NEWEST)
    server.platform.incidents.open(shop.older(200, Status.OPEN))
    page.get_by_role("button", name="1 new incident, show").click()
    expect(rows(page).filter(has_text=f"INC-{OLDER + 2}")).to_have_count(1)


def test_before_any_sample_the_page_says_how_to_send_some_and_counts(
    page: Page, servers: dict[str, Shown]
):
    page.goto(servers["nothing"].url)
    expect(page.get_by_role("heading", name="No data yet")).to_be_visible()
    expect(page.get_by_label("Set-up for Prometheus")).to_contain_text("/api/v1/write")
    expect(page.locator(".counter")).to_contain_text("0 series received")


def test_where_all_that_is_sent_is_refused_whoever_waits_for_data_is_told_why(
    page: Page, servers: dict[str, Shown]
):
    page.set_extra_http_headers(HEADERS["unusable"])
    page.goto(servers["unusable"].url)
    expect(page.get_by_role("alert")).to_contain_text("refused: 1.24 k too old")
    assert faults(page) == []


def test_with_samples_and_without_incidents_all_is_quiet(page: Page, servers: dict[str, Shown]):
    page.goto(servers["quiet"].url)
    expect(page.get_by_role("heading", name="All quiet")).to_be_visible()
    expect(page.locator(".empty")).to_contain_text("12 series")


def test_what_changed_after_a_deploy_without_an_incident_stands_on_the_list(
    page: Page, servers: dict[str, Shown]
):
    page.goto(servers["quiet"].url)
    drift = page.get_by_role("region", name="Changed without an incident")
    expect(drift).to_contain_text("After deploy 1.8.0 of checkout")
    assert faults(page) == []
    page.goto(f"{servers['quiet'].url}/?status=resolved")
    expect(page.locator(".empty")).to_be_visible()
    expect(drift).to_have_count(0)


def test_with_too_few_rows_the_page_says_how_long_it_still_learns(
    page: Page, servers: dict[str, Shown]
):
    page.goto(servers["learning"].url)
    expect(page.get_by_role("heading", name="Still learning")).to_be_visible()
    expect(page.locator(".empty")).to_contain_text("12 of 30 rows")


def test_where_a_part_does_not_answer_every_page_says_which(
    page: Page, servers: dict[str, Shown], complaints: Complaints
):
    complaints.expected = "503"
    page.goto(servers["degraded"].url)
    expect(page.get_by_role("alert")).to_contain_text("samples: the disk is full")
