"""python -m tests.deploy.images: build each image without an engine, and run what is in it.

The steps of deploy/Dockerfile on a base of Debian packages (debootstrap), by buildah with chroot
isolation. Each service then starts from its tree as the image says: as its user, without
capabilities, on a read-only root. For root on Debian; what is built stays in out/images, and is
used again.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.real.children import Child, answers, free_port
from tests.real.postgres import PostgresServer

ROOT = Path(__file__).parents[2]
OUT = ROOT / "out/images"
BASE = "localhost/rootward-base"
TARGETS: Mapping[str, tuple[str, ...]] = {
    "ingest": ("ingest",),
    "dashboard": ("dashboard",),
    "worker": ("detect", "work"),
    "all": ("up",),
}
"""What runs from each image."""
TOOLS = "pip pip3 gcc cc g++ make ld node npm git curl wget"
USER = 10001
_STORAGE = ("--root", str(OUT / "storage"), "--runroot", str(OUT / "run"))
_ENTER = """
set -e
root=$1 data=$2
shift 2
mount --make-rprivate /
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
[ -z "$data" ] || mount --bind "$data" "$root/data"
mount -o remount,bind,ro "$root"
exec chroot "$root" setpriv --reuid="$0" --regid="$0" --clear-groups --no-new-privs \
  --bounding-set=-all --inh-caps=-all env -i "$@"
"""


@dataclass(frozen=True)
class Image:
    """A built image: its files, and how its maker says that they run."""

    target: str
    tree: Path
    environment: Mapping[str, str]
    folder: str
    entrypoint: tuple[str, ...]
    command: tuple[str, ...]
    user: str

    def inside(self, *command: str, data: Path | None = None, **settings: object) -> list[str]:
        """A command that runs in its tree as a container without any rights would."""
        named = self.environment | {f"ROOTWARD_{k.upper()}": str(v) for k, v in settings.items()}
        return [
            *("unshare", "--mount", "sh", "-c", _ENTER, self.user.partition(":")[0]),
            *(str(self.tree), str(data or ""), "-C", self.folder),
            *(f"{name}={value}" for name, value in named.items()),
            *command,
        ]

    def says(self, *command: str) -> str:
        """What a shell command prints in its tree."""
        return _run(*self.inside("sh", "-c", *command))

    def megabytes(self) -> int:
        """Size of its files, of the base too."""
        return _megabytes(self.tree)


def _run(*command: str, quiet: bool = True) -> str:
    done = subprocess.run(
        command, cwd=ROOT, text=True, check=True, stdout=subprocess.PIPE if quiet else None
    )
    return (done.stdout or "").strip()


def _megabytes(tree: Path) -> int:
    return int(_run("du", "-smx", str(tree)).split()[0])


def _buildah(*arguments: str, quiet: bool = True) -> str:
    return _run("buildah", *_STORAGE, "--storage-driver", "vfs", *arguments, quiet=quiet)


def base() -> None:
    """Debian with Python, as an image to build on."""
    OUT.mkdir(parents=True, exist_ok=True)
    if _buildah("images", "--quiet", "--filter", f"reference={BASE}"):
        return
    tree = OUT / "base"
    if not (tree / "usr/bin/python3").exists():
        packages = "--include=python3,python3-venv,ca-certificates"
        _run("debootstrap", "--variant=minbase", packages, "bookworm", str(tree), quiet=False)
    made = _buildah("from", "scratch")
    _buildah("add", "--quiet", made, str(tree), "/")
    path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    _buildah("config", "--env", path, made)
    _buildah("commit", "--quiet", "--rm", made, BASE)


@contextmanager
def built(target: str, arguments: Sequence[str]) -> Iterator[Image]:
    """An image by the Dockerfile's own steps, its tree mounted for as long as it is used."""
    name = f"localhost/rootward-{target}"
    _buildah(
        *("build", "--isolation", "chroot", "--format", "docker", "--layers", *arguments),
        *("--build-arg", f"BASE={BASE}", "--file", "deploy/Dockerfile"),
        *("--target", target, "--tag", name, "."),
        quiet=False,
    )
    container = _buildah("from", "--pull-never", name)
    try:
        told = json.loads(_buildah("inspect", "--type", "image", name))["Docker"]["config"]
        yield Image(
            target,
            Path(_buildah("mount", container)),
            dict(pair.split("=", 1) for pair in told["Env"]),
            told["WorkingDir"],
            tuple(told["Entrypoint"]),
            tuple(told["Cmd"]),
            told["User"],
        )
    finally:
        _buildah("rm", container)


