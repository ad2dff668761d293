"""CD-NOD names the mechanism that changed and leaves alone what merely followed."""

from dataclasses import replace

import numpy as np
import pytest

from rootward.errors import InsufficientData, InvalidParameters
from rootward.methods.discovery.cdnod.changes import (
    Changes,
    KernelIndexTest,
    LinearIndexTest,
    changed_mechanisms,
)
from rootward.methods.discovery.cdnod.directions import (
    directed_by_change,
    direction,
    driving_force,
)
from rootward.methods.discovery.cdnod.method import CDNOD, in_order, own_change
from rootward.model.case import Case
from rootward.model.change_event import ChangeEvent, ChangeKind
from rootward.model.result import CaveatCode
from rootward.numerics.structural import LinearEquations
from rootward.testing import cases

ROWS = 300
STEP = (np.arange(ROWS) >= ROWS // 2).astype(float)[:, None]
TIME = np.linspace(0, 1, ROWS)[:, None]
TREE = np.zeros((5, 5))
TREE[[0, 1, 1, 3], [1, 2, 3, 4]] = 0.8


def _shifted(seed: int) -> tuple[np.ndarray, int]:
    """Five metrics of which one gets its own shift of 3 in the second half."""
    rng = np.random.default_rng(seed)
    root, level = seed % 5, np.zeros(5)
    level[root] = 3.0
    before = LinearEquations(TREE, np.ones(5)).sample(ROWS // 2, rng)
    return np.vstack(
        (before, LinearEquations(TREE, np.ones(5), level).sample(ROWS // 2, rng))
    ), root


def _linear(x: np.ndarray, index: np.ndarray) -> Changes:
    test = LinearIndexTest.of(x, index, calm=len(x) // 2)
    return changed_mechanisms(test, significance=0.05, index_significance=0.02)


def _moved(x: np.ndarray) -> set[int]:
    """The baseline: whose mean moved by more than 3 standard errors."""
    one, other = np.split(x, 2)
    error = np.sqrt(one.var(axis=0) / len(one) + other.var(axis=0) / len(other))
    return set(np.flatnonzero(np.abs(other.mean(axis=0) - one.mean(axis=0)) > 3 * error).tolist())


@pytest.mark.parametrize("index", [STEP, TIME], ids=["known onset", "time alone"])
def test_the_shifted_metric_is_tied_to_the_index_and_no_other_is(index, measured):
    hits, false, false_of_baseline = 0, 0, 0
    for seed in range(10):
        x, root = _shifted(seed)
        changed = set(np.flatnonzero(_linear(x, index).changed).tolist())
        hits += root in changed
        false += len(changed - {root})
        false_of_baseline += len(_moved(x) - {root})
    measured(
        f"{hits} of 10 shifted metrics named and {false} others; a z-score of the mean names "
        f"{false_of_baseline} that only follow ({'onset known' if index is STEP else 'time alone'})"
    )
    assert hits >= 9
    assert false <= 1
    assert false_of_baseline >= 10


@pytest.mark.slow
def test_kernels_say_the_same(measured):
    hits, false = 0, 0
    for seed in range(4):
        x, root = _shifted(seed)
        test = KernelIndexTest(x[::2], STEP[::2])
        found = changed_mechanisms(
            test, significance=0.05, index_significance=0.02, most_conditions=2
        )
        hits += bool(found.changed[root])
        false += int(found.changed.sum()) - bool(found.changed[root])
    measured(f"kernels: {hits} of 4 shifted metrics named and {false} others")
    assert hits == 4
    assert false <= 1


def test_a_mechanism_that_only_became_noisier_is_seen_too():
    rng = np.random.default_rng(0)
    noise = np.array([1.0, 1.0, 1.0, 4.0, 1.0])
    quiet = LinearEquations(TREE, np.ones(5)).sample(ROWS // 2, rng)
    x = np.vstack((quiet, LinearEquations(TREE, noise).sample(ROWS // 2, rng)))
    assert np.flatnonzero(_linear(x, STEP).changed).tolist() == [3]


def test_a_change_directs_the_edges_around_it():
    x, root = _shifted(3)
    found = _linear(x, STEP)
    for effect in np.flatnonzero(TREE[root]).tolist():
        assert found.arrows[root, effect]
        assert not found.arrows[effect, root]
    for cause in np.flatnonzero(TREE[:, root]).tolist():
        assert found.arrows[cause, root]
        assert not found.arrows[root, cause]


def _both_changing(seed: int, windows: int = 20, rows: int = 30) -> tuple[np.ndarray, np.ndarray]:
    """x drives y; what x is and how it acts on y change independently from window to window."""
    rng = np.random.default_rng(seed)
    at = np.repeat(np.arange(windows), rows)
    level, spread = rng.normal(0, 1, windows), np.exp(rng.normal(0, 0.5, windows))
    slope, offset = rng.normal(1, 0.7, windows), rng.normal(0, 1, windows)
    x = level[at] + spread[at] * rng.standard_normal(len(at))
    y = offset[at] + slope[at] * x + 0.5 * rng.standard_normal(len(at))
    values = np.column_stack((x, y))
    return (values - values.mean(axis=0)) / values.std(axis=0), at


def test_independent_change_tells_cause_from_effect(measured):
    rng = np.random.default_rng(0)
    found = [direction(*_both_changing(seed), (0, 1), rng) for seed in range(40)]
    decided = [f for f in found if f.decided]
    right, sure = (float(np.mean([f.cause == 0 for f in one])) for one in (found, decided))
    measured(f"directions: {right:.0%} right; of the {len(decided)} called decided {sure:.0%}")
    assert right >= 0.85
    assert len(decided) >= 20
    assert sure >= 0.9


def test_directions_that_look_alike_stay_open():
    rng = np.random.default_rng(1)
    x = rng.standard_normal((600, 1))
    values = np.column_stack((x, x + 0.5 * rng.standard_normal((600, 1))))
    arrows = np.array([[False, True], [True, False]])
    found, evidence = directed_by_change(
        values, np.repeat(np.arange(20), 30), np.ones(2, dtype=bool), arrows, rng
    )
    assert np.array_equal(found, arrows)
    assert not evidence[0].decided


def test_the_driving_force_of_a_weight_shows_when_it_changed():
    rng = np.random.default_rng(2)
    x = rng.standard_normal((200, 1))
    weight = np.where(np.arange(200) >= 120, 2.0, 0.0)
    y = weight * x[:, 0] + 0.3 * rng.standard_normal(200)
    assert np.corrcoef(driving_force(y, x), weight)[0, 1] > 0.9


def test_in_the_shop_the_faulty_service_leads_those_that_changed():
    right = 0
    for seed in range(4):
        planted = cases.shop(seed, fault="errors", service="cart")
        result = CDNOD().run(planted.case())
        assert result.found
        right += f"{planted.cause} first" in result.answer
    assert right >= 3


def test_what_was_done_to_the_service_that_changed_is_said_and_to_another_not():
    planted = cases.shop(2, fault="errors", service="payment")
    onset = planted.window.onset_unix
    assert onset is not None
    done = [
        ChangeEvent(
            "default", "/ci", service, onset - 60, ChangeKind.DEPLOY, service, f"{service} v2"
        )
        for service in ("search", "payment")
    ]
    answer = CDNOD().run(replace(planted.case(), done=tuple(done))).answer
    assert "payment was deployed" in answer
    assert "60 s before the onset: payment v2." in answer
    assert "search" not in answer


def test_it_names_fewer_series_than_moved():
    result = CDNOD().run(cases.shop(2, fault="errors", service="payment").case())
    assert result.headline is not None
    assert result.baseline is not None
    assert result.headline.value < result.baseline.value


def test_scores_put_the_changed_series_first():
    planted = cases.shop(1, fault="errors", service="payment")
    scores = CDNOD().scores(planted.case())
    assert planted.window.series[int(scores.argmax())] == planted.cause


def test_little_data_is_said():
    window = cases.shop(1).window
    assert window.onset is not None
    with pytest.raises(InsufficientData, match="onset"):
        CDNOD().run(Case(window.with_onset(None)))
    with pytest.raises(InsufficientData, match="rows before the onset"):
        CDNOD().run(Case(window.rows(window.onset - 12, window.onset + 20)))
    with pytest.raises(InvalidParameters, match="significance"):
        CDNOD(significance=0.0)


def test_few_independent_rows_and_series_left_out_are_said():
    planted = cases.shop(1, fault="errors", service="payment")
    window = planted.window
    values = window.values.copy()
    place = {s: k for k, s in enumerate(window.series)}
    assert planted.cause is not None
    values[:, 0] = values[:, place[planted.cause]]
    result = CDNOD().run(Case(replace(window, values=values)))
    assert result.status == "weak"
    assert CaveatCode.DROPPED_SERIES in {c.code for c in result.caveats}
    assert result.inputs is not None
    assert "the same as" in next(iter(result.inputs.dropped.values()))


def test_a_change_of_spread_and_one_that_is_foretold_too_large_are_told_as_such():
    found = CDNOD().find(cases.chain(rows=400, seed=2, fault=8.0).case().window, 0)
    first = in_order(found)[0]
    moved, left = np.zeros_like(found.moved), np.zeros_like(found.left)
    moved[first] = left[first] = 0.67
    assert "less its mean" in own_change(replace(found, moved=moved, left=left), first)
    moved[first], left[first] = 400.0, -200.0
    told = own_change(replace(found, moved=moved, left=left), first)
    assert "shifted by +400 deviations, where what moves it foretells +600" in told
