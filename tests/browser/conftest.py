"""A browser, servers to look at, and a page that must not complain."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.browser.shown import STATES, Shown, shown

playwright = pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright  # noqa: E402

from tests.browser.chromium import launch  # noqa: E402

WIDE = {"width": 1280, "height": 800}
_PATIENCE_MS = 15_000


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """FastAPI builds routes at the first request and silences one warning meanwhile.

    Silencing is not safe among threads: a job beside it may bring back that warnings are errors.
    """
    calm = pytest.mark.filterwarnings("ignore:The 'alias' attribute")
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(calm)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as play, launch(play) as started:
        yield started


@pytest.fixture(scope="session")
def servers() -> Iterator[dict[str, Shown]]:
    """Servers by their state, for tests that change nothing; each started when first asked for."""
    with ExitStack() as stack:

        class Started(dict[str, Shown]):
            def __missing__(self, state: str) -> Shown:
                self[state] = stack.enter_context(shown(STATES[state]))
                return self[state]

        yield Started()


@pytest.fixture
def server() -> Iterator[Shown]:
    """A server of one's own with many incidents."""
    with shown(STATES["many"]) as started:
        yield started


@pytest.fixture
def complaints() -> list[str]:
    """What the browser complained of; a test that expects something takes it out."""
    return []


@pytest.fixture
def page(browser: Browser, complaints: list[str]) -> Iterator[Page]:
    """A wide, light page with its own storage; fails where the browser complained."""
    context = browser.new_context(viewport=WIDE, color_scheme="light", reduced_motion="reduce")
    opened = context.new_page()
    opened.set_default_timeout(_PATIENCE_MS)

    def heard(message: ConsoleMessage) -> None:
        if message.type == "error":
            complaints.append(message.text)

    opened.on("console", heard)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    yield opened
    context.close()
    assert complaints == []
