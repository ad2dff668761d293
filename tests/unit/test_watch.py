"""The watch over mechanisms: calibrated, quick, and not fooled by what is passed on."""

import numpy as np
import pytest

from rootward.errors import InsufficientData
from rootward.numerics.laws import Group, carried, learnt_laws
from rootward.numerics.simulate import Fault, System, simulate
from rootward.numerics.watch import Watch, thresholds

BASELINE = 600


def _chain(own: float = 0.5, length: int = 5) -> System:
    weights = np.zeros((1, length, length))
    weights[0, np.arange(length - 1), np.arange(1, length)] = 0.7
    return System(np.full(length, own), weights, np.ones(length))


def _watch(values: np.ndarray, false_rows: float = 1e-6) -> Watch:
    laws = learnt_laws(
        values[:BASELINE], np.arange(BASELINE), [Group(tuple(range(values.shape[1])))]
    )
    return Watch(laws, false_rows)


def _changed(watch: Watch, rows: np.ndarray) -> dict[int, int]:
    """Column and row of the first alarm of each series."""
    found: dict[int, int] = {}
    for row, values in enumerate(rows):
        for column in np.flatnonzero(watch.step(values).changed):
            found.setdefault(int(column), row)
    return found


@pytest.mark.parametrize(("size", "rows"), [(2.0, 120), (6.0, 15), (40.0, 4)])
def test_a_broken_head_alarms_and_its_followers_do_not(size, rows):
    rng = np.random.default_rng(1)
    values = simulate(_chain(), BASELINE + 300, rng, Fault(0, BASELINE + 100, size))
    found = _changed(_watch(values), values[BASELINE:])
    assert list(found) == [0]
    assert 100 <= found[0] <= 100 + rows


def test_a_link_that_broke_alarms_at_its_end():
    before, after = _chain(), _chain()
    after.weights[0, 1, 2] = -0.7
    values = simulate(before, BASELINE, np.random.default_rng(2))
    later = simulate(after, 400, np.random.default_rng(3))
    found = _changed(_watch(values), later)
    assert list(found) == [2]


@pytest.mark.parametrize("own", [0.0, 0.8])
def test_noise_with_a_memory_and_heavy_tails_alarms_no_oftener_than_stated(own):
    rng = np.random.default_rng(4)
    noise = rng.standard_t(5, (BASELINE + 2000, 40))
    values = np.zeros_like(noise)
    for t in range(1, len(noise)):
        values[t] = own * values[t - 1] + noise[t]
    laws = learnt_laws(values[:BASELINE], np.arange(BASELINE), [Group((c,)) for c in range(40)])
    watch = Watch(laws, 1e-4)
    alarms = 0
    for row in values[BASELINE:]:
        changed = np.flatnonzero(watch.step(row).changed)
        alarms += len(changed)
        watch.restart(changed)
    assert alarms <= 2 * 1e-4 * 2000 * 40


def test_thresholds_rise_with_the_tail_of_the_noise():
    rng = np.random.default_rng(5)
    normal = thresholds(rng.standard_normal((2000, 1)), 1e-6)
    heavy = thresholds(rng.standard_t(3, (2000, 1)), 1e-6)
    assert (heavy >= normal).all()
    assert heavy.max() > normal.max()


def test_only_the_restarted_series_begins_anew():
    values = simulate(_chain(), BASELINE + 200, np.random.default_rng(6))
    values[BASELINE + 50 :, [0, 3]] += 5.0
    watch = _watch(values)
    seen = [watch.step(row) for row in values[BASELINE : BASELINE + 80]][-1]
    assert seen.changed[[0, 3]].all()
    watch.restart(np.array([0]))
    again = watch.step(values[BASELINE + 80])
    assert not again.changed[0]
    assert again.changed[3]


def test_a_series_that_is_not_measured_keeps_its_place():
    values = simulate(_chain(), BASELINE + 60, np.random.default_rng(7))
    watch = _watch(values)
    holed = values[BASELINE:].copy()
    holed[:, 2] = np.nan
    found = _changed(watch, holed)
    assert 2 not in found


def test_a_constant_series_has_no_law_and_never_alarms():
    values = simulate(_chain(), BASELINE + 60, np.random.default_rng(8))
    values[:BASELINE, 1] = 3.0
    watch = _watch(values)
    assert np.isinf(watch.thresholds[:, 1]).all()
    assert 1 not in _changed(watch, values[BASELINE:])


def test_few_rows_are_refused():
    with pytest.raises(InsufficientData, match="60"):
        learnt_laws(np.zeros((40, 2)), np.arange(40), [Group((0, 1))])


def test_holes_take_the_value_before_them():
    holed = np.array([[np.nan, 1.0], [2.0, np.nan], [np.nan, np.nan]])
    assert np.array_equal(carried(holed), [[np.nan, 1.0], [2.0, 1.0], [2.0, 1.0]], equal_nan=True)
