"""Message brokers as children of the tests, to be flushed, stopped and started again."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import redis

from tests.real.servers import child, free_port


class Broker(Protocol):
    """A broker that the jobs ring through."""

    @property
    def jobs_url(self) -> str:
        """As in ROOTWARD_JOBS_URL."""
        ...

    def start(self) -> None:
        """Start it on its port; returns once it takes connections."""
        ...

    def kill(self) -> None:
        """End it at once."""
        ...


class _Child:
    """A server that is started and killed on one port, with a folder of its own."""

    def __init__(self, name: str) -> None:
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix=f"rootward-{name}-"))
        self._running: ExitStack | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self) -> None:
        """Start it; returns once it takes connections."""
        raise NotImplementedError

    def kill(self) -> None:
        """End it at once."""
        if self._running is not None and self._process is not None:
            self._process.kill()
            self._running.close()
        self._running = None

    def takes_connections(self) -> bool:
        """Whether somebody listens on its port."""
        try:
            socket.create_connection(("127.0.0.1", self.port), 0.3).close()
        except OSError:
            return False
        return True


class RedisServer(_Child):
    """Debian's Redis; nothing it holds survives its end."""

    def __init__(self) -> None:
        super().__init__("redis")

    @property
    def jobs_url(self) -> str:
        """As in ROOTWARD_JOBS_URL."""
        return f"celery+redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it; returns once it takes connections."""
        command = ["redis-server", "--bind", "127.0.0.1", "--port", str(self.port), "--save", ""]
        self._running = ExitStack()
        self._process = self._running.enter_context(
            child(command, self.folder, self.takes_connections)
        )

    def flush(self) -> None:
        """Let it forget everything."""
        with redis.Redis(port=self.port) as client:
            client.flushall()


class RabbitServer(_Child):
    """Debian's RabbitMQ with an epmd of its own; takes some ten seconds to start."""

    def __init__(self) -> None:
        super().__init__("rabbitmq")
        self._distribution, self._epmd = free_port(), free_port()

    @property
    def jobs_url(self) -> str:
        """As in ROOTWARD_JOBS_URL."""
        return f"celery+amqp://guest:guest@127.0.0.1:{self.port}//"

    def start(self) -> None:
        """Start it; returns once it takes connections."""
        (home,) = Path("/usr/lib/rabbitmq/lib").glob("rabbitmq_server-*")
        (epmd,) = Path("/usr/lib/erlang").glob("erts-*/bin/epmd")
        running = self._running = ExitStack()
        mapper = [str(epmd), "-port", str(self._epmd), "-address", "127.0.0.1"]
        running.enter_context(child(mapper, self.folder, lambda: True))
        # Debian's wrapper on the PATH insists on a user of its own
        command = [str(home / "sbin/rabbitmq-server")]
        self._process = running.enter_context(
            child(command, self.folder, self.takes_connections, self._surroundings())
        )

    def kill(self) -> None:
        """End it at once: the virtual machine, which is a child of the script."""
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, 9)
        super().kill()

    def _surroundings(self) -> dict[str, str]:
        (self.folder / "plugins").write_text("[].")
        (self.folder / "rabbitmq.conf").write_text(f"listeners.tcp.1 = 127.0.0.1:{self.port}\n")
        return {
            "HOME": str(self.folder),
            "RABBITMQ_NODENAME": f"rootward{self.port}@localhost",
            "RABBITMQ_DIST_PORT": str(self._distribution),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.folder / "logs"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
            "RABBITMQ_PID_FILE": str(self.folder / "pid"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                "-kernel inet_dist_use_interface {127,0,0,1} +S 1:1"
            ),
            "ERL_EPMD_PORT": str(self._epmd),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
        }
