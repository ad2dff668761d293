"""Message brokers as children of the tests, to be flushed, stopped and started again."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import redis

from tests.real.children import OnAPort, free_port


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


class RedisServer(OnAPort):
    """Debian's Redis; nothing it holds survives its end."""

    def __init__(self) -> None:
        super().__init__("redis")

    @property
    def jobs_url(self) -> str:
        """As in ROOTWARD_JOBS_URL."""
        return f"celery+redis://127.0.0.1:{self.port}/0"

    def command(self) -> Sequence[str]:
        """What is run."""
        return ["redis-server", "--bind", "127.0.0.1", "--port", str(self.port), "--save", ""]

    def flush(self) -> None:
        """Let it forget everything."""
        with redis.Redis(port=self.port) as client:
            client.flushall()


class KafkaServer(OnAPort):
    """A broker that speaks Kafka's protocol and keeps its records, for tests alone.

    It never drops a member that has died: those that tests kill need a name that they keep.
    """

    def __init__(self, folder: Path | None = None, port: int = 0) -> None:
        super().__init__("kafka", folder, port)

    @property
    def url(self) -> str:
        """As in ROOTWARD_BUS_URL."""
        return f"kafka://127.0.0.1:{self.port}"

    def has_saved(self, topic: str) -> bool:
        """Whether a topic would survive its end: it answers first, where Kafka saves first."""
        file = self.folder / "kafka.json"
        return file.exists() and f'"{topic}"' in file.read_text()

    def command(self) -> Sequence[str]:
        """What is run."""
        import noida_db  # which is there for Linux alone

        program = str(Path(noida_db.__file__).with_name("noida-db"))
        port = ["--kafka-port", str(self.port)]
        return [program, "start", "--only", "kafka", *port, "--data-dir", str(self.folder)]


class RabbitServer(OnAPort):
    """Debian's RabbitMQ with an epmd of its own; takes some ten seconds to start."""

    def __init__(self) -> None:
        super().__init__("rabbitmq")
        self._distribution = free_port()
        self._mapper = _PortMapper(self.folder)

    @property
    def jobs_url(self) -> str:
        """As in ROOTWARD_JOBS_URL."""
        return f"celery+amqp://guest:guest@127.0.0.1:{self.port}//"

    def command(self) -> Sequence[str]:
        """What is run: Debian's wrapper on the PATH insists on a user of its own."""
        (home,) = Path("/usr/lib/rabbitmq/lib").glob("rabbitmq_server-*")
        return [str(home / "sbin/rabbitmq-server")]

    def start(self) -> None:
        """Start it; returns once it takes connections."""
        self._mapper.start()
        super().start()

    def kill(self) -> None:
        """End it at once: the virtual machine, which is a child of the script."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        super().kill()
        self._mapper.stop()

    def stop(self) -> int:
        """End it at once; it keeps nothing that a test would miss."""
        self.kill()
        return self.process.wait()

    def surroundings(self) -> Mapping[str, str]:
        """Ports and folders of its own."""
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
            "ERL_EPMD_PORT": str(self._mapper.port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
        }


class _PortMapper(OnAPort):
    """Erlang's epmd."""

    def __init__(self, folder: Path) -> None:
        super().__init__("epmd", folder)

    def command(self) -> Sequence[str]:
        (epmd,) = Path("/usr/lib/erlang").glob("erts-*/bin/epmd")
        return [str(epmd), "-port", str(self.port), "-address", "127.0.0.1"]
