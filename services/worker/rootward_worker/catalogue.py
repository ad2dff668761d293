"""Which methods the workers can run, as API and pages get to know it."""

from __future__ import annotations

import inspect
import json

from pydantic import TypeAdapter

from rootward.methods import registry
from rootward.methods.base import Method
from rootward.model.result import MethodEntry


def entries() -> tuple[MethodEntry, ...]:
    """Every method, by name, as API and pages see it."""
    known = registry.load()
    return tuple(_entry(kind, known.version) for kind in known.methods.values())


def _entry(kind: type[Method], version: str) -> MethodEntry:
    about = kind.about
    summary = inspect.cleandoc(kind.__doc__ or "").partition("\n\n")[0]
    return MethodEntry(
        name=about.name,
        family=str(about.family),
        question=about.question,
        paper=about.paper,
        summary=" ".join(summary.split()),
        schema=json.dumps(TypeAdapter(kind).json_schema()),
        default=about.default,
        version=version,
    )
