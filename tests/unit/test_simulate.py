import numpy as np
import pytest

from rootward.errors import InvalidInput
from rootward.numerics.simulate import System, simulate
from rootward.testing import cases


def test_a_fault_reaches_what_it_drives_and_nothing_else():
    planted = cases.chain(rows=600, seed=3, length=4, fault=10.0)
    upstream = cases.chain(rows=600, seed=3, length=4)
    shift = planted.window.incident.mean(0) - upstream.window.values[500:].mean(0)
    assert shift[0] == pytest.approx(10.0, rel=0.1)
    assert np.all(shift[1:] > 5.0)
    assert np.array_equal(planted.window.baseline, upstream.window.values[:500])


@pytest.mark.parametrize("fault", ["latency", "cpu", "errors"])
def test_a_shop_fault_is_visible_at_its_service_and_at_the_symptom(fault):
    planted = cases.shop(seed=1, fault=fault, service="catalog-db")
    window = planted.window
    moved = (window.incident.mean(0) - window.baseline.mean(0)) / window.baseline.std(0)
    assert moved[window.series.index(planted.cause)] > 5
    assert moved[planted.symptom] > 1


def test_one_seed_makes_one_case():
    first, again, other = cases.shop(seed=4), cases.shop(seed=4), cases.shop(seed=5)
    assert np.array_equal(first.window.values, again.window.values)
    assert not np.array_equal(first.window.values, other.window.values)


def test_the_healthy_shop_differs_from_the_broken_one_only_after_the_onset():
    broken, healthy = cases.shop(seed=2).window, cases.no_fault(seed=2).window
    assert np.array_equal(broken.baseline, healthy.baseline)
    assert not np.array_equal(broken.incident, healthy.incident)


def test_a_system_that_explodes_is_refused():
    weights = np.zeros((1, 2, 2))
    weights[0, 0, 1] = weights[0, 1, 0] = 3.0
    with pytest.raises(InvalidInput, match="explodes"):
        simulate(System(np.zeros(2), weights, np.ones(2)), 50, np.random.default_rng(0))


def test_the_named_edges_of_the_common_cause_leave_out_the_pair_that_it_drives():
    assert cases.common_cause(seed=1).named_edges == {("z", "x"), ("z", "y")}
