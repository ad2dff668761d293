"""Texts and times as senders of alerts and events write them, made fit to be stored and shown."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator

LONGEST_TEXT = 4096
"""Characters that are kept of a text."""


def moment(text: str) -> float | None:
    """Unix seconds of an RFC 3339 time with an offset, None for what is not one."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.timestamp() if found.tzinfo else None


def fit(text: str) -> str:
    """A text without NUL, which no database takes, and of bounded length."""
    text = text.replace("\0", "\ufffd")
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"


def _instant(text: str) -> str:
    if moment(text) is None:
        raise ValueError("a time must be RFC 3339 with an offset")
    return text


Text = Annotated[str, AfterValidator(fit)]
Instant = Annotated[str, AfterValidator(_instant)]
"""An RFC 3339 time as it came."""
