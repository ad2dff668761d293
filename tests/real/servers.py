"""Real servers as children of a test: each on a free loopback port, with a folder of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent

from tests.real.children import Child, answers, free_port


class Website(Child):
    """A server that says over HTTP that it is ready."""

    def __init__(self, folder: Path, program: str, *flags: str) -> None:
        super().__init__(program, folder)
        self.address = f"127.0.0.1:{free_port()}"
        self.url = f"http://{self.address}"
        self._command = [program, f"--web.listen-address={self.address}", *flags]

    def command(self) -> Sequence[str]:
        """What is run."""
        return self._command

    def is_ready(self) -> bool:
        """Whether it says so."""
        return answers(f"{self.url}/-/ready")


@contextmanager
def prometheus(folder: Path, config: str, *flags: str) -> Iterator[Website]:
    """Debian's Prometheus with this configuration, in which SELF stands for its own address."""
    file = folder / "prometheus.yml"
    kept = f"--storage.tsdb.path={folder / 'data'}"
    server = Website(folder, "prometheus", f"--config.file={file}", kept, *flags)
    file.write_text(dedent(config).replace("SELF", server.address))
    with server:
        yield server
        server.kill()  # it would try for a minute to send what is left


@contextmanager
def alertmanager(folder: Path, webhook: str) -> Iterator[Website]:
    """Debian's Alertmanager, which sends every alert to one webhook."""
    file = folder / "alertmanager.yml"
    kept = f"--storage.path={folder / 'data'}"
    server = Website(
        folder,
        "prometheus-alertmanager",
        f"--config.file={file}",
        kept,
        "--cluster.listen-address=",
    )
    file.write_text(
        dedent(f"""\
        route: {{receiver: one, group_wait: 0s, group_interval: 1s, repeat_interval: 1m}}
        receivers:
          - name: one
            webhook_configs: [{{url: "{webhook}", send_resolved: true}}]
        """)
    )
    with server:
        yield server
