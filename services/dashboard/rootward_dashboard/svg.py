"""SVG elements as text; every attribute and every text is escaped on its way in."""

from __future__ import annotations

from html import escape

Attribute = str | float | int | None


class Markup(str):
    """Text that is safe to put into a page as it stands; Jinja does not escape it again."""

    __slots__ = ()

    def __html__(self) -> str:
        return self


def element(name: str, *children: str, **attributes: Attribute) -> Markup:
    """An element; children that are not `Markup` are text and get escaped.

    Underscores in attribute names become hyphens (`stroke_width`), a trailing one is dropped
    (`class_`), numbers are rounded to two decimals, None leaves the attribute out.
    """
    pairs = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_text(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    inner = "".join(c if isinstance(c, Markup) else escape(c) for c in children)
    return Markup(f"<{name}{pairs}>{inner}</{name}>" if inner else f"<{name}{pairs}/>")


def joined(parts: list[Markup]) -> Markup:
    """Elements one after another."""
    return Markup("".join(parts))


def percent(share: float) -> str:
    """A share of the width as SVG writes it."""
    return f"{_text(100 * share)}%"


def _text(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.2f}".rstrip("0").rstrip(".")
