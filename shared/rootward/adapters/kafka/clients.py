"""How every client of kafka-python is made here, and what its errors say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from kafka.net.compat import KafkaNetClient

T = TypeVar("T")

CONNECT_SECONDS = 3.0
"""How long to look for a broker that answers."""
LEAVE_ALONE_SECONDS = 1.0
"""After a broker was not found, how long to say so without looking again."""


def connected(
    kind: Callable[..., T],
    servers: Sequence[str],
    way: Mapping[str, str],
    **settings: object,
) -> T:
    """A client that has found a broker; one that has not is taken apart.

    `way` holds the settings of the network that `address_of` reads from a URL.

    Left to itself, a client whose making failed would look for brokers for ever, in a thread
    that nobody can end.

    Raises:
        KafkaError: no broker answered in time.
    """
    below: list[KafkaNetClient] = []

    def network(**given: object) -> KafkaNetClient:
        below.append(KafkaNetClient(**given))
        return below[-1]

    patience = int(1000 * CONNECT_SECONDS)
    common = {"client_id": "rootward", "reconnect_backoff_max_ms": 1000}
    try:
        return kind(
            bootstrap_servers=list(servers),
            bootstrap_timeout_ms=patience,
            kafka_client=network,
            **(common | dict(way) | settings),
        )
    except BaseException:
        for one in below:
            one.close()
        raise


def in_words(error: BaseException) -> str:
    """What a client's error says, with its name, for it may say nothing."""
    return f"{type(error).__name__}: {error}".rstrip(": ")
