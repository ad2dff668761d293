"""The gate: who is asking, by token, login, proxy or place."""

from __future__ import annotations

import base64
import itertools
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from ipaddress import ip_network

import pytest
from argon2 import PasswordHasher

from rootward.access import tokens
from rootward.access.gate import FRESH_SECONDS, STALE_SECONDS, Asked, Gate, Policy, host_name
from rootward.access.logins import form_key, is_form_key
from rootward.access.passwords import LEAST, Passwords
from rootward.access.throttle import FORGET_SECONDS, FREE_BY_ADDRESS, FREE_BY_NAME, Throttle
from rootward.errors import Busy, Forbidden, InvalidInput, OverQuota, Unauthenticated, Unavailable
from rootward.model.access import Person, Right, Role
from rootward.testing.fake_access import FakeAccessStore
from rootward.testing.fakes import ManualClock

PASSWORD = "correct horse battery"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class Store(FakeAccessStore):
    """One that can be made not to answer, and counts how often it is asked for a token."""

    broken = False
    asked = 0

    def token(self, digest):
        self.asked += 1
        if self.broken:
            raise Unavailable("no database")
        return super().token(digest)


@pytest.fixture
def store() -> Store:
    return Store()


def gate(store: Store, clock: ManualClock, **policy: object) -> Gate:
    kept = Policy(**{"login": True, **policy})
    return Gate(store, clock, kept, Passwords(store, CHEAP))


def issued(store: Store, *rights: Right, tenant: str = "default", **more: float) -> str:
    text, token = tokens.make("t", tenant, rights, 0.0, **more)
    store.add_token(token)
    return text


def hired(store: Store, name: str = "anna", role: Role = Role.RESPONDER) -> None:
    hashed = Passwords(store, CHEAP).hashed(PASSWORD)
    store.put_person(Person(name, "default", role, 0.0, hashed))


def bearer(text: str) -> Asked:
    return Asked(f"Bearer {text}")


def basic(text: str, user: str = "x") -> Asked:
    return Asked("Basic " + base64.b64encode(f"{user}:{text}".encode()).decode())


