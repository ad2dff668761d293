"""Static files: our own, and what `make web` built; read once, served under names that change."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable

from rootward.errors import NotFound

_KINDS = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_OWN = ("rootward.css", "favicon.svg")
_WORTH_PACKING = 1024
ENTRY, THEME = "src/main.tsx", "src/theme.ts"


@dataclass(frozen=True)
class Asset:
    """A static file."""

    body: bytes
    media_type: str
    digest: str

    @cached_property
    def packed(self) -> bytes | None:
        """The body in gzip, None where that saves nothing."""
        packed = gzip.compress(self.body, mtime=0) if len(self.body) > _WORTH_PACKING else self.body
        return packed if len(packed) < len(self.body) else None


@dataclass(frozen=True)
class Built:
    """The web app as it was built: what its page loads, by path below /static."""

    entry: str
    theme: str
    styles: tuple[str, ...]
    preloads: tuple[str, ...]
    """Scripts that the entry imports at once."""


def _asset(file: Traversable) -> Asset:
    body = file.read_bytes()
    kind = _KINDS[file.name[file.name.rindex(".") :]]
    return Asset(body, kind, sha256(body).hexdigest()[:12])


def _own() -> dict[str, Asset]:
    folder = files("rootward_dashboard") / "static"
    return {name: _asset(folder / name) for name in _OWN}


def built_in(folder: Traversable) -> tuple[Built | None, Mapping[str, Asset]]:
    """The web app in the folder that `make web` writes, and its files; None where it did not."""
    manifest = folder / "manifest.json"
    if not manifest.is_file():
        return None, {}
    chunks = json.loads(manifest.read_text(encoding="utf-8"))
    entry = chunks[ENTRY]
    imports = [chunks[name]["file"] for name in entry.get("imports", ())]
    app = Built(
        entry="app/" + entry["file"],
        theme="app/" + chunks[THEME]["file"],
        styles=tuple("app/" + name for name in entry.get("css", ())),
        preloads=tuple("app/" + name for name in imports),
    )
    found = {
        "app/assets/" + file.name: _asset(file)
        for file in (folder / "assets").iterdir()
        if file.name.endswith(tuple(_KINDS))
    }
    return app, found


BUILT, _APP = built_in(files("rootward_dashboard") / "static" / "app")
"""The web app; None where it was not built."""
_ASSETS: Mapping[str, Asset] = {**_own(), **_APP}


def address(name: str) -> str:
    """The path of a static file, new whenever the file is."""
    return f"/static/{name}?v={_ASSETS[name].digest}"


def asset(name: str) -> Asset:
    """A static file by its path below /static.

    Raises:
        NotFound: there is none of that name.
    """
    if name not in _ASSETS:
        raise NotFound(f"no static file {name!r}")
    return _ASSETS[name]
