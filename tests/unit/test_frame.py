"""What the frame makes of raw series."""

import numpy as np
import pytest

from rootward.model.kind import Kind, kind_of
from rootward.model.series import Series
from rootward.model.window import Window
from rootward.rca.frame import framed, quantile_of_buckets

ROWS = 12


def window(columns: dict[Series, list[float] | np.ndarray], step: float = 10.0) -> Window:
    values = np.column_stack([np.asarray(v, dtype=float) for v in columns.values()])
    times = 1000.0 + step * np.arange(len(values))
    return Window(tuple(columns), times, values, step, onset=5)


def column(frame: Window, text: str) -> np.ndarray:
    return frame.values[:, [str(s) for s in frame.series].index(text)]


def rising(per_step: float, rows: int = ROWS) -> np.ndarray:
    return float(per_step) * np.arange(rows)


def test_gauges_pass_unchanged():
    rng = np.random.default_rng(0)
    given = window(
        {
            Series.of("cpu_usage", "cart"): rng.normal(size=ROWS),
            Series.of("disk_reads_total", "cart"): 50 + rng.normal(size=ROWS),
            Series.of("depth", "cart", queue="a"): np.full(ROWS, 3.0),
        }
    )
    frame = framed(given)
    assert frame.series == given.series
    assert frame.onset == given.onset
    np.testing.assert_array_equal(frame.values, given.values)


def test_a_frame_framed_again_is_the_same():
    given = window({Series.of("jobs_total", "cart"): rising(20), Series.of("x", "a"): rising(1)})
    once = framed(given)
    twice = framed(once)
    assert twice.series == once.series
    np.testing.assert_array_equal(twice.values, once.values)


def test_a_counter_becomes_a_rate_per_second_whose_first_row_is_unknown():
    frame = framed(window({Series.of("jobs_total", "cart"): rising(20)}))
    rate = column(frame, "cart|jobs_rate")
    assert np.isnan(rate[0])
    np.testing.assert_allclose(rate[1:], 2.0)


def test_a_restart_of_the_process_makes_no_negative_rate():
    counts = rising(20)
    counts[6:] = rising(20)[: ROWS - 6]
    frame = framed(window({Series.of("jobs_total", "cart"): counts}))
    rate = column(frame, "cart|jobs_rate")
    assert np.nanmin(rate) >= 0.0
    np.testing.assert_allclose(rate[[5, 7]], 2.0)


def test_a_row_without_a_sample_is_bridged_and_a_gap_is_not():
    counts = rising(20, 20)
    counts[3] = np.nan
    counts[8:14] = np.nan
    frame = framed(window({Series.of("jobs_total", "cart"): counts}))
    rate = column(frame, "cart|jobs_rate")
    assert np.isnan(rate[3])
    assert rate[4] == pytest.approx(2.0)
    assert np.isnan(rate[8:15]).all()


def test_no_rate_crosses_a_gap_of_the_recording():
    times = np.array([0.0, 10, 20, 4000, 4010, 4020])
    values = np.array([0.0, 20, 40, 60, 80, 100])[:, None]
    frame = framed(Window((Series.of("jobs_total", "cart"),), times, values, 10.0))
    assert np.isnan(frame.values[3, 0])
    np.testing.assert_allclose(frame.values[[1, 2, 4, 5], 0], 2.0)


def test_label_sets_are_summed_per_service_and_instance():
    frame = framed(
        window(
            {
                Series.of("calls_total", "cart", instance="a", route="/x"): rising(10),
                Series.of("calls_total", "cart", instance="a", route="/y"): rising(20),
                Series.of("calls_total", "cart", instance="b", route="/y"): rising(50),
            }
        )
    )
    assert [str(s) for s in frame.series] == ["cart#a|calls_rate", "cart#b|calls_rate"]
    np.testing.assert_allclose(frame.values[1:], np.tile([3.0, 5.0], (ROWS - 1, 1)))


