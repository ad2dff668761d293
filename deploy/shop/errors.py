"""What can go wrong in the shop."""

from __future__ import annotations


class ShopError(Exception):
    """The shop was asked for something it cannot do, or did not come up; the text says what."""


class HttpError(Exception):
    """A request is answered with `status` and this text."""

    def __init__(self, status: int, text: str) -> None:
        self.status = status
        super().__init__(text)


class CallFailed(HttpError):
    """A service that was called failed (502) or did not answer in time (504)."""
