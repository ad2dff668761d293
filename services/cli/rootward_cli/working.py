"""Detector and jobs, started from the settings.

Only what runs them imports this: it loads scipy, which the images of ingest and dashboard lack.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from rootward import bootstrap
from rootward.ports import Platform
from rootward.settings import Settings
from rootward_worker.start import WorkerOptions, start_detector, start_jobs


def detect(settings: Settings, platform: Platform) -> None:
    """Handle batches of samples from now on."""
    start_detector(platform, worker_options(settings))


def work(settings: Settings, platform: Platform) -> None:
    """Run jobs and send what is to be told from now on."""
    start_jobs(platform.jobs, _in_this_process(settings, platform), worker_options(settings))
    if platform.notifier is not None:
        platform.notifier.start()


def worker_options(settings: Settings) -> WorkerOptions:
    """How the detector and the jobs work."""
    return WorkerOptions(
        step_seconds=settings.step_seconds,
        window_rows=settings.window_rows,
        retention_seconds=settings.retention_seconds,
        seed=settings.seed,
        graphs_seconds=settings.graphs_seconds,
        runbooks=settings.runbooks,
    )


def _in_this_process(settings: Settings, platform: Platform) -> Callable[[], Platform]:
    """Gives the platform to who runs in this process; others, forked from it, get their own."""
    owner = os.getpid()
    return lambda: platform if os.getpid() == owner else bootstrap.build(settings)
