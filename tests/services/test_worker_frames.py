"""The frame that is kept from row to row is the one that would be made anew."""

from collections.abc import Callable

import numpy as np
import pytest

from rootward.model.series import SampleBatch, Series
from rootward.model.window import Window
from rootward.rca.frame import framed
from rootward_worker.align import Rows
from rootward_worker.frames import Frames, totals_of

STEP, CAPACITY, ROWS = 15.0, 60, 200

Columns = dict[Series, np.ndarray]


def scraped(rng: np.random.Generator) -> Columns:
    """Two services with counters, histograms and gauges; one restarts, one has gaps."""
    columns: Columns = {}
    for service in ("cart", "pay"):
        for code in ("200", "500"):
            name = Series.of("http_requests_total", service, code=code)
            columns[name] = np.cumsum(rng.poisson(20, ROWS)).astype(float)
        for le, share in (("0.1", 0.5), ("0.5", 0.8), ("+Inf", 1.0)):
            name = Series.of("http_request_seconds_bucket", service, le=le)
            columns[name] = np.cumsum(share * rng.poisson(40, ROWS))
        columns[Series.of("cpu_usage", service)] = rng.normal(size=ROWS)
        for pod in ("a", "b"):
            columns[Series.of("rps", service, instance=pod)] = rng.normal(20, 1, ROWS)
    again = columns[Series.of("http_requests_total", "pay", code="200")]
    again[120:] -= again[119]
    columns[Series.of("cpu_usage", "cart")][rng.random(ROWS) < 0.1] = np.nan
    return columns


def late_starter(columns: Columns, rng: np.random.Generator) -> None:
    """A counter that stands still and then rises, and a series that appears in the middle."""
    fails = Series.of("fails_total", "cart")
    columns[fails] = np.zeros(ROWS)
    columns[fails][130:] = np.cumsum(rng.poisson(3, ROWS - 130))
    new = Series.of("http_requests_total", "pay", code="503")
    columns[new] = np.where(np.arange(ROWS) < 150, np.nan, np.arange(ROWS) - 149.0)


def nothing_else(columns: Columns, rng: np.random.Generator) -> None:
    """As it is."""


def fed(columns: Columns, late: set[int]) -> tuple[Rows, Frames, Callable[[int], Window]]:
    """Rows and frames, and what takes a row in; the samples of `late` rows come two rows later."""
    rows = Rows(STEP, CAPACITY)
    frames = Frames(rows, STEP, CAPACITY)
    series, table = tuple(columns), np.column_stack(list(columns.values()))

    def take(row: int) -> Window:
        for one in (row, row - 2):
            if one >= 0 and (one in late) == (one != row):
                known = np.flatnonzero(np.isfinite(table[one])).astype(np.int32)
                times = np.full(len(known), (one + 1) * STEP - STEP / 2)
                batch = SampleBatch("default", series, known, times, table[one][known])
                rows.take(batch, row * STEP)
        done = [*rows.newly_complete(row * STEP)]
        return frames.upto(done[-1]) if done else Window((), np.zeros(0), np.zeros((0, 0)), STEP)

    return rows, frames, take


@pytest.mark.parametrize("shape", [nothing_else, late_starter])
@pytest.mark.parametrize("late", [set(), {70, 71, 140}])
def test_the_kept_frame_is_that_of_the_whole_window(
    shape: Callable[[Columns, np.random.Generator], None], late: set[int]
):
    rng = np.random.default_rng(4)
    columns = scraped(rng)
    shape(columns, rng)
    rows, _, take = fed(columns, late)
    compared = 0
    for row in range(ROWS):
        kept = take(row)
        if row < 40 or not len(kept.times):
            continue
        newest = round(float(kept.times[-1]) / STEP)
        whole = framed(rows.window(newest))
        totals = totals_of(whole.series)
        assert kept.series == (*whole.series, *totals.series)
        # The first rows have no rate where nothing is known of what was before.
        wanted = totals.behind(whole.values)[4:]
        np.testing.assert_allclose(kept.values[4:], wanted, rtol=1e-9, atol=1e-9)
        compared += 1
    assert compared > 150


def test_a_row_costs_no_new_layout(monkeypatch: pytest.MonkeyPatch):
    made: list[int] = []
    whole = Frames._anew

    def counted(self: Frames, row: int) -> object:
        made.append(row)
        return whole(self, row)

    monkeypatch.setattr(Frames, "_anew", counted)
    columns = scraped(np.random.default_rng(1))
    _, _, take = fed(columns, set())
    for row in range(ROWS):
        take(row)
    assert len(made) < ROWS / 5


def test_totals_are_sums_over_instances_and_unknown_where_none_was_measured():
    series = tuple(Series.of("rps", "cart", instance=pod) for pod in ("a", "b"))
    totals = totals_of(series)
    assert totals.series == (Series.of("rps", "cart"),)
    table = totals.behind(np.array([[1.0, 2.0], [np.nan, 3.0], [np.nan, np.nan]]))
    np.testing.assert_array_equal(table[:, 2], [3.0, 3.0, np.nan])
