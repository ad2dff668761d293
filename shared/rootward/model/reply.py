"""An answer that can be given again."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Reply:
    """What a request was answered."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: str
