"""CUSUM finds every series that leaves its course, causes and followers alike."""

from rootward.methods.change.causal_bandit.method import CausalBandit
from rootward.methods.change.cusum import Cusum
from rootward.testing import cases


def test_it_finds_a_shift_and_when_it_began():
    case = cases.chain(rows=240, seed=2, length=4, fault=6.0).case()
    result = Cusum().run(case)
    first = result.blocks[0].rows[0]
    assert first[0] == "x0|x0"
    assert case.window.times[case.window.onset] == cases.START_UNIX + 200 * cases.STEP_SECONDS
    assert first[1] == "22:30:00"


def test_it_is_fooled_by_what_is_passed_on_where_the_mechanism_detector_is_not():
    case = cases.chain(rows=240, seed=2, length=6, fault=8.0).case()
    assert Cusum().run(case).headline.value == 6
    assert CausalBandit().run(case).headline.value == 1


def test_noise_with_a_memory_is_no_change():
    window = cases.noise(rows=300, seed=3, own=0.8).window.with_onset(200)
    assert Cusum().run(cases.Planted(window, frozenset()).case()).found is False
