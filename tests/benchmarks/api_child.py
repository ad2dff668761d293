"""The dashboard alone in a process of its own: `python -m tests.benchmarks.api_child URL PORT`."""

from __future__ import annotations

import sys

from rootward import bootstrap
from rootward.settings import Settings
from rootward_cli.up import listening_on, serving, wait_for_signal
from rootward_dashboard.app import create_app


def main() -> None:
    """Serve until a signal."""
    platform = bootstrap.build(Settings(database_url=sys.argv[1]))
    with listening_on("127.0.0.1", int(sys.argv[2])) as listening:
        with serving(create_app(platform), listening):
            wait_for_signal()
    platform.close()


if __name__ == "__main__":
    main()
