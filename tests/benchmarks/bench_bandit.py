"""The causal bandit and its change detection beside their peers.

Run with `make bench-bandit`, or `make bench-bandit ARGS=--quick` for a look in a minute or two.
Tables go to the terminal, the figures that are kept to out/bench/bandit.json. Systems are made
from seeds 0, 1, 2, …; the expensive learners play the first ones only (`--slow-systems`).
"""

import argparse
import json
import sys
from pathlib import Path

from tests.benchmarks import bandit_runs, change_runs

ROOT = Path(__file__).parents[2]
OUT = ROOT / "out/bench/bandit.json"


def main() -> None:
    """Play, print, keep."""
    parser = argparse.ArgumentParser(description="causal bandit beside its peers")
    parser.add_argument("--quick", action="store_true", help="few systems, short runs")
    parser.add_argument("--systems", type=int, default=100)
    parser.add_argument("--slow-systems", type=int, default=20)
    parser.add_argument("--part", choices=("all", "bandit", "changes"), default="all")
    given = parser.parse_args()
    systems, slow = (3, 1) if given.quick else (given.systems, given.slow_systems)
    steps = 600 if given.quick else bandit_runs.STEPS
    kept = json.loads(OUT.read_text()) if OUT.is_file() and given.part != "all" else {}
    kept |= {"quick": given.quick}
    if given.part in ("all", "bandit"):
        kept |= _bandit(systems, slow, steps)
    if given.part in ("all", "changes"):
        kept |= _changes(given.quick)
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(kept, indent=2) + "\n")
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
        f"{figures['updates_per_second']:,.0f} rows of a series per CPU second; "
        f"{result.alarms:.2f} of the false alarms that the product's own thresholds state\n"
    )
    return dict(figures)


if __name__ == "__main__":
    main()
