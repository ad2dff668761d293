"""A small causal graph as SVG, left to right, at a size that can be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rootward.model.graph import Edge
from rootward.model.series import Series
from rootward_dashboard import figures, graph_layout
from rootward_dashboard.names import metric_of
from rootward_dashboard.spread import Spread
from rootward_dashboard.svg import Markup, element

_WIDTH, _HEIGHT = 166.0, 72.0
_GAP, _PITCH = 74.0, 98.0
_PAD_X, _PAD_Y, _FOOT = 4.0, 28.0, 10.0
_SURE = 0.7
Point = tuple[float, float]


@dataclass(frozen=True)
class Legend:
    """What the drawing says beside names: roles of series, their onsets, the step."""

    step_seconds: float | None
    """None: lags are written in rows."""
    roles: Mapping[Series, str] = field(default_factory=dict)
    """`cause` or `symptom`."""
    onsets: Mapping[Series, float] = field(default_factory=dict)
    """Unix seconds."""


def lag_text(edge: Edge, step_seconds: float | None) -> str:
    """Sign and lag of an edge: `+ 15 s`; ± where the sign is not known."""
    sign = {1: "+", -1: "−"}.get(edge.sign, "±")
    return f"{sign} {lead(edge, step_seconds)}"


def lead(edge: Edge, step_seconds: float | None) -> str:
    """By how much the cause leads, in rows where the step is not known."""
    if step_seconds is None:
        return "1 row" if edge.lag == 1 else f"{edge.lag} rows"
    return figures.span(edge.lag * step_seconds)


def unsure(edge: Edge) -> bool:
    """Whether the edge shows in fewer than 70 % of the resamples."""
    return edge.confidence is not None and edge.confidence < _SURE


def drawing(spread: Spread, legend: Legend, label: str) -> Markup:
    """The graph with an arrow from each cause to its effect; `label` says it in words."""
    arcs = {(e.cause, e.effect): e for e in spread.edges}
    layout = graph_layout.layered(spread.series, list(arcs))
    low, high = layout.extent
    loops = len(layout.backward)
    width = layout.layers * (_WIDTH + _GAP) - _GAP + 2 * _PAD_X
    height = (
        (high - low) * _PITCH + _HEIGHT + _PAD_Y + _FOOT + (16.0 + 12.0 * loops if loops else 0.0)
    )
    canvas = _Canvas(layout, low)
    heaviest = max((e.weight for e in spread.edges), default=1.0) or 1.0
    lines = [
        canvas.edge(edge, 1.2 + 3.3 * edge.weight / heaviest, lag_text(edge, legend.step_seconds))
        for edge in reversed(spread.edges)
    ]
    return element(
        "svg",
        *(line for line, _ in lines),
        *(canvas.node(series, legend) for series in spread.series),
        *(text for _, text in lines),
        class_="graph graph-wide" if width > 1400 else "graph",
        role="img",
        aria_label=label,
        width=width,
        height=height,
        viewBox=f"0 0 {width:.0f} {height:.0f}",
    )


class _Canvas:
    """Turns places on the grid into pixels; edges of a node leave and arrive side by side."""

    def __init__(self, layout: graph_layout.Layout[Series], low: float) -> None:
        self._layout = layout
        self._low = low
        self._floor = _PAD_Y + (layout.extent[1] - low) * _PITCH + _HEIGHT
        self._ports = self._spread_ports()
        self._loops = sorted(layout.backward)

    def node(self, series: Series, legend: Legend) -> Markup:
        x, y = self._corner(self._layout.places[series])
        role = legend.roles.get(series, "")
        told = bool(legend.onsets)
        onset = legend.onsets.get(series)
        since = f"changed {figures.clock(onset)}" if onset is not None else "no change found"
        tag = [element("text", role, class_="role", x=x + 2, y=y - 7)] if role else []
        return element(
            "g",
            element("title", str(series)),
            element("rect", x=x, y=y, width=_WIDTH, height=_HEIGHT, rx=8),
            element("text", _cut(series.service, 20), class_="service", x=x + 11, y=y + 20),
            *(
                element("text", line, class_="metric", x=x + 11, y=y + 34 + 13 * row)
                for row, line in enumerate(_two_lines(metric_of(series), 21))
            ),
            *([element("text", since, class_="since", x=x + 11, y=y + 63)] if told else []),
            *tag,
            class_=f"node {role}".strip(),
        )

    def edge(self, edge: Edge, thickness: float, text: str) -> tuple[Markup, Markup]:
        """The line with its head, and the label that is drawn above all lines."""
        arc = (edge.cause, edge.effect)
        if arc in self._layout.backward:
            path, head, middle = self._loop(arc)
        else:
            path, head, middle = self._course(arc)
        sign = {1: "rises", -1: "falls"}.get(edge.sign, "either")
        group = element(
            "g",
            element("title", f"{edge.cause} → {edge.effect}, {text}"),
            element(
                "path",
                d=path,
                stroke_width=thickness,
                stroke_dasharray="7 5" if unsure(edge) else None,
            ),
            element("path", class_="head", d=head),
            class_=f"edge {sign}",
        )
        x, y = middle
        return group, element("text", text, class_="lag", x=x, y=y + 4)

    def _corner(self, place: tuple[int, float]) -> Point:
        layer, row = place
        return (
            _PAD_X + layer * (_WIDTH + _GAP),
            _PAD_Y + (row - self._low) * _PITCH,
        )

    def _spread_ports(self) -> dict[tuple[Series, Series], tuple[float, float]]:
        """Distances from the middle of a node's side at which an edge leaves and arrives."""
        leaves: dict[Series, list[tuple[float, tuple[Series, Series]]]] = {}
        arrives: dict[Series, list[tuple[float, tuple[Series, Series]]]] = {}
        for arc, course in self._layout.courses.items():
            if arc not in self._layout.backward:
                leaves.setdefault(arc[0], []).append((course[1][1], arc))
                arrives.setdefault(arc[1], []).append((course[-2][1], arc))
        start, end = (_ports(side) for side in (leaves, arrives))
        return {arc: (start[arc], end[arc]) for arc in start}

    def _course(self, arc: tuple[Series, Series]) -> tuple[str, str, Point]:
        corners = [self._corner(place) for place in self._layout.courses[arc]]
        leave, arrive = self._ports[arc]
        middle = _HEIGHT / 2
        x, y = corners[0][0] + _WIDTH, corners[0][1] + middle + leave
        tip = (corners[-1][0] - 1, corners[-1][1] + middle + arrive)
        path = [f"M{x:.1f} {y:.1f}"]
        for left, top in corners[1:-1]:
            path.append(_curve(x, y, left, top + middle) + f"h{_WIDTH:.1f}")
            x, y = left + _WIDTH, top + middle
        path.append(_curve(x, y, tip[0] - 8, tip[1]))
        straight = abs(y - tip[1]) < 12
        label = ((x + tip[0]) / 2 - 3, (y + tip[1]) / 2 - (10 if straight else 0))
        return "".join(path), _head(*tip), label

    def _loop(self, arc: tuple[Series, Series]) -> tuple[str, str, Point]:
        """A feedback edge: out at the bottom, back below everything, in at the bottom."""
        (x1, y1), (x2, y2) = (self._corner(place) for place in self._layout.courses[arc])
        depth = self._floor + 22 + 12 * self._loops.index(arc)
        x1, x2 = x1 + 0.6 * _WIDTH, x2 + 0.4 * _WIDTH
        y1, y2 = y1 + _HEIGHT, y2 + _HEIGHT
        side = -24.0 if x2 < x1 else 24.0
        path = (
            f"M{x1:.1f} {y1:.1f}Q{x1:.1f} {depth:.1f} {x1 + side:.1f} {depth:.1f}"
            f"H{x2 - side:.1f}Q{x2:.1f} {depth:.1f} {x2:.1f} {y2 + 8:.1f}"
        )
        head = f"M{x2:.1f} {y2 + 1:.1f}l-4.5 8h9z"
        return path, head, ((x1 + x2) / 2, depth)


def _ports(
    side: Mapping[Series, list[tuple[float, tuple[Series, Series]]]],
) -> dict[tuple[Series, Series], float]:
    found: dict[tuple[Series, Series], float] = {}
    for edges in side.values():
        gap = min(14.0, (_HEIGHT - 16) / len(edges))
        for k, (_, arc) in enumerate(sorted(edges)):
            found[arc] = (k - (len(edges) - 1) / 2) * gap
    return found


def _curve(x: float, y: float, to_x: float, to_y: float) -> str:
    bend = (to_x - x) / 2
    return f"C{x + bend:.1f} {y:.1f} {to_x - bend:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f}"


def _head(x: float, y: float) -> str:
    return f"M{x:.1f} {y:.1f}l-9 -4.5v9z"


def _two_lines(text: str, most: int) -> tuple[str, ...]:
    """A name broken behind the last underscore, space or point that fits."""
    if len(text) <= most:
        return (text,)
    end = 1 + max(text.rfind(sign, 0, most) for sign in "_ .:@")
    end = end if end > most // 3 else most
    return text[:end].rstrip(), _cut(text[end:].lstrip(), most)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
