"""Who may come in: the parts of the API by which admins manage tokens and people."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from pydantic import AwareDatetime, BaseModel, Field, SecretStr

from rootward.access import tokens
from rootward.access.passwords import LEAST, MOST, Passwords
from rootward.errors import Conflict, InvalidInput, NotFound
from rootward.model.access import Person, Right, Role, Token
from rootward.ports import Platform
from rootward_dashboard.access import Asking
from rootward_dashboard.api.routing import change, get
from rootward_dashboard.figures import instant

_Name = Annotated[str, Field(min_length=1, max_length=64, examples=["prometheus"])]
_Password = Annotated[SecretStr, Field(min_length=LEAST, max_length=MOST)]
_Days = Annotated[
    float | None, Field(gt=0, le=36_500, description="Days until it expires; null: it does not.")
]
_TokenId = Annotated[str, Path(max_length=64, description="Its id, as the list shows it.")]
_Who = Annotated[str, Path(max_length=64, description="What they log in with.")]


class TokenOut(BaseModel):
    """A token; its text is not known here."""

    id: str = Field(examples=["3f1c0a9be772"])
    name: _Name
    scopes: list[Right]
    created_at: AwareDatetime
    created_unix: float
    expires_unix: float | None
    used_unix: float | None = Field(description="When it was last shown, to the minute.")
    revoked_unix: float | None
    valid: bool = Field(description="Whether it is good just now.")


class TokenListOut(BaseModel):
    """Every token of the tenant, the oldest first, revoked and expired ones too."""

    items: list[TokenOut]


class TokenIn(BaseModel, extra="forbid"):
    """A token to be made."""

    name: _Name
    scopes: list[Right] = Field(min_length=1, max_length=len(Right))
    days: _Days = None


class TokenMadeOut(BaseModel):
    """A new token, with its text this once."""

    token: TokenOut
    text: str = Field(description="Send it as `Authorization: Bearer …`; it is not shown again.")


class PersonOut(BaseModel):
    """Someone who may log in."""

    name: str = Field(examples=["anna"])
    role: Role
    created_at: AwareDatetime
    created_unix: float


class PersonListOut(BaseModel):
    """Everyone of the tenant, by name."""

    items: list[PersonOut]


class PersonIn(BaseModel, extra="forbid"):
    """Someone who shall be able to log in."""

    name: _Name
    role: Role
    password: _Password


class PersonChangeIn(BaseModel, extra="forbid"):
    """Another role, another password, or both; either ends their logins."""

    role: Role | None = None
    password: _Password | None = None


def add(routes: APIRouter, platform: Platform) -> None:
    """/tokens and /people; all of it for admins, of their own tenant alone."""
    _add_tokens(routes, platform)
    desk = _People(platform)
    get(routes, "/people", desk.all, "list_people", PersonListOut, right=Right.ADMIN)
    for method, path, endpoint, name, status in (
        ("POST", "/people", desk.add, "add_person", 201),
        ("PATCH", "/people/{name}", desk.change, "change_person", 200),
        ("DELETE", "/people/{name}", desk.remove, "remove_person", 200),
    ):
        change(
            routes, path, endpoint, name, PersonOut,
            method=method, status=status, right=Right.ADMIN,
        )  # fmt: skip


def _add_tokens(routes: APIRouter, platform: Platform) -> None:
    store, clock = platform.access, platform.clock

    def every(caller: Asking, response: Response) -> TokenListOut:
        """Tokens of the tenant, without their text."""
        response.headers["Cache-Control"] = "no-store"
        now = clock.now()
        own = [token for token in store.tokens() if token.tenant == caller.tenant]
        return TokenListOut(items=[_token(token, now) for token in own])

    def make(request: Request, response: Response, caller: Asking, wanted: TokenIn) -> TokenMadeOut:
        """Make a token. Its text is in this answer and nowhere else: only its digest is stored."""
        request.state.concerns = wanted.name
        response.headers["Cache-Control"] = "no-store"
        now = clock.now()
        expires = None if wanted.days is None else now + wanted.days * 86_400.0
        text, token = tokens.make(
            wanted.name, caller.tenant, wanted.scopes, now, expires_unix=expires
        )
        store.add_token(token)
        return TokenMadeOut(token=_token(token, now), text=text)

    def revoke(request: Request, caller: Asking, token_id: _TokenId) -> TokenOut:
        """Make a token worthless, everywhere within seconds."""
        mine = [t for t in store.tokens() if (t.tenant, t.id) == (caller.tenant, token_id)]
        if not mine:
            raise NotFound(f"there is no token {token_id}")
        request.state.concerns = mine[0].name
        now = clock.now()
        found = store.revoke_token(token_id, now)
        return _token(replace(found, revoked_unix=found.revoked_unix or now), now)

    get(routes, "/tokens", every, "list_tokens", TokenListOut, right=Right.ADMIN)
    for path, endpoint, name, model, status in (
        ("/tokens", make, "create_token", TokenMadeOut, 201),
        ("/tokens/{token_id}/revoke", revoke, "revoke_token", TokenOut, 200),
    ):
        change(routes, path, endpoint, name, model, status=status, right=Right.ADMIN)


class _People:
    """The endpoints for people. Nobody takes the role of admin from themselves: one stays."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._store = platform.access
        self._passwords = Passwords(platform.access)

    def all(self, caller: Asking) -> PersonListOut:
        """Who may log in."""
        own = [one for one in self._store.people() if one.tenant == caller.tenant]
        return PersonListOut(items=[_person(one) for one in own])

    def add(self, request: Request, caller: Asking, wanted: PersonIn) -> PersonOut:
        """Let someone log in with a name and a password."""
        request.state.concerns = wanted.name
        tokens.require_name(wanted.name)
        if self._store.person(wanted.name) is not None:
            raise Conflict(f"there is somebody called {wanted.name}")
        hashed = self._passwords.hashed(wanted.password.get_secret_value())
        now = self._platform.clock.now()
        return self._put(Person(wanted.name, caller.tenant, wanted.role, now, hashed))

    def change(self, caller: Asking, name: _Who, wanted: PersonChangeIn) -> PersonOut:
        """Give someone another role or another password; their logins end."""
        person = self._known(caller.tenant, name)
        if wanted.role is None and wanted.password is None:
            raise InvalidInput("say a role, a password or both")
        if wanted.role not in (None, person.role):
            _require_other(caller.name, name)
            person = replace(person, role=wanted.role)
        if wanted.password is not None:
            hashed = self._passwords.hashed(wanted.password.get_secret_value())
            person = replace(person, password_hash=hashed)
        return self._put(person)

    def remove(self, caller: Asking, name: _Who) -> PersonOut:
        """Let someone in no more, and end their logins."""
        self._known(caller.tenant, name)
        _require_other(caller.name, name)
        return _person(self._store.remove_person(name))

    def _put(self, person: Person) -> PersonOut:
        self._store.put_person(person)
        return _person(person)

    def _known(self, tenant: str, name: str) -> Person:
        person = self._store.person(name)
        if person is None or person.tenant != tenant:
            raise NotFound(f"there is nobody called {name}")
        return person


def _require_other(caller: str, name: str) -> None:
    if caller == name:
        raise Conflict("nobody takes this from themselves; ask another admin")


def _token(token: Token, now: float) -> TokenOut:
    return TokenOut(
        id=token.id,
        name=token.name,
        scopes=sorted(token.rights),
        created_at=instant(token.created_unix),
        created_unix=token.created_unix,
        expires_unix=token.expires_unix,
        used_unix=token.used_unix,
        revoked_unix=token.revoked_unix,
        valid=token.valid(now),
    )


def _person(person: Person) -> PersonOut:
    return PersonOut(
        name=person.name,
        role=person.role,
        created_at=instant(person.created_unix),
        created_unix=person.created_unix,
    )
