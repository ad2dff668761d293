"""Numbers for the symbols of remote write 2.0, the same from request to request."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np

from rootward.errors import UnreadableBody


class SymbolIds:
    """Numbers that stand for symbols, at most `limit` of them remembered, or one request's.

    A request refers to its own table of symbols by their places; the same series has other
    places in the next one. A number is never given to a second symbol, not even after the first
    was forgotten, so numbers can stand in keys. Safe to use from several threads.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._ids: dict[bytes, int] = {}
        self._next = 0

    def __len__(self) -> int:
        return len(self._ids)

    def of(self, symbols: Sequence[bytes]) -> np.ndarray:
        """The number of each symbol, int64.

        Raises:
            UnreadableBody: a symbol is not UTF-8.
        """
        found = list(map(self._ids.get, symbols))
        if None in found:
            found = self._numbered(symbols)
        return np.array(found, np.int64)

    def _numbered(self, symbols: Sequence[bytes]) -> list[int | None]:
        with self._lock:
            new = {symbol for symbol in symbols if symbol not in self._ids}
            for symbol in new:
                _require_text(symbol)
            if len(self._ids) + len(new) > self._limit:
                self._ids = {}
                new = set(symbols)
            ids = range(self._next, self._next + len(new))
            self._ids.update(zip(new, ids, strict=True))
            self._next += len(new)
            return list(map(self._ids.get, symbols))


def _require_text(symbol: bytes) -> None:
    try:
        symbol.decode()
    except UnicodeDecodeError as error:
        raise UnreadableBody(f"a symbol is not UTF-8: {error}") from error
