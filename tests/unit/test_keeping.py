"""A kept graph: what changed is relearnt alone, and what only follows changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from rootward.methods.discovery.ridge_granger import RidgeGranger
from rootward.model.change_event import ChangeEvent, ChangeKind
from rootward.model.graph_version import Reason
from rootward.model.series import Series
from rootward.model.window import Window
from rootward.numerics.simulate import Fault, System, simulate
from rootward.rca import keeping

START, STEP, ROWS, LATER = 1_700_000_000.0, 15.0, 360, 240
SERIES = tuple(Series.of(f"m{k}_seconds", "cart" if k < 5 else "stock") for k in range(10))
CAUSE, OTHER, CHANGED, OUTSIDE = 0, 9, 2, 7


def system(seed: int) -> System:
    """Ten series with memory; the third follows the first, and two others are driven by none."""
    rng = np.random.default_rng(seed)
    own, weights = rng.uniform(0.3, 0.8, 10), np.zeros((2, 10, 10))
    for effect in range(10):
        for cause in rng.choice(10, 2, replace=False):
            if cause < effect:
                size = rng.choice([-1, 1]) * rng.uniform(0.4, 0.7)
                weights[rng.integers(2), cause, effect] = size
    weights[:, :, [CAUSE, OTHER]] = 0.0
    weights[:, :, CHANGED] = 0.0
    weights[0, CAUSE, CHANGED] = 1.0
    return System(own, weights, np.ones(10))


def rewired(before: System) -> System:
    """The third series follows the last one from now on."""
    weights = before.weights.copy()
    weights[0, CAUSE, CHANGED] = 0.0
    weights[0, OTHER, CHANGED] = 1.0
    return replace(before, weights=weights)


def window(values: np.ndarray, first: int = 0) -> Window:
    return Window(SERIES, START + STEP * (first + np.arange(len(values))), values, STEP)


def stretches(seed: int, after: System | None = None) -> tuple[Window, Window]:
    """Two stretches, the later one of another system if there is one."""
    rng = np.random.default_rng(seed + 1000)
    before = system(seed)
    reference = simulate(before, ROWS, rng)
    return window(reference), window(simulate(after or before, LATER, rng), ROWS)


def test_nothing_changes_while_noise_with_memory_is_all_there_is(measured: Callable[[str], None]):
    systems = 40
    false = sum(keeping.broken(*stretches(k), "cart") is not None for k in range(systems))
    measured(f"{false} of {systems} stationary comparisons found a changed column")
    assert false <= 2  # three or more of forty at one in a hundred: a chance of 1 %


def test_a_planted_column_is_found_and_it_alone(measured: Callable[[str], None]):
    systems, found, alone = 15, 0, 0
    for k in range(systems):
        seen = keeping.broken(*stretches(k, rewired(system(k))), "cart")
        found += seen is not None and SERIES[CHANGED] in seen.columns
        alone += seen is None or seen.columns == (SERIES[CHANGED],)
    measured(f"{found} of {systems} rewired columns found, no other in {alone}")
    assert found >= 0.7 * systems
    assert alone >= 0.9 * systems


def test_a_level_that_a_cause_passes_on_breaks_no_mechanism():
    fooled = 0
    for k in range(10):
        values = simulate(
            system(k), ROWS + LATER, np.random.default_rng(k), Fault(OUTSIDE, ROWS, 8.0)
        )
        seen = keeping.broken(window(values[:ROWS]), window(values[ROWS:], ROWS), "cart")
        fooled += seen is not None
    assert fooled <= 1


def test_the_next_version_has_the_changed_column_anew_and_keeps_all_others():
    reference, recent = stretches(1, rewired(system(1)))
    discovery = RidgeGranger()
    first = keeping.first_version(
        reference, keeping.learnt(reference, "cart", discovery), tenant="a", service="cart", now=1.0
    )
    edges = keeping.learnt(recent, "cart", discovery)
    found = keeping.broken(reference, recent, "cart")
    assert found is not None
    second = keeping.relearnt(first, recent, edges, found.columns, 2.0)

    def others(version: keeping.GraphVersion) -> set[object]:
        return {e for e in version.graph.edges if e.effect != SERIES[CHANGED]}

    assert (second.number, second.reason) == (2, Reason.STRUCTURE)
    assert others(second) == others(first)
    assert [(e.cause, e.effect) for e in second.lost] == [(SERIES[CAUSE], SERIES[CHANGED])]
    assert [(e.cause, e.effect) for e in second.gained] == [(SERIES[OTHER], SERIES[CHANGED])]
    deploy = ChangeEvent("a", "argo", "7", START + 350 * STEP, ChangeKind.DEPLOY, "cart", "1.4")
    elsewhere = replace(deploy, id="8", service="stock", at_unix=START + 355 * STEP)
    notice = keeping.drift_notice(second, [deploy, elsewhere], float(recent.times[found.first]))
    assert notice is not None
    assert notice.event_id == "7"
    assert notice.text == (
        "After deploy 1.4 of cart at 23:40:50 UTC, m2_seconds no longer follows m0_seconds and "
        "now follows stock|m9_seconds with lag 15 s."
    )
    assert keeping.drift_notice(second, [elsewhere], START + ROWS * STEP) is None


def test_series_that_are_measured_no_more_lose_no_edges():
    reference, recent = stretches(2)
    edges = keeping.learnt(reference, "cart", RidgeGranger())
    first = keeping.first_version(reference, edges, tenant="a", service="cart", now=1.0)
    rest = keeping.aligned(recent.select(range(1, 10)), SERIES)
    assert rest is not None
    again = keeping.learnt(rest, "cart", RidgeGranger())
    assert keeping.differences(first.graph, again, first.columns, rest)[1] == ()
    assert keeping.aligned(recent.select([0, 1]), SERIES) is None


def test_instances_that_come_and_go_are_one_column():
    one, two = (Series.of("cpu_ratio", "cart", instance=name) for name in ("a", "b"))
    values = np.array([[1.0, 3.0], [np.nan, 4.0], [np.nan, np.nan]])
    frame = Window((one, two), START + STEP * np.arange(3), values, STEP)
    pooled = keeping.pooled(frame)
    assert pooled.series == (Series.of("cpu_ratio", "cart"),)
    assert pooled.values[:2, 0].tolist() == [2.0, 4.0]
    assert np.isnan(pooled.values[2, 0])


def test_a_wide_system_is_screened_to_what_moves_with_the_service():
    rng = np.random.default_rng(0)
    load = rng.standard_normal((ROWS, 1))
    values = np.hstack([load[:-1], 0.9 * load[1:], rng.standard_normal((ROWS - 1, 60))])
    names = [Series.of("latency_seconds", "cart"), Series.of("latency_seconds", "stock")]
    names += [Series.of(f"gauge_{k}", "batch") for k in range(60)]
    whole = Window(tuple(names), START + STEP * np.arange(ROWS - 1), values, STEP)
    kept = keeping.screened(whole, "cart")
    assert len(kept.series) == 1 + keeping.OTHERS
    assert {names[0], names[1]} <= set(kept.series)
