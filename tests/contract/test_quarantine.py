"""The quarantine: bodies by their hash, with how often they failed, within a bound."""

from __future__ import annotations

import pytest

from rootward.adapters.sql.engine import Database
from rootward.adapters.sql.quarantine import SqlQuarantine
from rootward.adapters.sql.queues import dead_letters
from rootward.ports import Platform, Quarantine
from rootward.testing.fakes import ManualClock


class TestEveryQuarantine:
    def test_it_counts_how_often_a_body_failed(self, stores: Platform):
        keep = stores.quarantine.keep
        assert isinstance(stores.quarantine, Quarantine)
        assert [keep("otlp", b"a", "bug"), keep("otlp", b"b", "bug")] == [1, 1]
        assert [keep("otlp", b"a", "bug"), keep("otlp", b"a", "other")] == [2, 3]

    def test_sources_and_tenants_are_counted_apart(self, stores: Platform):
        keep = stores.quarantine.keep
        assert [keep("otlp", b"a", "bug"), keep("json", b"a", "bug")] == [1, 1]
        assert keep("otlp", b"a", "bug", tenant="other") == 1


class TestSqlQuarantine:
    def test_a_body_is_stored_once_with_its_last_reason(self, database: Database):
        quarantine = SqlQuarantine(database, ManualClock())
        quarantine.keep("otlp", b"\x00\xff", "first")
        quarantine.keep("otlp", b"\x00\xff", "second")

        (letter,) = dead_letters(database)
        assert (letter.kind, letter.reason, letter.tries) == ("body", "second", 2)
        assert letter.body == b"\x00\xff"
        assert letter.name.startswith("otlp 06eb7d6a69ee19e5")

    def test_the_next_process_goes_on_counting(self, database: Database):
        SqlQuarantine(database, ManualClock()).keep("otlp", b"a", "bug")
        assert SqlQuarantine(database, ManualClock()).keep("otlp", b"a", "bug") == 2

    @pytest.mark.parametrize("bounds", [{"max_bodies": 3}, {"max_bytes": 14}])
    def test_of_too_many_the_oldest_go(self, database: Database, bounds: dict[str, int]):
        quarantine = SqlQuarantine(database, ManualClock(), **bounds)
        for k in range(6):
            quarantine.keep("otlp", f"{k:04}".encode(), "bug")

        assert [letter.body for letter in dead_letters(database)] == [b"0003", b"0004", b"0005"]

    def test_a_body_over_the_bound_is_kept_alone(self, database: Database):
        quarantine = SqlQuarantine(database, ManualClock(), max_bytes=10)
        quarantine.keep("otlp", b"small", "bug")
        quarantine.keep("otlp", b"x" * 50, "bug")

        assert [letter.body for letter in dead_letters(database)] == [b"x" * 50]
