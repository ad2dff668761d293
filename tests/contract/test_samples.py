"""What every sample store keeps to: SQL on SQLite, and the fake."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from sqlalchemy import func, select

from rootward.adapters.sql import tables
from rootward.adapters.sql.engine import Database, open_database
from rootward.adapters.sql.migrations import migrate
from rootward.adapters.sql.samples import SqlSampleStore
from rootward.errors import InsufficientData, InvalidInput, Unavailable
from rootward.model.series import Sample, SampleBatch, Series
from rootward.ports import Platform, SampleStore, WindowQuery
from rootward.testing import fakes
from tests.contract.databases import MakeDatabase, refusing

START = 1_700_000_000.0
CART = Series.of("latency_p99", "cart", instance="cart-1")
SHOP = Series.of("cpu_usage", "shop")
Process = Callable[[], SqlSampleStore]


def _batch(*rows: tuple[Series, float, float], tenant: str = "default") -> SampleBatch:
    return SampleBatch.of([Sample(*row) for row in rows], tenant)


def _window(store: SampleStore, end: float, rows: int, step: float = 1.0, **more: object):
    return store.window(WindowQuery(end, rows, step, **more))  # type: ignore[arg-type]


class TestSamples:
    def test_a_row_holds_the_last_sample_up_to_its_time(self, stores: Platform):
        stores.samples.append(
            _batch((CART, START + 0.1, 1.0), (CART, START + 0.9, 2.0), (CART, START + 1.0, 3.0))
        )
        stores.samples.append(_batch((CART, START + 1.001, 4.0)))

        window = _window(stores.samples, START + 2, 2)

        assert window.times.tolist() == [START + 1, START + 2]
        assert window.values[:, 0].tolist() == [3.0, 4.0]

    def test_the_grid_leaves_out_its_start_and_holds_its_end(self, stores: Platform):
        stores.samples.append(_batch((CART, START, 1.0), (CART, START + 2, 2.0)))
        stores.samples.append(_batch((CART, START + 3, 3.0)))

        values = _window(stores.samples, START + 2, 2).values[:, 0]

        assert math.isnan(values[0])
        assert values[1] == 2.0

    def test_rounding_of_a_time_does_not_move_it_to_another_row(self, stores: Platform):
        times = [1669.0000001, 1669.9999999, 1671.0]
        stores.samples.append(_batch(*((CART, time, float(k)) for k, time in enumerate(times))))

        assert _window(stores.samples, 1671.0, 3).values[:, 0].tolist() == [0.0, 1.0, 2.0]

    @pytest.mark.parametrize("step", [0.1, 1 / 3, 15.0])
    def test_samples_on_the_grid_fall_into_their_own_rows(self, stores: Platform, step: float):
        rows = 300
        stores.samples.append(_batch(*((CART, START + k * step, float(k)) for k in range(rows))))

        values = _window(stores.samples, START + (rows - 1) * step, rows, step).values[:, 0]

        assert values.tolist() == list(range(rows))

    def test_the_first_value_of_a_time_stays_in_one_batch_and_across(self, stores: Platform):
        stores.samples.append(_batch((CART, START, 1.0), (CART, START, 2.0)))
        stores.samples.append(_batch((CART, START, 3.0), (CART, START + 1, 4.0)))

        assert _window(stores.samples, START + 1, 2).values[:, 0].tolist() == [1.0, 4.0]

    def test_late_samples_find_their_rows(self, stores: Platform):
        for time in (4, 2, 3, 1):
            stores.samples.append(_batch((CART, START + time, float(time))))

        assert _window(stores.samples, START + 4, 4).values[:, 0].tolist() == [1, 2, 3, 4]

    def test_a_nan_says_not_measured_and_hides_an_older_value(self, stores: Platform):
        stores.samples.append(
            _batch((CART, START, 1.0), (CART, START + 0.5, math.nan), (SHOP, START + 1, 5.0))
        )

        window = _window(stores.samples, START + 1, 1, 2.0)

        assert window.series == (SHOP,)

    def test_a_value_after_a_nan_counts_again(self, stores: Platform):
        stores.samples.append(_batch((CART, START, math.nan), (CART, START + 0.5, 2.0)))

        assert _window(stores.samples, START + 1, 1).values.tolist() == [[2.0]]

    def test_series_stand_in_order_and_those_without_a_sample_are_left_out(self, stores: Platform):
        silent = Series.of("cpu_usage", "asleep")
        stores.samples.append(_batch((silent, START - 100, 1.0)))
        stores.samples.append(_batch((SHOP, START, 1.0), (CART, START, 2.0)))

        window = _window(stores.samples, START, 1)

        assert window.series == tuple(sorted((SHOP, CART)))
        assert window.values.tolist() == [[1.0, 2.0]]

    def test_a_query_names_services_or_series(self, stores: Platform):
        stores.samples.append(_batch((SHOP, START, 1.0), (CART, START, 2.0)))

        by_service = _window(stores.samples, START, 1, services=frozenset({"cart"}))
        by_series = _window(stores.samples, START, 1, series=frozenset({SHOP}))

        assert by_service.series == (CART,)
        assert by_series.series == (SHOP,)

    def test_tenants_do_not_see_each_other(self, stores: Platform):
        stores.samples.append(_batch((CART, START, 1.0), tenant="one"))
        stores.samples.append(_batch((CART, START, 2.0), tenant="two"))

        assert _window(stores.samples, START, 1, tenant="one").values.tolist() == [[1.0]]
        assert _window(stores.samples, START, 1, tenant="two").values.tolist() == [[2.0]]
        assert stores.samples.series() == ()

    def test_an_empty_window_says_so(self, stores: Platform):
        stores.samples.append(_batch((CART, START, 1.0)))

        with pytest.raises(InsufficientData, match="no sample between"):
            _window(stores.samples, START + 100, 10)

    @pytest.mark.parametrize(("rows", "step"), [(0, 1.0), (-3, 1.0), (5, 0.0), (5, math.nan)])
    def test_a_window_without_rows_is_refused(self, stores: Platform, rows: int, step: float):
        with pytest.raises(InvalidInput):
            _window(stores.samples, START, rows, step)

    @pytest.mark.parametrize("time", [math.nan, math.inf, -math.inf, 1e300, 1e16])
    def test_a_time_that_is_none_is_refused_and_nothing_stored(self, stores: Platform, time: float):
        with pytest.raises(InvalidInput, match="time"):
            stores.samples.append(_batch((CART, START, 1.0), (CART, time, 1.0)))

        assert stores.samples.series() == ()

    def test_times_far_in_the_future_and_the_past_are_kept(self, stores: Platform):
        for time in (-62_135_596_800.0, 0.0, 253_402_300_799.0):
            stores.samples.append(_batch((CART, time, time)))

            assert _window(stores.samples, time, 1).values.tolist() == [[time]]

    def test_extreme_values_come_back_as_they_were(self, stores: Platform):
        values = [5e-324, -0.0, 1.7976931348623157e308, -1e-9, 0.1 + 0.2]
        stores.samples.append(_batch(*((CART, START + k, v) for k, v in enumerate(values))))

        assert _window(stores.samples, START + 4, 5).values[:, 0].tolist() == values

    def test_series_and_the_newest_time_are_known(self, stores: Platform):
        assert stores.samples.latest_unix() is None
        assert stores.samples.oldest_unix() is None
        stores.samples.append(_batch((SHOP, START + 2.5, 1.0), (CART, START + 1, 2.0)))
        stores.samples.append(_batch((SHOP, START + 1.5, 1.0)))

        infos = [(info.series, info.last_unix) for info in stores.samples.series()]

        assert infos == [(SHOP, START + 2.5), (CART, START + 1)]
        assert stores.samples.latest_unix() == START + 2.5
        assert stores.samples.oldest_unix() == START + 1

    def test_an_empty_batch_is_stored_as_nothing(self, stores: Platform):
        stores.samples.append(SampleBatch.of([]))

        assert stores.samples.series() == ()

    def test_what_is_old_expires_and_the_rest_stays(self, stores: Platform):
        stores.samples.append(_batch((CART, START, 1.0)))
        stores.samples.append(_batch((SHOP, START + 10_000, 2.0)))

        assert stores.samples.expire(START + 5_000) == 1

        assert stores.samples.latest_unix() == START + 10_000
        assert stores.samples.oldest_unix() == START + 10_000
        assert [info.series for info in stores.samples.series()] == [SHOP]

    def test_a_series_that_expired_can_come_back(self, stores: Platform):
        stores.samples.append(_batch((CART, START, 1.0)))
        stores.samples.expire(START + 10_000)

        stores.samples.append(_batch((CART, START + 10_000, 2.0)))

        assert _window(stores.samples, START + 10_000, 1).values.tolist() == [[2.0]]

    def test_many_batches_read_as_the_plain_store_reads_them(self, stores: Platform):
        plain = fakes.FakeSampleStore()
        rng = np.random.default_rng(7)
        series = tuple(Series.of(f"m{k}", f"s{k % 3}") for k in range(8))
        for k in range(80):
            size = 12
            times = START + k + rng.integers(-200, 10, size) / 4
            values = np.where(rng.random(size) < 0.1, np.nan, rng.normal(size=size))
            index = rng.integers(0, 8, size).astype(np.int32)
            batch = SampleBatch("default", series, index, times, values)
            stores.samples.append(batch)
            plain.append(batch)

        for rows, step in ((80, 1.0), (40, 2.5), (300, 0.25)):
            expected = _window(plain, START + 75, rows, step)
            read = _window(stores.samples, START + 75, rows, step)
            assert read.series == expected.series
            np.testing.assert_array_equal(read.values, expected.values)
        assert stores.samples.series() == plain.series()

    def test_a_store_that_works_says_so(self, stores: Platform):
        stores.samples.check()
        stores.incidents.check()


class TestSamplesOnDisk:
    """What only a store with a file has."""

    @pytest.fixture
    def process(self, reopened: Callable[[], Database]) -> Process:
        """The store as each process has its own."""
        return lambda: SqlSampleStore(reopened(), fan_in=4)

    def test_samples_and_their_order_survive_merging_and_a_restart(self, process: Process):
        store, plain = process(), fakes.FakeSampleStore()
        rng = np.random.default_rng(3)
        series = (CART, SHOP)
        for _ in range(70):  # with a fan-in of 4, three levels of merging
            batch = SampleBatch(
                "default",
                series,
                np.array([0, 1], np.int32),
                START + rng.integers(0, 20, 2).astype(float),  # most are duplicates
                rng.normal(size=2),
            )
            store.append(batch)
            plain.append(batch)

        expected = _window(plain, START + 20, 21)
        for reader in (store, process()):
            np.testing.assert_array_equal(_window(reader, START + 20, 21).values, expected.values)
        assert store.series() == process().series() == plain.series()

    def test_merging_keeps_few_chunks(self, process: Process):
        store = process()
        for k in range(70):
            store.append(_batch((CART, START + k, 1.0)))

        with store._database.reading() as connection:
            chunks = connection.scalar(select(func.count()).select_from(tables.chunk))
        assert chunks <= 9

    def test_a_failed_append_leaves_nothing_and_the_next_one_works(self, process: Process):
        store = process()
        full = refusing(store._database, "INTO chunk")
        with full, pytest.raises(Unavailable, match="disk is full"):
            store.append(_batch((CART, START, 1.0)))
        assert store.series() == ()

        store.append(_batch((CART, START, 2.0)))
        assert _window(store, START, 1).values.tolist() == [[2.0]]

    def test_a_series_that_another_process_expired_can_come_back(self, process: Process):
        store, other = process(), process()
        store.append(_batch((CART, START, 1.0)))
        other.expire(START + 10_000)

        store.append(_batch((CART, START + 10_000, 2.0)))

        assert _window(other, START + 10_000, 1).values.tolist() == [[2.0]]
        assert [info.series for info in other.series()] == [CART]

    def test_two_processes_may_append_and_merge(self, process: Process):
        stores = (process(), process())
        for k in range(60):
            stores[k % 2].append(_batch((CART, START + k, float(k))))

        for store in stores:
            assert _window(store, START + 59, 60).values[:, 0].tolist() == list(range(60))

    def test_a_full_disk_is_named(
        self, make_database: MakeDatabase, monkeypatch: pytest.MonkeyPatch
    ):
        database = open_database(make_database("sqlite"))
        migrate(database)
        store = SqlSampleStore(database)
        usage = type("Usage", (), {"free": 10 * 2**20})
        monkeypatch.setattr(
            "rootward.adapters.sql.dialects.sqlite.shutil.disk_usage", lambda _: usage
        )

        with pytest.raises(Unavailable, match="10 MiB free"):
            store.check()
        database.close()


def test_every_tenant_with_series_is_named(stores: Platform):
    assert stores.samples.tenants() == ()
    for tenant in ("second", "first", "second"):
        stores.samples.append(_batch((CART, 1.0, 1.0), tenant=tenant))
    assert stores.samples.tenants() == ("first", "second")