def faults(image: Image) -> list[str]:
    """What is in the image that should not be, or is not and should."""
    found = [f"{tool} is inside" for tool in TOOLS.split() if image.says(f"command -v {tool} || :")]
    packages = image.says("ls /opt/rootward/lib/python3*/site-packages").split()
    found += [f"{name} is inside" for name in ("pip", "setuptools") if name in packages]
    for name in ("scipy", "torch"):
        if (name in packages) != (image.target in ("worker", "all")):
            found.append(name + (" is inside" if name in packages else " is missing"))
    if image.user != f"{USER}:{USER}":
        found.append(f"runs as {image.user}")
    if image.says("id -u; id -G") != f"{USER}\n{USER}":
        found.append("has other users or groups than its own")
    if "0000000000000000" not in image.says("grep CapBnd /proc/self/status"):
        found.append("keeps capabilities")
    own = image.says("find / -xdev -user 10001 -not -path /data 2> /dev/null || :")
    found += [f"may change {path}" for path in own.splitlines()]
    for place in ("/", "/opt/rootward", "/etc", "/data"):
        if image.says(f"touch {place}/x 2> /dev/null && echo written || :"):
            found.append(f"can write to {place}")
    return found


class Contained(Child):
    """A service from the tree of an image."""

    def __init__(self, image: Image, service: str, folder: Path, **settings: object) -> None:
        super().__init__(service, folder)
        self._port = free_port()
        data = folder / "data"
        data.mkdir()
        os.chown(data, USER, USER)
        self._command = image.inside(
            *image.entrypoint,
            service,
            data=data if service == "up" else None,
            host="127.0.0.1",
            port=self._port,
            **settings,
        )

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self._port}"

    def command(self) -> Sequence[str]:
        """In its tree."""
        return self._command

    def is_ready(self) -> bool:
        """Whether it says that it can do its work."""
        return answers(f"{self.url}/readyz")


def _ask(ingest: str, dashboard: str) -> None:
    """What `helm test` does: a sample goes in, and is read."""
    check = ROOT / "helm/rootward/files/check.py"
    told = {"URL": dashboard, "INGEST_URL": ingest, "PUSH": "yes"}
    subprocess.run([sys.executable, str(check)], env=told, check=True)


def main(told: Sequence[str]) -> int:
    """Build, look, start; a line for each image, and 1 if something is wrong.

    What is told are targets, all where there are none, and behind `--` options of `buildah build`.
    """
    targets = [one for one in told[: _options(told)] if one != "--"] or [*TARGETS]
    arguments = told[_options(told) + 1 :]
    base()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rootward-images-")))
        folder.chmod(0o755)
        postgres = stack.enter_context(PostgresServer())
        url = postgres.url(postgres.fresh())
        urls: dict[str, str] = {}
        wrong = 0
        for target in targets:
            image = stack.enter_context(built(target, arguments))
            found = faults(image)
            for one in TARGETS[target]:
                settings = {} if one == "up" else {"database_url": url}
                part = Contained(image, one, folder / one, **settings)
                urls[one] = stack.enter_context(part).url
            wrong += len(found)
            _say(f"image {target}: {_sizes(image)}; runs {', '.join(TARGETS[target])}; ", found)
        for ingest, dashboard in (("ingest", "dashboard"), ("up", "up")):
            if {ingest, dashboard} <= urls.keys() and (ingest == "up" or "detect" in urls):
                _ask(urls[ingest], urls[dashboard])
                _say(f"a sample that {ingest} took was read from {dashboard}; ", ())
    return min(wrong, 1)


def _options(told: Sequence[str]) -> int:
    """Where the options of buildah begin."""
    return told.index("--") if "--" in told else len(told)


def _sizes(image: Image) -> str:
    size, base_size = image.megabytes(), _megabytes(OUT / "base")
    return f"{size} MB, {size - base_size} MB over its base"


def _say(line: str, found: Sequence[str]) -> None:
    sys.stdout.write(f"{line}{'; '.join(found) or 'no faults'}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
