"""A closed Rootward for tests: one person of each role, tokens, and a client that logs in."""

from __future__ import annotations

import re
from dataclasses import dataclass

from argon2 import PasswordHasher
from fastapi import FastAPI
from fastapi.testclient import TestClient

from rootward.access import tokens
from rootward.access.gate import Gate, Policy
from rootward.access.passwords import Passwords
from rootward.model.access import Person, Right, Role
from rootward.ports import Platform
from rootward_dashboard.app import create_app
from rootward_ingest.app import router as intake_routes
from rootward_ingest.limits import Limits

PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class Closed:
    """Everything in one app, as `rootward up` serves it, behind a gate."""

    platform: Platform
    gate: Gate
    app: FastAPI

    def client(self, **options: object) -> TestClient:
        """A browser or a program that follows no redirects; plain HTTP unless told otherwise."""
        return TestClient(self.app, follow_redirects=False, **options)

    def token(self, *rights: Right, tenant: str = "default") -> str:
        """The text of a new token."""
        taken = len(self.platform.access.tokens())
        text, token = tokens.make(f"t{taken}", tenant, rights, self.platform.clock.now())
        self.platform.access.add_token(token)
        return text

    def bearer(self, *rights: Right, tenant: str = "default") -> dict[str, str]:
        """A header with a new token."""
        return {"Authorization": f"Bearer {self.token(*rights, tenant=tenant)}"}

    def logged_in(self, role: Role, **options: object) -> TestClient:
        """A browser with a login."""
        client = self.client(**options)
        answer = client.post("/login", data={"name": role.value, "password": PASSWORD})
        assert answer.status_code == 303
        return client


def closed(platform: Platform, **policy: object) -> Closed:
    """A closed Rootward, in which each role is the name of the person who has it."""
    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    passwords = Passwords(platform.access, hasher)
    for role in Role:
        hashed = passwords.hashed(PASSWORD)
        platform.access.put_person(Person(role.value, "default", role, 0.0, hashed))
    kept = Policy(**{"login": True, **policy})
    gate = Gate(platform.access, platform.clock, kept, passwords)
    app = create_app(platform, gate=gate)
    app.include_router(intake_routes(platform, Limits(), gate=gate))
    return Closed(platform, gate, app)


def form_key(client: TestClient) -> str:
    """The form key of the login of a client, as scripts get it."""
    key = client.get("/api/v1/me").json()["csrf_token"]
    assert re.fullmatch(r"[0-9a-f]{64}", key)
    return str(key)
