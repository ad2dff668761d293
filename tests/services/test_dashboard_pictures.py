"""Plots, layouts and wording: pure functions, looked at one by one."""

from __future__ import annotations

import math
import re
from itertools import pairwise

import pytest

from rootward.model.graph import CausalGraph, Edge
from rootward.model.series import Series
from rootward_dashboard import charts, figures, graph_drawing, graph_layout, svg
from rootward_dashboard.axes import TimeAxis, ValueAxis, stretches, thinned
from rootward_dashboard.charts import Frame, Mark, Trace
from rootward_dashboard.graph_drawing import Legend
from rootward_dashboard.spread import MOST_NODES, spread, whole
from tests.services import made_up_incident as shop


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.2134, "0.213"),
        (-2.5, "−2.5"),
        (999.4, "999"),
        (1_234_567.0, "1.23 M"),
        (0.0000123, "1.23e−5"),
        (math.nan, "–"),
        (None, "–"),
        (-math.inf, "−∞"),
    ],
)
def test_numbers_have_three_significant_digits_at_most(value: float | None, text: str):
    assert figures.number(value) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.21, "s", "210 ms"),
        (0.0000031, "s", "3.1 µs"),
        (2.9, "s", "2.9 s"),
        (3840.0, "s", "1 h 4 min"),
        (3.25e8, "B", "310 MiB"),
        (12.0, "B", "12 B"),
        (41.26, "%", "41.3 %"),
        (1500.0, "ms", "1.5 s"),
        (31.0, "", "31"),
    ],
)
def test_quantities_come_in_the_multiple_that_suits_them(value: float, unit: str, text: str):
    assert figures.quantity(value, unit) == text


def test_a_probability_is_never_told_as_certainty():
    told = [figures.in_ten(v) for v in (1.0, 0.96, 0.86, 0.5, 0.06, 0.0)]
    assert told == [
        "more than 9 in 10",
        "more than 9 in 10",
        "about 9 in 10",
        "about 5 in 10",
        "about 1 in 10",
        "fewer than 1 in 10",
    ]


def test_times_say_how_long_ago_and_when():
    assert figures.ago(1000.0, 1730.0) == "12 min ago"
    assert figures.ago(1000.0, 1001.0) == "just now"
    assert figures.ago(1060.0, 1000.0) == "in 1 min"
    assert figures.stamp(1_790_000_000.0) == "2026-09-21 14:13:20 UTC"
    assert figures.rfc3339(1_790_000_000.25) == "2026-09-21T14:13:20.250Z"
    assert figures.offset(-90.0) == "−1 min 30 s"


@pytest.mark.parametrize("width", [30.0, 600.0, 3600.0, 86400.0, 40 * 86400.0])
def test_time_ticks_are_few_round_and_inside(width: float):
    axis = TimeAxis(1_790_000_007.0, 1_790_000_007.0 + width)
    ticks = axis.ticks()
    assert 1 <= len(ticks) <= 7
    assert all(0.04 <= place <= 0.96 for place, _ in ticks)
    assert len({label for _, label in ticks}) == len(ticks)


@pytest.mark.parametrize(("low", "high"), [(0.0, 3.1), (0.19, 0.21), (-5.0, 17.0), (3.1e8, 3.3e8)])
def test_value_ticks_are_few_and_evenly_spaced(low: float, high: float):
    ticks = ValueAxis(low, high).ticks()
    assert 1 <= len(ticks) <= 4
    assert all(low <= t <= high for t in ticks)
    gaps = [b - a for a, b in pairwise(ticks)]
    assert all(g == pytest.approx(gaps[0]) for g in gaps)


def test_bytes_are_ticked_in_powers_of_1024():
    ticks = ValueAxis(0.0, 5 * 2.0**20).ticks(unit=figures.multiple(5 * 2.0**20, "B"))
    assert [t / 2**20 for t in ticks] == [0, 2, 4]


