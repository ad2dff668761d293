"""The queue of jobs as a table: what waits, what runs, under which lease, and what recurs."""

from __future__ import annotations

import hashlib
import logging
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from rootward.adapters.lanes import ALL, Lane, lane_of
from rootward.adapters.sql.dialects.base import Claim
from rootward.adapters.sql.engine import Database
from rootward.adapters.sql.queues import bury_letter
from rootward.adapters.sql.schedule import Schedule
from rootward.adapters.sql.tables import job
from rootward.errors import Busy
from rootward.ports import DEFAULT_TENANT, Clock, DeadLetter

log = logging.getLogger(__name__)

LEASE_SECONDS = 30.0
"""How long a job stays taken without a sign of life."""
_AHEAD_SECONDS = 5.0
"""Clocks of different machines may differ by so much."""
_WAITS = job.c.waiting_key.is_not(None)


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
    token: str = ""
    """Told anew each time it is taken: whoever holds an older one can no longer write."""
    overran: bool = False
    """Whether it was stopped at its time limit the last time."""


@dataclass(frozen=True)
class Lease:
    """What a taker promises: a sign of life every so often, and an end."""

    holder: str
    """Who takes it, for people who look."""
    limit_seconds: float
    """How long it may run."""
    seconds: float = LEASE_SECONDS


