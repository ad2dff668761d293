"""Where labelled cases of a bench come from: folders, or planted incidents made from seeds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rootward.testing.incidents import SHAPES, planted_incident
from rootward_cli import cases
from rootward_cli.cases import Label, Recording

Read = Callable[[], Recording]


@dataclass(frozen=True)
class Source:
    """A case with its known answer, and how to read it."""

    name: str
    label: Label
    read: Read


def recorded(paths: Sequence[Path]) -> tuple[Source, ...]:
    """The labelled case folders at or below the paths.

    Raises:
        InvalidInput: a path does not exist or holds no case, or a label cannot be read.
    """
    folders = (folder for folder in cases.find(paths) if (folder / "case.json").is_file())
    return tuple(Source(f.name, cases.label(f), partial(cases.read, f)) for f in folders)


def planted(count: int, first: int = 0, calls: bool = False) -> tuple[Source, ...]:
    """`count` incidents of every shape, from the seed `first` on; with known calls if asked."""
    seeds = range(first, first + count)
    return tuple(_planted(shape, seed, calls) for shape in SHAPES for seed in seeds)


def _planted(shape: str, seed: int, calls: bool) -> Source:
    made = planted_incident(shape, seed)
    assert made.cause is not None
    name = f"{shape}-{seed}"
    known = made.calls if calls else ()
    label = Label(f"planted {shape}", (made.cause.service,), str(made.cause), made.cause.metric)
    return Source(name, label, partial(Recording, name, Path(name), made.window, known))