def test_a_flat_line_has_an_axis_around_it():
    axis = ValueAxis.over([5.0, 5.0, None, math.nan])
    assert axis.low < 5.0 < axis.high


def test_thinning_keeps_peaks_and_gaps():
    times = [float(t) for t in range(5000)]
    values: list[float | None] = [0.0] * 5000
    values[3333] = 99.0
    values[1000:1100] = [None] * 100
    few_times, few = thinned(times, values, budget=500)
    assert len(few_times) == len(few) <= 520
    assert max(v for v in few if v is not None) == 99.0
    assert len(stretches(few_times, few)) == 2


def test_a_hole_in_the_recording_breaks_the_line():
    times = [0.0, 15.0, 30.0, 300.0, 315.0]
    assert [len(run) for run in stretches(times, [1.0] * 5)] == [3, 2]
    assert [len(run) for run in stretches(times[:3], [1.0, None, math.nan])] == [1]


def test_a_plot_says_what_it_shows_and_marks_the_onset():
    frame = Frame(TimeAxis(0.0, 100.0), "s", (1.0, 2.0), (60.0, 100.0), (Mark(60.0, "onset"),))
    trace = Trace("x", [0.0, 50.0, 100.0], [1.0, None, 2.0])
    picture = charts.time_plot([trace], frame, "x rises")
    assert 'role="img"' in picture
    assert 'aria-label="x rises"' in picture
    assert 'class="band"' in picture
    assert 'x="60%"' in picture
    (path,) = re.findall(r' d="([^"]*)"', picture)
    assert path.count("M") == 2


@pytest.mark.parametrize("values", [[], [None, None], [1.0], [math.nan, math.inf]])
def test_a_plot_of_next_to_nothing_is_still_a_picture(values: list[float | None]):
    times = [15.0 * k for k in range(len(values))]
    frame = Frame(TimeAxis.over(times))
    assert "nan" not in charts.time_plot([Trace("x", times, values)], frame, "x")


def test_a_negative_bar_runs_to_the_left_of_zero():
    picture = charts.bar(-1.0, -1.0, 3.0, "minus one")
    assert 'class="fill below"' in picture
    assert 'x="0%"' in picture
    assert 'width="25%"' in picture


def test_names_cannot_break_out_of_a_picture():
    picture = svg.element("text", '<b>"', aria_label="\"'<>&", stroke_width=1.239)
    assert picture == (
        '<text aria-label="&quot;&#x27;&lt;&gt;&amp;" stroke-width="1.24">&lt;b&gt;&quot;</text>'
    )


def test_effects_stand_right_of_their_causes():
    arcs = [("a", "b"), ("b", "c"), ("a", "c"), ("c", "d"), ("b", "d")]
    layout = graph_layout.layered("abcd", arcs)
    assert layout.backward == frozenset()
    assert all(layout.places[a][0] < layout.places[b][0] for a, b in arcs)
    assert [layout.places[n][0] for n in "abcd"] == [0, 1, 2, 3]
    assert len(layout.courses["a", "c"]) == 3


def test_an_edge_that_closes_a_cycle_runs_backward():
    layout = graph_layout.layered("abc", [("a", "b"), ("b", "c"), ("c", "a")])
    assert layout.backward == {("c", "a")}
    assert [layout.places[n][0] for n in "abc"] == [0, 1, 2]


def test_ordering_by_barycentres_undoes_a_crossing():
    arcs = [("s", "a"), ("s", "b"), ("a", "y"), ("b", "x"), ("x", "t"), ("y", "t")]
    layout = graph_layout.layered("sabxyt", arcs)
    up = {n: layout.places[n][1] for n in "abxy"}
    assert (up["a"] < up["b"]) == (up["y"] < up["x"])


def test_no_two_nodes_share_a_place():
    nodes = list(range(15))
    arcs = [(a, b) for a in nodes for b in nodes if a < b and (a * 7 + b) % 3 == 0]
    layout = graph_layout.layered(nodes, arcs)
    assert len(set(layout.places.values())) == 15


