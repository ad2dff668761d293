"""Evidence: each reason is a number with a unit that can be checked against the data."""

import numpy as np
import pytest

from rootward.methods.discovery.ridge_granger import RidgeGranger
from rootward.model.incident import Band, Candidate, Diagnosis
from rootward.model.series import Series
from rootward.model.window import Window
from rootward.model.wording import duration, listed, number, quantity
from rootward.rca.confidence import (
    HIGH,
    LEADS,
    LEAST_ROWS,
    LIKELY,
    MEDIUM,
    band_of,
    confidence,
    likely_count,
)
from rootward.rca.diagnose import diagnose
from rootward.testing import cases


@pytest.fixture(scope="module")
def found() -> Diagnosis:
    """A slow payment service, seen at the frontend, with a learnt graph and known calls."""
    planted = cases.shop(seed=0, service="payment", size=6.0)
    symptom = planted.window.series[planted.symptom]
    return diagnose(planted.window, discovery=RidgeGranger(), symptom=symptom, calls=planted.calls)


def _texts(candidate: Candidate, kind: str) -> str:
    return " ".join(e.text for e in candidate.evidence if e.kind == kind)


def test_the_size_names_both_levels_and_the_time(found):
    text = _texts(found.candidates[0], "size")

    assert text.startswith("payment|latency_p95_seconds rose from 0.05")
    assert " s to 0.1" in text
    assert "baseline deviations away, from 22:38:" in text


def test_the_order_is_told_against_the_symptom(found):
    text = _texts(found.candidates[0], "onset")

    assert "before the symptom frontend|latency_p95_seconds; a row is 5 s." in text


def test_the_path_to_the_symptom_has_its_lag_in_seconds(found):
    path = next(e for e in found.candidates[0].evidence if e.kind == "edges")

    assert "payment|latency_p95_seconds → checkout|latency_p95_seconds" in path.text
    assert path.unit == "s"
    assert path.value == pytest.approx(10.0)


def test_a_victim_is_told_that_its_causes_explain_it(found):
    frontend = next(c for c in found.candidates if c.service == "frontend")

    assert "passed on by its causes" in _texts(frontend, "mechanism")


def test_every_runner_up_is_told_why_it_is_not_first(found):
    for candidate in found.candidates[1:5]:
        assert "Not first: compared with payment|latency_p95_seconds, " in _texts(
            candidate, "against"
        )


def test_the_views_that_agree_are_named(found):
    assert "size of change" in _texts(found.candidates[0], "agreement")


def test_the_symptom_is_the_one_given(found):
    assert found.symptom == Series.of("latency_p95_seconds", "frontend")
    assert found.excerpts[0].series == found.symptom


def test_a_series_that_stopped_is_said_to_have_stopped():
    values = np.random.default_rng(0).normal(size=(100, 3))
    values[90:, 1] = np.nan
    series = tuple(Series.from_column(f"{s}|cpu_usage") for s in "abc")

    found = diagnose(Window(series, np.arange(100.0), values, 1.0, 90), discovery=None)

    assert found.candidates[0].service == "b"
    assert "stopped: 100 % of its rows are missing" in _texts(found.candidates[0], "size")


CALM, RESTLESS = 1.2, 4.0


def test_confidence_grows_with_size_and_with_the_lead():
    lead, tie, small = (
        confidence(np.array(s), 20, CALM) for s in ([6.0, 1.0], [6.0, 5.9], [2.5, 1.0])
    )

    assert lead > tie
    assert lead > small
    assert confidence(np.array([1.0, 0.0]), 20, CALM) == 0


def test_of_two_that_are_even_neither_is_the_cause_for_sure():
    assert confidence(np.array([9.0, 9.0]), 1000, CALM) == pytest.approx(0.5, abs=0.01)


def test_the_same_departure_says_less_where_series_wander_anyway():
    scores = np.array([4.5, 2.0])

    assert confidence(scores, 20, CALM) >= HIGH
    assert confidence(scores, 20, RESTLESS) < MEDIUM


def test_a_small_excess_is_beyond_example_where_nothing_wanders_at_all():
    calm, restless = (confidence(np.array([usual + 1.2, 0.0]), 60, usual) for usual in (0.8, 4.0))

    assert calm >= HIGH
    assert restless < MEDIUM


def test_an_onset_that_was_searched_for_takes_a_longer_baseline_to_be_sure():
    scores = np.array([5.0, 2.0])
    told, *found = (confidence(scores, 60, CALM, rows) for rows in (None, 200, 60, 12))

    assert told > found[0] >= HIGH
    assert found == sorted(found, reverse=True)
    assert found[-1] < MEDIUM


