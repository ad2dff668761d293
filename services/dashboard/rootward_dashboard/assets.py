"""The few static files: read once, served with a name that changes with their content."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files

from rootward.errors import NotFound

_KINDS = {
    "rootward.css": "text/css; charset=utf-8",
    "rootward.js": "text/javascript; charset=utf-8",
    "favicon.svg": "image/svg+xml",
}


@dataclass(frozen=True)
class Asset:
    """A static file."""

    body: bytes
    media_type: str
    digest: str


def _read(name: str, media_type: str) -> Asset:
    body = files("rootward_dashboard").joinpath("static", name).read_bytes()
    return Asset(body, media_type, sha256(body).hexdigest()[:12])


_ASSETS = {name: _read(name, kind) for name, kind in _KINDS.items()}


def address(name: str) -> str:
    """The path of a static file, new whenever the file is."""
    return f"/static/{name}?v={_ASSETS[name].digest}"


def asset(name: str) -> Asset:
    """A static file by its name.

    Raises:
        NotFound: there is none of that name.
    """
    if name not in _ASSETS:
        raise NotFound(f"no static file {name!r}")
    return _ASSETS[name]
