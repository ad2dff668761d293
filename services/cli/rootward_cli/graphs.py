"""`rootward graphs …`: the causal graphs that a running server keeps, over its API."""

from __future__ import annotations

from itertools import islice
from typing import Annotated

import typer
from rich.table import Table

from rootward.client import Client, Json
from rootward_cli.incidents import HERE, Server, Token, out

app = typer.Typer(help="Causal graphs that a running server keeps.", no_args_is_help=True)
Most = Annotated[int, typer.Option("--limit", help="Most lines.", min=1)]


@app.command("list")
def list_(most: Most = 50, server: Server = HERE, token: Token = "") -> None:
    """List the current version of the graph of each service."""
    shown = Table("service", "version", "why", "relearnt", "since")
    with Client(server, token) as client:
        for one in islice(client.graphs(), most):
            learnt = str(len(one["relearnt"]))
            shown.add_row(
                one["service"], str(one["version"]), one["reason"], learnt, one["created_at"]
            )
    out.print(shown)


@app.command()
def show(
    service: str,
    version: Annotated[int | None, typer.Option(help="Not the current one.", min=1)] = None,
    server: Server = HERE,
    token: Token = "",
) -> None:
    """Show the graph of a service: edges, what changed, the versions that are kept."""
    with Client(server, token) as client:
        one = client.graph(service, version)
    _say(f"{one['service']}: version {one['version']} of {one['created_at']}")
    for title, edges in (("", one["edges"]), ("gained ", one["gained"]), ("lost ", one["lost"])):
        for edge in edges:
            _say(f"  {title}{_edge(edge)}")
    for notice in one["notices"]:
        _say(f"  {notice['text']}")
    _say("kept: " + ", ".join(f"{old['version']} ({old['reason']})" for old in one["history"]))


@app.command()
def drift(most: Most = 50, server: Server = HERE, token: Token = "") -> None:
    """List what changed after something was done, though no incident opened."""
    with Client(server, token) as client:
        for one in islice(client.drift(), most):
            _say(f"{one['at']}  {one['service']}  {one['text']}")


def _edge(edge: Json) -> str:
    weight = "" if edge["weight"] is None else f"  {edge['weight']:.2f}"
    return f"{edge['cause']} -> {edge['effect']}  +{edge['lag_seconds']:g} s{weight}"


def _say(line: str) -> None:
    out.print(line, markup=False, highlight=False, soft_wrap=True)
