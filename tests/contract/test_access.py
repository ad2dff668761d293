"""Tokens, people, sessions and the audit log: every store keeps to one contract."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from rootward.access import tokens
from rootward.access.store import AccessStore
from rootward.adapters.sql.access import SqlAccessStore
from rootward.adapters.sql.engine import Database, open_database
from rootward.adapters.sql.migrations import migrate
from rootward.errors import InvalidInput, NotFound
from rootward.model.access import AuditEntry, Person, Right, Role, Session
from rootward.ports import Platform

NOW = 1_700_000_000.0


def entry(action: str, tenant: str = "default") -> AuditEntry:
    return AuditEntry(tenant, NOW, "anna", action, "INC-7", "192.0.2.1", "done", "")


@pytest.fixture
def access(stores: Platform) -> AccessStore:
    assert isinstance(stores.access, AccessStore)
    return stores.access


class TestTokens:
    def test_one_is_found_by_its_digest_and_by_nothing_else(self, access: AccessStore):
        text, token = tokens.make("prometheus", "default", [Right.INGEST], NOW)
        access.add_token(token)
        assert access.token(tokens.digest(text)) == token
        assert access.token(text) is None
        assert access.token(token.id) is None
        assert access.tokens() == (token,)

    def test_it_keeps_everything_it_was_given(self, access: AccessStore):
        _, token = tokens.make("ci", "a", [Right.READ, Right.INGEST], NOW, expires_unix=NOW + 1)
        access.add_token(token)
        access.use_token(token.digest, NOW + 0.5)
        assert access.tokens() == (replace(token, used_unix=NOW + 0.5),)

    def test_a_name_is_taken_until_its_token_is_revoked(self, access: AccessStore):
        first, second, other = (
            tokens.make("ci", tenant, [Right.READ], NOW)[1] for tenant in ("a", "a", "b")
        )
        access.add_token(first)
        access.add_token(other)
        with pytest.raises(InvalidInput, match="there is a token ci"):
            access.add_token(second)
        access.revoke_token(first.id, NOW)
        access.add_token(second)
        assert len(access.tokens()) == 3

    def test_a_revoked_one_stays_revoked_since_the_first_time(self, access: AccessStore):
        token = tokens.make("ci", "default", [Right.READ], NOW)[1]
        access.add_token(token)
        assert access.revoke_token(token.id, NOW + 1).name == "ci"
        access.revoke_token(token.id, NOW + 9)
        (kept,) = access.tokens()
        assert kept.revoked_unix == NOW + 1
        assert not kept.valid(NOW + 2)

    @pytest.mark.parametrize("wrong", ["", "0" * 12, "%", "0"])
    def test_an_id_must_be_whole(self, wrong: str, access: AccessStore):
        token = tokens.make("ci", "default", [Right.READ], NOW)[1]
        access.add_token(replace(token, digest="01" * 32))
        with pytest.raises(NotFound):
            access.revoke_token(wrong, NOW)


class TestPeople:
    ANNA = Person("anna", "default", Role.VIEWER, NOW, "$argon2id$hash")

    def test_they_are_kept_by_name(self, access: AccessStore):
        access.put_person(self.ANNA)
        access.put_person(replace(self.ANNA, name="Bo", role=Role.ADMIN, tenant="a"))
        assert access.person("anna") == self.ANNA
        assert access.person("ANNA") is None
        assert [p.name for p in access.people()] == ["Bo", "anna"]
        assert {p.role for p in access.people()} == {Role.ADMIN, Role.VIEWER}

    def test_what_replaces_or_removes_a_person_ends_their_sessions(self, access: AccessStore):
        for name in ("anna", "bo"):
            access.put_person(replace(self.ANNA, name=name))
            access.start_session(Session(name * 4, name, "default", NOW, NOW))
        access.put_person(replace(self.ANNA, role=Role.ADMIN))
        assert access.session("anna" * 4) is None
        assert access.remove_person("bo").name == "bo"
        assert access.session("bo" * 4) is None
        assert access.person("bo") is None
        with pytest.raises(NotFound):
            access.remove_person("bo")

    def test_a_hash_does_not_show_where_a_person_is_printed(self):
        assert "argon2" not in repr(self.ANNA)


class TestSessions:
    def test_one_is_seen_and_ends(self, access: AccessStore):
        access.start_session(Session("d", "anna", "default", NOW, NOW))
        access.see_session("d", NOW + 60)
        assert access.session("d") == Session("d", "anna", "default", NOW, NOW + 60)
        access.end_session("d")
        access.end_session("d")
        access.see_session("d", NOW + 90)
        assert access.session("d") is None

    def test_what_is_old_or_idle_goes(self, access: AccessStore):
        for name, created, seen in (("old", 0.0, 9.0), ("idle", 8.0, 1.0), ("good", 8.0, 9.0)):
            access.start_session(Session(name, "anna", "default", created, seen))
        assert access.expire_sessions(created_before=5.0, seen_before=5.0) == 2
        assert access.session("good") is not None
        assert access.session("old") is None


class TestAudit:
    def test_it_is_read_newest_first_page_by_page(self, access: AccessStore):
        for action in ("a", "b", "c"):
            access.note(entry(action))
        first = access.audit(limit=2)
        rest = access.audit(limit=2, cursor=first.next_cursor)
        assert [e.action for e in (*first.items, *rest.items)] == ["c", "b", "a"]
        assert rest.next_cursor is None
        assert first.items[0] == entry("c")

    def test_a_tenant_sees_its_own(self, access: AccessStore):
        access.note(entry("a"))
        access.note(entry("b", "other"))
        assert [e.action for e in access.audit("other").items] == ["b"]
        assert len(access.audit().items) == 2

    def test_a_cursor_that_is_none_is_refused(self, access: AccessStore):
        with pytest.raises(InvalidInput):
            access.audit(cursor="x")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = open_database(f"sqlite:///{tmp_path / 'rootward.db'}")
    migrate(database)
    yield database
    database.close()


@pytest.mark.parametrize("statement", ["UPDATE audit SET body = ''", "DELETE FROM audit"])
def test_the_database_itself_refuses_to_change_the_audit_log(statement: str, database: Database):
    SqlAccessStore(database).note(entry("login"))
    with pytest.raises(IntegrityError, match="append-only"):
        database.write(lambda connection: connection.execute(text(statement)))
    assert len(SqlAccessStore(database).audit().items) == 1


def test_no_secret_is_stored(database: Database, tmp_path: Path):
    shown, token = tokens.make("ci", "default", [Right.READ], NOW)
    SqlAccessStore(database).add_token(token)
    database.close()
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert token.digest.encode() in stored
    assert shown.encode() not in stored
