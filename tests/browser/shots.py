"""Pictures of every page in every state, wide and narrow, light and dark: `make screenshots`.

With the word `readme`: the two that README shows.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.chromium import launch
from tests.browser.shown import STATES, shown

OUT = Path("out/screenshots")
README = Path("docs/pictures")
README_PAGES = {"list": "/", "incident": "/incidents/INC-7"}
SIZES = {"wide": (1280, 800), "phone": (390, 844)}
SCHEMES = ("light", "dark")
PAGES = {
    "nothing": {"list": "/", "status": "/status", "methods": "/methods"},
    "unusable": {"list": "/"},
    "quiet": {"list": "/", "status": "/status"},
    "silent": {"status": "/status"},
    "many": {
        "list": "/",
        "incident": "/incidents/INC-131",
        "methods": "/methods/ridge_granger",
        "status": "/status",
        "access": "/access",
    },
    "several": {
        "methods-tab": "/incidents/INC-7?tab=methods",
        "activity-tab": "/incidents/INC-7?tab=activity",
        "similar-tab": "/incidents/INC-7?tab=similar",
        "reproduce-tab": "/incidents/INC-7?tab=raw",
    },
    "pending": {"list": "/", "incident": "/incidents/INC-1"},
    "running": {"incident": "/incidents/INC-1"},
    "reader": {"incident": "/incidents/INC-7", "access": "/access"},
    "refused": {"list": "/", "incident": "/incidents/INC-1"},
    "failed": {"incident": "/incidents/INC-1"},
    "abstained": {"incident": "/incidents/INC-1"},
    "learning": {"list": "/"},
    "degraded": {"list": "/", "status": "/status"},
    "stale": {"list": "/", "incident": "/incidents/INC-1"},
}
BEHIND_PROXY = {"access": "proxy", "trusted_proxies": "127.0.0.1"}
SETTINGS = {"unusable": BEHIND_PROXY, "reader": BEHIND_PROXY, "refused": BEHIND_PROXY}
_VERA = {"X-Forwarded-User": "vera"}
HEADERS = {"unusable": _VERA, "reader": _VERA}
"""Whom a proxy names and nobody knows, reads; where it names nobody, nothing is shown."""


@contextmanager
def page_of(browser: Browser, size: str, scheme: str, state: str = "") -> Iterator[Page]:
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
        extra_http_headers=HEADERS.get(state),
    )
    yield context.new_page()
    context.close()


def main(only: list[str]) -> None:
    if only == ["readme"]:
        readme()
        return
    OUT.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as play, launch(play) as browser:
        for state, pages in PAGES.items():
            if only and state not in only:
                continue
            with shown(STATES[state], **SETTINGS.get(state, {})) as server:
                for size in SIZES:
                    for scheme in SCHEMES:
                        with page_of(browser, size, scheme, state) as page:
                            take(page, server.url, state, f"{size}-{scheme}", pages)


def readme() -> None:
    """The upper part of list and incident, in the light."""
    README.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as play, launch(play) as browser, shown(STATES["several"]) as server:
        with page_of(browser, "wide", "light") as page:
            for name, address in README_PAGES.items():
                page.goto(server.url + address)
                page.wait_for_load_state("networkidle")
                page.screenshot(path=README / f"{name}.png")


def take(page: Page, url: str, state: str, kind: str, pages: dict[str, str]) -> None:
    """One picture of each address, from top to bottom."""
    for name, address in pages.items():
        page.goto(url + address)
        page.wait_for_load_state("networkidle")
        target = OUT / f"{state}-{name}-{kind}.png"
        page.screenshot(path=target, full_page=True)
        sys.stdout.write(f"{target}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
