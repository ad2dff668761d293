"""The queues of the embedded mode as tables: batches, jobs and dead letters."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import cramjam
from sqlalchemy import Connection, delete, func, insert, select, update

from rootward.adapters.sql.engine import Database
from rootward.adapters.sql.tables import dead_letter, job, queued_batch
from rootward.ports import Clock


@dataclass(frozen=True)
class QueuedBatch:
    """An encoded batch and its place in the queue."""

    id: int
    tenant: str
    body: bytes


@dataclass(frozen=True)
class QueuedJob:
    """A job that has been taken to be run."""

    id: int
    tenant: str
    name: str
    payload: str
    """A JSON object."""
    tries: int
    """How often it has been started, this time included."""


@dataclass(frozen=True)
class DeadLetter:
    """A message that was given up on, and why."""

    kind: str
    """batch or job."""
    tenant: str
    name: str
    """Name of the job, empty for a batch."""
    reason: str
    tries: int
    body: bytes


class SqlBatchQueue:
    """Encoded batches in the order in which they came."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def claim(self) -> Callable[[], None]:
        """Serve the queue alone; see `Database.claim`."""
        return self._database.claim("bus")

    def put(self, items: Sequence[tuple[str, bytes]], handled: int = 0) -> None:
        """Store batches, as (tenant, body), and delete all up to `handled`, in one commit."""
        rows = [{"tenant": tenant, "body": _packed(body)} for tenant, body in items]

        def work(connection: Connection) -> None:
            if handled:
                connection.execute(delete(queued_batch).where(queued_batch.c.id <= handled))
            connection.execute(insert(queued_batch), rows)

        self._database.write(work)

    def after(self, handled: int, limit: int) -> list[QueuedBatch]:
        """The oldest batches behind an id."""
        query = (
            select(queued_batch.c.id, queued_batch.c.tenant, queued_batch.c.body)
            .where(queued_batch.c.id > handled)
            .order_by(queued_batch.c.id)
            .limit(limit)
        )
        with self._database.reading() as connection:
            rows = connection.execute(query)
            return [QueuedBatch(row.id, row.tenant, _unpacked(row.body)) for row in rows]

    def count(self) -> int:
        """How many batches are stored."""
        with self._database.reading() as connection:
            return connection.scalar(select(func.count()).select_from(queued_batch)) or 0

    def remove(self, handled: int) -> None:
        """Delete everything up to an id."""
        gone = delete(queued_batch).where(queued_batch.c.id <= handled)
        self._database.write(lambda connection: connection.execute(gone))

    def bury(self, batch: QueuedBatch, reason: str, tries: int) -> None:
        """Move a batch to the dead letters."""

        def work(connection: Connection) -> None:
            connection.execute(delete(queued_batch).where(queued_batch.c.id == batch.id))
            letter = DeadLetter("batch", batch.tenant, "", reason, tries, batch.body)
            _bury(connection, letter, self._clock.now())

        self._database.write(work)


_FIRST = (
    select(job)
    .where(job.c.waiting_key.is_not(None))
    .order_by(job.c.run_after_unix, job.c.id)
    .limit(1)
)
"""The job to run next."""


