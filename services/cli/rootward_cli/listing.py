"""Every method that is known here: as a list for a person, or as one JSON document."""

from __future__ import annotations

import json
from dataclasses import asdict
from itertools import groupby

from rich.console import Console
from rich.markup import escape

from rootward.methods.base import Family
from rootward.model.result import MethodEntry
from rootward_worker.catalogue import entries

_ORDER = [str(family) for family in Family]


def as_json() -> str:
    """A list of objects: what a method says about itself, its parameters, why it cannot run."""
    return json.dumps([_plain(one) for one in entries()], indent=2, ensure_ascii=False)


def _plain(one: MethodEntry) -> dict[str, object]:
    plain = asdict(one)
    schema = json.loads(plain.pop("schema"))
    return plain | {"available": not one.unavailable, "parameters": schema.get("properties", {})}


def show(console: Console) -> None:
    """Family by family, one line each."""
    known = sorted(entries(), key=lambda one: (_place(one.family), one.name))
    for family, members in groupby(known, key=lambda one: one.family):
        console.rule(escape(family), align="left")
        for one in members:
            console.print(f"[bold]{escape(one.name)}[/bold]  {escape(one.question)}", end="  ")
            console.print(f"[dim]{', '.join((one.cost, *_wants(one)))}[/dim]")
            if one.unavailable:
                console.print(f"  [yellow]cannot run here:[/yellow] {escape(one.unavailable)}")


def _wants(one: MethodEntry) -> tuple[str, ...]:
    return (f"needs {', '.join(one.needs)}",) if one.needs else ()


def _place(family: str) -> int:
    return _ORDER.index(family) if family in _ORDER else len(_ORDER)
