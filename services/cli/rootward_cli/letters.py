"""What was given up on: show it, and have it tried again."""

from __future__ import annotations

import json
from collections.abc import Iterator

from rich.table import Table

from rootward.codec import batch_from_bytes
from rootward.errors import InvalidInput
from rootward.ports import DeadLetter, Platform


def waiting(platform: Platform) -> Iterator[DeadLetter]:
    """Every dead letter, those of the database first."""
    for kept in platform.dead_letters:
        yield from kept.all()


def replay(platform: Platform) -> int:
    """Publish batches and submit jobs again, and forget those that are taken; returns how many."""

    def again(letter: DeadLetter) -> None:
        if letter.kind == "batch":
            platform.bus.publish(batch_from_bytes(letter.body))
        elif letter.kind == "job":
            platform.jobs.submit(letter.name, **json.loads(letter.body))
        else:
            raise InvalidInput("a body that could not be taken in has to be sent again")

    return sum(kept.replay(again) for kept in platform.dead_letters)


def table(letters: Iterator[DeadLetter]) -> Table:
    """The letters for people."""
    shown = Table("kind", "tenant", "name", "tries", "bytes", "reason")
    for one in letters:
        counts = (str(one.tries), str(len(one.body)))
        shown.add_row(one.kind, one.tenant, one.name, *counts, one.reason)
    return shown
