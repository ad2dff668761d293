"""A rolling window of samples in compressed columnar chunks."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
from sqlalchemy import Connection, delete, func, insert, select

from rootward.adapters.sql import tables
from rootward.adapters.sql.catalogue import (
    SeriesIds,
    SeriesNames,
    forget_silent,
    named,
    touch,
)
from rootward.adapters.sql.chunks import Chunk, Grid, chunk_of, decoded, encoded, merged, micros
from rootward.adapters.sql.engine import Database
from rootward.errors import InsufficientData, InvalidInput, Unavailable
from rootward.model.series import SampleBatch, Series
from rootward.model.window import Window
from rootward.ports import DEFAULT_TENANT, SeriesInfo, WindowQuery

log = logging.getLogger(__name__)

_CHUNK = tables.chunk.c
_SERIES = tables.series.c

_FULL_SAMPLES = 2**18
_FULL_US = 6 * 3600 * 10**6
"""A chunk with so many samples, or over so long a time, is not merged any further."""
_FULL_LEVEL = 9
_CACHED_SAMPLES = 3_000_000
"""Bound of the decoded chunks in memory, 16 bytes a sample."""
_READ_AT_ONCE = 100


class SqlSampleStore:
    """Samples as chunks, one for each stored batch, merged as they grow many.

    Chunks stand in order of arrival by id, which is what "the first value of a time stays" is
    judged by; a merged chunk takes the id of the first of its parts. Times are kept to the
    microsecond, see `chunks`. `fan_in` chunks of one level are merged into one of the next.
    """

    def __init__(self, database: Database, *, fan_in: int = 32) -> None:
        self._database = database
        self._fan_in = fan_in
        self._ids = SeriesIds()
        self._names = SeriesNames()
        self._cache = _ChunkCache(_CACHED_SAMPLES)
        self._appending = threading.Lock()

    def append(self, batch: SampleBatch) -> None:
        """Store a batch durably; idempotent by (series, time): the first value of a time stays.

        Raises:
            InvalidInput: a time is not a Unix time; nothing was stored.
            Unavailable: the database does not answer; nothing was stored.
        """
        if len(batch) == 0:
            return
        times = micros(batch.times)
        newest = np.full(len(batch.series), np.iinfo(np.int64).min)
        np.maximum.at(newest, batch.index, times)

        def work(connection: Connection) -> None:
            with self._ids.undone_on_failure():
                ids = self._ids.of(connection, batch.tenant, batch.series, newest)
                chunk = chunk_of(ids[batch.index], times, batch.values)
                connection.execute(insert(tables.chunk).values(_row(batch.tenant, 0, chunk)))

        with self._appending, self._ids.undone_on_failure():
            self._database.write(work)
        self._merge(batch.tenant)

    def window(self, query: WindowQuery) -> Window:
        """Samples on a grid: a row holds the last sample of (t - step, t], NaN where none is.

        A sample less than half a microsecond after t counts as one at t.

        Raises:
            InsufficientData: no sample lies in the window.
            InvalidInput: no rows, or steps below a microsecond.
        """
        if query.rows < 1 or not query.step_seconds >= 1e-6:
            raise InvalidInput(f"no window has {query.rows} rows of {query.step_seconds:g} s")
        back = np.arange(query.rows, -1, -1) * query.step_seconds
        times = query.end_unix - back
        edges = micros(times)
        chunks, names = self._read(query, int(edges[0]), int(edges[-1]))
        columns = np.full(max(names, default=0) + 1, -1)
        columns[list(names)] = np.arange(len(names))
        grid = Grid(edges[1:], int(edges[0]), columns, len(names))
        for chunk in chunks:
            grid.add(chunk)
        present = np.isfinite(grid.values).any(0)
        if not present.any():
            raise InsufficientData(
                f"no sample between {times[0]:.3f} and {times[-1]:.3f} (Unix seconds)"
            )
        series = tuple(one for one, here in zip(names.values(), present, strict=True) if here)
        return Window(series, times[1:], grid.values[:, present], query.step_seconds)

    def series(self, tenant: str = DEFAULT_TENANT) -> tuple[SeriesInfo, ...]:
        """Every series known, in order of `Series`, with the time of its newest sample."""
        rows = select(_SERIES.id, _SERIES.metric, _SERIES.labels, _SERIES.last_us)
        fresh = select(_CHUNK.id, _CHUNK.level).where(_CHUNK.tenant == tenant, _CHUNK.level == 0)
        with self._database.reading() as connection:
            known = connection.execute(rows.where(_SERIES.tenant == tenant)).all()
            chunks = self._load(
                connection, [(row.id, row.level) for row in connection.execute(fresh)]
            )
        last = {row.id: row.last_us for row in known}
        for chunk in chunks:
            for k, newest in zip(chunk.ids.tolist(), chunk.last_times.tolist(), strict=True):
                last[k] = max(newest, last.get(k, newest))
        infos = (SeriesInfo(named(row.metric, row.labels), last[row.id] / 1e6) for row in known)
        return tuple(sorted(infos, key=lambda info: (info.series.metric, info.series.labels)))

    def latest_unix(self, tenant: str = DEFAULT_TENANT) -> float | None:
        """Time of the newest sample, or None."""
        query = select(func.max(_CHUNK.end_us)).where(_CHUNK.tenant == tenant)
        with self._database.reading() as connection:
            latest = connection.scalar(query)
        return None if latest is None else latest / 1e6

    def expire(self, before_unix: float) -> int:
        """Delete chunks whose samples are all older than a time; returns how many went."""
        before = int(micros(np.array([before_unix]))[0])

        def work(connection: Connection) -> int:
            gone = connection.execute(delete(tables.chunk).where(_CHUNK.end_us < before)).rowcount
            forget_silent(connection, before)
            return gone

        return self._database.write(work)

    def check(self) -> None:
        """Raise Unavailable with the reason unless samples can be written and read."""
        self._database.check_disk()
        self._database.write(
            lambda connection: connection.execute(delete(tables.chunk).where(_CHUNK.id < 0))
        )

    def _read(
        self, query: WindowQuery, after_us: int, end_us: int
    ) -> tuple[list[Chunk], dict[int, Series]]:
        """Chunks that touch (after, end] in order of arrival; their series in order, by id."""
        touching = (
            select(_CHUNK.id, _CHUNK.level)
            .where(
                _CHUNK.tenant == query.tenant, _CHUNK.end_us > after_us, _CHUNK.start_us <= end_us
            )
            .order_by(_CHUNK.id)
        )
        with self._database.reading() as connection:
            keys = [(row.id, row.level) for row in connection.execute(touching)]
            chunks = self._load(connection, keys)
            ids = np.unique(np.concatenate([np.empty(0, np.int64), *(c.ids for c in chunks)]))
            names = self._names.of(connection, query.tenant, ids)
        wanted = [(k, one) for k, one in names.items() if _asked_for(query, one)]
        return chunks, dict(sorted(wanted, key=lambda pair: (pair[1].metric, pair[1].labels)))

    def _load(self, connection: Connection, keys: Sequence[tuple[int, int]]) -> list[Chunk]:
        """The chunks with these ids and levels, in that order."""
        found = {key: chunk for key in keys if (chunk := self._cache.get(key)) is not None}
        missing = [key for key in keys if key not in found]
        for start in range(0, len(missing), _READ_AT_ONCE):
            some = [k for k, _ in missing[start : start + _READ_AT_ONCE]]
            query = select(_CHUNK.id, _CHUNK.level, _CHUNK.body).where(_CHUNK.id.in_(some))
            for row in connection.execute(query):
                found[row.id, row.level] = self._cache.put((row.id, row.level), decoded(row.body))
        return [found[key] for key in keys]

    def _merge(self, tenant: str) -> None:
        """Merge chunks level by level; what fails here is left for the next append."""
        try:
            level: int | None = 0
            while level is not None:
                level = self._merge_level(tenant, level)
        except Unavailable as error:
            log.warning("chunks not merged", extra={"reason": str(error)})

    def _merge_level(self, tenant: str, level: int) -> int | None:
        """Merge the oldest chunks of a level if they are many; the level of what came of it."""
        oldest = (
            select(_CHUNK.id, _CHUNK.level, _CHUNK.samples)
            .where(_CHUNK.tenant == tenant, _CHUNK.level == level)
            .order_by(_CHUNK.id)
            .limit(self._fan_in)
        )
        with self._database.reading() as connection:
            rows = connection.execute(oldest).all()
            enough = (
                int(np.searchsorted(np.cumsum([row.samples for row in rows]), _FULL_SAMPLES)) + 1
            )
            if min(enough, self._fan_in) > len(rows):
                return None
            keys = [(row.id, row.level) for row in rows[:enough]]
            whole = merged(self._load(connection, keys))
        spans = int(whole.times.max() - whole.times.min())
        full = len(whole) >= _FULL_SAMPLES or spans >= _FULL_US
        upper = _FULL_LEVEL if full else level + 1
        ids = [k for k, _ in keys]

        def work(connection: Connection) -> None:
            gone = connection.execute(delete(tables.chunk).where(_CHUNK.id.in_(ids))).rowcount
            if gone != len(ids):
                raise Unavailable("another process merges or expires the same chunks")
            row = _row(tenant, upper, whole) | {"id": ids[0]}
            connection.execute(insert(tables.chunk).values(row))
            if level == 0:
                touch(connection, whole.ids, whole.last_times)

        self._database.write(work)
        return None if full else upper


class _ChunkCache:
    """The chunks read last, decoded; a chunk never changes, a merged one has another level."""

    def __init__(self, most_samples: int) -> None:
        self._most = most_samples
        self._samples = 0
        self._chunks: OrderedDict[tuple[int, int], Chunk] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: tuple[int, int]) -> Chunk | None:
        with self._lock:
            if key in self._chunks:
                self._chunks.move_to_end(key)
            return self._chunks.get(key)

    def put(self, key: tuple[int, int], chunk: Chunk) -> Chunk:
        with self._lock:
            if key not in self._chunks:
                self._chunks[key] = chunk
                self._samples += len(chunk)
            while self._samples > self._most:
                _, oldest = self._chunks.popitem(last=False)
                self._samples -= len(oldest)
        return chunk


def _asked_for(query: WindowQuery, series: Series) -> bool:
    return (query.services is None or series.service in query.services) and (
        query.series is None or series in query.series
    )


def _row(tenant: str, level: int, chunk: Chunk) -> dict[str, object]:
    return {
        "tenant": tenant,
        "level": level,
        "start_us": int(chunk.times.min()),
        "end_us": int(chunk.times.max()),
        "samples": len(chunk),
        "body": encoded(chunk),
    }
