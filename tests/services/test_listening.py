"""The port that a process listens on."""

from __future__ import annotations

import multiprocessing

import pytest

from rootward.errors import InvalidConfiguration
from rootward_cli.up import listening_on


def test_a_port_is_free_again_though_a_child_lives_on():
    forked = multiprocessing.get_context("fork")
    started, release = forked.Event(), forked.Event()

    def live_on() -> None:
        started.set()
        release.wait()

    with listening_on("127.0.0.1", 0) as first:
        first.listen()
        port = first.getsockname()[1]
        child = forked.Process(target=live_on)
        child.start()
        assert started.wait(30)

    try:
        with listening_on("127.0.0.1", port) as second:
            assert second.getsockname()[1] == port
            assert child.is_alive()
    finally:
        release.set()
        child.join()


def test_a_port_that_is_taken_is_refused_with_what_to_set():
    with listening_on("127.0.0.1", 0) as first:
        first.listen()

        with (
            pytest.raises(InvalidConfiguration, match="in use; set ROOTWARD_PORT"),
            listening_on("127.0.0.1", first.getsockname()[1]),
        ):
            pass
