"""Plots as SVG: they fill the width they get, text keeps its size, colours come from the style.

Places across are percentages, places down are pixels; curves lie in an inner drawing that is
stretched without thickening its lines. So one picture fits a phone, a desk and a sheet of paper.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rootward_dashboard import figures, svg
from rootward_dashboard.axes import TimeAxis, ValueAxis, stretches, thinned
from rootward_dashboard.svg import Markup, element

_ACROSS = 1000.0
_TOP = 16.0
_FOOT = 18.0
_ROW = 14.0
_SPARKLINE_POINTS = 80
STYLES = 8
"""Line styles that the style sheet knows; the ninth line looks like the first again."""


@dataclass(frozen=True)
class Trace:
    """A line of a plot; None where nothing was measured."""

    name: str
    times: Sequence[float]
    values: Sequence[float | None]
    style: int = 0
    """Colour and dash pattern, 0 to 7."""


@dataclass(frozen=True)
class Mark:
    """A vertical line at a time, with a word beside it."""

    unix: float
    text: str
    style: str = "onset"


@dataclass(frozen=True)
class Frame:
    """What lies behind the lines of a plot."""

    axis: TimeAxis
    unit: str = ""
    band: tuple[float, float] | None = None
    """Lowest and highest value of the baseline."""
    shade: tuple[float, float] | None = None
    """From when to when the incident lasted."""
    marks: tuple[Mark, ...] = ()
    height: int = 132

    @property
    def top(self) -> float:
        """Where the plot begins: below a row for each mark."""
        return max(_TOP, 4.0 + _ROW * len(self.marks))


def time_plot(traces: Sequence[Trace], frame: Frame, label: str) -> Markup:
    """Lines over time with the baseline band, the incident's shading and onset marks.

    `label` says in words what there is to see; gaps in the recording are gaps in the line.
    """
    values = [v for trace in traces for v in trace.values]
    scale = ValueAxis.over([*values, *(frame.band or ())])
    room = frame.height - frame.top - _FOOT
    return element(
        "svg",
        *_shade(frame, room),
        *_band(frame, scale, room),
        *_grid(frame, scale, room),
        *_time_labels(frame),
        element(
            "svg",
            *(_line(trace, frame.axis, scale, room) for trace in traces),
            viewBox=f"0 0 {_ACROSS:.0f} {room:.0f}",
            preserveAspectRatio="none",
            y=frame.top,
            width="100%",
            height=room,
        ),
        *_marks(frame, room),
        *_value_labels(frame, scale, room),
        class_="plot",
        role="img",
        aria_label=label,
        width="100%",
        height=frame.height,
    )


def sparkline(trace: Trace, axis: TimeAxis, onset: float | None, label: str) -> Markup:
    """A line without axes, shaded from the onset on."""
    height = 32.0
    times, values = thinned(trace.times, trace.values, _SPARKLINE_POINTS)
    trace = Trace(trace.name, times, values, trace.style)
    scale = ValueAxis.over(trace.values)
    shade = [] if onset is None else [_box("shade", axis.at(onset), 1.0, 0.0, height)]
    return element(
        "svg",
        *shade,
        element(
            "svg",
            _line(trace, axis, scale, height),
            viewBox=f"0 0 {_ACROSS:.0f} {height:.0f}",
            preserveAspectRatio="none",
            width="100%",
            height=height,
        ),
        class_="spark",
        role="img",
        aria_label=label,
        width="100%",
        height=height,
    )


def bar(value: float, low: float, high: float, label: str) -> Markup:
    """A horizontal bar from zero to a value on a scale that holds zero."""
    low, high = min(low, 0.0), max(high, 0.0)
    width = (high - low) or 1.0
    start, end = sorted(((0.0 - low) / width, (value - low) / width))
    return element(
        "svg",
        element("rect", class_="track", width="100%", height=8, rx=4),
        element(
            "rect",
            class_="fill" if value >= 0 else "fill below",
            x=svg.percent(start),
            width=svg.percent(max(end - start, 0.004)),
            height=8,
            rx=4,
        ),
        class_="bar",
        role="img",
        aria_label=label,
        width="100%",
        height=8,
    )


def lane(onset: float, axis: TimeAxis, first: float | None, label: str) -> Markup:
    """One row of a timeline: a dot at the onset, a hairline at the first onset of all."""
    start = [] if first is None else [_upright(axis.at(first), 0.0, 16.0, "origin")]
    return element(
        "svg",
        element("line", class_="rail", x1="0%", x2="100%", y1=8, y2=8),
        *start,
        element("circle", class_="dot", cx=svg.percent(axis.at(onset)), cy=8, r=4.5),
        class_="lane",
        role="img",
        aria_label=label,
        width="100%",
        height=16,
    )


def _line(trace: Trace, axis: TimeAxis, scale: ValueAxis, room: float) -> Markup:
    runs = stretches(*thinned(trace.times, trace.values))
    steps: list[str] = []
    for run in runs:
        points = [f"{_ACROSS * axis.at(t):.1f} {room * (1 - scale.at(v)):.1f}" for t, v in run]
        # a lone point is a line of no length: its round cap shows as a dot
        steps.append("M" + "L".join(points if len(points) > 1 else points * 2))
    return element(
        "path",
        class_=f"line line-{trace.style % STYLES}",
        d="".join(steps),
        vector_effect="non-scaling-stroke",
    )


def _box(style: str, start: float, end: float, top: float, height: float) -> Markup:
    return element(
        "rect",
        class_=style,
        x=svg.percent(start),
        width=svg.percent(max(end - start, 0.0)),
        y=top,
        height=height,
    )


def _upright(place: float, top: float, bottom: float, style: str) -> Markup:
    where = svg.percent(place)
    return element("line", class_=style, x1=where, x2=where, y1=top, y2=bottom)


def _shade(frame: Frame, room: float) -> list[Markup]:
    if frame.shade is None:
        return []
    start, end = (frame.axis.at(t) for t in frame.shade)
    return [_box("shade", start, end, frame.top, room)]


def _band(frame: Frame, scale: ValueAxis, room: float) -> list[Markup]:
    if frame.band is None:
        return []
    low, high = (scale.at(v) for v in frame.band)
    return [_box("band", 0.0, 1.0, frame.top + room * (1 - high), max(room * (high - low), 1.5))]


def _grid(frame: Frame, scale: ValueAxis, room: float) -> list[Markup]:
    rows = [frame.top + room * (1 - scale.at(v)) for v in _ticks(frame, scale)]
    lines = [element("line", class_="grid", x1="0%", x2="100%", y1=y, y2=y) for y in rows]
    ticks = [
        _upright(p, frame.top + room, frame.top + room + 4, "tick") for p, _ in frame.axis.ticks()
    ]
    foot = frame.top + room
    return [*lines, *ticks, element("line", class_="axis", x1="0%", x2="100%", y1=foot, y2=foot)]


def _ticks(frame: Frame, scale: ValueAxis) -> list[float]:
    highest = max(abs(scale.low), abs(scale.high))
    return scale.ticks(unit=figures.multiple(highest, frame.unit))


def _time_labels(frame: Frame) -> list[Markup]:
    return [
        element("text", text, class_="time", x=svg.percent(p), y=frame.height - 3)
        for p, text in frame.axis.ticks()
    ]


def _value_labels(frame: Frame, scale: ValueAxis, room: float) -> list[Markup]:
    return [
        element(
            "text",
            figures.quantity(value, frame.unit),
            class_="value",
            x=2,
            y=frame.top + room * (1 - scale.at(value)) - 3,
        )
        for value in _ticks(frame, scale)
    ]


def _marks(frame: Frame, room: float) -> list[Markup]:
    """Each mark's word has a row of its own, on the wider side of its line."""
    drawn: list[Markup] = []
    for row, mark in enumerate(frame.marks):
        place = frame.axis.at(mark.unix)
        late = place > 0.5
        y = 11 + _ROW * row
        drawn.append(_upright(place, y - 8, frame.top + room, f"mark {mark.style}"))
        drawn.append(
            element(
                "text",
                mark.text,
                class_=f"mark-text {mark.style}{' before' if late else ''}",
                x=svg.percent(place),
                dx=-4 if late else 4,
                y=y,
            )
        )
    return drawn
