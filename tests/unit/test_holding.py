"""What holding a series at its baseline takes away, against systems run again without the fault."""

import numpy as np
import pytest

from rootward.numerics.holding import Law, laws, shares_taken_away
from rootward.numerics.simulate import Fault, System, simulate

ROWS, ONSET = 400, 360
PARENTS = {1: [(0, 1)], 2: [(1, 1), (3, 1)]}
"""0 drives 1 drives 2, and 3 drives 2."""


def _system() -> System:
    weights = np.zeros((1, 4, 4))
    weights[0, 0, 1] = weights[0, 1, 2] = 0.7
    weights[0, 3, 2] = 0.3
    return System(np.full(4, 0.4), weights, np.ones(4))


def _run(*faults: Fault) -> np.ndarray:
    """The same noise each time; a linear system adds up what its faults do."""
    quiet = simulate(_system(), ROWS, np.random.default_rng(0))
    each = [simulate(_system(), ROWS, np.random.default_rng(0), fault) for fault in faults]
    return quiet + sum((one - quiet for one in each), np.zeros_like(quiet))


def _held(*columns: int) -> np.ndarray:
    return np.isin(np.arange(4), columns)[None, :]


def _since_gap() -> np.ndarray:
    return np.arange(ROWS)


@pytest.mark.parametrize(("first", "second"), [(10.0, 0.0), (10.0, 10.0), (4.0, 20.0)])
def test_the_share_is_that_of_a_run_without_the_fault(first, second):
    both = _run(Fault(0, ONSET, first), Fault(3, ONSET, second))
    without = _run(Fault(3, ONSET, second))
    truth = 1 - without[ONSET:, 2].mean() / both[ONSET:, 2].mean()

    known = laws(both, ONSET, _since_gap(), PARENTS)
    found = shares_taken_away(both, ONSET, known, _held(0), 2)

    assert found[0] == pytest.approx(truth, abs=0.15)


def test_a_loud_bystander_explains_little():
    """3 departs as far as the cause does, and passes hardly a tenth of it on."""
    system = _system()
    system.weights[0, 3, 2] = 0.05
    rng = np.random.default_rng
    quiet = simulate(system, ROWS, rng(1))
    cause = simulate(system, ROWS, rng(1), Fault(0, ONSET, 10.0))
    values = cause + simulate(system, ROWS, rng(1), Fault(3, ONSET, 10.0)) - quiet

    known = laws(values, ONSET, _since_gap(), PARENTS)
    held = np.vstack([_held(0), _held(3)])
    found = shares_taken_away(values, ONSET, known, held, 2)

    assert found[0] > 0.7
    assert found[1] < 0.2


def test_causes_that_do_not_count_surely_make_no_law():
    noise = np.random.default_rng(2).normal(size=(ROWS, 4))

    assert laws(noise, ONSET, _since_gap(), PARENTS) == {}


def test_few_rows_teach_no_law():
    assert laws(_run()[-30:], 20, np.arange(30), PARENTS) == {}


def test_effects_in_the_same_row_follow_one_another():
    z = np.zeros((20, 3))
    z[10:] = [4.0, 2.0, 1.0]
    known = {2: Law(0.0, ((1, 0),), (0.5,), 1.0), 1: Law(0.0, ((0, 0),), (0.5,), 1.0)}
    held = np.array([[True, False, False]])

    assert shares_taken_away(z, 10, known, held, 2)[0] == pytest.approx(1.0)


def test_gaps_are_bridged_by_the_row_before():
    z = np.zeros((20, 2))
    z[10:] = [4.0, 2.0]
    z[12:16, 0] = np.nan
    z[14, 1] = np.nan
    known = {1: Law(0.0, ((0, 1),), (0.5,), 1.0)}

    found = shares_taken_away(z, 10, known, np.array([[True, False]]), 1)

    assert found[0] == pytest.approx(8 / 9)  # the first row follows from the row before the onset


def test_no_excess_has_no_share():
    known = {1: Law(0.0, ((0, 1),), (0.5,), 1.0)}

    assert shares_taken_away(np.zeros((9, 2)), 5, known, np.array([[True, False]]), 1)[0] == 0
