"""The machine's Chromium, driven by Playwright."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Playwright

_QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]


@contextmanager
def launch(play: Playwright) -> Iterator[Browser]:
    """Chromium without a window; closed on leaving."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    browser = play.chromium.launch(executable_path=path, headless=True, args=_QUIET)
    try:
        yield browser
    finally:
        browser.close()
