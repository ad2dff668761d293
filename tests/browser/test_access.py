"""Tokens, people and the audit log on the page for admins."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Complaints
from tests.browser.shown import Shown, shown
from tests.browser.test_every_page import faults

pytestmark = pytest.mark.browser


@pytest.fixture
def server() -> Iterator[Shown]:
    with shown() as started:
        yield started


def test_a_token_is_made_shown_once_and_revoked(server: Shown, page: Page):
    page.goto(f"{server.url}/access")
    page.get_by_role("button", name="New token").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Make it")).to_be_disabled()
    dialog.get_by_label("What is it for?").fill("prometheus")
    dialog.get_by_label("ingest").check()
    assert faults(page) == []
    dialog.get_by_role("button", name="Make it").click()
    text = page.get_by_label("The new token").inner_text()
    assert re.fullmatch(r"rw_[0-9a-f]{48}", text)
    assert faults(page) == []
    page.get_by_role("button", name="I have it").click()
    assert text not in page.content()
    row = page.get_by_role("region", name="Tokens").get_by_role("row", name="prometheus")
    expect(row).to_contain_text("ingest")
    row.get_by_role("button", name="Revoke prometheus").click()
    dialog.get_by_role("button", name="Revoke", exact=True).click()
    expect(row).to_contain_text("revoked")
    (token,) = server.platform.access.tokens()
    assert token.revoked_unix is not None


def test_what_is_refused_says_why_and_keeps_what_was_typed(
    server: Shown, page: Page, complaints: Complaints
):
    complaints.expected = "400"
    page.goto(f"{server.url}/access")
    page.get_by_role("button", name="New token").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("What is it for?").fill("two words")
    dialog.get_by_label("read see incidents").check()
    dialog.get_by_role("button", name="Make it").click()
    expect(dialog.get_by_role("alert")).to_contain_text("is no name")
    expect(dialog.get_by_label("What is it for?")).to_have_value("two words")
    assert faults(page) == []


def test_somebody_is_added_gets_a_role_and_a_password_and_is_removed(server: Shown, page: Page):
    page.goto(f"{server.url}/access")
    page.get_by_role("button", name="Add somebody").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("anna")
    dialog.get_by_label("Role").select_option("responder")
    dialog.get_by_label("Password").fill("a long enough password")
    assert faults(page) == []
    dialog.get_by_role("button", name="Add").click()
    role = page.get_by_label("Role of anna")
    expect(role).to_have_value("responder")
    role.select_option("admin")
    expect(page.get_by_role("status").filter(has_text="anna is admin now")).to_be_visible()
    page.get_by_role("button", name="New password anna").click()
    dialog.get_by_label("Password").fill("another long password")
    dialog.get_by_role("button", name="Set it").click()
    expect(dialog).to_have_count(0)
    assert server.platform.access.person("anna").role.value == "admin"
    page.get_by_role("button", name="Remove anna").click()
    dialog.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("Nobody logs in with a password yet.")).to_be_visible()
    page.reload()
    log = page.get_by_role("region", name="Audit log")
    expect(log).to_contain_text("remove person")
    expect(log).to_contain_text("/api/v1/people anna")


def test_who_is_no_admin_is_told_so_and_sees_no_way_there(page: Page, servers: dict[str, Shown]):
    reader = {
        "name": "ada", "role": "viewer", "tenant": "default", "rights": ["read"],
        "csrf_token": "", "may_log_out": True,
    }  # fmt: skip
    page.route("**/api/v1/me", lambda route: route.fulfill(json=reader))
    page.goto(f"{servers['nothing'].url}/access")
    expect(page.get_by_role("alert")).to_contain_text("Only admins")
    expect(page.get_by_role("navigation").get_by_role("link", name="Access")).to_have_count(0)
