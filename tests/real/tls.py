"""TLS in front of a server that has none, and a certificate that is made for it."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.real.cable import named

_CHUNK = 65_536
_TURNS = 10


@dataclass(frozen=True)
class Certificate:
    """A certificate of the loopback address, signed by itself, and its key."""

    file: Path
    key: Path


def certificate(folder: Path, name: str) -> Certificate:
    """A new one, in two files of a folder."""
    made = Certificate(folder / f"{name}.pem", folder / f"{name}.key")
    command = ["openssl", "req", "-x509", "-nodes", "-days", "2", "-subj", f"/CN={name}"]
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    where = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(made.key), "-out"]
    subprocess.run([*command, *kind, *where, str(made.file)], check=True, capture_output=True)
    return made


@contextmanager
def behind_tls(upstream_port: int, shown: Certificate, trusted: Certificate) -> Iterator[int]:
    """A port that takes TLS alone, from clients with the trusted certificate, for a broker."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=trusted.file)
    context.load_cert_chain(shown.file, shown.key)
    context.verify_mode = ssl.CERT_REQUIRED
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def take(near_reader: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        with _aborted(near), suppress(OSError, asyncio.CancelledError):  # an SSLError is the first
            await near.start_tls(context)
            far_reader, far = await asyncio.open_connection("127.0.0.1", upstream_port)
            with _aborted(far):
                told, renamed = named(upstream_port), named(port)
                pumps = _pump(near_reader, far), _pump(far_reader, near, told, renamed)
                await asyncio.gather(*pumps)

    opening = asyncio.start_server(take, "127.0.0.1", 0)
    server = asyncio.run_coroutine_threadsafe(opening, loop).result(30)
    port: int = server.sockets[0].getsockname()[1]
    try:
        yield port
    finally:
        asyncio.run_coroutine_threadsafe(_ended(server), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@contextmanager
def _aborted(one: asyncio.StreamWriter) -> Iterator[None]:
    """Leaves no connection open, however it is left."""
    try:
        yield
    finally:
        one.transport.abort()


async def _pump(
    source: asyncio.StreamReader, sink: asyncio.StreamWriter, told: bytes = b"", by: bytes = b""
) -> None:
    with suppress(OSError, ssl.SSLError):
        while data := await source.read(_CHUNK):
            sink.write(data.replace(told, by) if told else data)
            await sink.drain()
    sink.close()


async def _ended(server: asyncio.Server) -> None:
    server.close()
    running = asyncio.all_tasks() - {asyncio.current_task()}
    for one in running:
        one.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    for _ in range(_TURNS):  # connections that were aborted close in the loop's next turns
        await asyncio.sleep(0)
