"""Orders: every order that was paid, in a SQLite file."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from shop.kit import Handler, Kit, Request

KEPT = 20_000

SCHEMA = """
CREATE TABLE IF NOT EXISTS orders (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    user TEXT NOT NULL,
    cents INTEGER NOT NULL,
    items TEXT NOT NULL,
    placed_unix REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS orders_user ON orders (user, number);
"""


class Orders:
    """Inserts and reads orders over one connection; the newest `KEPT` stay."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._seconds = kit.measures.query_duration()
        for operation in ("insert", "select"):
            self._seconds.labels(operation)
        self._database = sqlite3.connect(kit.directory / "orders.db", check_same_thread=False)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.executescript(SCHEMA)

    def routes(self) -> Mapping[str, Handler]:
        """What it answers."""
        return {"POST /orders": self.place_order, "GET /orders": self.list_orders}

    def place_order(self, request: Request) -> Any:
        """Store an order; one that is stored already stays as it is."""
        items = json.dumps(request.body.get("items", {}))
        row = (request.text("id"), request.text("user"), request.whole("cents"), items, time.time())
        self._kit.pause(0.006)  # the accounting system, which must agree
        with self._kit.lock, self._measured("insert"), self._database as database:
            database.execute(
                "INSERT INTO orders (id, user, cents, items, placed_unix) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT (id) DO NOTHING",
                row,
            )
            database.execute(
                "DELETE FROM orders WHERE number <= (SELECT max(number) FROM orders) - ?", (KEPT,)
            )
        return {"id": row[0]}

    def list_orders(self, request: Request) -> Any:
        """The last orders of a user, and what he spent on them."""
        self._kit.pause(0.003)
        with self._kit.lock, self._measured("select"):
            rows = self._database.execute(
                "SELECT id, cents, placed_unix FROM orders WHERE user = ?"
                " ORDER BY number DESC LIMIT 20",
                (request.query.get("user", ""),),
            ).fetchall()
        orders = [{"id": id, "cents": cents, "placed_unix": t} for id, cents, t in rows]
        return {"orders": orders, "cents": sum(o["cents"] for o in orders)}

    @contextmanager
    def _measured(self, operation: str) -> Iterator[None]:
        with self._seconds.labels(operation).time():
            yield
