"""Burn rates follow the rules of the workbook, page for an outage and stay quiet on a blip."""

import numpy as np
import pytest

from rootward.methods.change.burn_rate import RULES, BurnRate, Rule, burn, burning
from rootward.testing import cases

STEP = 15.0
HOUR = 240


def _share(failing: slice, share: float, rows: int = 3 * HOUR) -> np.ndarray:
    bad = np.zeros(rows)
    bad[failing] = share
    return bad


def test_the_rate_is_the_share_of_failures_over_the_budget():
    bad, total = np.array([0.0, 1.0, 3.0, np.nan]), np.array([10.0, 10.0, 10.0, 10.0])
    assert burn(bad, total, 2, 0.01) == pytest.approx([0.0, 5.0, 20.0, 30.0])


def test_a_long_outage_pages_within_minutes_and_stops_soon_after_it_ended():
    bad = _share(slice(2 * HOUR, 2 * HOUR + 80), 0.5)
    alert = burning(bad, np.ones(len(bad)), STEP, 0.01, RULES[0])
    first, last = np.flatnonzero(alert)[[0, -1]]
    assert first - 2 * HOUR < 80
    assert last - (2 * HOUR + 80) <= 20


def test_a_blip_that_spends_little_pages_nobody():
    bad = _share(slice(2 * HOUR, 2 * HOUR + 2), 1.0)
    alerts = [burning(bad, np.ones(len(bad)), STEP, 0.01, rule) for rule in RULES[:1]]
    assert not np.any(alerts)


def test_both_windows_must_burn():
    bad = _share(slice(0, HOUR), 0.5)
    alert = burning(bad, np.ones(len(bad)), STEP, 0.01, Rule(3600.0, 300.0, 14.4, True))
    assert alert[HOUR - 1]
    assert not alert[HOUR + 21 :].any()


def test_an_outage_of_the_shop_pages_and_its_healthy_twin_does_not():
    broken = cases.shop(seed=1, service="frontend", fault="latency", size=20.0)
    healthy = cases.no_fault(seed=1)
    paged = BurnRate().run(broken.case())
    assert any(row[1] == "page" for row in paged.blocks[0].rows)
    assert paged.headline.value > 5 * BurnRate().run(healthy.case()).headline.value


def test_requests_and_errors_of_a_service_make_an_objective():
    planted = cases.shop(seed=1, service="payment", fault="errors", size=60.0)
    names = BurnRate().run(planted.case()).blocks[-1].names
    assert "payment errors_per_second" in names
