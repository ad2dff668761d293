"""A rolling window of samples in compressed columnar chunks."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
)

from rootward.adapters.sql import tables
from rootward.adapters.sql.arrivals import Arrivals, StoredBatch
from rootward.adapters.sql.catalogue import forget_silent, touch
from rootward.adapters.sql.chunks import Chunk, Grid, decoded, encoded, merged, micros
from rootward.adapters.sql.engine import Database
from rootward.errors import InsufficientData, InvalidInput, Unavailable
from rootward.model.series import SampleBatch, Series
from rootward.model.window import Window
from rootward.ports import DEFAULT_TENANT, SeriesInfo, WindowQuery

log = logging.getLogger(__name__)

_CHUNK = tables.chunk.c
_SERIES = tables.series.c
_WAITING = tables.queued_batch.c

_FULL_SAMPLES = 2**18
_FULL_US = 6 * 3600 * 10**6
"""A chunk with so many samples, or over so long a time, is not merged any further."""
_FULL_LEVEL = 9
_CACHED_SAMPLES = 3_000_000
"""Bound of the decoded chunks in memory, 16 bytes a sample."""
_READ_AT_ONCE = 100
_QUICK, _THOROUGH = 3, 9
"""How hard zstd tries: chunks that are merged soon, and those that stay."""


def _visible(
    tenant: str | BindParameter[str], newest: int | BindParameter[int]
) -> tuple[ColumnElement[bool], ...]:
    """Chunks of a tenant but those behind the newest that wait on the bus."""
    waiting = select(_WAITING.chunk_id).where(_WAITING.chunk_id > newest)
    return (_CHUNK.tenant == tenant, or_(_CHUNK.level > 0, _CHUNK.id.not_in(waiting)))


_TOUCHING = (
    select(_CHUNK.id, _CHUNK.level)
    .where(
        *_visible(bindparam("tenant"), bindparam("newest")),
        _CHUNK.end_us > bindparam("after_us"),
        _CHUNK.start_us <= bindparam("until_us"),
    )
    .order_by(_CHUNK.id)
)
"""Made once: a long stretch is read in many windows."""


class SqlSampleStore:
    """Samples as chunks, one for each stored batch, merged as they grow many.

    Chunks stand in order of arrival by id, which is what "the first value of a time stays" is
    judged by; a merged chunk takes the id of the first of its parts. Times are kept to the
    microsecond, see `chunks`. `fan_in` chunks of one level are merged into one of the next.

    A batch that comes from the bus of the same database is a chunk already; appending it lets
    readers see it.
    """

    def __init__(
        self, database: Database, arrivals: Arrivals | None = None, *, fan_in: int = 32
    ) -> None:
        self._database = database
        self._fan_in = fan_in
        self._arrivals = arrivals or Arrivals(database)
        self._cache = _ChunkCache(_CACHED_SAMPLES)
        self._fresh: dict[str, _Fresh] = {}
        self._order = _Order()

    def append(self, batch: SampleBatch) -> None:
        """Store a batch durably; idempotent by (series, time): the first value of a time stays.

        Raises:
            InvalidInput: a time is not a Unix time; nothing was stored.
            Unavailable: the database does not answer; nothing was stored.
        """
        if len(batch) == 0:
            return
        if isinstance(batch, StoredBatch) and batch.database is self._database:
            chunk_id = batch.chunk_id
        else:
            (chunk_id,) = self._arrivals.write([self._arrivals.packed(batch)])
        fresh = self._fresh.setdefault(batch.tenant, _Fresh(self._fan_in))
        fresh.add(chunk_id, len(batch))
        if fresh.chunks >= self._fan_in or fresh.samples >= _FULL_SAMPLES:
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
        if not names:
            raise _nothing(times)
        columns = np.full(max(names, default=0) + 1, -1)
        columns[list(names)] = np.arange(len(names))
        grid = Grid(edges[1:], int(edges[0]), columns, len(names))
        for chunk in chunks:
            grid.add(chunk)
        present = np.isfinite(grid.values).any(0)
        if not present.any():
            raise _nothing(times)
        series = tuple(one for one, here in zip(names.values(), present, strict=True) if here)
        return Window(series, times[1:], grid.values[:, present], query.step_seconds)

    def series(self, tenant: str = DEFAULT_TENANT) -> tuple[SeriesInfo, ...]:
        """Every series known, in order of `Series`, with the time of its newest sample."""
        rows = select(_SERIES.id, _SERIES.last_us).where(_SERIES.tenant == tenant)
        with self._database.reading() as connection:
            pairs = [tuple(row) for row in connection.execute(rows)]  # numpy probes a Row for long
            known = np.array(pairs, np.int64).reshape(-1, 2)
            known = known[np.argsort(known[:, 0])]
            names = self._arrivals.catalogue.names(connection, tenant, known[:, 0].tolist())
            latest = self._load(connection, self._latest(connection, tenant))
        ids, last = known[:, 0], known[:, 1].copy()
        for chunk in latest:
            places = np.searchsorted(ids, chunk.ids)
            here = places < len(ids)
            here[here] = ids[places[here]] == chunk.ids[here]
            last[places[here]] = np.maximum(last[places[here]], chunk.last_times[here])
        ordered = self._order.of(tenant, ids, names)
        seconds = (last[np.searchsorted(ids, ordered)] / 1e6).tolist()
        series = map(names.__getitem__, ordered.tolist())
        return tuple(map(SeriesInfo, series, seconds))

    def tenants(self) -> tuple[str, ...]:
        """Whose series are known, by name."""
        query = select(_SERIES.tenant).distinct().order_by(_SERIES.tenant)
        with self._database.reading() as connection:
            return tuple(connection.scalars(query))

    def latest_unix(self, tenant: str = DEFAULT_TENANT) -> float | None:
        """Time of the newest sample, or None."""
        query = select(func.max(_CHUNK.end_us)).where(*self._visible(tenant))
        with self._database.reading() as connection:
            latest = connection.scalar(query)
        return None if latest is None else latest / 1e6

    def oldest_unix(self, tenant: str = DEFAULT_TENANT) -> float | None:
        """Time of the oldest sample, or None where there is none."""
        query = select(func.min(_CHUNK.start_us)).where(*self._visible(tenant))
        with self._database.reading() as connection:
            oldest = connection.scalar(query)
        return None if oldest is None else oldest / 1e6

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
        fresh = self._fresh.get(query.tenant)
        wanted = {
            "tenant": query.tenant,
            "newest": fresh.newest if fresh else 0,
            "after_us": after_us,
            "until_us": end_us,
        }
        with self._database.reading() as connection:
            keys = [(row.id, row.level) for row in connection.execute(_TOUCHING, wanted)]
            if not keys:
                return [], {}
            chunks = self._load(connection, keys)
            ids = np.unique(np.concatenate([np.empty(0, np.int64), *(c.ids for c in chunks)]))
            names = self._arrivals.catalogue.names(connection, query.tenant, ids.tolist())
        ids = self._order.of(query.tenant, ids, names)
        known = ((k, names[k]) for k in ids.tolist())
        return chunks, {k: one for k, one in known if _asked_for(query, one)}

    def _visible(self, tenant: str) -> tuple[ColumnElement[bool], ...]:
        """Chunks of a tenant but those that the bus has yet to hand over."""
        fresh = self._fresh.get(tenant)
        return _visible(tenant, fresh.newest if fresh else 0)

    def _latest(self, connection: Connection, tenant: str) -> list[tuple[int, int]]:
        """The chunks that were not merged yet, and the newest merged one: see `_left_behind`."""
        chunks = select(_CHUNK.id, _CHUNK.level).where(*self._visible(tenant))
        fresh = connection.execute(chunks.where(_CHUNK.level == 0)).all()
        newest = connection.execute(
            chunks.where(_CHUNK.level > 0).order_by(_CHUNK.id.desc()).limit(1)
        ).all()
        return [(row.id, row.level) for row in [*newest, *fresh]]

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
        fresh = self._fresh[tenant]
        oldest = (
            select(_CHUNK.id, _CHUNK.level, _CHUNK.samples)
            .where(_CHUNK.tenant == tenant, _CHUNK.level == level, _CHUNK.id <= fresh.newest)
            .order_by(_CHUNK.id)
            .limit(self._fan_in)
        )
        with self._database.reading() as connection:
            rows = connection.execute(oldest).all()
            sizes = np.cumsum([row.samples for row in rows])
            enough = int(np.searchsorted(sizes, _FULL_SAMPLES)) + 1
            if min(enough, self._fan_in) > len(rows):
                if level == 0:
                    fresh.chunks, fresh.samples = len(rows), int(sizes[-1]) if rows else 0
                return None
            keys = [(row.id, row.level) for row in rows[:enough]]
            whole = merged(self._load(connection, keys))
            behind = self._left_behind(connection, tenant, whole) if level == 0 else None
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
            if behind is not None:
                touch(connection, *behind)

        self._database.write(work)
        self._cache.put((ids[0], upper), whole)
        if level == 0:
            fresh.chunks, fresh.samples = fresh.chunks - len(ids), fresh.samples - len(whole)
        return None if full else upper

    def _left_behind(
        self, connection: Connection, tenant: str, whole: Chunk
    ) -> tuple[np.ndarray, np.ndarray] | None:
        """Series of the newest merged chunk with no newer sample in the next one; their times.

        These times are written down now: those of all others are found in the newest chunk.
        """
        newest = [key for key in self._latest(connection, tenant) if key[1] > 0]
        if not newest:
            return None
        (before,) = self._load(connection, newest)
        places = np.searchsorted(whole.ids, before.ids)
        there = places < len(whole.ids)
        there[there] = whole.ids[places[there]] == before.ids[there]
        there[there] = whole.last_times[places[there]] >= before.last_times[there]
        return before.ids[~there], before.last_times[~there]


@dataclass
class _Fresh:
    """Chunks of level 0 of a tenant that were appended, and are not merged yet."""

    chunks: int
    """So many at least, for a start, that the first append looks for what there is."""
    samples: int = 0
    newest: int = 0
    """Id of the newest one."""

    def add(self, chunk_id: int, samples: int) -> None:
        """Count a chunk that was appended."""
        self.chunks, self.samples = self.chunks + 1, self.samples + samples
        self.newest = max(self.newest, chunk_id)


class _Order:
    """Series in their order, sorted once as long as no new ones come."""

    def __init__(self) -> None:
        self._sorted: dict[str, np.ndarray] = {}

    def of(self, tenant: str, ids: np.ndarray, names: Mapping[int, Series]) -> np.ndarray:
        """Those of the ids that have a name, in order of their series; `ids` ascend."""
        known = self._sorted.get(tenant, np.empty(0, np.int64))
        new = np.setdiff1d(ids, known)
        if len(new):
            if len(known) > 2 * len(ids):
                known, new = np.empty(0, np.int64), ids
            every = [k for k in (*known.tolist(), *new.tolist()) if k in names]
            every.sort(key=lambda k: (names[k].metric, names[k].labels))
            self._sorted[tenant] = known = np.array(every, np.int64)
        return known[np.isin(known, ids)]


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


def _nothing(times: np.ndarray) -> InsufficientData:
    return InsufficientData(f"no sample between {times[0]:.3f} and {times[-1]:.3f} (Unix seconds)")


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
        "body": encoded(chunk, _QUICK if level < 2 else _THOROUGH),
    }
