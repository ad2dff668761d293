"""The pages of docs/ that are written from the code: settings and methods."""

from __future__ import annotations

from dataclasses import fields

from rootward.methods.base import Family, Method, Provenance
from rootward.methods.parameters import descriptions
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
    """docs/methods.md: every method with its question, source, needs, limits and parameters."""
    lines = ["# Methods", "", _WRITTEN, "", "One file each, below `shared/rootward/methods`."]
    lines += [
        "`rootward methods --json` prints the same for programs. What was measured is printed",
        "again by `python -m pytest FILE -m 'slow or not slow'`, FILE being the one named there.",
        "What they say of real incidents: [methods_tried.md](methods_tried.md).",
    ]
    for family in Family:
        chosen = [k for k in registry.methods.values() if k.about.family is family]
        if chosen:
            lines += ["", f"## {family.value.capitalize()}"]
        for kind in chosen:
            lines += ["", f"### {kind.about.name}", "", f"*{kind.about.question}*", ""]
            lines += [_summary(kind.__doc__ or ""), "", f"Source: {kind.about.paper}{_ours(kind)}"]
            lines += ["", _terms(kind)]
            lines += _listed("Assumptions", kind.about.assumptions)
            lines += _listed("Limits", kind.about.limits)
            test = f"tests/methods/{family}/test_{kind.about.name}.py"
            lines += _listed(f"Measured by `{test}`", kind.about.measured)
            lines += _parameters(kind)
    return "\n".join(lines) + "\n"


def _ours(kind: type[Method]) -> str:
    about = kind.about
    if about.provenance is Provenance.PAPER:
        return ""
    return f". *{str(about.provenance).capitalize()}*: {about.provenance_note}"


def _terms(kind: type[Method]) -> str:
    """Needs, time and place in one line."""
    about = kind.about
    parts = [f"Takes: {about.cost}", f"offered at: {', '.join(about.offered_at)}"]
    if about.needs:
        parts.append(f"needs: {', '.join(sorted(about.needs))}")
    if about.default:
        parts.append("runs on every incident")
    if about.level is not None:
        parts.append(f"false claims at most: {about.level:g}")
    if about.library:
        parts.append(f"library: `{about.library}`")
    for check, reason in kind.exceptions.items():
        parts.append(f"not held to *{check.replace('_', ' ')}*, for {reason}")
    return "; ".join(parts) + "."


def _listed(head: str, sentences: tuple[str, ...]) -> list[str]:
    return ["", f"{head}:", "", *(f"- {one}" for one in sentences)] if sentences else []


def _parameters(kind: type[Method]) -> list[str]:
    known = fields(kind)  # type: ignore[arg-type]
    if not known:
        return ["", "Parameters: none."]
    words = descriptions(kind)
    rows = [f"| `{f.name}` | `{f.default!r}` | {words.get(f.name, '')} |" for f in known]
    return ["", "| parameter | default | meaning |", "| --- | --- | --- |", *rows]


def _summary(docstring: str) -> str:
    return " ".join(docstring.strip().split("\n\n")[0].split())
