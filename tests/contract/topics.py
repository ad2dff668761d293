"""Topics that no other test has."""

from __future__ import annotations

import uuid
from dataclasses import replace

from rootward.adapters.kafka.cluster import Cluster


def own_topics(url: str, partitions: int = 3) -> Cluster:
    """A cluster at a broker's url with topics and a group of its own."""
    return replace(Cluster.of(url), prefix=f"t{uuid.uuid4().hex[:8]}", partitions=partitions)
