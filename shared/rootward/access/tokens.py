"""API tokens: `rw_` and random letters, of which only the SHA-256 is kept.

A fast hash is right here: unlike a password, a token is random and too long to be guessed.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable

from rootward.errors import InvalidInput
from rootward.model.access import Right, Token
from rootward.ports import DEFAULT_TENANT

PATTERN = re.compile(r"rw_[A-Za-z0-9_-]{32,256}")
_RANDOM_BYTES = 24
_RESERVED = ("local", "proxy")
"""What callers are called who have no name of their own."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")


def make(
    name: str,
    tenant: str,
    rights: Iterable[Right],
    now: float,
    *,
    expires_unix: float | None = None,
) -> tuple[str, Token]:
    """The text of a new token, which is shown once and never again, and what is stored of it.

    Raises:
        InvalidInput: the name is none, there are no rights, or it would be expired from the start.
    """
    require_name(name)
    given = frozenset(rights)
    if not given:
        raise InvalidInput(f"a token needs at least one scope of {', '.join(Right)}")
    if expires_unix is not None and expires_unix <= now:
        raise InvalidInput("a token must expire after now")
    text = f"rw_{secrets.token_hex(_RANDOM_BYTES)}"
    return text, Token(digest(text), name, tenant, given, now, expires_unix)


def from_file(content: str, name: str, right: Right) -> Token:
    """The token whose text stands in a file.

    Raises:
        InvalidInput: it does not have the form of a token; the text does not say what stands there.
    """
    text = content.strip()
    if not PATTERN.fullmatch(text):
        raise InvalidInput(
            'expected rw_ and 32 letters or more, as made by: echo "rw_$(openssl rand -hex 24)"'
        )
    return Token(digest(text), name, DEFAULT_TENANT, frozenset({right}), 0.0)


def digest(text: str) -> str:
    """What is stored of a secret that is random and long: its SHA-256 in hex."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def require_name(name: str) -> None:
    """Raise InvalidInput unless a text can name a token or a person."""
    if not _NAME.fullmatch(name) or name in _RESERVED:
        raise InvalidInput(
            f"{name!r} is no name: 1 to 64 letters, digits or one of ._@-, a letter or digit first"
        )