class TestTokens:
    def test_a_token_comes_as_bearer_or_as_the_password_of_basic(self, store, clock):
        text = issued(store, Right.INGEST, tenant="a")
        for asked in (bearer(text), basic(text), Asked(f"bearer  {text} "), basic(text, "")):
            caller = gate(store, clock).caller(asked)
            assert (caller.name, caller.tenant, caller.bound) == ("token:t", "a", True)
            assert caller.rights == {Right.INGEST}

    @pytest.mark.parametrize(
        "header",
        ["Bearer", "Bearer rw_", "Bearer nothing", "Basic", "Basic %%%", "Basic eA==", "Digest x",
         "Bearer rw_" + "0" * 48, "Bearer rw_é" + "0" * 48, "\x00"],
    )  # fmt: skip
    def test_what_is_no_token_of_ours_is_refused_even_where_there_are_some(
        self, header, store, clock
    ):
        issued(store, Right.ADMIN)
        with pytest.raises(Unauthenticated, match="unknown, expired or revoked"):
            gate(store, clock).caller(Asked(header))

    def test_its_digest_or_id_does_not_open_the_gate(self, store, clock):
        key = tokens.digest(issued(store, Right.ADMIN))
        for text in (key, f"rw_{key}", key[:12]):
            with pytest.raises(Unauthenticated):
                gate(store, clock).caller(bearer(text))

    def test_it_ends_at_its_time_even_while_it_is_remembered(self, store, clock):
        text = issued(store, Right.READ, expires_unix=clock.now() + 3)
        one = gate(store, clock)
        assert one.caller(bearer(text)) is not None
        clock.advance(3.0)
        assert one.quick(bearer(text)) is None
        with pytest.raises(Unauthenticated):
            one.caller(bearer(text))

    def test_a_revoked_one_is_refused_within_seconds(self, store, clock):
        text, one = issued(store, Right.READ), gate(store, clock)
        assert one.caller(bearer(text)) is not None
        store.revoke_token(tokens.digest(text)[:12], clock.now())
        clock.advance(FRESH_SECONDS)
        with pytest.raises(Unauthenticated):
            one.caller(bearer(text))

    def test_the_database_is_not_asked_at_every_request(self, store, clock):
        text, one = issued(store, Right.INGEST), gate(store, clock)
        for _ in range(100):
            assert one.quick(bearer(text)) or one.caller(bearer(text))
        assert store.asked == 1

    def test_while_the_database_is_away_known_tokens_pass_for_a_while(self, store, clock):
        text, one = issued(store, Right.INGEST), gate(store, clock)
        one.caller(bearer(text))
        store.broken = True
        clock.advance(STALE_SECONDS - 1)
        assert one.caller(bearer(text)) is not None
        clock.advance(1.0)
        with pytest.raises(Unavailable):
            one.caller(bearer(text))
        with pytest.raises(Unavailable):
            gate(store, clock).caller(bearer(text))

    def test_its_last_use_is_noted_to_the_minute(self, store, clock):
        text, one = issued(store, Right.INGEST), gate(store, clock)
        one.caller(bearer(text))
        first = clock.now()
        clock.advance(59.0)
        one.caller(bearer(text))
        assert store.tokens()[0].used_unix == first
        clock.advance(FRESH_SECONDS)
        one.caller(bearer(text))
        assert store.tokens()[0].used_unix == clock.now()

    def test_one_from_a_file_may_do_all_without_any_database(self, store, clock):
        text = "rw_" + "k" * 40
        store.broken = True
        kept = tokens.from_file(text, "file", Right.ADMIN)
        caller = gate(store, clock, from_files=(kept,)).caller(bearer(text))
        assert caller.rights == frozenset(Right)

    @pytest.mark.parametrize("text", ["", "rw_", "password", "rw_" + "x" * 31, "rw_" + "x " * 40])
    def test_a_file_holds_a_token_and_its_text_is_not_told(self, text):
        with pytest.raises(InvalidInput, match="openssl rand") as refused:
            tokens.from_file(text, "file", Right.ADMIN)
        assert "xxx" not in str(refused.value)

    def test_a_new_one_is_random_long_and_never_kept(self):
        made = [tokens.make("t", "default", [Right.READ], 0.0) for _ in range(50)]
        assert len({text for text, _ in made}) == 50
        assert all(tokens.PATTERN.fullmatch(text) for text, _ in made)
        assert all(text not in repr(token) for text, token in made)

    @pytest.mark.parametrize("name", ["", " ", "a b", "-x", "x" * 65, "<b>", "a\n", "local"])
    def test_a_name_is_a_plain_word(self, name):
        with pytest.raises(InvalidInput, match="is no name"):
            tokens.make(name, "default", [Right.READ], 0.0)


class TestPlace:
    def test_where_no_login_is_needed_anyone_may_do_all(self, store, clock):
        caller = gate(store, clock, login=False).caller(Asked())
        assert (caller.name, caller.rights, caller.bound) == ("local", frozenset(Right), False)

    def test_where_one_is_needed_nobody_is_known(self, store, clock):
        assert gate(store, clock).caller(Asked()) is None
        assert gate(store, clock).caller(Asked(session="x" * 43, named="anna")) is None

    def test_a_token_counts_there_too_and_other_credentials_are_passed_over(self, store, clock):
        one = gate(store, clock, login=False)
        assert one.caller(bearer(issued(store, Right.READ, tenant="a"))).tenant == "a"
        assert one.caller(Asked("Basic dXNlcjpwYXNz")).name == "local"
        with pytest.raises(Unauthenticated):
            one.caller(bearer("rw_" + "0" * 48))

    def test_a_foreign_name_that_leads_here_is_refused(self, store, clock):
        one = gate(store, clock, login=False, hosts=frozenset({"localhost", "127.0.0.1"}))
        assert one.caller(Asked(host="LOCALHOST:8080")) is not None
        for host in ("evil.example", "evil.example:8080", "", "localhost.evil.example"):
            with pytest.raises(Forbidden, match="answers only to"):
                one.caller(Asked(host=host))

    @pytest.mark.parametrize(
        ("host", "name"),
        [("[::1]:8080", "::1"), ("[::1]", "::1"), ("A.b.", "a.b"), ("x:1", "x"), ("", "")],
    )
    def test_a_host_is_named_without_its_port(self, host, name):
        assert host_name(host) == name


