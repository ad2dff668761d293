"""Celery as we use it: one queue a lane, and messages that say no more than "look"."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping

from celery import Celery, signals
from kombu import Connection, Queue
from kombu.exceptions import KombuError

from rootward.adapters.lanes import LIMIT_SECONDS, Lane
from rootward.errors import InvalidConfiguration

log = logging.getLogger(__name__)
logging.getLogger("celery").setLevel(logging.WARNING)  # it tells of every message at INFO

ALLOWED = "thread://, celery+redis://HOST:6379/0 or celery+amqp://USER:PASSWORD@HOST:5672/VHOST"
GRACE_SECONDS = 30.0
"""How long a job that was told to end at its limit may take to do so."""
MEMORY_BYTES = 2 * 2**30
"""A child that holds more after a job is replaced."""
_JOBS_PER_CHILD = 100
_REST_SECONDS = 5.0
"""How long to leave a broker alone that does not answer."""


def broker_url(url: str) -> str:
    """The address of the broker in a jobs URL.

    Raises:
        InvalidConfiguration: a broker that is not supported.
    """
    scheme, _, rest = url.partition("://")
    broker = scheme.removeprefix("celery+")
    if scheme == broker or broker not in ("redis", "rediss", "amqp", "amqps") or not rest:
        raise InvalidConfiguration(
            f"ROOTWARD_JOBS_URL has the scheme {scheme or '(none)'}; allowed: {ALLOWED}"
        )
    return f"{broker}://{rest}"


def queue_name(lane: Lane) -> str:
    """The name of a lane's queue, which is also that of its task."""
    return f"rootward.{lane}"


def make_app(
    url: str,
    *,
    memory_bytes: int = MEMORY_BYTES,
    limit_seconds: Mapping[Lane, float] = LIMIT_SECONDS,
) -> Celery:
    """A Celery application on the broker of a jobs URL, with the settings that our jobs need.

    Raises:
        InvalidConfiguration: a broker that is not supported.
    """
    app = Celery("rootward", broker=broker_url(url), set_as_current=False)
    app.conf.update(
        task_queues=[Queue(queue_name(lane), routing_key=queue_name(lane)) for lane in Lane],
        task_default_queue=queue_name(Lane.BATCH),
        task_create_missing_queues=False,
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_acks_on_failure=True,
        task_acks_on_timeout=True,  # the row says that it ran too long
        worker_prefetch_multiplier=1,
        worker_max_tasks_per_child=_JOBS_PER_CHILD,
        worker_max_memory_per_child=memory_bytes // 1024,
        worker_proc_alive_timeout=60.0,
        # the row, not the message, says whose the job is: it goes on without the broker
        worker_cancel_long_running_tasks_on_connection_loss=False,
        worker_send_task_events=False,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_connection_timeout=2.0,
        broker_transport_options=_transport_options(broker_url(url), limit_seconds),
    )
    return app


def _transport_options(broker: str, limit_seconds: Mapping[Lane, float]) -> dict[str, object]:
    if not broker.startswith("redis"):
        return {}
    return {
        # longer than any job: Redis would give out again what still runs
        "visibility_timeout": max(limit_seconds.values()) + 2 * GRACE_SECONDS,
        "unacked_restore_interval": 2,
        "unacked_restore_throttle": 1,
        "socket_connect_timeout": 2.0,
        "socket_keepalive": True,
    }


class Doorbell:
    """Tells workers that a job of a lane is due.

    A message names the lane only: whoever gets it takes the first job of that lane. One that is
    lost is rung again, one too many finds nothing to do.
    """

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._lock = threading.Lock()
        self._connection: Connection | None = None
        self._rest_until = 0.0

    def ring(self, lane: Lane) -> bool:
        """Whether the broker took it; one that did not answer just now is not asked."""
        with self._lock:
            if time.monotonic() < self._rest_until:
                return False
            connection = self._connection or self._connected()
            self._connection = connection
            failures = (*connection.connection_errors, *connection.channel_errors)
            try:
                name = queue_name(lane)
                self._app.send_task(name, queue=name, connection=connection, retry=False)
            except (KombuError, OSError, *failures) as error:  # type: ignore[misc]
                self._failed(error)
                return False
        return True

    def close(self) -> None:
        """Let go of the connection; idempotent."""
        with self._lock:
            connection, self._connection = self._connection, None
            if connection is not None:
                connection.release()

    def _connected(self) -> Connection:
        """A connection of our own: those of Celery's pools would outlive a fork."""
        made = self._app.connection_for_write()
        bounds = {"max_retries": 0, "interval_start": 0.0, "socket_timeout": 5.0}
        made.transport_options = {**(made.transport_options or {}), **bounds}
        return made

    def _failed(self, error: BaseException) -> None:
        reason = f"{type(error).__name__}: {error}"
        log.warning("the broker does not answer; jobs wait", extra={"reason": reason})
        self._rest_until = time.monotonic() + _REST_SECONDS
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.collect(socket_timeout=1.0)


@signals.setup_logging.connect
def _leave_logging_alone(**_: object) -> None:
    """Celery asks here before it sets up logging of its own."""