def test_the_spread_is_what_lies_on_strong_paths_from_cause_to_symptom():
    part = spread(shop.graph(), shop.LOCKS, shop.FRONTEND)
    assert part.connected
    assert part.series[0] == shop.LOCKS
    assert part.series[-1] == shop.FRONTEND
    assert set(part.series) == {
        shop.LOCKS,
        shop.ORDERS,
        shop.CHECKOUT,
        shop.CHECKOUT_POOL,
        shop.FRONTEND,
    }
    assert shop.CATALOG not in part.series


def test_the_spread_of_a_large_graph_is_small_and_holds_the_best_path():
    many = [Series.of(f"m{k}", f"s{k}") for k in range(60)]
    edges = [Edge(a, b, 1, 0.5) for k, a in enumerate(many) for b in many[k + 1 : k + 9]]
    strong = [Edge(many[0], many[20], 1, 0.9), Edge(many[20], many[59], 2, 0.9)]
    part = spread(CausalGraph(tuple(many), (*edges, *strong)), many[0], many[59])
    assert len(part.series) <= MOST_NODES
    assert {many[0], many[20], many[59]} <= set(part.series)
    assert set(strong) <= set(part.edges)


def test_without_a_path_the_spread_shows_neighbours_and_says_so():
    graph = CausalGraph(shop.EVERY, (Edge(shop.LOCKS, shop.ORDERS, 1, 0.5),))
    part = spread(graph, shop.LOCKS, shop.FRONTEND)
    assert not part.connected
    assert set(part.series) == {shop.LOCKS, shop.ORDERS, shop.FRONTEND}


def test_a_cause_that_is_the_symptom_has_neighbours_too():
    part = spread(shop.graph(), shop.FRONTEND, shop.FRONTEND)
    assert not part.connected
    assert part.series.count(shop.FRONTEND) == 1
    assert shop.CHECKOUT in part.series


def test_a_graph_of_hundreds_is_drawn_by_its_strongest_edges():
    many = [Series.of(f"m{k}", f"s{k}") for k in range(300)]
    edges = tuple(Edge(a, b, 1, 1.0 / (k + 1)) for k, (a, b) in enumerate(pairwise(many)))
    part = whole(CausalGraph(tuple(many), edges))
    assert len(part.series) <= MOST_NODES
    assert edges[0] in part.edges


def test_a_drawing_shows_sign_lag_strength_and_doubt():
    graph = CausalGraph(
        (shop.LOCKS, shop.ORDERS, shop.FRONTEND),
        (
            Edge(shop.LOCKS, shop.ORDERS, 1, 1.0, 1, 0.9),
            Edge(shop.ORDERS, shop.FRONTEND, 2, 0.5, -1, 0.4),
        ),
    )
    part = spread(graph, shop.LOCKS, shop.FRONTEND)
    legend = Legend(15.0, {shop.LOCKS: "cause"}, {shop.LOCKS: shop.ONSET})
    picture = graph_drawing.drawing(part, legend, "locks to frontend")
    assert ">+ 15 s<" in picture
    assert ">− 30 s<" in picture
    assert picture.count("stroke-dasharray") == 1
    assert "changed 14:01:20" in picture
    assert ">cause<" in picture
    widths = [float(w) for w in re.findall(r'stroke-width="([\d.]+)"', picture)]
    assert max(widths) / min(widths) > 1.3


def test_a_feedback_edge_is_drawn_below_the_nodes():
    graph = CausalGraph(
        (shop.LOCKS, shop.ORDERS),
        (Edge(shop.LOCKS, shop.ORDERS, 1, 1.0), Edge(shop.ORDERS, shop.LOCKS, 1, 0.8)),
    )
    picture = graph_drawing.drawing(spread(graph, shop.LOCKS, shop.ORDERS), Legend(15.0), "loop")
    assert picture.count('class="edge') == 2
