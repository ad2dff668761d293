"""The queues of the embedded mode as tables: batches, jobs and dead letters."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import cramjam
from sqlalchemy import Connection, and_, delete, func, insert, select, update

from rootward.adapters.sql.arrivals import Arrivals, Packed
from rootward.adapters.sql.dialects.base import Claim
from rootward.adapters.sql.engine import Database
from rootward.adapters.sql.tables import chunk, dead_letter, job, queued_batch
from rootward.codec import batch_from_bytes, batch_to_bytes
from rootward.errors import UnreadableBody
from rootward.model.series import SampleBatch
from rootward.ports import Clock

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class QueuedBatch:
    """A batch and its place in the queue."""

    id: int
    tenant: str
    content: SampleBatch | bytes
    """Bytes where it was written by an earlier version, or is damaged."""
    chunk_id: int | None = None

    def batch(self) -> SampleBatch:
        """The batch; raises UnreadableBody where it cannot be read."""
        return batch_from_bytes(self.content) if isinstance(self.content, bytes) else self.content


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
    """Batches in the order in which they came; each is a chunk that the sample store keeps."""

    def __init__(self, database: Database, clock: Clock, arrivals: Arrivals | None = None) -> None:
        self._database = database
        self._clock = clock
        self._arrivals = arrivals or Arrivals(database)

    def claim(self) -> Claim:
        """Serve the queue alone; see `Database.claim`."""
        return self._database.claim("bus")

    def packed(self, batch: SampleBatch) -> Packed:
        """A batch made ready for `put`, outside of any turn."""
        return self._arrivals.packed(batch)

    def put(self, batches: Sequence[Packed], handled: int = 0) -> None:
        """Store batches and delete all up to `handled` from the queue, in one commit."""

        def work(connection: Connection, chunks: Sequence[int]) -> None:
            if handled:
                connection.execute(delete(queued_batch).where(queued_batch.c.id <= handled))
            rows = [
                {"tenant": one.tenant, "body": b"", "chunk_id": chunk_id}
                for one, chunk_id in zip(batches, chunks, strict=True)
            ]
            connection.execute(insert(queued_batch), rows)

        self._arrivals.write(batches, work)

    def after(self, handled: int, limit: int) -> list[QueuedBatch]:
        """The oldest batches behind an id; one whose chunk has gone was dealt with before."""
        query = (
            select(queued_batch, chunk.c.body.label("stored"))
            .join(
                chunk,  # at a higher level it holds other batches, too
                and_(chunk.c.id == queued_batch.c.chunk_id, chunk.c.level == 0),
                isouter=True,
            )
            .where(queued_batch.c.id > handled)
            .order_by(queued_batch.c.id)
            .limit(limit)
        )
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
            return [self._queued(connection, row) for row in rows]

    def _queued(self, connection: Connection, row: Any) -> QueuedBatch:
        if row.chunk_id is None:
            return QueuedBatch(row.id, row.tenant, _unpacked(row.body))
        if row.stored is None:
            return QueuedBatch(row.id, row.tenant, SampleBatch.of([], row.tenant))
        try:
            batch = self._arrivals.batch(connection, row.tenant, row.chunk_id, row.stored)
        except UnreadableBody as error:
            log.warning("batch is damaged", extra={"chunk": row.chunk_id, "reason": str(error)})
            return QueuedBatch(row.id, row.tenant, row.stored, row.chunk_id)
        return QueuedBatch(row.id, row.tenant, batch)

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
            if batch.chunk_id is not None:  # damaged: no reader may stumble over it
                connection.execute(delete(chunk).where(chunk.c.id == batch.chunk_id))
            content = batch.content
            body = content if isinstance(content, bytes) else batch_to_bytes(content)
            letter = DeadLetter("batch", batch.tenant, "", reason, tries, body)
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

    def claim(self) -> Claim:
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