class SqlJobQueue:
    """Jobs, by the time from which they may run.

    A job that waits carries its `waiting_key`, made from tenant, name and payload; it is unique,
    so that an equal job cannot wait beside it. A job that runs carries none, but the token of
    who runs it, and where several processes take jobs, a lease.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._schedule = Schedule(database)

    def claim(self) -> Claim:
        """Serve the queue alone; see `Database.claim`."""
        return self._database.claim("jobs")

    def now(self) -> float:
        """Unix seconds, on the clock that jobs wait by."""
        return self._clock.now()

    def close(self) -> None:
        """Let go of the database; idempotent."""
        self._database.close()

    def recover(self) -> int:
        """After a start: let jobs wait again that were running when the process ended.

        Returns how many went instead, because an equal job waits already. Times that were set
        on a clock ahead of ours are moved back with it.
        """
        now = self._clock.now()

        def work(connection: Connection) -> int:
            _set_back(connection, now)
            return _wait_again(connection, job.c.waiting_key.is_(None), now)

        return self._database.write(work)

    def reclaim(self) -> None:
        """Let jobs wait again whose lease ran out: whoever ran them is gone.

        One that kept its lease to its very limit was stopped there, and says so when it is taken.
        """
        now = self._clock.now()
        lost = and_(job.c.waiting_key.is_(None), job.c.lease_unix < now)
        ahead = job.c.set_unix > now + _AHEAD_SECONDS
        with self._database.reading() as connection:
            if connection.scalar(select(job.c.id).where(or_(lost, ahead)).limit(1)) is None:
                return

        def work(connection: Connection) -> None:
            _set_back(connection, now + _AHEAD_SECONDS)
            _wait_again(connection, lost, now)

        self._database.write(work)

    def put(
        self, tenant: str, name: str, payload: str, delay_seconds: float, *, most: int | None = None
    ) -> bool:
        """Store a job; False where an equal one waits, which then runs at the earlier time.

        Raises:
            Busy: `most` jobs wait or run; nothing was stored.
        """
        now = self._clock.now()

        def work(connection: Connection) -> bool:
            return _put(connection, tenant, name, payload, (now, now + delay_seconds), most)

        return self._database.write(work)

    def every(self, name: str, seconds: float) -> None:
        """Put a job now and at every multiple of so many seconds, once for all who ask."""
        self._schedule.every(name, seconds, self._clock.now())

    def tick(self) -> bool:
        """Put the recurring jobs that are due; each time falls to one of those who call this.

        Returns whether any job was put.
        """
        return self._schedule.tick(self._clock.now(), _put_recurring)

    def next_due_unix(self, lanes: Collection[Lane] = ALL, after_unix: float = 0.0) -> float | None:
        """When the next job after a time may run, or a recurring one; None where none waits."""
        later = and_(_in(lanes), job.c.run_after_unix > after_unix)
        with self._database.reading() as connection:
            due = connection.scalar(select(func.min(job.c.run_after_unix)).where(later))
        recurs = self._schedule.next_due_unix()
        return min((one for one in (due, recurs) if one is not None), default=None)

    def take(self, lanes: Collection[Lane] = ALL, lease: Lease | None = None) -> QueuedJob | None:
        """The first job of these lanes that is due, now counted as tried; None where none is.

        What may take long comes last.
        """

        def work(connection: Connection) -> QueuedJob | None:
            now = self._clock.now()
            first = _due(lanes, now).limit(1).with_for_update(skip_locked=True)
            row = connection.execute(first).one_or_none()
            if row is None:
                return None
            token = uuid.uuid4().hex
            taken = dict.fromkeys(("waiting_key", "holder", "lease_unix", "limit_unix"))
            taken |= {"tries": row.tries + 1, "token": token, "rung_unix": None}
            if lease is not None:
                taken |= {"holder": lease.holder, "limit_unix": now + lease.limit_seconds}
                taken["lease_unix"] = min(now + lease.seconds, now + lease.limit_seconds)
            connection.execute(update(job).where(job.c.id == row.id).values(taken))
            overran = row.limit_unix is not None
            return QueuedJob(
                row.id, row.tenant, row.name, row.payload, row.tries + 1, token, overran
            )

        return self._database.write(work)

    def renew(self, taken: QueuedJob, seconds: float = LEASE_SECONDS) -> bool:
        """Keep a lease up, at most to the limit of the job; False where it was lost."""
        until = self._clock.now() + seconds
        ours = and_(_ours(taken), job.c.limit_unix.is_not(None))
        sooner = update(job).where(ours, job.c.limit_unix > until).values(lease_unix=until)
        last = update(job).where(ours, job.c.limit_unix <= until)
        last = last.values(lease_unix=job.c.limit_unix)

        def work(connection: Connection) -> bool:
            return bool(connection.execute(sooner).rowcount + connection.execute(last).rowcount)

        return self._database.write(work)

    def waiting(self, lanes: Collection[Lane]) -> bool:
        """Whether a job of these lanes is due."""
        with self._database.reading() as connection:
            return connection.execute(_due(lanes, self._clock.now()).limit(1)).first() is not None

    def unheard(self, again_seconds: float, most: int) -> list[tuple[int, Lane]]:
        """Due jobs with their lanes that nobody was told of within so many seconds."""
        now = self._clock.now()
        told = or_(job.c.rung_unix.is_(None), job.c.rung_unix < now - again_seconds)
        with self._database.reading() as connection:
            rows = connection.execute(_due(ALL, now).where(told).limit(most)).all()
        return [(row.id, Lane(row.lane)) for row in rows]

    def told(self, ids: Sequence[int]) -> None:
        """Note that workers were told of these jobs now."""
        now = self._clock.now()
        note = update(job).where(job.c.id.in_(ids)).values(rung_unix=now)
        self._database.write(lambda connection: connection.execute(note))

    def count(self) -> int:
        """How many jobs wait or run."""
        with self._database.reading() as connection:
            return _count(connection)

    def remove(self, done: QueuedJob) -> bool:
        """Delete a job that has run; False where it was no longer the taker's."""
        gone = delete(job).where(_ours(done))
        return bool(self._database.write(lambda connection: connection.execute(gone).rowcount))

    def put_back(self, failed: QueuedJob, wait_seconds: float, *, tries: int) -> bool:
        """Let a job wait again, with so many tries counted; False where it was not the taker's.

        Where an equal one waits, it goes.
        """
        due = self._clock.now() + wait_seconds
        back = replace(failed, tries=tries)

        def work(connection: Connection) -> bool:
            if not _held(connection, failed):
                return False
            _wait(connection, back, due)
            return True

        return self._database.write(work)

    def bury(self, failed: QueuedJob, reason: str, told: tuple[str, str] | None = None) -> bool:
        """Move a job to the dead letters; False where it was not the taker's.

        `told` is name and payload of a job that then tells of it.
        """
        body = failed.payload.encode()
        letter = DeadLetter("job", failed.tenant, failed.name, reason, failed.tries, body)

        def work(connection: Connection) -> bool:
            if not _held(connection, failed):
                return False
            now = self._clock.now()
            _delete(connection, failed.id)
            bury_letter(connection, letter, now)
            if told is not None:
                _put(connection, failed.tenant, *told, (now, now))
            return True

        return self._database.write(work)


