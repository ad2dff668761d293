"""`make bench-faults`: parts of the distributed mode fail for half an hour; is anything lost?

Writes out/bench/faults.json and ends with status 1 where a promise was broken.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx

from rootward.errors import Unavailable
from rootward.telemetry import set_up_logging
from tests.faults.checker import Verdict, all_diagnosed, check
from tests.faults.nemesis import Nemesis, mishaps
from tests.faults.traffic import Plan, Traffic
from tests.real.cable import Cable, cable
from tests.real.children import OnAPort, until
from tests.real.disk import small_disk
from tests.real.distributed import distributed

REPORT = Path(__file__).parents[2] / "out/bench/faults.json"
SETTLE_SECONDS = 300.0
"""How long everything may take to be handled once all parts are well again."""
COUNTS = {"ingest": 2, "detect": 2}
LEAST_MISHAPS = 4
"""So many at least, however slowly a busy machine puts them right."""
SETTINGS = {"step_seconds": 1, "window_rows": 240, "log_level": "INFO"}


@dataclass(frozen=True)
class Outcome:
    """What was done, and what came of it."""

    seconds: float
    operations: dict[str, int]
    faults_injected: dict[str, int]
    settled: bool
    verdict: Verdict

    def report(self) -> dict[str, object]:
        """As out/bench/faults.json has it."""
        return {
            "seconds": round(self.seconds, 1),
            "operations": sum(self.operations.values()),
            "operations_by_answer": self.operations,
            "faults_injected": sum(self.faults_injected.values()),
            "faults_by_kind": dict(sorted(self.faults_injected.items())),
            "settled": self.settled,
            **asdict(self.verdict),
        }


def run(folder: Path, seconds: float, seed: int, *, rest_seconds: float = 2.0) -> Outcome:
    """Send, harm and check; returns once everything has settled."""
    with ExitStack() as stack:
        cables: dict[str, Cable] = {}
        disk = stack.enter_context(small_disk())

        def through(server: OnAPort) -> int:
            made = cables[server.name] = stack.enter_context(cable(server.port))
            return made.port

        data = disk.folder if disk else None
        running = stack.enter_context(
            distributed(folder, COUNTS, through=through, data=data, **SETTINGS)
        )
        begin = float(int(time.time()))
        plan = Plan(begin, begin + seconds)
        nemesis = Nemesis(mishaps(running, cables, disk), seed)
        with Traffic(running.urls("ingest"), plan, seed) as traffic:
            harm_until = plan.end_unix - plan.healthy_seconds / 2
            nemesis.run(
                lambda: time.time() < harm_until or nemesis.done.total() < LEAST_MISHAPS,
                rest_seconds=rest_seconds,
            )
            until(lambda: traffic.is_over, "all is accepted", seconds=seconds + SETTLE_SECONDS)
        database = running.database_url
        settled = _settles(running.urls("dashboard")[0], database, plan)
        verdict = check(database, traffic.history, plan.broken())
        return Outcome(
            time.time() - begin, dict(traffic.history.answers), dict(nemesis.done), settled, verdict
        )


def _settles(url: str, database_url: str, plan: Plan) -> bool:
    """Whether all is handled and diagnosed in time."""

    def is_idle() -> bool:
        try:
            status = httpx.get(f"{url}/api/v1/status", timeout=30)
            idle = status.status_code == 200 and status.json()["bus_backlog"] == 0
            return idle and all_diagnosed(database_url, plan.broken())
        except (httpx.TransportError, Unavailable):  # the machine is busy
            return False

    try:
        until(is_idle, "all is handled and diagnosed", seconds=SETTLE_SECONDS)
    except AssertionError:
        return False
    return True


def main() -> None:
    """Run, print, write."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--seconds", type=float, default=1800.0)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--folder", type=Path, default=None, help="keep logs here")
    given = asked.parse_args()
    set_up_logging("INFO", "text")
    folder = given.folder or Path(tempfile.mkdtemp(prefix="rootward-faults-"))
    outcome = run(folder, given.seconds, given.seed)
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(json.dumps(outcome.report(), indent=2) + "\n")
    sys.stdout.write(json.dumps(outcome.report(), indent=2) + "\n")
    if not (outcome.verdict.is_clean and outcome.settled):
        sys.stdout.write(f"a promise was broken; logs in {folder}\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
