"""How a job is submitted, run and settled, whoever runs it: the rows are the truth."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping

from rootward.adapters.delivery import Delivery, Outcome, Policy, given_up
from rootward.adapters.sql.job_queue import QueuedJob, SqlJobQueue
from rootward.errors import InvalidInput, InvalidParameters, TookTooLong, Unavailable
from rootward.ports import DEFAULT_TENANT, JobHandler, JsonValue
from rootward.telemetry import JOBS_BACKLOG

log = logging.getLogger(__name__)

GIVEN_UP = "given_up"
"""A handler of this name is told of every job that was given up on: job, reason, payload."""


class JobRuns:
    """The queue with the policy of delivery."""

    def __init__(self, queue: SqlJobQueue, max_backlog: int, policy: Policy) -> None:
        self.queue = queue
        self.policy = policy
        self._max_backlog = max_backlog

    def put(self, name: str, payload: Mapping[str, JsonValue], delay_seconds: float) -> None:
        """Store a job; it survives a crash of the process.

        Raises:
            Busy: as many jobs wait or run as may; nothing was taken.
            InvalidInput: the payload is no JSON.
            Unavailable: the database does not answer; nothing was taken.
        """
        body = _encoded(payload)
        self.queue.put(_tenant(payload), name, body, delay_seconds, most=self._max_backlog)
        self.measure()

    def measure(self) -> None:
        """Tell the metrics how many jobs wait or run."""
        try:
            JOBS_BACKLOG.set(self.queue.count())
        except Unavailable as error:
            log.warning("jobs cannot be counted", extra={"reason": str(error)})

    def run(self, taken: QueuedJob, handlers: Mapping[str, JobHandler]) -> Delivery:
        """Do the work and judge how it went; what cannot go better the next time is dead."""

        def work() -> None:
            if taken.name not in handlers:
                raise InvalidParameters(
                    f"no job is called {taken.name}; known: {', '.join(sorted(handlers))}"
                )
            handlers[taken.name](**json.loads(taken.payload))

        if taken.overran:
            return Delivery(Outcome.DEAD, "it was stopped at its time limit, and did not listen")
        if taken.tries > self.policy.tries:
            reason = f"the process ended {taken.tries - 1} times while this job ran"
            return Delivery(Outcome.DEAD, reason)
        return self.policy.deliver(work, taken.tries, f"job {taken.name}")

    def settle(
        self, taken: QueuedJob, delivery: Delivery, handlers: Mapping[str, JobHandler]
    ) -> None:
        """Write what came of it, unless the job was taken from us meanwhile.

        Raises:
            Unavailable: the database does not answer; nothing was written.
        """
        if not self._write(taken, delivery, handlers):
            log.warning("job was lost to another taker", extra={"job": taken.name})
        self.measure()

    def _write(
        self, taken: QueuedJob, delivery: Delivery, handlers: Mapping[str, JobHandler]
    ) -> bool:
        if delivery.outcome is Outcome.AGAIN:
            wait = self.policy.wait_seconds(taken.tries)
            return self.queue.put_back(taken, wait, tries=taken.tries)
        if delivery.outcome is Outcome.OUTAGE:
            wait = self.policy.outage_wait_seconds
            return self.queue.put_back(taken, wait, tries=taken.tries - 1)
        if delivery.outcome is Outcome.DONE:
            return self.queue.remove(taken)
        told = None if GIVEN_UP not in handlers else _told(taken, delivery.reason)
        if buried := self.queue.bury(taken, delivery.reason, told):
            given_up("job", taken.tenant, taken.name, delivery.reason)
        return buried


def _told(taken: QueuedJob, reason: str) -> tuple[str, str] | None:
    if taken.name == GIVEN_UP:
        return None
    payload = json.loads(taken.payload)
    told = {"job": taken.name, "reason": reason, "payload": payload, "tenant": taken.tenant}
    return GIVEN_UP, _encoded(told)


def too_long(seconds: float) -> TookTooLong:
    """The error of a job that was stopped at its limit."""
    return TookTooLong(f"stopped after {seconds:g} s, the most that such a job may take")


def _encoded(payload: Mapping[str, JsonValue]) -> str:
    try:
        return json.dumps(payload, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"the payload of a job must be JSON: {error}") from error


def _tenant(payload: Mapping[str, JsonValue]) -> str:
    tenant = payload.get("tenant", DEFAULT_TENANT)
    return tenant if isinstance(tenant, str) else DEFAULT_TENANT
