"""`rootward tokens`, `people` and `audit`; and a process that refuses to stand open."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from rootward import bootstrap
from rootward.access.gate import Policy
from rootward.errors import InvalidConfiguration, RootwardError
from rootward.ports import Platform
from rootward.settings import Settings
from rootward_cli import admission
from rootward_cli.main import app
from rootward_cli.up import running

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    url = f"sqlite:///{tmp_path / 'rootward.db'}"
    monkeypatch.setenv("ROOTWARD_DATABASE_URL", url)
    return url


def rootward(*arguments: str, typed: str = "") -> Result:
    return CliRunner().invoke(app, arguments, input=typed, catch_exceptions=True)


def listed(*arguments: str) -> list[dict[str, str]]:
    done = rootward(*arguments, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


class TestTokens:
    def test_one_is_shown_once_listed_and_revoked(self):
        made = rootward("tokens", "create", "prometheus", "--scope", "ingest", "--days", "90")
        text = made.stdout.strip()
        assert text.startswith("rw_")
        (token,) = listed("tokens", "list")
        assert (token["name"], token["scopes"], token["state"]) == ("prometheus", "ingest", "good")
        assert token["id"] in made.stderr
        assert text not in rootward("tokens", "list").output
        assert rootward("tokens", "revoke", token["id"]).exit_code == 0
        assert listed("tokens", "list")[0]["state"] == "revoked"

    @pytest.mark.parametrize(
        "wrong", [("x y", "--scope", "read"), ("x",), ("x", "--scope", "root")]
    )
    def test_a_wrong_one_is_not_made(self, wrong: tuple[str, ...]):
        assert rootward("tokens", "create", *wrong).exit_code != 0
        assert listed("tokens", "list") == []


class TestPeople:
    def test_a_password_is_asked_twice_and_never_shown(self):
        typed = f"{PASSWORD}\n{PASSWORD}\n"
        done = rootward("people", "add", "anna", "--role", "admin", typed=typed)
        assert done.exit_code == 0, done.output
        assert PASSWORD not in done.output
        assert [(p["name"], p["role"]) for p in listed("people", "list")] == [("anna", "admin")]

    def test_it_may_stand_in_a_file_or_come_from_a_pipe(self, tmp_path: Path):
        (tmp_path / "word").write_text(PASSWORD + "\n", encoding="utf-8")
        added = ("people", "add", "bo", "--password-file", str(tmp_path / "word"))
        assert rootward(*added).exit_code == 0
        changed = rootward("people", "password", "bo", "--password-file", "-", typed=PASSWORD * 2)
        assert changed.exit_code == 0
        assert rootward("people", "remove", "bo").exit_code == 0
        assert listed("people", "list") == []

    def test_what_cannot_be_is_refused(self):
        for arguments, typed in (
            (("people", "add", "anna", "--password-file", "-"), "short"),
            (("people", "add", "a b", "--password-file", "-"), PASSWORD),
            (("people", "remove", "anna"), ""),
            (("people", "password", "anna", "--password-file", "-"), PASSWORD),
        ):
            done = rootward(*arguments, typed=typed)
            assert isinstance(done.exception, RootwardError), arguments
        rootward("people", "add", "anna", "--password-file", "-", typed=PASSWORD)
        again = rootward("people", "add", "anna", "--password-file", "-", typed=PASSWORD)
        assert "somebody called anna" in str(again.exception)


def test_what_was_done_by_command_stands_in_the_audit_log():
    rootward("tokens", "create", "ci", "--scope", "read", "--scope", "respond")
    rootward("people", "add", "anna", "--password-file", "-", typed=PASSWORD)
    entries = listed("audit")
    assert [(e["action"], e["target"], e["detail"]) for e in entries] == [
        ("add_person", "anna", "viewer"),
        ("create_token", "ci", "read respond"),
    ]
    assert {e["address"] for e in entries} == {"command line"}
    assert all(e["who"].startswith("os:") for e in entries)
    assert "create_token" in rootward("audit").output


class TestStart:
    @pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.0.2.1"])
    def test_it_does_not_stand_open_to_other_machines(self, address: str, platform: Platform):
        with pytest.raises(InvalidConfiguration) as refused:
            admission.policy(Settings(), platform, address)
        assert "rootward people add NAME --role admin" in str(refused.value)
        assert "rootward tokens create NAME --scope ingest" in str(refused.value)

    @pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1"])
    def test_on_the_loopback_it_needs_no_login(self, address: str, platform: Platform):
        policy = admission.policy(Settings(public_url="http://rw.local:1/x"), platform, address)
        assert not policy.login
        assert policy.hosts == {"localhost", "127.0.0.1", "::1", "rw.local"}
        assert policy.public_origin == "http://rw.local:1"
        with pytest.raises(InvalidConfiguration):
            admission.policy(Settings(access="required"), platform, address)

    def test_a_person_or_a_good_token_is_enough(self, database: str):
        settings = Settings(host="0.0.0.0", port=0, database_url=database)
        with pytest.raises(InvalidConfiguration, match="no access is set up"), running(settings):
            raise AssertionError("it runs")
        rootward("tokens", "create", "ci", "--scope", "ingest")
        assert self._policy(settings).login
        rootward("tokens", "revoke", listed("tokens", "list")[0]["id"])
        with pytest.raises(InvalidConfiguration):
            self._policy(settings)
        rootward("people", "add", "anna", "--password-file", "-", typed=PASSWORD)
        assert self._policy(settings).login

    def _policy(self, settings: Settings) -> Policy:
        platform = bootstrap.build(settings)
        try:
            return admission.policy(settings, platform, settings.host)
        finally:
            platform.close()

    def test_tokens_in_files_are_enough_too(self, tmp_path: Path, platform: Platform):
        file = tmp_path / "token"
        file.write_text("rw_" + "a" * 48 + "\n", encoding="utf-8")
        for name, rights in (("admin", {"admin"}), ("ingest", {"ingest"})):
            settings = Settings(**{f"{name}_token_file": file})
            policy = admission.policy(settings, platform, "0.0.0.0")
            assert policy.login
            assert [set(token.rights) for token in policy.from_files] == [rights]

    @pytest.mark.parametrize("content", [None, "", "admin", "rw_short"])
    def test_a_file_without_a_token_is_told_without_what_it_holds(
        self, content: str | None, tmp_path: Path, platform: Platform
    ):
        file = tmp_path / "token"
        if content is not None:
            file.write_text(content, encoding="utf-8")
        with pytest.raises(InvalidConfiguration, match="ROOTWARD_ADMIN_TOKEN_FILE"):
            admission.policy(Settings(admin_token_file=file), platform, "127.0.0.1")

    def test_a_proxy_that_authenticates_must_be_known(self, platform: Platform):
        with pytest.raises(InvalidConfiguration, match="ROOTWARD_TRUSTED_PROXIES"):
            admission.policy(Settings(access="proxy"), platform, "0.0.0.0")
        with pytest.raises(InvalidConfiguration, match="ROOTWARD_TRUSTED_PROXIES"):
            admission.policy(Settings(trusted_proxies="nginx"), platform, "127.0.0.1")
        named = Settings(access="proxy", trusted_proxies="10.0.0.0/8, ::1")
        policy = admission.policy(named, platform, "0.0.0.0")
        assert policy.by_proxy
        assert policy.trusts("10.1.2.3")
        assert not policy.trusts("11.1.2.3")
