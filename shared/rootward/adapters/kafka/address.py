"""What a kafka:// URL says: where the brokers are, and how we are let in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from rootward.errors import InvalidConfiguration

MECHANISMS = ("SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN")
"""How a name and a password are shown; the first one unless another is asked for."""
_FILES = {"ca": "ssl_cafile", "cert": "ssl_certfile", "key": "ssl_keyfile"}


@dataclass(frozen=True)
class Address:
    """Brokers, and what clients of kafka-python are told of the way there."""

    servers: tuple[str, ...]
    """`host:port` each."""
    network: Mapping[str, str] = field(repr=False)
    """Settings of a client; a password is among them."""
    options: Mapping[str, str]
    """What else stood behind the question mark."""


def address_of(url: str) -> Address:
    """The address in `kafka[+tls]://[user:password@]host:port[,host:port][?mechanism=…&ca=…]`.

    `ca` is a file with the certificates that are trusted in place of the system's, `cert` and
    `key` are ours, for brokers that ask for one; user and password are percent-encoded.

    Raises:
        InvalidConfiguration: no such URL; the text says what is wrong, and no password.
    """
    parts = urlsplit(url)
    login, _, hosts = parts.netloc.rpartition("@")
    servers = tuple(one for one in hosts.split(",") if one)
    if not servers or not all(map(_is_server, servers)) or parts.path.strip("/"):
        raise InvalidConfiguration(
            "ROOTWARD_BUS_URL must be kafka://[USER:PASSWORD@]HOST:PORT[,HOST:PORT], without path"
        )
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    tls = parts.scheme == "kafka+tls"
    network = {
        **_files({name: given.pop(name) for name in _FILES if name in given}, tls=tls),
        **_login(login, given.pop("mechanism", ""), tls=tls),
    }
    return Address(servers, network, given)


def _is_server(text: str) -> bool:
    host, found, port = text.rpartition(":")
    return bool(host and found and port.isdecimal())


def _files(given: Mapping[str, str], *, tls: bool) -> dict[str, str]:
    if not tls:
        if given:
            raise InvalidConfiguration(f"ROOTWARD_BUS_URL: {', '.join(given)} needs kafka+tls://")
        return {}
    for name, file in given.items():
        if not Path(file).is_file():
            raise InvalidConfiguration(f"ROOTWARD_BUS_URL: {name} names no file: {file}")
    if ("cert" in given) != ("key" in given):
        raise InvalidConfiguration("ROOTWARD_BUS_URL: cert and key go together")
    return {"security_protocol": "SSL"} | {_FILES[name]: file for name, file in given.items()}


def _login(login: str, mechanism: str, *, tls: bool) -> dict[str, str]:
    user, found, password = login.partition(":")
    if not login:
        if mechanism:
            raise InvalidConfiguration("ROOTWARD_BUS_URL: mechanism needs a user and a password")
        return {}
    if not (user and found and password):
        raise InvalidConfiguration("ROOTWARD_BUS_URL: user and password go together")
    chosen = mechanism or MECHANISMS[0]
    if chosen not in MECHANISMS:
        allowed = ", ".join(MECHANISMS)
        raise InvalidConfiguration(f"ROOTWARD_BUS_URL: mechanism is one of {allowed}, not {chosen}")
    if chosen == "PLAIN" and not tls:
        raise InvalidConfiguration(
            "ROOTWARD_BUS_URL: PLAIN shows the password to whoever listens; use kafka+tls://"
        )
    return {
        "security_protocol": "SASL_SSL" if tls else "SASL_PLAINTEXT",
        "sasl_mechanism": chosen,
        "sasl_plain_username": unquote(user),
        "sasl_plain_password": unquote(password),
    }
