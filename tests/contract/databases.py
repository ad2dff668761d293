"""The kinds of database that the stores keep their contracts on, and how to make one refuse."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event

from rootward.adapters.sql.engine import Database

KINDS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.services)]
MakeDatabase = Callable[[str], str]
"""Takes a kind, gives the URL of a new database of that kind; `empty postgresql` has no tables."""


@contextmanager
def refusing(database: Database, statement: str) -> Iterator[None]:
    """As if the disk were full for statements with these words."""
    refused = database.engine.dialect.loaded_dbapi.OperationalError

    def fail(_connection: object, _cursor: object, sent: str, *_more: object) -> None:
        if statement in sent:
            raise refused("disk is full")

    event.listen(database.engine, "before_cursor_execute", fail)
    yield
    event.remove(database.engine, "before_cursor_execute", fail)
