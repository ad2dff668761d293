"""Versions of causal graphs in memory."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from rootward.errors import InvalidInput, NotFound
from rootward.model.graph_version import GraphVersion
from rootward.model.tenant import DEFAULT_TENANT
from rootward.ports import GraphVersionPage


class FakeGraphStore:
    """Versions in the order in which they came."""

    def __init__(self) -> None:
        self._versions: list[GraphVersion] = []
        self._used: set[tuple[str, str, int]] = set()

    def put(self, version: GraphVersion) -> bool:
        """Store a version; False where its number is taken, and then that one stays."""
        if any(_key(one) == _key(version) for one in self._versions):
            return False
        self._versions.append(version)
        return True

    def confirm(
        self, version: GraphVersion, quiet_from_unix: float, held_until_unix: float
    ) -> None:
        """Note that a version was seen to hold; an earlier time than is known changes nothing."""
        for k, one in enumerate(self._versions):
            if _key(one) == _key(version) and one.held_until_unix < held_until_unix:
                self._versions[k] = replace(
                    one, quiet_from_unix=quiet_from_unix, held_until_unix=held_until_unix
                )

    def use(self, version: GraphVersion) -> None:
        """Note that an incident names this version, so that it is kept."""
        self._used.add(_key(version))

    def current(self, group: str, tenant: str = DEFAULT_TENANT) -> GraphVersion | None:
        """The newest version of a service, None where there is none."""
        return next(iter(self.history(group, tenant)), None)

    def in_force(
        self, group: str, at_unix: float, tenant: str = DEFAULT_TENANT
    ) -> GraphVersion | None:
        """The newest version that was written by a time, None where there was none."""
        known = self.history(group, tenant)
        return next((one for one in known if one.created_unix <= at_unix), None)

    def number_in_force(
        self, group: str, at_unix: float, tenant: str = DEFAULT_TENANT
    ) -> int | None:
        """The number of that version alone."""
        found = self.in_force(group, at_unix, tenant)
        return None if found is None else found.number

    def get(self, group: str, number: int, tenant: str = DEFAULT_TENANT) -> GraphVersion:
        """One version; raises NotFound where there is none."""
        for one in self.history(group, tenant):
            if one.number == number:
                return one
        raise NotFound(f"version {number} of the graph of {group} is not kept")

    def history(self, group: str, tenant: str = DEFAULT_TENANT) -> tuple[GraphVersion, ...]:
        """Every version of a service that is kept, the newest first."""
        mine = [v for v in self._versions if (v.tenant, v.group) == (tenant, group)]
        return tuple(sorted(mine, key=lambda one: -one.number))

    def page(
        self, tenant: str = DEFAULT_TENANT, *, limit: int = 50, cursor: str | None = None
    ) -> GraphVersionPage:
        """The current version of each service, by its name; a cursor is the last name shown."""
        _check(limit)
        groups = sorted({one.group for one in self._versions if one.tenant == tenant})
        left = [group for group in groups if cursor is None or group > cursor]
        shown = tuple(self.history(group, tenant)[0] for group in left[:limit])
        return GraphVersionPage(shown, shown[-1].group if len(left) > limit else None)

    def noticed(
        self, tenant: str = DEFAULT_TENANT, *, limit: int = 50, cursor: str | None = None
    ) -> GraphVersionPage:
        """Versions with notices, the newest first; a cursor is the place of the last one."""
        _check(limit)
        if cursor is not None and not cursor.isdigit():
            raise InvalidInput("the cursor is not one of ours; start again without one")
        end = len(self._versions) if cursor is None else int(cursor)
        found = [
            k for k, one in enumerate(self._versions[:end]) if one.tenant == tenant and one.notices
        ][::-1]
        more = str(found[limit - 1]) if len(found) > limit else None
        return GraphVersionPage(tuple(self._versions[k] for k in found[:limit]), more)

    def expire(self, keep: int) -> int:
        """Delete all but the newest so many of each service and those that incidents name."""
        newest: dict[tuple[str, str], list[int]] = defaultdict(list)
        for one in self._versions:
            newest[one.tenant, one.group].append(one.number)
        old = {
            (*group, number)
            for group, numbers in newest.items()
            for number in sorted(numbers, reverse=True)[keep:]
        } - self._used
        self._versions = [one for one in self._versions if _key(one) not in old]
        return len(old)


def _key(version: GraphVersion) -> tuple[str, str, int]:
    return version.tenant, version.group, version.number


def _check(limit: int) -> None:
    if limit < 1:
        raise InvalidInput(f"a page holds at least one item, not {limit}")
