"""Runbooks: Markdown files in one folder, as documents."""

from __future__ import annotations

from pathlib import Path

from rootward.errors import InvalidConfiguration
from rootward.model.past import Document

MOST_BYTES = 64 * 1024
"""Of one runbook; what follows is not read."""


def read(folder: Path | None) -> tuple[Document, ...]:
    """A document for each `*.md` file below the folder, by path; its title is its first heading.

    Raises:
        InvalidConfiguration: there is no such folder, or a file in it cannot be read as UTF-8.
    """
    if folder is None:
        return ()
    if not folder.is_dir():
        raise InvalidConfiguration(f"ROOTWARD_RUNBOOKS: {folder} is no folder")
    return tuple(_document(folder, path) for path in sorted(folder.rglob("*.md")))


def _document(folder: Path, path: Path) -> Document:
    with path.open("rb") as file:
        body = file.read(MOST_BYTES)
    try:
        text = body.decode("utf-8", "strict" if len(body) < MOST_BYTES else "ignore")
    except UnicodeDecodeError as error:
        raise InvalidConfiguration(f"runbook {path} is not UTF-8: {error}") from error
    headings = (line.lstrip("# ").strip() for line in text.splitlines() if line.startswith("#"))
    name = path.relative_to(folder).with_suffix("").as_posix()
    return Document(name, "runbook", next(headings, name), text)
