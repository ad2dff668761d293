"""The page of an incident in a browser: what it says, what can be done, what happens by itself."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from rootward_worker import explaining
from tests.browser.conftest import Complaints
from tests.browser.shown import OLDER, STATES, Shown, shown
from tests.services import made_up_incident as shop

pytestmark = pytest.mark.browser
NAME = f"INC-{OLDER + 1}"
_SOON_MS = 30_000
"""A diagnosis that a deed asked for runs in the same process meanwhile."""


def test_the_answer_stands_first_and_its_evidence_below(page: Page, servers: dict[str, Shown]):
    page.goto(f"{servers['many'].url}/incidents/{NAME}")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Lock waits in orders-db")
    headings = page.locator("article h2").all_text_contents()
    order = ["Ranked causes", "How it went on", "Timeline", "How it spread", "Evidence"]
    assert [h for h in headings if h in order] == order
    expect(page.locator("ol.causes > li")).to_have_count(5)
    expect(page.locator(".groups")).to_contain_text("First failure")


def test_a_cause_tells_which_pods_run_it_where_a_cluster_is_watched(
    page: Page, servers: dict[str, Shown]
):
    page.goto(f"{servers['many'].url}/incidents/{NAME}")
    first, second, third = (page.locator("ol.causes > li").nth(k) for k in range(3))
    expect(first).to_contain_text("orders-db-0 on node-a")
    second.get_by_text("6 pods of shop/orders on 3 nodes").click()
    expect(second).to_contain_text("orders-5 on node-c")
    expect(third.locator(".pods")).to_have_count(0)


def test_the_graph_and_the_plots_are_drawn_and_have_tables(page: Page, servers: dict[str, Shown]):
    page.goto(f"{servers['many'].url}/incidents/{NAME}")
    expect(page.locator(".graph canvas").first).to_be_visible()
    expect(page.locator(".panels .plot canvas")).to_have_count(5)
    page.get_by_text("The graph as a table").click()
    expect(page.get_by_role("region", name="Edges of the causal graph")).to_contain_text("15 s")
    page.get_by_text("The plots in numbers").click()
    numbers = page.get_by_role("region", name="The plots in numbers")
    expect(numbers.locator("tbody tr")).to_have_count(5)


def test_a_brush_over_the_timeline_zooms_every_plot_and_stands_in_the_address(
    page: Page, servers: dict[str, Shown]
):
    page.goto(f"{servers['many'].url}/incidents/{NAME}")
    tracks = page.locator(".tracks")
    tracks.scroll_into_view_if_needed()
    box = tracks.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.95, box["y"] + 30, steps=4)
    page.mouse.up()
    expect(page).to_have_url(re.compile(r"from=\d+&to=\d+"))
    page.reload()
    expect(page.get_by_role("button", name="Whole window")).to_be_enabled()
    page.get_by_role("button", name="Whole window").click()
    expect(page).not_to_have_url(re.compile("from="))


def test_the_first_screen_says_what_to_do_next(page: Page, servers: dict[str, Shown]):
    page.goto(f"{servers['many'].url}/incidents/{NAME}")
    steps = page.get_by_role("region", name="What to do next")
    expect(steps).to_be_in_viewport(ratio=1)
    expect(steps.get_by_role("listitem").first).to_contain_text("Look at orders-db")
    expect(steps.get_by_role("listitem").nth(1)).to_contain_text("orders is next")
    page.goto(f"{servers['abstained'].url}/incidents/INC-1")
    expect(steps).to_contain_text("neither is proven")


def test_it_is_acknowledged_assigned_and_commented(server: Shown, page: Page):
    page.goto(f"{server.url}/incidents/{NAME}")
    page.get_by_role("button", name="Acknowledge", exact=True).click()
    expect(page.get_by_role("button", name="Acknowledged")).to_be_visible()
    page.get_by_role("button", name="Assign").click()
    page.get_by_label("Name, empty for nobody").fill("ada")
    page.get_by_role("dialog").get_by_role("button", name="Assign").click()
    expect(page.locator(".incident-head")).to_contain_text("assigned to ada")
    page.get_by_role("tab", name=re.compile("Activity")).click()
    page.get_by_label("Comment").fill("rolled back orders v2.8.1")
    page.get_by_role("button", name="Comment").click()
    expect(page.locator(".activity")).to_contain_text("rolled back orders v2.8.1")
    handling = server.platform.incidents.get(NAME).handling
    assert handling.acknowledged_unix is not None
    assert handling.assignee == "ada"


def test_a_cause_is_confirmed_with_a_reason_and_counts_as_our_accuracy(server: Shown, page: Page):
    page.goto(f"{server.url}/incidents/{NAME}")
    first = page.get_by_role("group", name="Was orders-db the cause?")
    first.get_by_role("button", name="Confirm").click()
    page.get_by_label("What makes you say so?").fill("the lock went away with the rollback")
    page.get_by_role("button", name="Keep").click()
    expect(first).to_contain_text("the lock went away with the rollback")
    page.goto(f"{server.url}/status")
    accuracy = page.locator("section", has=page.get_by_role("heading", name="How often"))
    expect(accuracy).to_contain_text("100 %")


def test_what_came_of_a_suggested_step_is_told_by_keyboard_and_stands_with_who_and_when(
    server: Shown, page: Page
):
    page.goto(f"{server.url}/incidents/{NAME}")
    steps = page.get_by_role("region", name="Worth trying next")
    expect(steps.locator("ol > li")).to_have_count(2)
    expect(steps).to_contain_text("may save 6.1 min, 0.4 to 14.2 in nine of ten")
    first = steps.get_by_role("group", name="Did it help: roll back the last change of orders-db?")
    first.get_by_role("button", name="It helped").focus()
    page.keyboard.press("Enter")
    page.get_by_label("What makes you say so?").fill("the locks went away")
    page.get_by_role("button", name="Keep").press("Enter")
    tried = steps.get_by_role("list").last
    expect(tried).to_contain_text("Roll back the last change of orders-db: it helped")
    expect(tried).to_contain_text("local")
    expect(tried).to_contain_text("the locks went away")
    expect(steps.locator("ol")).not_to_contain_text("Roll back the last change of orders-db")
    tried.get_by_role("button", name="It did not help").click()
    page.get_by_role("button", name="Keep").click()
    expect(tried).to_contain_text("it did not help")
    page.get_by_role("tab", name="Activity").click()
    lines = page.locator("ol.activity")
    expect(lines).to_contain_text("roll back the last change of orders-db: it did not help")
    steps.get_by_role("link", name="How this was worked out").click()
    expect(page.locator("#analysis-next_check")).to_be_in_viewport()


def test_a_method_is_run_with_parameters_of_its_form(server: Shown, page: Page):
    page.goto(f"{server.url}/incidents/{NAME}?tab=methods")
    offer = page.locator("ul.offers > li", has_text="robust_z")
    offer.locator("summary").click()
    offer.get_by_role("button", name="Run").click()
    expect(page.get_by_text("robust_z is running")).to_be_visible()
    expect(page.locator("#analysis-robust_z")).to_be_visible(timeout=30_000)


def test_a_stretch_of_time_is_explained_on_request(server: Shown, page: Page):
    stretch = f"from={shop.NOW - 900:.0f}&to={shop.NOW:.0f}"
    page.goto(f"{server.url}/incidents/{NAME}?{stretch}")
    page.get_by_role("button", name="Explain this stretch").click()
    expect(page).to_have_url(re.compile("/explain/"))
    causes = page.get_by_role("heading", name=re.compile("Ranked causes|Nearest candidates"))
    expect(causes).to_be_visible(timeout=60_000)


def test_what_somebody_else_does_appears_by_itself(server: Shown, page: Page):
    page.goto(f"{server.url}/incidents/{NAME}")
    expect(page.locator(".incident-head")).to_contain_text("live")
    page.request.post(f"{server.url}/api/v1/incidents/{NAME}/acknowledge")
    expect(page.get_by_role("button", name="Acknowledged")).to_be_visible()


def test_a_link_into_the_middle_of_a_page_shows_that_part(page: Page, servers: dict[str, Shown]):
    node = shop.ORDERS.key
    page.goto(f"{servers['many'].url}/incidents/{NAME}?tab=raw")
    expect(page.get_by_role("tab", name="Reproduce")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("tabpanel")).to_contain_text("neural_granger")
    page.goto(f"{servers['many'].url}/incidents/{NAME}?node={node.replace('=', '%3D')}")
    expect(page.locator(".node-panel")).to_contain_text("Why not the root?")


def test_where_methods_disagree_the_page_says_how(page: Page, servers: dict[str, Shown]):
    page.goto(f"{servers['many'].url}/incidents/{NAME}")
    table = page.get_by_role("region", name="What other methods say")
    expect(table).to_contain_text("puts orders first and puts orders-db at 2")


def test_an_abstention_says_what_was_checked_and_calls_candidates_weak(
    page: Page, servers: dict[str, Shown]
):
    page.goto(f"{servers['abstained'].url}/incidents/INC-1")
    expect(page.get_by_role("heading", name="No confident cause", level=1)).to_be_visible()
    expect(page.locator(".abstained")).to_contain_text("240 rows of 96 series")
    expect(page.locator("ol.causes > li").first).to_contain_text("weak")


def test_a_failed_diagnosis_says_why_and_can_be_tried_again(page: Page, servers: dict[str, Shown]):
    page.goto(f"{servers['failed'].url}/incidents/INC-1")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("window has 40 rows, 120 are needed")
    expect(alert.get_by_role("button", name="Try again")).to_be_visible()


def test_a_pending_diagnosis_shows_its_steps_and_what_changed(
    page: Page, servers: dict[str, Shown]
):
    page.goto(f"{servers['pending'].url}/incidents/INC-1")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Looking for the cause")
    expect(page.get_by_role("list", name="Steps of the diagnosis")).to_contain_text("causal graph")
    expect(page.get_by_role("heading", name="Timeline")).to_be_visible()


def test_an_incident_that_is_not_there_is_said_to_be_missing(
    page: Page, servers: dict[str, Shown], complaints: Complaints
):
    complaints.expected = "404"
    page.goto(f"{servers['many'].url}/incidents/INC-9999")
    expect(page.get_by_role("alert")).to_contain_text("Not found")


def test_who_may_only_read_is_told_so_and_can_change_nothing(page: Page, servers: dict[str, Shown]):
    reader = {
        "name": "ada", "role": "viewer", "tenant": "default", "rights": ["read"],
        "csrf_token": "", "may_log_out": True,
    }  # fmt: skip
    page.route("**/api/v1/me", lambda route: route.fulfill(json=reader))
    page.goto(f"{servers['many'].url}/incidents/{NAME}")
    expect(page.get_by_role("button", name="Acknowledge", exact=True)).to_be_disabled()
    expect(page.locator(".incident-head")).to_contain_text("You may read")
    expect(page.get_by_role("button", name="Log out")).to_be_visible()


def test_without_permission_the_page_says_so_and_whom_to_ask(
    page: Page, servers: dict[str, Shown], complaints: Complaints
):
    complaints.expected = "403"
    problem = {"type": "urn:rootward:problem:forbidden", "title": "Forbidden", "status": 403,
               "detail": "", "instance": "", "code": "forbidden"}  # fmt: skip
    page.route(f"**/api/v1/incidents/{NAME}", lambda route: route.fulfill(status=403, json=problem))
    page.goto(f"{servers['many'].url}/incidents/{NAME}")
    expect(page.get_by_role("alert")).to_contain_text("No permission")
    expect(page.get_by_role("alert")).to_contain_text("Ask an admin")


def test_the_symptom_is_laid_over_its_cause_with_the_lag_between_them(
    page: Page, servers: dict[str, Shown]
):
    page.goto(f"{servers['many'].url}/incidents/{NAME}")
    overlay = page.locator("section", has=page.get_by_role("heading", name="Cause and symptom"))
    expect(overlay.locator("canvas")).to_be_visible()
    expect(overlay).to_contain_text("The cause departed 1 min before the symptom.")


def test_a_log_scale_is_chosen_for_every_plot_that_can_have_one_and_stands_in_the_address(
    page: Page, servers: dict[str, Shown]
):
    page.goto(f"{servers['many'].url}/incidents/{NAME}")
    page.get_by_role("button", name="Log scale").click()
    expect(page).to_have_url(re.compile("scale=log"))
    page.reload()
    expect(page.get_by_role("button", name="Log scale")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".panels .plot canvas")).to_have_count(5)


def test_services_are_split_off_and_the_two_incidents_show_each_other(server: Shown, page: Page):
    page.goto(f"{server.url}/incidents/{NAME}")
    _more(page, "Split it")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("frontend")).to_have_count(0)  # it has the symptom
    dialog.get_by_label("shipping").check()
    dialog.get_by_label("Title").fill("shipping on its own")
    dialog.get_by_role("button", name="Split off 1 service").click()
    related = page.get_by_role("region", name="Related incidents")
    expect(related).to_contain_text("shipping on its own", timeout=_SOON_MS)
    related.get_by_role("link").click()
    expect(page.locator(".incident-head")).to_contain_text("shipping on its own")
    expect(page.get_by_role("region", name="Related incidents")).to_contain_text(NAME)


def test_incidents_are_linked_and_merged_from_the_page_and_both_are_taken_back(
    server: Shown, page: Page
):
    page.goto(f"{server.url}/incidents/{NAME}")
    for item, deed, undo in (
        ("Link others", "Link 1 incident", "Unlink"),
        ("Merge others", "Merge 1 incident", "Take the merge back"),
    ):
        _more(page, item)
        page.get_by_label("Search incidents by name").fill("occasion 129")
        page.get_by_role("dialog").get_by_label("cart is slow, occasion 129").check()
        page.get_by_role("dialog").get_by_role("button", name=deed).click()
        related = page.get_by_role("region", name="Related incidents")
        expect(related).to_contain_text("occasion 129", timeout=_SOON_MS)
        related.get_by_role("button", name=undo).click()
        expect(related).to_have_count(0, timeout=_SOON_MS)
    handling = server.platform.incidents.get(NAME).handling
    assert (handling.links, handling.absorbed) == ((), ())


def test_a_running_diagnosis_shows_its_first_ranking_as_provisional(page: Page):
    with shown(STATES["pending"]) as server:
        page.goto(f"{server.url}/incidents/INC-1")
        expect(page.locator(".incident-head")).to_contain_text("live")
        incident = server.platform.incidents.get("INC-1")
        candidates = shop.diagnosis().candidates
        explaining.tell_first(server.platform, incident, candidates)
        first = page.get_by_role("region", name="First ranking provisional")
        expect(first.get_by_role("listitem")).to_have_count(5)
        expect(first.get_by_role("listitem").first).to_contain_text("orders-db")
        page.reload()  # who comes later sees it as well
        expect(first).to_contain_text("orders-db")
        server.platform.incidents.save(incident.id, shop.diagnosis())
        expect(page.get_by_role("heading", level=1)).to_contain_text("Lock waits in orders-db")
        expect(first).to_have_count(0)


def _more(page: Page, item: str) -> None:
    """Choose from the menu of what is done less often."""
    page.locator(".actions summary", has_text="More").click()
    page.get_by_role("button", name=item).click()
