"""What every store keeps to: SQL on SQLite, and the fakes."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import event

from rootward import bootstrap
from rootward.adapters.sql.engine import open_database
from rootward.adapters.sql.migrations import migrate
from rootward.adapters.sql.samples import SqlSampleStore
from rootward.errors import InsufficientData, InvalidInput, NotFound, Unavailable
from rootward.model.graph import CausalGraph, Edge
from rootward.model.incident import (
    Band,
    Candidate,
    Change,
    Diagnosis,
    Evidence,
    Excerpt,
    Incident,
    Severity,
    Status,
)
from rootward.model.result import Analysis, Bars, GraphBlock, MethodEntry, Note, Result, Table
from rootward.model.series import Sample, SampleBatch, Series
from rootward.ports import Platform, SampleStore, WindowQuery
from rootward.settings import Settings
from rootward.testing import fakes

START = 1_700_000_000.0
CART = Series.of("latency_p99", "cart", instance="cart-1")
SHOP = Series.of("cpu_usage", "shop")


@pytest.fixture(params=["embedded", "fake"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Platform]:
    if request.param == "fake":
        yield fakes.fake_platform()
        return
    built = bootstrap.build(Settings(database_url=f"sqlite:///{tmp_path / 'stores.db'}"))
    yield built
    built.close()


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
        stores.samples.append(_batch((SHOP, START + 2.5, 1.0), (CART, START + 1, 2.0)))
        stores.samples.append(_batch((SHOP, START + 1.5, 1.0)))

        infos = [(info.series, info.last_unix) for info in stores.samples.series()]

        assert infos == [(SHOP, START + 2.5), (CART, START + 1)]
        assert stores.samples.latest_unix() == START + 2.5

    def test_an_empty_batch_is_stored_as_nothing(self, stores: Platform):
        stores.samples.append(SampleBatch.of([]))

        assert stores.samples.series() == ()

    def test_what_is_old_expires_and_the_rest_stays(self, stores: Platform):
        stores.samples.append(_batch((CART, START, 1.0)))
        stores.samples.append(_batch((SHOP, START + 10_000, 2.0)))

        assert stores.samples.expire(START + 5_000) == 1

        assert stores.samples.latest_unix() == START + 10_000
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
    def url(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path / 'samples.db'}"

    def _open(self, url: str) -> SqlSampleStore:
        database = open_database(url)
        migrate(database)
        return SqlSampleStore(database, fan_in=4)

    def test_samples_and_their_order_survive_merging_and_a_restart(self, url: str):
        store, plain = self._open(url), fakes.FakeSampleStore()
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
        for reader in (store, self._open(url)):
            np.testing.assert_array_equal(_window(reader, START + 20, 21).values, expected.values)
        assert store.series() == self._open(url).series() == plain.series()

    def test_merging_keeps_few_chunks(self, url: str, tmp_path: Path):
        store = self._open(url)
        for k in range(70):
            store.append(_batch((CART, START + k, 1.0)))

        with sqlite3.connect(tmp_path / "samples.db") as plain:
            (chunks,) = plain.execute("select count(*) from chunk").fetchone()
        plain.close()
        assert chunks <= 9

    def test_a_failed_append_leaves_nothing_and_the_next_one_works(self, url: str):
        store = self._open(url)
        engine = store._database.engine

        def fail(_connection, _cursor, statement: str, *_more: object) -> None:
            if "INTO chunk" in statement:
                raise sqlite3.OperationalError("disk is full")

        event.listen(engine, "before_cursor_execute", fail)
        with pytest.raises(Unavailable, match="disk is full"):
            store.append(_batch((CART, START, 1.0)))
        event.remove(engine, "before_cursor_execute", fail)
        assert store.series() == ()

        store.append(_batch((CART, START, 2.0)))
        assert _window(store, START, 1).values.tolist() == [[2.0]]

    def test_a_series_that_another_process_expired_can_come_back(self, url: str):
        store, other = self._open(url), self._open(url)
        store.append(_batch((CART, START, 1.0)))
        other.expire(START + 10_000)

        store.append(_batch((CART, START + 10_000, 2.0)))

        assert _window(other, START + 10_000, 1).values.tolist() == [[2.0]]
        assert [info.series for info in other.series()] == [CART]

    def test_two_processes_may_append_and_merge(self, url: str):
        stores = (self._open(url), self._open(url))
        for k in range(60):
            stores[k % 2].append(_batch((CART, START + k, float(k))))

        for store in stores:
            assert _window(store, START + 59, 60).values[:, 0].tolist() == list(range(60))

    def test_a_full_disk_is_named(self, url: str, monkeypatch: pytest.MonkeyPatch):
        store = self._open(url)
        usage = type("Usage", (), {"free": 10 * 2**20})
        monkeypatch.setattr("rootward.adapters.sql.engine.shutil.disk_usage", lambda _: usage)

        with pytest.raises(Unavailable, match="10 MiB free"):
            store.check()


def _incident(k: int, **more: object) -> Incident:
    change = Change(CART, START + k, 5.5, 1.0, 9.0)
    plain = Incident(
        f"id{k}", "default", START + k, START + k + 5, CART, (change,), f"cart is slow ({k})"
    )
    return replace(plain, **more)  # type: ignore[arg-type]


def _diagnosis(conclusion: str = "cart did it") -> Diagnosis:
    graph = CausalGraph((CART, SHOP), (Edge(CART, SHOP, 2, 0.7, -1, 0.9),))
    evidence = (Evidence("size", "12 deviations above its baseline", 12.0, "deviations"),)
    return Diagnosis(
        conclusion,
        (Candidate(1, "cart", CART, 1.0, evidence, START),),
        graph,
        confidence=0.8,
        band=Band.HIGH,
        abstained=False,
        onset_unix=START,
        symptom=SHOP,
        method="neural_granger",
        seed=3,
        start_unix=START - 100,
        end_unix=START,
        step_seconds=1.0,
        rows=100,
        series_count=2,
        cautions=("only 100 rows",),
        excerpts=(Excerpt(CART, (START, START + 1), (1.0, None), 0.5, 1.5, "ms"),),
        parameters={"lag": 3, "share": 0.5, "fast": True, "kind": "mlp"},
    )


class TestIncidents:
    def test_an_incident_comes_back_as_it_was_and_numbered(self, stores: Platform):
        opened = stores.incidents.open(_incident(0, severity=Severity.CRITICAL))

        assert opened == replace(_incident(0, severity=Severity.CRITICAL), number=1)
        assert stores.incidents.get("id0") == stores.incidents.get("INC-1") == opened

    def test_opening_twice_keeps_the_first(self, stores: Platform):
        first = stores.incidents.open(_incident(0))

        assert stores.incidents.open(_incident(0, title="another")) == first
        assert stores.incidents.open(_incident(1)).number == 2

    def test_numbers_are_given_per_tenant(self, stores: Platform):
        stores.incidents.open(_incident(0))

        assert stores.incidents.open(_incident(0, tenant="two")).number == 1
        assert stores.incidents.get("INC-1", "two").tenant == "two"

    def test_an_update_replaces_all_but_the_number(self, stores: Platform):
        stores.incidents.open(_incident(0))
        more = (*_incident(0).changes, Change(SHOP, START + 9, -4.0, 2.0, 1.0))
        stores.incidents.update(_incident(0, changes=more, status=Status.RESOLVED))

        found = stores.incidents.get("id0")
        assert (found.number, found.status, found.changes) == (1, Status.RESOLVED, more)
        assert stores.incidents.current() == ()
        assert stores.incidents.page(service="shop").items == (found,)

    def test_what_is_not_there_is_not_found(self, stores: Platform):
        for missing in ("id9", "INC-9", "INC-x", "", "INC-99999999999999999999"):
            with pytest.raises(NotFound):
                stores.incidents.get(missing)
        with pytest.raises(NotFound):
            stores.incidents.update(_incident(9))
        with pytest.raises(NotFound):
            stores.incidents.save("id9", _diagnosis())
        with pytest.raises(NotFound):
            stores.incidents.fail("id9", "broken")

    def test_current_incidents_stand_oldest_first(self, stores: Platform):
        for k in (2, 0, 1):
            stores.incidents.open(_incident(k))
        stores.incidents.update(_incident(1, status=Status.RESOLVED))

        assert [i.id for i in stores.incidents.current()] == ["id0", "id2"]

    def test_pages_go_from_new_to_old_without_gap_or_repeat(self, stores: Platform):
        for k in range(7):
            stores.incidents.open(_incident(k, opened_unix=START + k // 2))
        seen, cursor = [], None
        for _ in range(4):
            page = stores.incidents.page(limit=2, cursor=cursor)
            seen += [i.id for i in page.items]
            cursor = page.next_cursor
            stores.incidents.open(_incident(100 + len(seen), opened_unix=START + 1000))

        assert seen == [f"id{k}" for k in (6, 5, 4, 3, 2, 1, 0)]
        assert cursor is None

    def test_a_page_may_be_of_one_status_and_service(self, stores: Platform):
        stores.incidents.open(_incident(0))
        stores.incidents.open(_incident(1, symptom=SHOP, changes=()))
        stores.incidents.update(_incident(0, status=Status.RESOLVED))

        assert [i.id for i in stores.incidents.page(status=Status.OPEN).items] == ["id1"]
        assert [i.id for i in stores.incidents.page(service="cart").items] == ["id0"]
        assert stores.incidents.page(service="cart", status=Status.OPEN).items == ()

    @pytest.mark.parametrize("cursor", ["", "x", "é", "W10", "bnVsbA", "eyJhIjogMX0", "AAAA"])
    def test_a_cursor_that_is_not_ours_is_refused(self, stores: Platform, cursor: str):
        with pytest.raises(InvalidInput, match="cursor"):
            stores.incidents.page(cursor=cursor)

    def test_a_page_of_nothing_is_refused(self, stores: Platform):
        with pytest.raises(InvalidInput):
            stores.incidents.page(limit=0)

    def test_a_diagnosis_comes_back_and_a_later_one_replaces_it(self, stores: Platform):
        stores.incidents.open(_incident(0))
        assert stores.incidents.diagnosis("id0") is None
        stores.incidents.save("id0", _diagnosis())
        assert stores.incidents.diagnosis("INC-1") == _diagnosis()

        stores.incidents.save("INC-1", _diagnosis("shop did it"))
        assert stores.incidents.diagnosis("id0") == _diagnosis("shop did it")

    def test_a_failure_is_kept_beside_the_diagnosis_until_the_next_success(self, stores: Platform):
        stores.incidents.open(_incident(0))
        stores.incidents.save("id0", _diagnosis())
        stores.incidents.fail("id0", "too few rows")

        assert stores.incidents.failure("INC-1") == "too few rows"
        assert stores.incidents.diagnosis("id0") == _diagnosis()

        stores.incidents.save("id0", _diagnosis())
        assert stores.incidents.failure("id0") is None
        assert stores.incidents.failure("id9") is None


class TestResults:
    def _analysis(self, answer: str, parameters: str = "{}", method: str = "pagerank") -> Analysis:
        graph = CausalGraph((CART, SHOP), (Edge(CART, SHOP, 1, 0.5),))
        blocks = (
            Table("Scores", ("service", "score"), (("cart", 0.5), ("shop", None))),
            Bars("Scores", ("cart",), (0.5,), "share"),
            GraphBlock("Graph", graph),
            Note("a note"),
        )
        return Analysis("id0", method, parameters, "ok", Result(answer, blocks, ("careful",)))

    def test_an_analysis_comes_back_as_it_was(self, stores: Platform):
        stores.results.save(self._analysis("cart stands first"))

        assert stores.results.of("id0") == (self._analysis("cart stands first"),)
        assert stores.results.of("id1") == ()
        assert stores.results.of("id0", "two") == ()

    def test_it_is_kept_once_for_each_method_and_parameters(self, stores: Platform):
        stores.results.save(self._analysis("old"))
        stores.results.save(self._analysis("new"))
        stores.results.save(self._analysis("other", '{"lag":2}'))
        stores.results.save(self._analysis("first", method="baro"))

        kept = stores.results.of("id0")
        assert [a.method for a in kept] == ["baro", "pagerank", "pagerank"]
        assert {a.result.answer for a in kept if a.result} == {"first", "new", "other"}

    def test_a_failure_is_kept_with_its_reason(self, stores: Platform):
        failed = Analysis("id0", "pc", "{}", "failed", reason="ZeroDivisionError", seconds=1.5)
        stores.results.save(failed)

        assert stores.results.of("id0") == (failed,)

    def test_the_catalogue_is_replaced_as_a_whole(self, stores: Platform):
        def entry(name: str) -> MethodEntry:
            return MethodEntry(name, "ranking", "Why?", "A 2020", "It ranks.", "{}", True, "1")

        stores.results.save_catalogue([entry("b"), entry("a")])
        assert [e.name for e in stores.results.catalogue()] == ["a", "b"]
        stores.results.save_catalogue([entry("c")])
        assert stores.results.catalogue() == (entry("c"),)
        stores.results.save_catalogue([])
        assert stores.results.catalogue() == ()
