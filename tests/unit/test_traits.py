"""What names of series say before anything is measured."""

import pytest

from rootward.model.kind import is_report
from rootward.model.series import Series
from rootward.model.traits import traits


def _of(*columns: str):
    return traits(tuple(Series.from_column(column) for column in columns))


@pytest.mark.parametrize(
    "name", ["ALERTS", "M_WarnActive", "alarm_state", "prometheus_notifications", "Monitoring"]
)
def test_alarms_and_monitors_are_reports(name: str):
    assert is_report(name)


@pytest.mark.parametrize("name", ["alertness", "http_requests", "swarm_tasks", "monitor-api"])
def test_words_that_only_look_like_alarms_are_none(name: str):
    assert not is_report(name)


def test_errors_that_name_another_service_tell_of_it():
    found = _of("frontend|recommendation_render_error_ratio", "recommendation-service|cpu_usage")

    assert found.elsewhere.tolist() == [True, False]


def test_a_metric_that_names_its_own_service_tells_of_itself():
    found = _of("checkout|checkout_payment_error_ratio", "payment|payment_errors_ratio")

    assert found.elsewhere.tolist() == [False, False]


def test_resources_and_short_names_tell_of_nobody_else():
    found = _of("cart|redis_errors_ratio", "cart|database_memory_usage", "db|x", "database|y")

    assert not found.elsewhere.any()


def test_the_far_end_of_a_trace_tells_of_somebody_else():
    found = _of("orders_remote|latency_p99", "shop_client|latency_p99", "orders|latency_p99")

    assert found.elsewhere.tolist() == [True, True, False]


def test_a_view_of_a_caller_is_no_word_about_it():
    found = _of("orders|latency_mean_from_frontend", "frontend|latency_mean")

    assert not found.elsewhere.any()
