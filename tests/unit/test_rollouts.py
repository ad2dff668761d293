"""A change that names instances becomes an experiment on the incident's own rows."""

from dataclasses import replace

import numpy as np
import pytest

from rootward.errors import InsufficientData
from rootward.methods.effects.invalid_instrument.method import InvalidInstrument
from rootward.model.case import Case
from rootward.model.change_event import ChangeEvent, ChangeKind
from rootward.model.result import CaveatCode
from rootward.model.series import Series
from rootward.model.window import Window
from rootward.rca.rollouts import experiment_of

ROWS, AT, STEP = 120, 80, 15.0
PODS = tuple(f"cart-{k}" for k in range(6))
CANARY = ("cart-1", "cart-4")


def _window(extra: float, seed: int = 0, metric: str = "latency_p95_seconds") -> Window:
    """Six pods, each with a level of its own; the canaries are slower by `extra` from row 80 on."""
    rng = np.random.default_rng(seed)
    series = tuple(Series.of(metric, "cart", instance=f"{pod}:8080") for pod in PODS)
    values = 0.2 + 0.1 * np.arange(6) + 0.01 * rng.standard_normal((ROWS, 6))
    for k, pod in enumerate(PODS):
        values[AT:, k] += extra * (pod in CANARY)
    return Window(series, STEP * np.arange(ROWS), values, STEP, AT + 2)


def _event(instances: str = ",".join(CANARY), service: str = "cart") -> ChangeEvent:
    details = (("instances", instances),)
    return ChangeEvent(
        "default", "/ci", "1", AT * STEP, ChangeKind.DEPLOY, service, "cart v2", details=details
    )


def test_the_effect_of_a_canary_is_read_off_its_pods_whatever_their_own_levels():
    window = _window(extra=0.3)
    found = experiment_of(_event(), window)
    assert found is not None
    result = InvalidInstrument().run(Case(window, experiment=found))
    assert result.found
    assert result.headline is not None
    assert result.headline.value == pytest.approx(0.3, abs=0.02)
    assert "2 clusters that got it" in result.answer
    assert [c.code for c in result.caveats] == [CaveatCode.NOT_IDENTIFIED]


def test_a_canary_that_does_nothing_is_seldom_blamed():
    claims = 0
    for seed in range(40):
        found = experiment_of(_event(), _window(extra=0.0, seed=seed))
        claims += bool(InvalidInstrument().run(Case(_window(0.0), experiment=found)).found)
    assert claims <= 4


@pytest.mark.parametrize(
    "event",
    [
        _event(instances=""),
        _event(instances="cart-1"),
        _event(instances=",".join(PODS)),
        _event(service="checkout"),
        replace(_event(), at_unix=3 * STEP),
        replace(_event(), at_unix=(ROWS - 1) * STEP),
    ],
    ids=["none named", "one named", "all named", "another service", "too early", "too late"],
)
def test_what_leaves_nothing_to_compare_is_no_experiment(event):
    assert experiment_of(event, _window(extra=0.3)) is None


def test_latency_is_compared_before_utilisation():
    slow, busy = _window(extra=0.3), _window(extra=0.0, metric="cpu_utilisation_ratio")
    both = Window(
        (*busy.series, *slow.series), slow.times, np.hstack((busy.values, slow.values)), STEP, AT
    )
    found = experiment_of(_event(), both)
    assert found is not None
    assert found.outcome_name == "latency_p95_seconds above its usual"


def test_clusters_that_got_it_in_part_cannot_be_compared():
    found = experiment_of(_event(), _window(extra=0.3))
    assert found is not None
    mixed = replace(found, clusters=("a",) * len(found.outcome))
    with pytest.raises(InsufficientData, match="units of both kinds"):
        InvalidInstrument().run(Case(_window(0.3), experiment=mixed))
