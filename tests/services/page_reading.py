"""Reading a page in a test: what stands on it, and platforms to read it from."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

from fastapi.testclient import TestClient

from rootward.ports import Platform
from rootward.testing.fakes import ManualClock, fake_platform
from rootward_dashboard.app import create_app
from tests.services import made_up_incident as shop

_VOID = {"meta", "link", "input", "br", "hr", "img", "wbr"}


@dataclass
class Page(HTMLParser):
    """What stands on a page: its elements with their attributes, and whether tags pair up."""

    text: str = ""
    elements: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    unpaired: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self._open: list[str] = []
        self.feed(self.text)
        self.unpaired += self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.unpaired.append(tag)

    def named(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of every element of one kind."""
        return [attributes for name, attributes in self.elements if name == tag]


def bare(now: float = shop.NOW) -> Platform:
    return fake_platform(ManualClock(now))


def see(platform: Platform, address: str = "/report") -> str:
    answer = TestClient(create_app(platform)).get(address)
    assert answer.status_code == 200
    return answer.text


def with_diagnosis(**other: object) -> Platform:
    platform = bare()
    opened = platform.incidents.open(shop.incident())
    platform.incidents.save(opened.id, shop.diagnosis(**other))
    return platform
