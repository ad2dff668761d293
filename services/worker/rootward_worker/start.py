"""Binds the detector to the bus and the jobs to the queue."""

from __future__ import annotations

from collections.abc import Callable

from rootward.ports import Jobs, Platform
from rootward_worker.detect import Detector
from rootward_worker.jobs import EXPIRE_EVERY_SECONDS, handlers
from rootward_worker.options import WorkerOptions

__all__ = ["WorkerOptions", "start_detector", "start_jobs"]


def start_detector(platform: Platform, options: WorkerOptions) -> None:
    """Look at every batch that the bus brings, in the background, until the platform closes."""
    platform.bus.serve(Detector(platform, options).on_batch)


def start_jobs(jobs: Jobs, make_platform: Callable[[], Platform], options: WorkerOptions) -> None:
    """Run diagnoses and analyses in the background, until the platform closes.

    `make_platform` is called in each process or thread that runs jobs. The first job writes
    the catalogue of methods; it loads them and torch, so that the start need not wait for it.
    """
    jobs.serve(lambda: handlers(make_platform(), options))
    jobs.submit("catalogue")
    jobs.every("expire", EXPIRE_EVERY_SECONDS)
    if options.graphs_seconds:
        jobs.every("graphs", options.graphs_seconds)
