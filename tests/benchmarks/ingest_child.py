"""A Rootward to be measured: `ingest_child.py STAGE DATABASE PORT`, until standard input ends.

Stages: `accepted`, ingest and the bus, so that an answer with 2xx is durable; `stored`, the sample
store behind it as well; `detected`, the detector, too.
"""

import gc
import sys

from rootward import bootstrap, telemetry
from rootward.settings import Settings
from rootward_cli.up import limits, listening_on, serving
from rootward_cli.working import worker_options
from rootward_ingest.app import create_app
from rootward_worker.start import start_detector


def main(stage: str, database: str, port: int) -> None:
    """Serve until standard input ends."""
    settings = Settings(database_url=f"sqlite:///{database}", max_backlog=10**9)
    telemetry.set_up_logging("WARNING", "text")
    platform = bootstrap.build(settings)
    if stage == "stored":
        platform.bus.serve(platform.samples.append)
    elif stage == "detected":
        start_detector(platform, worker_options(settings))
    with listening_on("127.0.0.1", port) as listening:
        with serving(create_app(platform, limits(settings)), listening):
            gc.freeze()
            sys.stdin.read()
    platform.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