class TestProxy:
    TRUSTED = (ip_network("192.0.2.0/28"), ip_network("2001:db8::/64"))

    def proxied(self, store: Store, clock: ManualClock, **asked: str):
        one = gate(store, clock, by_proxy=True, trusted=self.TRUSTED)
        return one.caller(Asked(**{"peer": "192.0.2.7", **asked}))

    def test_it_names_people_and_their_role_is_ours(self, store, clock):
        hired(store, "anna", Role.ADMIN)
        assert self.proxied(store, clock, named="anna").rights == frozenset(Right)
        assert self.proxied(store, clock, named="anna").bound
        stranger = self.proxied(store, clock, named="bo", peer="2001:db8::9")
        assert (stranger.role, stranger.may(Right.RESPOND)) == (Role.VIEWER, False)

    def test_without_a_name_it_may_only_send(self, store, clock):
        assert self.proxied(store, clock).rights == {Right.INGEST}

    def test_what_it_carries_for_itself_is_passed_over(self, store, clock):
        assert self.proxied(store, clock, authorization="Bearer eyJ.jwt").name == "proxy"

    def test_who_is_not_the_proxy_cannot_name_anyone(self, store, clock):
        hired(store, "anna", Role.ADMIN)
        for peer in ("192.0.2.99", "2001:db8:1::1", "", "unix", "192.0.2.7.evil"):
            assert self.proxied(store, clock, named="anna", peer=peer) is None

    def test_a_trusted_proxy_that_finds_out_nobody_cannot_name_anyone_either(self, store, clock):
        one = gate(store, clock, trusted=self.TRUSTED)
        assert one.caller(Asked(peer="192.0.2.7", named="anna")) is None


RIGHT = {"name": "anna", "password": PASSWORD}


