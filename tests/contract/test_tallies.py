"""What every store of tallies keeps to: SQL on both databases, and the fake."""

from __future__ import annotations

from dataclasses import replace

from rootward.model.tally import Tally
from rootward.ports import DEFAULT_TENANT, Platform

START = 1_700_000_000.0
FIRST = Tally(
    "ingest@a:7",
    "ingest",
    "0.1.0",
    START,
    START + 10,
    received=900,
    per_second=3.5,
    rejected={"too_old": 2},
    late=1,
    dead_letters=4,
)
SECOND = replace(FIRST, process="ingest@b:7", received=20, rejected={})


def test_the_last_word_of_every_process_stands_by_its_name(stores: Platform):
    stores.tallies.put({DEFAULT_TENANT: SECOND})
    stores.tallies.put({DEFAULT_TENANT: FIRST})
    later = replace(FIRST, told_unix=START + 20, received=950, ended=True)
    stores.tallies.put({DEFAULT_TENANT: later})
    assert stores.tallies.all() == (later, SECOND)


def test_tenants_see_what_was_counted_for_them(stores: Platform):
    stores.tallies.put({"one": FIRST, "two": replace(FIRST, received=5)})
    assert [t.received for t in stores.tallies.all("two")] == [5]
    assert stores.tallies.all() == ()


def test_a_process_that_is_silent_for_long_is_forgotten(stores: Platform):
    stores.tallies.put({DEFAULT_TENANT: FIRST})
    stores.tallies.put({DEFAULT_TENANT: replace(SECOND, told_unix=START + 500)})
    assert stores.tallies.expire(START + 100) == 1
    assert [t.process for t in stores.tallies.all()] == ["ingest@b:7"]
