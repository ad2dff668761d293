"""The parts of large computations as rows: what they share once, their answers beside it."""

from __future__ import annotations

import uuid

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, or_, select, update

from rootward.adapters.sql.engine import Database
from rootward.adapters.sql.tables import part as part_table
from rootward.adapters.sql.tables import whole as whole_table
from rootward.codec import arrays_from_bytes, arrays_to_bytes
from rootward.errors import NotFound
from rootward.model.spread import Arrays
from rootward.ports import DEFAULT_TENANT, Clock
from rootward.ports.parts import Part

_PART = part_table.c
_WHOLE = whole_table.c


class SqlPartStore:
    """One row a computation, one row a part."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def lay_out(self, method: str, shared: Arrays, parts: int) -> str:
        """Store a computation of so many parts; returns its id."""
        made = uuid.uuid4().hex
        row = {
            "tenant": DEFAULT_TENANT,
            "id": made,
            "method": method,
            "shared": arrays_to_bytes(shared),
            "created_unix": self._clock.now(),
        }
        rows = [{"tenant": DEFAULT_TENANT, "whole": made, "number": k} for k in range(parts)]

        def work(connection: Connection) -> None:
            connection.execute(insert(whole_table).values(row))
            connection.execute(insert(part_table), rows)

        self._database.write(work)
        return made

    def shared(self, whole: str) -> tuple[str, Arrays]:
        """The method and what all parts share; raises NotFound where it was cleared away."""
        with self._database.reading() as connection:
            row = connection.execute(
                select(_WHOLE.method, _WHOLE.shared).where(_WHOLE.id == whole)
            ).one_or_none()
        if row is None:
            raise NotFound(f"there is no computation {whole} any more")
        return row.method, arrays_from_bytes(row.shared)

    def take(self, whole: str, lease_seconds: float) -> Part | None:
        """The first part that nobody has done or does; None where there is none."""

        def work(connection: Connection) -> Part | None:
            now = self._clock.now()
            free = or_(_PART.lease_unix.is_(None), _PART.lease_unix < now)
            open_parts = select(_PART.number).where(
                _PART.whole == whole, _PART.answer.is_(None), free
            )
            first = open_parts.order_by(_PART.number).limit(1).with_for_update(skip_locked=True)
            number = connection.scalar(first)
            if number is None:
                return None
            taken = Part(whole, number, uuid.uuid4().hex)
            this = and_(_PART.whole == whole, _PART.number == number)
            held = {"token": taken.token, "lease_unix": now + lease_seconds}
            connection.execute(update(part_table).where(this).values(held))
            return taken

        return self._database.write(work)

    def renew(self, part: Part, lease_seconds: float) -> bool:
        """Keep a part; False where it was lost, or all was cleared away."""
        return self._change(part, lease_unix=self._clock.now() + lease_seconds)

    def answer(self, part: Part, answer: Arrays) -> bool:
        """Store what came of a part; False where it was lost, or all was cleared away."""
        return self._change(part, answer=arrays_to_bytes(answer))

    def answers(self, whole: str) -> list[Arrays] | None:
        """What came of all parts, in order; None while some are not done."""
        this = _PART.whole == whole
        with self._database.reading() as connection:
            if connection.execute(
                select(_PART.number).where(this, _PART.answer.is_(None)).limit(1)
            ).first():
                return None
            bodies = connection.scalars(select(_PART.answer).where(this).order_by(_PART.number))
            return [arrays_from_bytes(body) for body in bodies]

    def clear(self, whole: str) -> None:
        """Delete a computation; idempotent."""
        self._delete(_WHOLE.id == whole)

    def expire(self, before_unix: float) -> int:
        """Delete computations of before a time; returns how many went."""
        return self._delete(_WHOLE.created_unix < before_unix)

    def _change(self, part: Part, **values: object) -> bool:
        this = and_(_PART.whole == part.whole, _PART.number == part.number)
        ours = and_(this, _PART.token == part.token)
        change = update(part_table).where(ours).values(values)
        return bool(self._database.write(lambda connection: connection.execute(change).rowcount))

    def _delete(self, which: ColumnElement[bool]) -> int:
        def work(connection: Connection) -> int:
            ids = connection.scalars(select(_WHOLE.id).where(which)).all()
            connection.execute(delete(part_table).where(_PART.whole.in_(ids)))
            return connection.execute(delete(whole_table).where(_WHOLE.id.in_(ids))).rowcount

        return self._database.write(work)
