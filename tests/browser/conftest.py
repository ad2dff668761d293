"""A browser, servers to look at, and a page that must not complain."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.browser.shown import STATES, Shown, filled, shown

playwright = pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright  # noqa: E402

from tests.browser.chromium import launch  # noqa: E402
from tests.browser.shots import SETTINGS  # noqa: E402

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
                settings = SETTINGS.get(state, {})
                self[state] = stack.enter_context(shown(STATES[state], **settings))
                return self[state]

        yield Started()


@pytest.fixture(scope="session")
def many_stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the database of many incidents, filled once."""
    folder = tmp_path_factory.mktemp("many")
    filled(folder, STATES["many"])
    return folder


@pytest.fixture
def server(many_stored: Path) -> Iterator[Shown]:
    """A server of one's own with many incidents."""
    with shown(stored=many_stored) as started:
        yield started


class Complaints(list[str]):
    """What the browser complained of; a test that is about an error says which it expects."""

    def __init__(self) -> None:
        super().__init__()
        self.expected = ""

    def unexpected(self) -> list[str]:
        return [one for one in self if not self.expected or self.expected not in one]


@pytest.fixture
def complaints() -> Complaints:
    return Complaints()


@pytest.fixture
def page(browser: Browser, complaints: Complaints) -> Iterator[Page]:
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
    assert complaints.unexpected() == []
