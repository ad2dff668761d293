"""The demo, as README's first command runs it: real services, a real fault, its cause named."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(300)
def test_the_demo_names_the_broken_service_and_leaves_nothing_running():
    done = subprocess.run(
        [sys.executable, "-m", "rootward_cli", "demo", "--fault", "latency@catalogue", "--exit"],
        capture_output=True, text=True, timeout=240, check=False, cwd=ROOT,
        env=os.environ | {"COLUMNS": "200"},
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"http://127\.0\.0\.1:\d+/incidents/INC-\d+", done.stdout)
    assert re.search(r"^ +1\. catalogue ", done.stdout, re.MULTILINE)
    assert "opened before anything was broken" not in done.stdout
