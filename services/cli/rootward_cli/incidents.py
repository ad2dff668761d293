"""`rootward incidents …`: work on incidents of a running server, over its API."""

from __future__ import annotations

import time
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from rootward.client import Client, Json

app = typer.Typer(help="Work on incidents of a running server.", no_args_is_help=True)
out = Console()

Server = Annotated[
    str, typer.Option("--server", envvar="ROOTWARD_SERVER", help="Address of the server.")
]
Token = Annotated[
    str, typer.Option("--token", envvar="ROOTWARD_TOKEN", help="Where the server asks for one.")
]
Key = Annotated[str, typer.Argument(help="Id or name, such as INC-7.")]
HERE = "http://localhost:8080"


@app.command("list")
def list_(
    status: Annotated[str, typer.Option(help="open or resolved; empty: both.")] = "open",
    service: Annotated[str, typer.Option(help="Only of this service.")] = "",
    q: Annotated[str, typer.Option("--search", help="Words to look for.")] = "",
    most: Annotated[int, typer.Option("--limit", help="Most incidents.", min=1)] = 50,
    server: Server = HERE,
    token: Token = "",
) -> None:
    """List incidents, newest first."""
    filters = {"status": status, "service": service, "q": q}
    shown = Table("name", "status", "severity", "age", "cause", "assignee", "title")
    with Client(server, token) as client:
        found = client.incidents(**{k: v for k, v in filters.items() if v})
        for one, _ in zip(found, range(most), strict=False):
            shown.add_row(*_row(one))
    out.print(shown)


@app.command()
def show(key: Key, server: Server = HERE, token: Token = "") -> None:
    """Show one incident: conclusion, candidates, log."""
    with Client(server, token) as client:
        whole, log = client.incident(key), client.activity(key)
    one, found = whole["incident"], whole["diagnosis"]
    out.print(f"[bold]{one['name']}[/bold] {one['status']} {one['severity']}: {one['title']}")
    if whole["merged_into"]:
        out.print(f"{key} was merged into {whole['merged_into']}")
    if found is None:
        out.print(one["diagnosis"]["reason"] or "no diagnosis yet")
    else:
        out.print(found["conclusion"])
        for cause in found["candidates"][:5]:
            out.print(f"  {cause['rank']}. {cause['service']}  {100 * cause['score']:.0f} %")
            for reason in cause["evidence"]:
                out.print(f"     {reason['text']}", markup=False)
    for line in log:
        who = line["actor"] or "rootward"
        out.print(f"{line['at']}  {who}  {line['action']}  {line['text']}", markup=False)


@app.command()
def ack(
    keys: Annotated[list[str], typer.Argument()], server: Server = HERE, token: Token = ""
) -> None:
    """Note that you have seen incidents."""
    with Client(server, token) as client:
        for key in keys:
            _say(client.acknowledge(key), "acknowledged")


@app.command()
def assign(key: Key, to: str, server: Server = HERE, token: Token = "") -> None:
    """Give an incident to somebody; an empty name for nobody."""
    with Client(server, token) as client:
        _say(client.assign(key, to), f"assigned to {to or 'nobody'}")


@app.command()
def resolve(
    keys: Annotated[list[str], typer.Argument()],
    note: Annotated[str, typer.Option(help="Why.")] = "",
    server: Server = HERE,
    token: Token = "",
) -> None:
    """End incidents."""
    with Client(server, token) as client:
        for key in keys:
            _say(client.resolve(key, note), "resolved")


@app.command()
def merge(
    key: Key,
    others: Annotated[list[str], typer.Argument(help="What it takes in.")],
    server: Server = HERE,
    token: Token = "",
) -> None:
    """Let an incident take in others; their names keep answering."""
    with Client(server, token) as client:
        _say(client.merge(key, others), f"took in {', '.join(others)}")


@app.command()
def comment(key: Key, text: str, server: Server = HERE, token: Token = "") -> None:
    """Say something about an incident."""
    with Client(server, token) as client:
        client.comment(key, text)
    out.print(f"{key}: commented", highlight=False)


@app.command()
def tell(
    key: Key,
    action: Annotated[str, typer.Argument(help="Such as restart, roll_back or read_logs.")],
    service: Annotated[str, typer.Argument(help="What it was done to.")],
    helped: Annotated[
        bool | None,
        typer.Option("--helped/--not-helped", help="Neither: the symptom's recovery decides."),
    ] = None,
    note: Annotated[str, typer.Option(help="What makes you say so.")] = "",
    server: Server = HERE,
    token: Token = "",
) -> None:
    """Say what came of a check or a remedy; the next suggestions learn from it."""
    with Client(server, token) as client:
        _say_outcome(client.tell_outcome(key, action, service, helped, note))


@app.command()
def outcomes(key: Key, server: Server = HERE, token: Token = "") -> None:
    """List what was told of checks and remedies in an incident."""
    with Client(server, token) as client:
        for one in client.outcomes(key):
            _say_outcome(one)


def _say_outcome(one: Json) -> None:
    who = one["actor"] if one["source"] == "person" else f"the symptom, told by {one['actor']}"
    said = f"{one['step']}: {one['came_of_it']}  {one['at']}  {who}  {one['note']}"
    out.print(said.rstrip(), markup=False, highlight=False, soft_wrap=True)


def _say(one: Json, what: str) -> None:
    out.print(f"{one['name']}: {what}", highlight=False)


def _row(one: Json) -> tuple[str, ...]:
    minutes = max(0.0, time.time() - one["onset_unix"]) / 60
    age = f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.0f} h"
    cause = one["diagnosis"]["first_cause"] or ""
    return (
        one["name"], one["status"], one["severity"], age, cause, one["assignee"], one["title"],
    )  # fmt: skip
