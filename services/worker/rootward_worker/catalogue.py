"""Which methods the workers can run, as API and pages get to know it."""

from __future__ import annotations

import inspect
import json
from typing import Any

from pydantic import TypeAdapter

from rootward.methods import registry
from rootward.methods.base import Method
from rootward.methods.needs import missing_library
from rootward.methods.parameters import descriptions
from rootward.model.result import MethodEntry


def entries() -> tuple[MethodEntry, ...]:
    """Every method, by name, as API and pages see it; those that cannot run say why."""
    known = registry.load()
    ours = [entry(kind, known.version) for kind in known.methods.values()]
    outside = [
        MethodEntry(
            name=name,
            family="outside",
            question=f"What would {name} say?",
            paper="",
            summary="A method from another package.",
            schema="{}",
            default=False,
            version=known.version,
            unavailable=reason,
        )
        for name, reason in known.unavailable.items()
    ]
    return tuple(sorted(ours + outside, key=lambda one: one.name))


def entry(kind: type[Method], version: str) -> MethodEntry:
    """One method."""
    about = kind.about
    summary = inspect.cleandoc(kind.__doc__ or "").partition("\n\n")[0]
    return MethodEntry(
        name=about.name,
        family=str(about.family),
        question=about.question,
        paper=about.paper,
        summary=" ".join(summary.split()),
        schema=json.dumps(_schema(kind)),
        default=about.default,
        version=version,
        provenance=str(about.provenance),
        provenance_note=about.provenance_note,
        scope=str(about.scope),
        anchors=tuple(str(anchor) for anchor in about.offered_at),
        needs=tuple(sorted(str(need) for need in about.needs)),
        cost=str(about.cost),
        trigger=str(about.trigger),
        assumptions=about.assumptions,
        limits=about.limits,
        library=about.library,
        level=about.level,
        unavailable=missing_library(kind),
    )


def _schema(kind: type[Method]) -> dict[str, Any]:
    """The parameters with their types, defaults and meanings."""
    schema = TypeAdapter(kind).json_schema()
    for name, words in descriptions(kind).items():
        if name in schema.get("properties", {}):
            schema["properties"][name]["description"] = words
    return schema
