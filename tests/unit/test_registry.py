import pytest

from rootward.errors import InvalidParameters, NotFound
from rootward.methods import registry


def test_a_count_may_grow_and_not_without_end():
    most = 20 * 50
    assert registry.load().make("run_faithful", {"epochs": most}) is not None
    with pytest.raises(InvalidParameters, match="at most 1000"):
        registry.load().make("run_faithful", {"epochs": most + 1})


def test_an_unknown_method_or_parameter_is_refused_with_what_there_is():
    with pytest.raises(NotFound, match="ridge_granger"):
        registry.load().make("magic")
    with pytest.raises(InvalidParameters, match="max_lag"):
        registry.load().make("ridge_granger", {"depth": 3})


def test_parameters_may_follow_a_name():
    assert registry.spelled("pc") == ("pc", {})
    told = "neural_granger:density=0.25:steps=40:device=cpu"
    name, parameters = registry.spelled(told)
    assert (name, parameters) == ("neural_granger", {"density": 0.25, "steps": 40, "device": "cpu"})
    with pytest.raises(InvalidParameters, match="not parameter=value"):
        registry.spelled("pc:significance")
