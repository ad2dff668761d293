"""Who is let in, by the settings; refuses to start where everyone would be or nobody could be."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from urllib.parse import urlsplit

from rootward.access import tokens
from rootward.access.gate import Gate, Network, Policy, host_name
from rootward.access.logins import Lifetime
from rootward.errors import InvalidConfiguration, InvalidInput
from rootward.model.access import Right, Token
from rootward.ports import Platform
from rootward.settings import Settings

_NO_ACCESS = """{address} can be reached from other machines, and no access is set up. Type
  rootward people add NAME --role admin
  rootward tokens create NAME --scope ingest
or name a file in ROOTWARD_ADMIN_TOKEN_FILE, or set ROOTWARD_ACCESS=proxy behind a proxy that
authenticates"""


def gate(settings: Settings, platform: Platform, address: str) -> Gate:
    """The gate of a process that listens on an address.

    Raises:
        InvalidConfiguration: others can reach it and no access is set up, or a setting is wrong.
    """
    return Gate(platform.access, platform.clock, policy(settings, platform, address))


def policy(settings: Settings, platform: Platform, address: str) -> Policy:
    """Whom the settings let in; raises InvalidConfiguration as `gate` does."""
    by_proxy = settings.access == "proxy"
    trusted = _networks(settings.trusted_proxies)
    if by_proxy and not trusted:
        raise InvalidConfiguration(
            "ROOTWARD_ACCESS=proxy needs the proxy's address in ROOTWARD_TRUSTED_PROXIES"
        )
    login = settings.access != "auto" or not is_loopback(address)
    from_files = _from_files(settings)
    if login and not by_proxy and not from_files and not _set_up(platform):
        raise InvalidConfiguration(_NO_ACCESS.format(address=address))
    return Policy(
        login=login,
        hosts=None if login else _hosts(settings),
        from_files=from_files,
        trusted=trusted,
        by_proxy=by_proxy,
        user_header=settings.proxy_user_header,
        public_origin=_origin(settings.public_url),
        tenant_header=settings.tenant_header,
        lifetime=Lifetime(settings.login_idle_seconds, settings.login_seconds),
    )


def is_loopback(address: str) -> bool:
    """Whether only this machine can reach an address."""
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback


def _set_up(platform: Platform) -> bool:
    now = platform.clock.now()
    valid = any(token.valid(now) for token in platform.access.tokens())
    return valid or bool(platform.access.people())


def _hosts(settings: Settings) -> frozenset[str]:
    public = urlsplit(settings.public_url).hostname
    named = ("localhost", "127.0.0.1", "::1", host_name(settings.host), public)
    return frozenset(name for name in named if name)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""


def _from_files(settings: Settings) -> tuple[Token, ...]:
    return tuple(
        _from_file(file, f"{right.value}-token-file", right)
        for file, right in (
            (settings.admin_token_file, Right.ADMIN),
            (settings.ingest_token_file, Right.INGEST),
        )
        if file
    )


def _from_file(file: Path, name: str, right: Right) -> Token:
    try:
        return tokens.from_file(file.read_text(encoding="utf-8", errors="replace"), name, right)
    except (OSError, InvalidInput) as error:
        setting = f"ROOTWARD_{right.upper()}_TOKEN_FILE"
        raise InvalidConfiguration(f"{setting}: {file}: {error}") from error


def _networks(listed: str) -> tuple[Network, ...]:
    try:
        return tuple(
            ipaddress.ip_network(one.strip(), strict=False)
            for one in listed.split(",")
            if one.strip()
        )
    except ValueError as error:
        raise InvalidConfiguration(f"ROOTWARD_TRUSTED_PROXIES: {error}") from error
