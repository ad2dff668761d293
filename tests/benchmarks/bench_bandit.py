"""The causal bandit and its change detection beside their peers, and what the detector costs.

Run with `make bench-bandit`, or `make bench-bandit ARGS=--quick` for a look in a minute or two.
Tables go to the terminal, the figures that are kept to out/bench/bandit.json. Systems are made
from seeds 0, 1, 2, …; the expensive learners play the first ones only (`--slow-systems`).
"""

import argparse
import json
import sys
from pathlib import Path

from tests.benchmarks import bandit_runs, change_runs, detector_runs

ROOT = Path(__file__).parents[2]
OUT = ROOT / "out/bench/bandit.json"


def main() -> None:
    """Play, print, keep."""
    parser = argparse.ArgumentParser(description="causal bandit beside its peers")
    parser.add_argument("--quick", action="store_true", help="few systems, short runs")
    parser.add_argument("--systems", type=int, default=100)
    parser.add_argument("--slow-systems", type=int, default=20)
    parser.add_argument("--part", choices=("all", "bandit", "changes", "detector"), default="all")
    given = parser.parse_args()
    systems, slow = (3, 1) if given.quick else (given.systems, given.slow_systems)
    steps = 600 if given.quick else bandit_runs.STEPS
    found: dict[str, object] = {"quick": given.quick}
    if given.part in ("all", "bandit"):
        found |= _bandit(systems, slow, steps)
    if given.part in ("all", "changes"):
        found |= _changes(given.quick)
    if given.part in ("all", "detector"):
        found |= _detector(120 if given.quick else detector_runs.DAY_ROWS)
    kept = json.loads(OUT.read_text()) if OUT.is_file() and given.part != "all" else {}
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(kept | found, indent=2) + "\n")
    sys.stdout.write(f"\nkept in {OUT.relative_to(ROOT)}\n")


def _bandit(systems: int, slow: int, steps: int) -> dict[str, object]:
    kept: dict[str, object] = {"systems": systems, "slow_systems": slow, "steps": steps}
    times = tuple(t * steps // bandit_runs.STEPS for t in bandit_runs.CHANGES)
    for title, changes in (("static", ()), ("with changes", times)):
        runs = bandit_runs.tournament(systems, slow, steps=steps, changes=changes)
        where = f" at {', '.join(map(str, changes))}" if changes else ""
        sys.stdout.write(f"\n{title}{where}: {steps} steps\n{bandit_runs.table(runs)}\n")
        sys.stdout.flush()
        found = bandit_runs.figures(runs)
        kept |= found if not changes else {f"{k}_with_changes": v for k, v in found.items()}
    return kept


def _changes(quick: bool) -> dict[str, object]:
    result = change_runs.race(*((10, 2000, 15) if quick else (100, 6000, 200)))
    sys.stdout.write("\nbroken mechanisms, one false alarm a week for 1,000 series at 15 s\n")
    sys.stdout.write(change_runs.table(result) + "\n")
    figures = change_runs.figures(result)
    sys.stdout.write(
        f"{figures['watch_updates_per_second']:,.0f} rows of a series per CPU second; "
        f"{result.alarms:.2f} of the false alarms that the product's own thresholds state\n"
    )
    return dict(figures)


def _detector(rows: int) -> dict[str, object]:
    """A day of a healthy system whose series are ready-made, and an hour of one as scraped."""
    ready = detector_runs.run(detector_runs.Gauges(112), rows)
    scraped = detector_runs.run(detector_runs.Scraped(27), min(rows, 240))
    sys.stdout.write("\nthe detector, healthy systems, samples stored elsewhere\n")
    for name, cost in (("ready-made", ready), ("as scraped", scraped)):
        sys.stdout.write(
            f"{name}: {cost.series} series, {cost.rows} rows: {cost.updates_per_second:,.0f} "
            f"series-updates per CPU second, slowest row {cost.slowest_row_ms:.0f} ms, memory "
            f"{cost.grown_mib:+.1f} MiB, {cost.incidents} incidents\n"
        )
    return {
        "updates_per_second": min(ready.updates_per_second, scraped.updates_per_second),
        "updates_per_second_ready_made": ready.updates_per_second,
        "updates_per_second_scraped": scraped.updates_per_second,
        "detector_grown_mib": ready.grown_mib,
        "detector_slowest_row_ms": ready.slowest_row_ms,
    }


if __name__ == "__main__":
    main()
