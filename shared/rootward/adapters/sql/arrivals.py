"""Batches as they came in, each written once: what the bus hands over, the sample store keeps.

A batch on the embedded bus is a chunk of level 0 from the start, with a row in `queued_batch`
that points to it until it has been handled. Readers of the store do not see it before that.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from sqlalchemy import Connection, insert

from rootward.adapters.sql import tables
from rootward.adapters.sql.catalogue import Catalogue, Registration
from rootward.adapters.sql.chunks import Columns, columns_of, micros, packed
from rootward.adapters.sql.engine import Database
from rootward.model.series import SampleBatch, Series


@dataclass(frozen=True, eq=False)
class StoredBatch(SampleBatch):
    """A batch that is a chunk of a database already."""

    chunk_id: int
    database: Database


@dataclass(frozen=True, eq=False)
class Packed:
    """A batch that is ready to be written."""

    tenant: str
    series: Sequence[Series]
    columns: Columns
    newest: np.ndarray
    """(series,) int64, the newest sample of each series."""
    body: bytes | None
    """None where an id is missing or too old to trust."""


_INSERT = insert(tables.chunk).returning(tables.chunk.c.id)
_INSERT_MANY = insert(tables.chunk).returning(tables.chunk.c.id, sort_by_parameter_order=True)


class Arrivals:
    """Writes batches as chunks of level 0, and makes batches of them again.

    Safe to use from several threads; one for all who write samples to a database.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self.catalogue = Catalogue(database)
        self._turn = threading.Lock()

    def packed(self, batch: SampleBatch) -> Packed:
        """A batch made ready to be written, as far as that goes without the database.

        Raises:
            InvalidInput: a time is not a Unix time.
        """
        used, index = batch.series, batch.index
        columns = Columns(np.empty(len(used), np.int64), index, micros(batch.times), batch.values)
        if not columns.plain:
            places, index = np.unique(index, return_inverse=True)
            used = tuple(used[k] for k in places.tolist())
            columns = replace(columns, ids=np.empty(len(used), np.int64), index=index)
        newest = columns.newest()
        ids = self.catalogue.ids(batch.tenant, used, newest)
        body = None if ids is None else packed(replace(columns, ids=ids))
        return Packed(batch.tenant, used, columns, newest, body)

    def write(
        self,
        batches: Sequence[Packed],
        also: Callable[[Connection, Sequence[int]], None] = lambda _connection, _ids: None,
        *,
        alone: str = "",
    ) -> Sequence[int]:
        """Store batches, and in the same commit what `also` does with their chunks' ids.

        With `alone`, no other process that writes by this word comes in between, so that ids
        ascend in the order in which they are committed.

        Raises:
            Unavailable: the database does not answer; nothing was stored.
        """
        made: list[Registration] = []

        def work(connection: Connection) -> Sequence[int]:
            made.clear()
            if alone:
                self.database.exclude(connection, alone)
            rows = [self._row(connection, one, made) for one in batches]
            chunks = _inserted(connection, rows)
            also(connection, chunks)
            return chunks

        with self._turn:
            chunks = self.database.write(work)
            self.catalogue.remember(made)
        return chunks

    def batch(self, connection: Connection, tenant: str, chunk_id: int, body: bytes) -> StoredBatch:
        """The batch that was written as a chunk; without the series that were deleted since.

        Raises:
            UnreadableBody: it is damaged.
        """
        columns = columns_of(body)
        wanted = columns.ids.tolist()
        names = self.catalogue.names(connection, tenant, wanted)
        index, times, values = columns.index, columns.times / 1e6, columns.values
        try:
            series = tuple(map(names.__getitem__, wanted))
        except KeyError:
            here = np.array([k in names for k in wanted])
            series = tuple(names[k] for k in wanted if k in names)
            kept = here[index]
            index, times, values = (np.cumsum(here) - 1)[index[kept]], times[kept], values[kept]
        index = index.astype(np.int32)
        return StoredBatch(tenant, series, index, times, values, chunk_id, self.database)

    def _row(
        self, connection: Connection, one: Packed, made: list[Registration]
    ) -> dict[str, object]:
        body = one.body
        if body is None:
            found = self.catalogue.registered(connection, one.tenant, one.series, one.newest)
            made.append(found)
            body = packed(replace(one.columns, ids=found.ids))
        times = one.columns.times
        return {
            "tenant": one.tenant,
            "level": 0,
            "start_us": int(times.min()),
            "end_us": int(times.max()),
            "samples": len(times),
            "body": body,
        }


def _inserted(connection: Connection, rows: list[dict[str, object]]) -> list[int]:
    """The ids of new chunks, in the order of the rows."""
    if len(rows) == 1:
        return [connection.scalar(_INSERT, rows[0]) or 0]
    return list(connection.scalars(_INSERT_MANY, rows))
