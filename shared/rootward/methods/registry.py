"""Finds every method: ours by walking this package, others by entry points."""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from importlib.metadata import entry_points
from types import ModuleType
from typing import Any

from rootward import __version__, methods
from rootward.errors import InvalidConfiguration, InvalidParameters, NotFound
from rootward.methods.base import Method

ENTRY_POINTS = "rootward.methods"
LARGEST_FACTOR = 20
"""How many times its default a whole-number parameter may be."""


@dataclass(frozen=True)
class Registry:
    """Every method class by name, and the outside ones that failed to load, with the reason."""

    methods: Mapping[str, type[Method]]
    unavailable: Mapping[str, str]
    version: str = __version__

    def get(self, name: str) -> type[Method]:
        """The class of a method.

        Raises:
            NotFound: there is none of that name; the text lists those that are.
        """
        if name not in self.methods:
            raise NotFound(f"no method {name!r}; there are {', '.join(sorted(self.methods))}")
        return self.methods[name]

    def make(self, name: str, parameters: Mapping[str, Any] | None = None) -> Method:
        """A method with the given parameters, defaults for the rest.

        Raises:
            NotFound: no method of that name.
            InvalidParameters: a parameter that the method does not have or cannot take.
        """
        kind = self.get(name)
        given = dict(parameters or {})
        known: set[str] = {f.name for f in fields(kind)} if is_dataclass(kind) else set()
        if unknown := set(given) - known:
            raise InvalidParameters(
                f"{name} has no parameter {', '.join(sorted(unknown))}; "
                f"it has {', '.join(sorted(known)) or 'none'}"
            )
        if is_dataclass(kind):
            for field in fields(kind):
                _check_size(name, field.name, field.default, given.get(field.name))
        try:
            return kind(**given)
        except (TypeError, ValueError) as error:
            raise InvalidParameters(f"{name}: {error}") from error


@cache
def load() -> Registry:
    """All methods; ours must import, outside ones may fail and are listed as unavailable.

    Raises:
        InvalidConfiguration: two methods share a name.
    """
    found: dict[str, type[Method]] = {}
    for module in _modules(methods):
        for kind in _methods_of(module):
            _add(found, kind)
    unavailable: dict[str, str] = {}
    for point in entry_points(group=ENTRY_POINTS):
        try:
            _add(found, point.load())
        except Exception as error:  # noqa: BLE001 an outside plug-in must not break the start
            unavailable[point.name] = f"{type(error).__name__}: {error}"
    return Registry(dict(sorted(found.items())), unavailable)


def canonical(parameters: Mapping[str, Any]) -> str:
    """Parameters as one spelling of JSON, so that equal ones compare equal."""
    return json.dumps(dict(parameters), sort_keys=True, separators=(",", ":"))


def spelled(text: str) -> tuple[str, dict[str, Any]]:
    """A name and parameters from `name:parameter=value:parameter=value`, as commands take them.

    Raises:
        InvalidParameters: a part without an equals sign.
    """
    name, *parts = text.split(":")
    found: dict[str, Any] = {}
    for part in parts:
        key, equals, value = part.partition("=")
        if not equals:
            raise InvalidParameters(f"{part!r} in {text!r} is not parameter=value")
        found[key] = _read(value)
    return name, found


def _read(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return value


def _check_size(method: str, name: str, default: object, value: object) -> None:
    """Counts and sizes decide how long a method runs: they may grow, and not without end."""
    if not isinstance(default, int) or not isinstance(value, int | float):
        return
    most = LARGEST_FACTOR * max(default, 1)
    if value > most:
        raise InvalidParameters(f"{method}: {name} is {value}; at most {most} is allowed")


def _add(found: dict[str, type[Method]], kind: type[Method]) -> None:
    name = kind.about.name
    if name in found and found[name] is not kind:
        raise InvalidConfiguration(f"two methods are called {name}: {found[name]} and {kind}")
    found[name] = kind


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    for info in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if info.name != __name__:
            yield importlib.import_module(info.name)


def _methods_of(module: ModuleType) -> Iterator[type[Method]]:
    for _, kind in inspect.getmembers(module, inspect.isclass):
        defined_here = kind.__module__ == module.__name__
        if defined_here and issubclass(kind, Method) and not inspect.isabstract(kind):
            yield kind
