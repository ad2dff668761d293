"""What a process of ours counted, as it tells the others now and then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Tally:
    """What one process counted for one tenant since it began."""

    process: str
    """Part, host and number of the process: `ingest@node-1:17`."""
    part: str
    """`up` where it is all in one."""
    version: str
    began_unix: float
    told_unix: float
    """When it last told of itself."""
    ended: bool = False
    """Whether it said farewell; one that did not and is silent has died or cannot write."""
    received: int = 0
    """Samples."""
    per_second: float = 0.0
    """Samples taken in lately, since it told of itself before."""
    rejected: Mapping[str, int] = field(default_factory=dict)
    """Samples refused, by reason."""
    late: int = 0
    """Samples stored, but too late for the detector."""
    dead_letters: int = 0
    """Batches, jobs and bodies given up on."""
