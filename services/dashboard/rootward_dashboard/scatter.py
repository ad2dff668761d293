"""Points with names as SVG; places across are percentages, so text keeps its size."""

from __future__ import annotations

import math

from rootward.model.result import Scatter
from rootward_dashboard import figures, svg
from rootward_dashboard.axes import ValueAxis
from rootward_dashboard.svg import Markup, element

_HEIGHT, _TOP, _FOOT = 260.0, 20.0, 34.0
_NAMED = 20
"""With more points than this, names stand in the table alone."""


def scatter_plot(block: Scatter) -> Markup:
    """The points inside their axes; both axes say what they measure."""
    across, up = ValueAxis.over(block.x), ValueAxis.over(block.y)
    room = _HEIGHT - _TOP - _FOOT
    points = [
        (name, 0.06 + 0.9 * across.at(x), _TOP + room * (1 - up.at(y)))
        for name, x, y in zip(block.names, block.x, block.y, strict=True)
        if math.isfinite(x) and math.isfinite(y)
    ]
    return element(
        "svg",
        *_grid(across, up, room),
        *(_point(*point, named=len(points) <= _NAMED) for point in points),
        element("text", f"↑ {block.y_label}", class_="value", x=2, y=11),
        element("text", f"{block.x_label} →", class_="time last", x="100%", y=_HEIGHT - 3),
        class_="plot",
        role="img",
        aria_label=f"{block.title}: {block.y_label} against {block.x_label}, {len(points)} points",
        width="100%",
        height=_HEIGHT,
    )


def _point(name: str, place: float, y: float, *, named: bool) -> Markup:
    left = place > 0.7
    dot = element(
        "circle", element("title", name), class_="point", cx=svg.percent(place), cy=y, r=5
    )
    word = element(
        "text",
        name,
        class_="point-name before" if left else "point-name",
        x=svg.percent(place),
        dx=-8 if left else 8,
        y=y + 4,
    )
    return svg.joined([dot, word] if named else [dot])


def _grid(across: ValueAxis, up: ValueAxis, room: float) -> list[Markup]:
    drawn: list[Markup] = []
    for value in up.ticks(4):
        y = _TOP + room * (1 - up.at(value))
        drawn.append(element("line", class_="grid", x1="0%", x2="100%", y1=y, y2=y))
        drawn.append(element("text", figures.number(value), class_="value", x=2, y=y - 3))
    for value in across.ticks(5):
        where = svg.percent(0.06 + 0.9 * across.at(value))
        drawn.append(element("text", figures.number(value), class_="time", x=where, y=_HEIGHT - 18))
    foot = _TOP + room
    return [*drawn, element("line", class_="axis", x1="0%", x2="100%", y1=foot, y2=foot)]
