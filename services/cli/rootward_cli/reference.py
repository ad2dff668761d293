"""The pages of docs/ that are written from the code: settings and methods."""

from __future__ import annotations

from dataclasses import fields

from rootward.methods.base import Family
from rootward.methods.registry import Registry
from rootward.settings import Settings

_WRITTEN = "<!-- Written by `make docs`; edit the code, not this page. -->"


def configuration() -> str:
    """docs/configuration.md: every setting with its default and meaning."""
    lines = [
        "# Configuration",
        "",
        _WRITTEN,
        "",
        "Every setting is read from the environment, once, at start. A wrong value stops the",
        "start with a line that names it. The three URLs alone decide what Rootward runs on.",
        "",
        "| variable | default | meaning |",
        "| --- | --- | --- |",
    ]
    for name, field in Settings.model_fields.items():
        default = "" if field.default in (None, "") else f"`{field.default}`"
        lines.append(f"| `ROOTWARD_{name.upper()}` | {default} | {field.description} |")
    return "\n".join(lines) + "\n"


def methods(registry: Registry) -> str:
    """docs/methods.md: every method with its question, source and parameters."""
    lines = ["# Methods", "", _WRITTEN, "", "One file each, below `shared/rootward/methods`."]
    for family in Family:
        chosen = [k for k in registry.methods.values() if k.about.family is family]
        if chosen:
            lines += ["", f"## {family.value.capitalize()}"]
        for kind in chosen:
            lines += ["", f"### {kind.about.name}", "", f"*{kind.about.question}*", ""]
            lines += [_summary(kind.__doc__ or ""), "", f"Source: {kind.about.paper}"]
            defaults = ", ".join(f"`{f.name}` = {f.default!r}" for f in fields(kind))  # type: ignore[arg-type]
            lines += ["", f"Parameters: {defaults or 'none'}."]
    return "\n".join(lines) + "\n"


def _summary(docstring: str) -> str:
    return " ".join(docstring.strip().split("\n\n")[0].split())
