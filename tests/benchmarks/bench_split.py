"""Seconds of one wide neural Granger fit: alone, and with Celery workers on Redis helping.

`make bench-split`; writes out/bench/split.json. Wants redis-server and PostgreSQL on the machine.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from contextlib import closing
from pathlib import Path

from rootward import bootstrap
from rootward.methods.discovery.neural_granger.method import NeuralGranger
from rootward.methods.discovery.neural_granger.parts import part_count
from rootward.model.case import Case
from rootward.settings import Settings
from rootward.testing import cases
from rootward_worker.spreading import Spreader
from tests.real.brokers import RedisServer
from tests.real.children import until
from tests.real.node import Program
from tests.real.postgres import PostgresServer

OUT = Path("out/bench/split.json")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=100)
    parser.add_argument("--rows", type=int, default=120)
    parser.add_argument("--helpers", type=int, default=1, help="children that help")
    told = parser.parse_args()
    window = cases.random_graph(rows=told.rows, seed=0, series=told.series).window
    method = NeuralGranger()
    with PostgresServer() as postgres, RedisServer() as broker:
        settings = Settings(database_url=postgres.url(postgres.fresh()), jobs_url=broker.jobs_url)
        platform = bootstrap.build(settings)
        urls = {"database_url": settings.database_url, "jobs_url": settings.jobs_url}
        with (
            closing(platform),
            tempfile.TemporaryDirectory() as folder,
            Program(Path(folder), "work", workers=told.helpers, **urls),
        ):
            until(platform.results.catalogue, "the worker has loaded the methods")
            spread = Spreader(platform, 900.0)
            start = time.perf_counter()
            alone = method.learn(Case(window))
            between = time.perf_counter()
            shared = method.learn(Case(window, spread=spread))
            end = time.perf_counter()
    figures = {
        "series": told.series,
        "parts": part_count(told.series),
        "processes": 1 + told.helpers,
        "alone_seconds": round(between - start, 2),
        "shared_seconds": round(end - between, 2),
        "ratio": round((between - start) / (end - between), 2),
        "same_graph": alone == shared,
        "load_average": round(os.getloadavg()[0], 1),
    }
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(figures, indent=1) + "\n")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
