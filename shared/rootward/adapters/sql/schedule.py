"""Recurring jobs as a table: each time falls to one of all who look."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

from sqlalchemy import Connection, and_, func, insert, select, update

from rootward.adapters.sql.engine import Database
from rootward.adapters.sql.tables import schedule
from rootward.ports import DEFAULT_TENANT

PutJob = Callable[[Connection, str, float], object]
"""Stores a job of a name at a time, in the transaction that claims that time."""


class Schedule:
    """What recurs, and when next. Others may know of more than what was asked for here."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._names: set[str] = set()

    def every(self, name: str, seconds: float, now: float) -> None:
        """Let a job recur at every multiple of so many seconds, the first time now."""
        named = schedule.c.name == name
        first = {"every_seconds": seconds, "due_unix": now}

        def work(connection: Connection) -> None:
            known = connection.execute(select(schedule).where(named)).one_or_none()
            if known is None:
                row = {"tenant": DEFAULT_TENANT, "name": name, **first}
                connection.execute(insert(schedule).values(row))
            elif known.every_seconds != seconds or known.due_unix > now + seconds:
                connection.execute(update(schedule).where(named).values(first))

        self._database.write(work)
        self._names.add(name)

    def next_due_unix(self) -> float | None:
        """When the next job is due; None where nothing recurs."""
        if not self._names:
            return None
        named = schedule.c.name.in_(sorted(self._names))
        with self._database.reading() as connection:
            return connection.scalar(select(func.min(schedule.c.due_unix)).where(named))

    def tick(self, now: float, put: PutJob) -> bool:
        """Put the jobs that are due, one for each however many times were missed; whether any."""
        if not self._names:
            return False
        due = and_(schedule.c.name.in_(sorted(self._names)), schedule.c.due_unix <= now)
        with self._database.reading() as connection:
            rows = connection.execute(select(schedule).where(due)).all()
        done = [
            self._database.write(partial(_claim, planned=row, now=now, put=put)) for row in rows
        ]
        return any(done)


def _claim(connection: Connection, planned: Any, now: float, put: PutJob) -> bool:
    following = (math.floor(now / planned.every_seconds) + 1) * planned.every_seconds
    this = and_(schedule.c.name == planned.name, schedule.c.due_unix == planned.due_unix)
    claim = update(schedule).where(this).values(due_unix=following)
    if not connection.execute(claim).rowcount:
        return False  # another one has put it for this time
    put(connection, planned.name, now)
    return True
