"""`rootward tokens`, `rootward people`, `rootward audit`: who may do what, by command.

Storage and hashing are imported where they run, so that `rootward --help` does not wait for them.
"""

from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from rootward import settings
from rootward.access import tokens as secrets_of_tokens
from rootward.errors import InvalidInput, NotFound
from rootward.model.access import AuditEntry, Person, Right, Role, Token
from rootward.ports import DEFAULT_TENANT, Platform

tokens = typer.Typer(help="API tokens, for programs and for senders.", no_args_is_help=True)
people = typer.Typer(help="People who log in with a password.", no_args_is_help=True)
out = Console()
err = Console(stderr=True)

PLACE = "command line"
_DAY = 86_400.0
Tenant = Annotated[str, typer.Option(help="Whose data it gives access to.")]
AsJson = Annotated[bool, typer.Option("--json", help="As one JSON document.")]
FromFile = Annotated[
    Path | None, typer.Option(help="File with the password, - for standard input; else it is asked")
]


@tokens.command("create")
def create_token(
    name: Annotated[str, typer.Argument(help="What it is for, such as prometheus.")],
    scope: Annotated[list[Right], typer.Option(help="What it may do; may be given several times.")],
    days: Annotated[
        float | None, typer.Option(help="Days until it expires; else it does not.", min=0.01)
    ] = None,
    tenant: Tenant = DEFAULT_TENANT,
) -> None:
    """Make a token and print it, this once; only its digest is stored."""
    with _platform() as platform:
        now = platform.clock.now()
        expires = None if days is None else now + days * _DAY
        text, token = secrets_of_tokens.make(name, tenant, scope, now, expires_unix=expires)
        platform.access.add_token(token)
        note(platform, "create_token", name, tenant, " ".join(sorted(scope)))
    err.print(f"token {token.id}; keep it now, it is not shown again", highlight=False)
    print(text)


@tokens.command("list")
def list_tokens(as_json: AsJson = False) -> None:
    """List tokens, without their text."""
    with _platform() as platform:
        found, now = platform.access.tokens(), platform.clock.now()
    if as_json:
        print(json.dumps([_plain_token(token, now) for token in found], indent=2))
        return
    heads = ("id", "name", "tenant", "scopes", "created", "expires", "last used", "state")
    _show(heads, [tuple(_plain_token(token, now).values()) for token in found])


@tokens.command("revoke")
def revoke_token(
    token_id: Annotated[str, typer.Argument(help="Its id, as `tokens list` shows it.")],
) -> None:
    """Make a token worthless, everywhere within seconds."""
    with _platform() as platform:
        token = platform.access.revoke_token(token_id, platform.clock.now())
        note(platform, "revoke_token", token.name, token.tenant, token.id)
    err.print(f"token {token.name} is revoked", highlight=False)


@people.command("add")
def add_person(
    name: Annotated[str, typer.Argument(help="What they log in with.")],
    role: Annotated[Role, typer.Option(help="What they may do.")] = Role.VIEWER,
    password_file: FromFile = None,
    tenant: Tenant = DEFAULT_TENANT,
) -> None:
    """Let someone log in."""
    secrets_of_tokens.require_name(name)
    with _platform() as platform:
        if platform.access.person(name) is not None:
            raise InvalidInput(f"there is somebody called {name}")
        hashed = _hashed(platform, password_file)
        platform.access.put_person(Person(name, tenant, role, platform.clock.now(), hashed))
        note(platform, "add_person", name, tenant, role.value)
    err.print(f"{name} may log in, as {role.value}", highlight=False)


@people.command("list")
def list_people(as_json: AsJson = False) -> None:
    """List who may log in."""
    with _platform() as platform:
        found = platform.access.people()
    rows = [(p.name, p.role.value, p.tenant, _stamp(p.created_unix)) for p in found]
    heads = ("name", "role", "tenant", "since")
    if as_json:
        print(json.dumps([dict(zip(heads, row, strict=True)) for row in rows], indent=2))
        return
    _show(heads, rows)


@people.command("remove")
def remove_person(name: Annotated[str, typer.Argument(help="Who.")]) -> None:
    """Let someone in no more, and end their logins."""
    with _platform() as platform:
        person = platform.access.remove_person(name)
        note(platform, "remove_person", name, person.tenant, person.role.value)
    err.print(f"{name} may not log in any more", highlight=False)


@people.command("password")
def change_password(
    name: Annotated[str, typer.Argument(help="Whose.")], password_file: FromFile = None
) -> None:
    """Give someone a new password, and end their logins."""
    with _platform() as platform:
        person = platform.access.person(name)
        if person is None:
            raise NotFound(f"there is nobody called {name}")
        hashed = _hashed(platform, password_file)
        platform.access.put_person(replace(person, password_hash=hashed))
        note(platform, "change_password", name, person.tenant)
    err.print(f"{name} has a new password", highlight=False)


def audit(
    limit: Annotated[int, typer.Option(help="So many entries, the newest.", min=1)] = 50,
    tenant: Annotated[str | None, typer.Option(help="Only of this tenant.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show who did what, the newest first; nobody can change or delete an entry."""
    with _platform() as platform:
        entries = platform.access.audit(tenant, limit=limit).items
    if as_json:
        print(json.dumps([asdict(entry) for entry in entries], indent=2))
        return
    heads = ("time", "who", "action", "target", "from", "outcome", "detail")
    _show(heads, [_row(entry) for entry in entries])


def note(platform: Platform, action: str, target: str, tenant: str, detail: str = "") -> None:
    """Write down what was done with a command, and who on this machine did it."""
    now, who = platform.clock.now(), getpass.getuser()
    entry = AuditEntry(tenant, now, f"os:{who}", action, target, PLACE, "done", detail)
    platform.access.note(entry)


@contextmanager
def _platform() -> Iterator[Platform]:
    from rootward import bootstrap

    platform = bootstrap.build(settings.load())
    try:
        yield platform
    finally:
        platform.close()


def _hashed(platform: Platform, file: Path | None) -> str:
    from rootward.access.passwords import Passwords

    return Passwords(platform.access).hashed(_password(file))


def _password(file: Path | None) -> str:
    """The password, which is never an argument: those can be seen by others and are kept."""
    if file is None:
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    return text.rstrip("\r\n")


def _plain_token(token: Token, now: float) -> dict[str, str]:
    state = "revoked" if token.revoked_unix else "good" if token.valid(now) else "expired"
    return {
        "id": token.id,
        "name": token.name,
        "tenant": token.tenant,
        "scopes": " ".join(sorted(token.rights)),
        "created": _stamp(token.created_unix),
        "expires": _stamp(token.expires_unix),
        "last_used": _stamp(token.used_unix),
        "state": state,
    }


def _row(entry: AuditEntry) -> tuple[str, ...]:
    told = (entry.who, entry.action, entry.target, entry.address, entry.outcome, entry.detail)
    return (_stamp(entry.at_unix), *told)


def _stamp(unix: float | None) -> str:
    if unix is None:
        return ""
    return datetime.fromtimestamp(unix, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _show(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    table = Table(*heads, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    out.print(table, markup=False, highlight=False)
