"""The queue of batches as a table, and what was given up on."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cramjam
from sqlalchemy import Connection, and_, delete, func, insert, select

from rootward.adapters.sql.arrivals import Arrivals, Packed
from rootward.adapters.sql.dialects.base import Claim
from rootward.adapters.sql.engine import Database
from rootward.adapters.sql.tables import chunk, dead_letter, queued_batch
from rootward.codec import batch_from_bytes, batch_to_bytes
from rootward.errors import UnreadableBody
from rootward.model.series import SampleBatch
from rootward.ports import Clock, DeadLetter

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


class SqlBatchQueue:
    """Batches in the order in which they came; each is a chunk that the sample store keeps."""

    def __init__(self, database: Database, clock: Clock, arrivals: Arrivals | None = None) -> None:
        self._database = database
        self._clock = clock
        self._arrivals = arrivals or Arrivals(database)

    def claim(self) -> Claim:
        """Serve the queue alone; see `Database.claim`."""
        return self._database.claim("bus")

    @property
    def shared(self) -> bool:
        """Whether other processes put batches into it, too."""
        return self._database.shared

    def packed(self, batch: SampleBatch) -> Packed:
        """A batch made ready for `put`, outside of any turn."""
        return self._arrivals.packed(batch)

    def put(self, batches: Sequence[Packed], handled: int = 0) -> None:
        """Store batches and delete all up to `handled` from the queue, in one commit.

        Who reads up to an id has seen all below it: ids are given out in order of the commits.
        """

        def work(connection: Connection, chunks: Sequence[int]) -> None:
            if handled:
                connection.execute(delete(queued_batch).where(queued_batch.c.id <= handled))
            rows = [
                {"tenant": one.tenant, "body": b"", "chunk_id": chunk_id}
                for one, chunk_id in zip(batches, chunks, strict=True)
            ]
            connection.execute(insert(queued_batch), rows)

        self._arrivals.write(batches, work, alone="bus")

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
            bury_letter(connection, letter, self._clock.now())

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


def bury_letter(connection: Connection, letter: DeadLetter, now: float) -> None:
    """Store a dead letter, in the transaction that takes it off its queue."""
    connection.execute(insert(dead_letter).values(**vars(letter), dead_unix=now))