class TestLogins:
    HERE = "198.51.100.1"

    def test_a_person_logs_in_is_known_and_logs_out(self, store, clock):
        hired(store)
        one = gate(store, clock)
        word, person = one.logins.start(RIGHT, self.HERE)
        caller = one.caller(Asked(session=word))
        assert (person.name, caller.name, caller.role) == ("anna", "anna", Role.RESPONDER)
        assert caller.may(Right.RESPOND)
        assert not caller.may(Right.ADMIN)
        one.logins.end(word, self.HERE)
        assert one.caller(Asked(session=word)) is None
        assert [e.action for e in store.audit().items] == ["logout", "login"]
        assert store.audit().items[0].address == self.HERE

    def test_each_login_has_a_word_of_its_own_and_no_word_is_kept(self, store, clock):
        hired(store)
        one = gate(store, clock)
        words = {one.logins.start(RIGHT, self.HERE)[0] for _ in range(5)}
        assert len(words) == 5
        assert all(store.session(word) is None for word in words)

    @pytest.mark.parametrize(
        "brought",
        [{}, {"name": "anna"}, {"name": "anna", "password": PASSWORD + "x"},
         {"name": "ANNA", "password": PASSWORD}, {"name": "bo", "password": PASSWORD},
         {"name": "anna", "password": PASSWORD * 30}],
    )  # fmt: skip
    def test_a_wrong_name_and_a_wrong_password_sound_alike(self, brought, store, clock):
        hired(store)
        with pytest.raises(Unauthenticated, match=r"^wrong name or password$"):
            gate(store, clock).logins.start(brought, self.HERE)
        assert store.audit().items[0].outcome == "refused"
        assert PASSWORD not in repr(store.audit())

    def test_a_login_ends_when_it_idles_and_however_it_is_used(self, store, clock):
        hired(store)
        one = gate(store, clock)
        word, _ = one.logins.start(RIGHT, self.HERE)
        idle, whole = one.logins.lifetime.idle_seconds, one.logins.lifetime.seconds
        started = clock.now()
        while clock.now() + idle / 2 - started < whole:
            clock.advance(idle / 2)
            assert one.caller(Asked(session=word)) is not None
        clock.advance(idle / 2)
        assert one.caller(Asked(session=word)) is None, "too old"
        word, _ = one.logins.start(RIGHT, self.HERE)
        clock.advance(idle)
        assert one.caller(Asked(session=word)) is None, "idle"

    def test_a_change_of_role_or_password_ends_it(self, store, clock):
        hired(store)
        one = gate(store, clock)
        word, _ = one.logins.start(RIGHT, self.HERE)
        hired(store, role=Role.VIEWER)
        assert one.caller(Asked(session=word)) is None

    def test_a_hash_with_old_parameters_is_replaced_at_the_next_login(self, store, clock):
        hired(store)
        before = store.person("anna").password_hash
        stronger = Passwords(store, PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
        assert stronger.identify(RIGHT).password_hash != before
        assert store.person("anna").password_hash != before
        assert stronger.identify(RIGHT).name == "anna"

    @pytest.mark.parametrize("length", [0, LEAST - 1, 257])
    def test_a_password_is_long_enough_and_not_endless(self, length, store):
        with pytest.raises(InvalidInput, match="12 to 256"):
            Passwords(store, CHEAP).hashed("x" * length)

    def test_a_flood_of_logins_leaves_the_threads_to_others(self, store, clock):
        hired(store)
        passwords = Passwords(store, CHEAP)
        passwords.identify(RIGHT)
        with passwords._turns, passwords._turns, ThreadPoolExecutor(20) as pool:
            logins = [pool.submit(passwords.identify, RIGHT) for _ in range(20)]
            refused = list(itertools.islice(as_completed(logins, 10), 10))
            assert all(isinstance(one.exception(), Busy) for one in refused)
            passwords._turns.release()
            others = [one.result(10).name for one in logins if one not in refused]
            passwords._turns.acquire()
        assert others == ["anna"] * 10

    def test_a_form_key_is_of_one_session(self):
        assert is_form_key("word", form_key("word"))
        for wrong in ("", "word", form_key("other"), form_key("word")[:-1], "é", "\udcff"):
            assert not is_form_key("word", wrong)


class TestThrottle:
    def test_beyond_the_free_ones_each_waits_twice_as_long(self, clock):
        throttle = Throttle()
        for _ in range(FREE_BY_NAME):
            throttle.take("anna", "a", clock.now())
        waits = []
        for _ in range(4):
            with pytest.raises(OverQuota) as refused:
                throttle.take("anna", "a", clock.now())
            waits.append(refused.value.retry_after_seconds)
            clock.advance(waits[-1])
            throttle.take("anna", "a", clock.now())
        assert waits == [1.0, 2.0, 4.0, 8.0]

    def test_the_owner_of_the_name_comes_in_from_elsewhere(self, clock):
        throttle = Throttle()
        for _ in range(FREE_BY_NAME):
            throttle.take("anna", "192.0.2.1", clock.now())
        throttle.take("anna", "192.0.2.2", clock.now())
        with pytest.raises(OverQuota):
            throttle.take("anna", "192.0.2.1", clock.now())

    def test_a_right_one_wipes_the_slate_of_its_name(self, clock):
        throttle = Throttle()
        for _ in range(3 * FREE_BY_ADDRESS):
            throttle.take("anna", "a", clock.now())
            throttle.give_back("anna", "a")

    def test_one_address_cannot_try_many_names(self, clock):
        throttle = Throttle()
        for k in range(FREE_BY_ADDRESS):
            throttle.take(f"n{k}", f"2001:db8::{k:x}", clock.now())
        with pytest.raises(OverQuota):
            throttle.take("other", "2001:db8::ffff", clock.now())
        throttle.take("other", "2001:db8:0:1::", clock.now())

    def test_it_forgets(self, clock):
        throttle = Throttle()
        for _ in range(FREE_BY_NAME):
            throttle.take("anna", "a", clock.now())
        clock.advance(FORGET_SECONDS)
        for _ in range(FREE_BY_NAME):
            throttle.take("anna", "a", clock.now())

    def test_what_it_remembers_is_bounded(self, clock):
        throttle = Throttle()
        for k in range(30_000):
            throttle.take("anna", f"host{k}", clock.now())
        assert len(throttle._seen) <= 10_000


def test_a_person_whose_row_is_gone_is_not_known(store, clock):
    hired(store)
    one = gate(store, clock)
    word, _ = one.logins.start(RIGHT, "a")
    kept = store.session(tokens.digest(word))
    store.remove_person("anna")
    store.start_session(replace(kept))
    assert one.caller(Asked(session=word)) is None