class SqlJobQueue:
    """Jobs, by the time from which they may run.

    A job that waits carries its `waiting_key`, made from tenant, name and payload; it is unique,
    so that an equal job cannot wait beside it. A job that runs carries none.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def claim(self) -> Callable[[], None]:
        """Serve the queue alone; see `Database.claim`."""
        return self._database.claim("jobs")

    def now(self) -> float:
        """Unix seconds, on the clock that jobs wait by."""
        return self._clock.now()

    def recover(self) -> int:
        """After a start: let jobs wait again that were running when the process ended.

        Returns how many went instead, because an equal job waits already. Times that were set
        on a clock ahead of ours are moved back with it.
        """
        now = self._clock.now()

        def work(connection: Connection) -> int:
            connection.execute(
                update(job)
                .where(job.c.set_unix > now)
                .values(run_after_unix=now + job.c.run_after_unix - job.c.set_unix, set_unix=now)
            )
            running = select(job).where(job.c.waiting_key.is_(None)).order_by(job.c.id)
            rows = connection.execute(running).all()
            jobs = [QueuedJob(r.id, r.tenant, r.name, r.payload, r.tries) for r in rows]
            return sum(not _wait(connection, one, now) for one in jobs)

        return self._database.write(work)

    def put(self, tenant: str, name: str, payload: str, delay_seconds: float) -> bool:
        """Store a job; False where an equal one waits, which then runs at the earlier time."""
        key = _waiting_key(tenant, name, payload)
        now = self._clock.now()
        due = now + delay_seconds

        def work(connection: Connection) -> bool:
            equal = job.c.waiting_key == key
            if connection.scalar(select(job.c.id).where(equal)) is not None:
                connection.execute(
                    update(job)
                    .where(equal, job.c.run_after_unix > due, job.c.tries == 0)
                    .values(run_after_unix=due)
                )
                return False
            connection.execute(
                insert(job).values(
                    tenant=tenant,
                    name=name,
                    payload=payload,
                    waiting_key=key,
                    tries=0,
                    set_unix=now,
                    run_after_unix=due,
                )
            )
            return True

        return self._database.write(work)

    def next_due_unix(self) -> float | None:
        """When the next job may run; None where no job waits."""
        with self._database.reading() as connection:
            row = connection.execute(_FIRST).one_or_none()
        return None if row is None else float(row.run_after_unix)

    def take(self) -> QueuedJob | None:
        """The first job that is due, now counted as tried; None where none is."""

        def work(connection: Connection) -> QueuedJob | None:
            row = connection.execute(_FIRST).one_or_none()
            if row is None or row.run_after_unix > self._clock.now():
                return None
            connection.execute(
                update(job).where(job.c.id == row.id).values(waiting_key=None, tries=row.tries + 1)
            )
            return QueuedJob(row.id, row.tenant, row.name, row.payload, row.tries + 1)

        return self._database.write(work)

    def count(self) -> int:
        """How many jobs wait or run."""
        with self._database.reading() as connection:
            return connection.scalar(select(func.count()).select_from(job)) or 0

    def remove(self, done: QueuedJob) -> None:
        """Delete a job that has run."""
        self._database.write(lambda connection: _delete(connection, done.id))

    def put_back(self, failed: QueuedJob, wait_seconds: float, *, tries: int) -> bool:
        """Let a job wait again, with so many tries counted; False where an equal one waits."""
        due = self._clock.now() + wait_seconds
        back = replace(failed, tries=tries)
        return self._database.write(lambda connection: _wait(connection, back, due))

    def bury(self, failed: QueuedJob, reason: str) -> None:
        """Move a job to the dead letters."""

        def work(connection: Connection) -> None:
            _delete(connection, failed.id)
            body = failed.payload.encode()
            letter = DeadLetter("job", failed.tenant, failed.name, reason, failed.tries, body)
            _bury(connection, letter, self._clock.now())

        self._database.write(work)


def dead_letters(database: Database) -> tuple[DeadLetter, ...]:
    """Everything that was given up on, oldest first."""
    columns = (
        dead_letter.c[name] for name in ("kind", "tenant", "name", "reason", "tries", "body")
    )
    with database.reading() as connection:
        rows = connection.execute(select(*columns).order_by(dead_letter.c.id))
        return tuple(DeadLetter(*row) for row in rows)


def _packed(body: bytes) -> bytes:
    return bytes(cramjam.lz4.compress_block(body))  # a fifth of the bytes to sync, in 0.05 ms


def _unpacked(body: bytes) -> bytes:
    try:
        return bytes(cramjam.lz4.decompress_block(body))
    except cramjam.DecompressionError:
        return body  # damaged: it is found out, and buried as it is, where it is decoded


def _waiting_key(tenant: str, name: str, payload: str) -> str:
    return hashlib.sha256("\0".join((tenant, name, payload)).encode()).hexdigest()


def _delete(connection: Connection, job_id: int) -> None:
    connection.execute(delete(job).where(job.c.id == job_id))


def _wait(connection: Connection, back: QueuedJob, due_unix: float) -> bool:
    key = _waiting_key(back.tenant, back.name, back.payload)
    if connection.scalar(select(job.c.id).where(job.c.waiting_key == key)) is not None:
        _delete(connection, back.id)
        return False
    connection.execute(
        update(job)
        .where(job.c.id == back.id)
        .values(waiting_key=key, tries=back.tries, run_after_unix=due_unix)
    )
    return True


def _bury(connection: Connection, letter: DeadLetter, now: float) -> None:
    connection.execute(insert(dead_letter).values(**vars(letter), dead_unix=now))