def _in(lanes: Collection[Lane]) -> ColumnElement[bool]:
    return _WAITS if len(lanes) == len(ALL) else and_(_WAITS, job.c.lane.in_(sorted(lanes)))


def _due(lanes: Collection[Lane], now: float) -> Select[Any]:
    """Jobs that may run, in their order: the first come first, what may take long last."""
    due = select(job).where(_in(lanes), job.c.run_after_unix <= now)
    return due.order_by(job.c.lane == Lane.BATCH, job.c.run_after_unix, job.c.id)


def _put(
    connection: Connection,
    tenant: str,
    name: str,
    payload: str,
    times: tuple[float, float],
    most: int | None = None,
) -> bool:
    """Store a job with the times at which it was set and is due; False where an equal one waits."""
    now, due = times
    key = _waiting_key(tenant, name, payload)
    equal = job.c.waiting_key == key
    if connection.scalar(select(job.c.id).where(equal)) is not None:
        sooner = and_(equal, job.c.run_after_unix > due, job.c.tries == 0)
        connection.execute(update(job).where(sooner).values(run_after_unix=due, rung_unix=None))
        return False
    if most is not None and (there := _count(connection)) >= most:
        raise Busy(f"{there} jobs wait, {most} may")
    connection.execute(
        insert(job).values(
            tenant=tenant,
            name=name,
            payload=payload,
            lane=lane_of(name),
            waiting_key=key,
            tries=0,
            set_unix=now,
            run_after_unix=due,
        )
    )
    return True


def _put_recurring(connection: Connection, name: str, now: float) -> None:
    _put(connection, DEFAULT_TENANT, name, "{}", (now, now))


def _set_back(connection: Connection, now: float) -> None:
    """Move times that were set on a clock ahead of `now` back with it."""
    connection.execute(
        update(job)
        .where(job.c.set_unix > now)
        .values(run_after_unix=now + job.c.run_after_unix - job.c.set_unix, set_unix=now)
    )


def _wait_again(connection: Connection, which: ColumnElement[bool], now: float) -> int:
    rows = connection.execute(select(job).where(which).order_by(job.c.id)).all()
    gone = 0
    for row in rows:
        overran = row.limit_unix is not None and row.lease_unix >= row.limit_unix
        back = QueuedJob(row.id, row.tenant, row.name, row.payload, row.tries, "", overran)
        gone += not _wait(connection, back, now)
    return gone


def _count(connection: Connection) -> int:
    return connection.scalar(select(func.count()).select_from(job)) or 0


def _ours(taken: QueuedJob) -> ColumnElement[bool]:
    return and_(job.c.id == taken.id, job.c.token == taken.token)


def _held(connection: Connection, taken: QueuedJob) -> bool:
    held = select(job.c.id).where(_ours(taken), job.c.waiting_key.is_(None)).with_for_update()
    return connection.scalar(held) is not None


def _waiting_key(tenant: str, name: str, payload: str) -> str:
    return hashlib.sha256("\0".join((tenant, name, payload)).encode()).hexdigest()


def _delete(connection: Connection, job_id: int) -> None:
    connection.execute(delete(job).where(job.c.id == job_id))


def _wait(connection: Connection, back: QueuedJob, due_unix: float) -> bool:
    """Whether the job waits again; where an equal one waits already, it goes."""
    key = _waiting_key(back.tenant, back.name, back.payload)
    if connection.scalar(select(job.c.id).where(job.c.waiting_key == key)) is not None:
        _delete(connection, back.id)
        return False
    free = dict.fromkeys(("token", "holder", "lease_unix", "rung_unix"))
    limit = {} if back.overran else {"limit_unix": None}
    connection.execute(
        update(job)
        .where(job.c.id == back.id)
        .values(waiting_key=key, tries=back.tries, run_after_unix=due_unix, **free, **limit)
    )
    return True
