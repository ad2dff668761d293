"""`python -m shop`: the whole shop, one service of it, its visitors, or a fault."""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from shop.errors import ShopError
from shop.load import Load, Shape
from shop.run import FAULTS, Shop, heal, inject
from shop.serve import Sockets, serve
from shop.server import listen
from shop.topology import SERVICES, TIMEOUTS

DEFAULT_DIRECTORY = Path("var/shop")


def main() -> int:
    """Run one command; the exit status is 0, or 1 with the reason on standard error."""
    arguments = _parser().parse_args()
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s %(message)s")
    for handler in logging.getLogger().handlers:
        handler.addFilter(_one_a_second())
    if arguments.watch_stdin:
        threading.Thread(target=_end_with_parent, daemon=True).start()
    command: Callable[[argparse.Namespace], None] = arguments.command
    try:
        command(arguments)
    except ShopError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _run(arguments: argparse.Namespace) -> None:
    ended = _told_to_end()
    with Shop(arguments.directory, arguments.seed, shape=_shape(arguments)) as shop:
        if arguments.scrape_file:
            shop.write_scrape_file(arguments.scrape_file)
        sys.stdout.write(f"the shop is open at {shop.url}; metrics of each service:\n")
        for name, url in shop.targets().items():
            sys.stdout.write(f"  {name:15} {url}\n")
        sys.stdout.write(f"break it with: inject {FAULTS[0]}; end with Ctrl-C\n")
        sys.stdout.flush()
        ended.wait()


def _serve(arguments: argparse.Namespace) -> None:
    name = arguments.name
    urls = {callee: f"http://{callee}:8000" for callee in TIMEOUTS.get(name, {})}
    for given in arguments.dependency:
        callee, _, url = given.partition("=")
        urls[callee] = url
    if arguments.sockets:
        sockets = Sockets(*(socket.socket(fileno=number) for number in arguments.sockets))
    else:
        host = arguments.host
        sockets = Sockets(listen(host, arguments.port), listen(host, arguments.operator_port))
    arguments.directory.mkdir(parents=True, exist_ok=True)
    serve(name, sockets, urls, arguments.directory, arguments.seed)


def _load(arguments: argparse.Namespace) -> None:
    Load(arguments.url, _shape(arguments), arguments.seed).run(_told_to_end())


def _inject(arguments: argparse.Namespace) -> None:
    options = {
        name: float(value) for name, _, value in (o.partition("=") for o in arguments.option)
    }
    inject(_operators(arguments.directory), arguments.fault, options)


def _heal(arguments: argparse.Namespace) -> None:
    heal(_operators(arguments.directory))


def _operators(directory: Path) -> dict[str, str]:
    path = directory / "shop.json"
    if not path.exists():
        raise ShopError(f"no shop runs in {directory}; name its --directory")
    return dict(json.loads(path.read_text())["operators"])


def _shape(arguments: argparse.Namespace) -> Shape:
    return Shape(arguments.rate, arguments.swing, arguments.day)


def _told_to_end() -> threading.Event:
    """An event that Ctrl-C and SIGTERM set."""
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    return ended


def _end_with_parent() -> None:
    """End this process when standard input closes, as it does when the parent dies."""
    while os.read(0, 4096):
        pass
    os._exit(0)


def _one_a_second() -> Callable[[logging.LogRecord], bool]:
    """A filter that keeps a log file small while every request fails."""
    last = float("-inf")

    def passes(record: logging.LogRecord) -> bool:
        nonlocal last
        kept = record.created - last >= 1
        last = record.created if kept else last
        return kept

    return passes


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m shop", description=__doc__)
    commands = parser.add_subparsers(required=True)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--directory", type=Path, default=DEFAULT_DIRECTORY, help="for its files")
    common.add_argument("--seed", type=int, default=0, help="of every random choice")
    common.add_argument("--watch-stdin", action="store_true", help="end when standard input closes")
    shape = argparse.ArgumentParser(add_help=False)
    shape.add_argument("--rate", type=float, default=Shape.requests_per_second, help="requests/s")
    shape.add_argument("--swing", type=float, default=Shape.swing, help="of the rate, 0 to 1")
    shape.add_argument("--day", type=float, default=Shape.day_seconds, help="length in seconds")

    run = commands.add_parser("run", parents=[common, shape], help="the whole shop")
    run.add_argument("--scrape-file", type=Path, help="write the targets here (file_sd JSON)")
    run.set_defaults(command=_run)
    _add_serve(commands.add_parser("serve", parents=[common], help="one service"))
    load = commands.add_parser("load", parents=[common, shape], help="visitors")
    load.add_argument("--url", default="http://frontend:8000", help="of the frontend")
    load.set_defaults(command=_load)
    broken = commands.add_parser("inject", parents=[common], help="begin a fault of a running shop")
    broken.add_argument("fault", help=f"kind@service, such as {', '.join(FAULTS)}")
    broken.add_argument("option", nargs="*", help="such as seconds=0.5")
    broken.set_defaults(command=_inject)
    healed = commands.add_parser("heal", parents=[common], help="end all faults of a running shop")
    healed.set_defaults(command=_heal)
    return parser


def _add_serve(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", choices=SERVICES)
    parser.add_argument("--host", default="0.0.0.0", help="address to listen on")
    parser.add_argument("--port", type=int, default=8000, help="for callers")
    parser.add_argument("--operator-port", type=int, default=9000, help="/metrics, /livez, /fault")
    parser.add_argument("--sockets", type=int, nargs=2, help="listening sockets, instead of ports")
    parser.add_argument(
        "--dependency", action="append", default=[], metavar="NAME=URL", help="http://NAME:8000"
    )
    parser.set_defaults(command=_serve)


if __name__ == "__main__":
    sys.exit(main())