def test_one_or_two_rows_are_never_enough_to_be_sure():
    sure = [confidence(np.array([8.0, 0.0]), rows, CALM) for rows in (1, 2, 12, 60)]

    assert sure == sorted(sure)
    assert sure[1] < HIGH < sure[2]


def test_one_service_alone_has_a_confidence_too():
    assert 0 < confidence(np.array([5.0]), 20, CALM) < 1


def test_the_likely_set_holds_all_that_the_first_hardly_leads():
    lead = dict(LEADS)[LIKELY]
    scores = np.array([6.0, 6.0 - 0.9 * lead, 6.0 - 1.1 * lead, 0.0])

    assert likely_count(scores, 20) == 2
    assert likely_count(scores, LEAST_ROWS - 1) == 0


def test_a_higher_level_allows_a_larger_lead():
    assert [lead for _, lead in LEADS] == sorted(lead for _, lead in LEADS)


def test_the_likely_set_of_small_faults_holds_the_cause_more_often_than_the_first_is_it():
    first = held = told = 0
    for seed in range(12):
        planted = cases.shop(seed=seed, service="cart", size=6.0)
        diagnosis = diagnose(planted.window, discovery=None)
        told += bool(diagnosis.likely)
        held += "cart" in diagnosis.likely
        first += bool(diagnosis.likely) and diagnosis.likely[0] == "cart"

    assert told >= 8
    assert held >= max(first + 1, 0.9 * told)


def test_the_likely_set_is_told_with_how_far_to_believe_it(found):
    assert found.likely[0] == found.candidates[0].service
    assert any(
        caution.startswith("Not to be ruled out: payment")
        and "systems that were left out of the fit" in caution
        for caution in found.cautions
    )


def test_who_abstains_tells_no_likely_set():
    assert diagnose(cases.no_fault().window, discovery=None).likely == ()


@pytest.mark.parametrize(
    ("probability", "band"),
    [(HIGH, Band.HIGH), (MEDIUM, Band.MEDIUM), (MEDIUM - 0.01, Band.LOW), (0.0, Band.NONE)],
)
def test_bands_begin_at_their_bounds(probability, band):
    assert band_of(probability) is band


def test_numbers_read_as_people_write_them():
    assert [number(v) for v in (0.0, 1234.5, 0.0512, 2.5e9)] == ["0", "1230", "0.0512", "2.50e+09"]
    assert [duration(v) for v in (5.0, 119.0, 150.0, 7200.0)] == ["5 s", "119 s", "2.5 min", "2 h"]
    assert quantity(2.5e9, Series.of("memory_bytes", "a")) == "2.5 GB"
    assert quantity(12.0, Series.of("latency_ms", "a")) == "12 ms"
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"


def _explained(diagnosis: Diagnosis) -> dict[str, float]:
    return {
        candidate.service: e.value
        for candidate in diagnosis.candidates
        for e in candidate.evidence
        if e.kind == "explains"
    }


def test_holding_the_cause_takes_the_excess_of_the_symptom_away():
    planted = cases.shop(seed=0, service="cart", size=8.0)
    symptom = planted.window.series[planted.symptom]

    diagnosis = diagnose(
        planted.window, discovery=RidgeGranger(), symptom=symptom, calls=planted.calls
    )

    shares = _explained(diagnosis)
    assert shares["cart"] > 0.6
    assert max(share for service, share in shares.items() if service not in CART_AND_UP) < 0.1
    assert "frontend" not in shares  # the symptom's own service
    assert (
        "Holding cart at its baseline would take away about "
        f"{round(100 * shares['cart'])} % of the excess of frontend|latency_p95_seconds, by a "
        "linear model that foretells "
    ) in _texts(diagnosis.candidates[0], "explains")


CART_AND_UP = {"cart", "checkout", "frontend"}


def test_known_calls_alone_tell_what_holding_takes_away():
    planted = cases.shop(seed=2, service="cart", size=8.0)
    symptom = planted.window.series[planted.symptom]

    told = diagnose(planted.window, discovery=None, symptom=symptom, calls=planted.calls)
    untold = diagnose(planted.window, discovery=None, symptom=symptom)

    assert _explained(told)["cart"] > 0.5
    assert _explained(untold) == {}


def test_nothing_is_told_where_the_baseline_teaches_nothing():
    """Latencies without anything in common until the callee breaks."""
    values = np.random.default_rng(0).normal(50.0, 1.0, (200, 2))
    values[180:] += 20
    series = tuple(Series.of("latency_ms", service) for service in ("api", "db"))
    window = Window(series, np.arange(200.0), values, 1.0, 180)

    found = diagnose(window, discovery=None, symptom=series[0], calls=(("api", "db"),))

    assert _explained(found) == {}
