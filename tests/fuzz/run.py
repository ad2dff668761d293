"""python -m tests.fuzz.run SECONDS [TARGET…]: look for inputs that crash, hang or bloat a decoder.

libFuzzer, through atheris, mutates valid inputs and keeps those that reach new code. All targets
run at a time, each a process of its own. A target fails where an input raised what it must not,
took ten seconds, or made the process hold more than a gibibyte; that input then lies in out/fuzz.
"""

from __future__ import annotations

import logging
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import atheris

OUT = Path(__file__).parents[2] / "out/fuzz"


def fuzz(name: str, seconds: int) -> None:
    """Fuzz one target in this process for so long; does not return."""
    with atheris.instrument_imports(include=["rootward", "rootward_ingest", "prometheus_client"]):
        from tests.fuzz.targets import forgiving
    from tests.fuzz.seeds import seeds

    logging.disable(logging.CRITICAL)
    corpus = OUT / name
    corpus.mkdir(parents=True, exist_ok=True)
    for k, seed in enumerate(seeds(name)):
        (corpus / f"seed-{k}").write_bytes(seed)
    flags = ["-timeout=10", "-rss_limit_mb=1024", "-max_len=65536", "-print_final_stats=1"]
    ends = [f"-max_total_time={seconds}", f"-artifact_prefix={OUT}/{name}-"]
    atheris.Setup([sys.argv[0], *flags, *ends, str(corpus)], forgiving(name))
    atheris.Fuzz()


def fuzz_all(seconds: int, names: Sequence[str]) -> dict[str, tuple[int, str]]:
    """Fuzz targets side by side; the exit status of each and what it wrote."""
    OUT.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "tests.fuzz.run", str(seconds)]
    running = {}
    for name in names:
        with (OUT / f"{name}.log").open("wb") as log:
            running[name] = subprocess.Popen([*command, "--only", name], stdout=log, stderr=log)
    return {
        name: (process.wait(), (OUT / f"{name}.log").read_text(errors="replace"))
        for name, process in running.items()
    }


def main(seconds: int, names: Sequence[str]) -> int:
    """Fuzz, and write a line for each target; the number of targets that failed."""
    found = fuzz_all(seconds, names)
    for name, (status, log) in found.items():
        stats = dict(re.findall(r"stat::(\w+):\s+(\d+)", log))
        runs, held = stats.get("number_of_executed_units", "?"), stats.get("peak_rss_mb", "?")
        verdict = "ok" if status == 0 else f"FAILED, see {OUT / name}.log"
        sys.stdout.write(f"{name:24}{runs:>10} inputs {held:>5} MB  {verdict}\n")
    return sum(status != 0 for status, _ in found.values())


if __name__ == "__main__":
    if sys.argv[2:3] == ["--only"]:
        fuzz(sys.argv[3], int(sys.argv[1]))
    from tests.fuzz.targets import TARGETS

    sys.exit(main(int(sys.argv[1]), sys.argv[2:] or list(TARGETS)))