def test_sum_and_count_become_a_mean_weighted_by_traffic():
    name = "http_request_duration_seconds"
    frame = framed(
        window(
            {
                Series.of(f"{name}_sum", "cart", route="/x"): rising(9 * 0.1),
                Series.of(f"{name}_count", "cart", route="/x"): rising(9),
                Series.of(f"{name}_sum", "cart", route="/y"): rising(1 * 1.1),
                Series.of(f"{name}_count", "cart", route="/y"): rising(1),
            }
        )
    )
    np.testing.assert_allclose(column(frame, f"cart|{name}_mean")[1:], 0.2)
    np.testing.assert_allclose(column(frame, "cart|http_request_rate")[1:], 1.0)
    assert kind_of(f"{name}_mean") is Kind.LATENCY
    assert kind_of("http_request_rate") is Kind.TRAFFIC


def test_a_mean_without_traffic_is_unknown():
    counts = rising(10)
    counts[6:9] = counts[6]
    counts[9:] = counts[6] + rising(10)[1:4]
    columns = {Series.of("call_sum", "cart"): counts / 5, Series.of("call_count", "cart"): counts}
    mean = column(framed(window(columns)), "cart|call_mean")
    assert np.isnan(mean[7:9]).all()
    np.testing.assert_allclose(mean[[3, 9, 10, 11]], 0.2)


def test_buckets_become_one_percentile():
    def bucket(le: str, per_step: float) -> tuple[Series, np.ndarray]:
        return Series.of("rpc_seconds_bucket", "cart", le=le), rising(per_step)

    columns = dict([bucket("0.1", 50), bucket("0.5", 80), bucket("1", 100), bucket("+Inf", 100)])
    frame = framed(window(columns))
    assert [str(s) for s in frame.series] == ["cart|rpc_seconds_p90"]
    np.testing.assert_allclose(frame.values[1:, 0], 0.75)


def test_a_percentile_in_the_last_bucket_is_its_lower_bound():
    bounds = np.array([1.0, 2.0, np.inf])
    found = quantile_of_buckets(bounds, np.array([[1.0, 2.0, 10.0], [0.0, 0.0, 0.0]]), 0.9)
    assert found[0] == 2.0
    assert np.isnan(found[1])


def test_status_codes_fold_into_a_share_of_errors():
    frame = framed(
        window(
            {
                Series.of("http_requests_total", "cart", code="200", route="/x"): rising(90),
                Series.of("http_requests_total", "cart", code="404", route="/x"): rising(6),
                Series.of("http_requests_total", "cart", code="503", route="/y"): rising(4),
            }
        )
    )
    np.testing.assert_allclose(column(frame, "cart|http_requests_rate")[1:], 10.0)
    np.testing.assert_allclose(column(frame, "cart|http_requests_errors_ratio")[1:], 0.04)
    assert kind_of("http_requests_errors_ratio") is Kind.ERRORS


def test_the_first_errors_of_a_service_count():
    errors = np.full(ROWS, np.nan)
    errors[6:] = 5.0 * np.arange(1, ROWS - 5)
    frame = framed(
        window(
            {
                Series.of("http_requests_total", "cart", code="200"): rising(5),
                Series.of("http_requests_total", "cart", code="500"): errors,
            }
        )
    )
    ratio = column(frame, "cart|http_requests_errors_ratio")
    np.testing.assert_allclose(ratio[1:6], 0.0)
    np.testing.assert_allclose(ratio[6:], 0.5)


def test_what_only_describes_a_process_is_left_out_and_infinities_are_unknown():
    frame = framed(
        window(
            {
                Series.of("python_info", "cart", version="3.11"): np.ones(ROWS),
                Series.of("jobs_created", "cart"): np.full(ROWS, 1.7e9),
                Series.of("process_start_time_seconds", "cart"): np.full(ROWS, 1.7e9),
                Series.of("process_uptime_seconds", "cart"): np.arange(float(ROWS)),
                Series.of("cpu_time_seconds", "cart"): np.ones(ROWS),
                Series.of("load", "cart"): np.append(np.ones(ROWS - 1), np.inf),
            }
        )
    )
    assert [str(s) for s in frame.series] == ["cart|cpu_time_seconds", "cart|load"]
    assert np.isnan(frame.values[-1, 1])


def test_a_gauge_that_has_the_name_already_wins():
    frame = framed(
        window(
            {
                Series.of("jobs_rate", "cart"): np.full(ROWS, 7.0),
                Series.of("jobs_total", "cart"): rising(20),
            }
        )
    )
    assert [str(s) for s in frame.series] == ["cart|jobs_rate"]
    np.testing.assert_allclose(frame.values, 7.0)
