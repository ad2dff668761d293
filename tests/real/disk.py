"""A small disk that a test can fill: a file system in memory, where we may mount one."""

from __future__ import annotations

import logging
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

log = logging.getLogger(__name__)


class Disk:
    """A folder on a disk of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self) -> None:
        """Leave no room on it."""
        with self._ballast.open("wb", buffering=0) as file:
            for size in (2**20, 1):
                with suppress(OSError):
                    while file.write(bytes(size)) == size:
                        pass

    def make_room(self) -> None:
        """Take away again what filled it."""
        self._ballast.unlink(missing_ok=True)


@contextmanager
def small_disk(most_bytes: int = 512 * 2**20) -> Iterator[Disk | None]:
    """A disk of this size; None where this user may not mount one."""
    with tempfile.TemporaryDirectory(prefix="rootward-disk-") as name:
        mount = ["mount", "-t", "tmpfs", "-o", f"size={most_bytes},mode=755", "tmpfs", name]
        try:
            subprocess.run(mount, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            log.warning("no disk to fill", extra={"reason": repr(error)})
            yield None
            return
        try:
            yield Disk(Path(name) / "data")
        finally:
            subprocess.run(["umount", "--lazy", name], check=True)
