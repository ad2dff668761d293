"""Rules that keep, drop and rename before a series gets its service; as Prometheus has them.

https://prometheus.io/docs/prometheus/latest/configuration/configuration/#relabel_config
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from rootward.errors import InvalidConfiguration
from rootward.model.series import METRIC_NAME

_REFERENCE = re.compile(r"\$(?:(\$)|(\w+)|\{(\w+)\})")


class Action(StrEnum):
    """What a rule does with a label set."""

    REPLACE = "replace"
    LOWERCASE = "lowercase"
    UPPERCASE = "uppercase"
    KEEP = "keep"
    DROP = "drop"
    KEEPEQUAL = "keepequal"
    DROPEQUAL = "dropequal"
    LABELMAP = "labelmap"
    LABELDROP = "labeldrop"
    LABELKEEP = "labelkeep"


_NEEDS_TARGET = frozenset(
    {Action.REPLACE, Action.LOWERCASE, Action.UPPERCASE, Action.KEEPEQUAL, Action.DROPEQUAL}
)


@dataclass(frozen=True)
class Rule:
    """One rule; an expression must fit the whole text.

    Raises:
        InvalidConfiguration: an expression that cannot be read, or no target where one is needed.
    """

    action: Action = Action.REPLACE
    source_labels: tuple[str, ...] = ()
    regex: str = "(.*)"
    target_label: str = ""
    replacement: str = "$1"
    separator: str = ";"
    metrics: str = ""
    """What the names of the metrics that it is for begin with; others are not looked at."""

    def __post_init__(self) -> None:
        try:
            compiled = re.compile(self.regex, re.DOTALL)
        except re.error as error:
            raise InvalidConfiguration(f"regex {self.regex!r}: {error}") from error
        object.__setattr__(self, "_regex", compiled)
        if self.action in _NEEDS_TARGET and not self.target_label:
            raise InvalidConfiguration(f"a rule to {self.action} needs a target_label")

    def apply(self, labels: dict[str, str]) -> dict[str, str] | None:
        """The labels that come of it, None where the rule drops them; the given ones may change."""
        match self.action:
            case Action.LABELDROP:
                return {name: v for name, v in labels.items() if not self._fits(name)}
            case Action.LABELKEEP:
                return {name: v for name, v in labels.items() if self._fits(name)}
            case Action.LABELMAP:
                return labels | dict(self._mapped(labels))
        value = self.separator.join([labels.get(name, "") for name in self.source_labels])
        match self.action:
            case Action.KEEP | Action.DROP:
                dropped = (self._fits(value) is None) == (self.action is Action.KEEP)
            case Action.KEEPEQUAL | Action.DROPEQUAL:
                equal = value == labels.get(self.target_label, "")
                dropped = equal == (self.action is Action.DROPEQUAL)
            case _:
                self._set(labels, value)
                return labels
        return None if dropped else labels

    def _set(self, labels: dict[str, str], value: str) -> None:
        target = self.target_label
        if self.action is not Action.REPLACE:
            labels[target] = value.lower() if self.action is Action.LOWERCASE else value.upper()
            return
        found = self._fits(value)
        if found is None:
            return
        labels[_expanded(target, found)] = _expanded(self.replacement, found)

    def _mapped(self, labels: Mapping[str, str]) -> Iterable[tuple[str, str]]:
        for name, value in labels.items():
            found = self._fits(name)
            if found is not None:
                yield _expanded(self.replacement, found), value

    def _fits(self, text: str) -> re.Match[str] | None:
        regex: re.Pattern[str] = vars(self)["_regex"]
        return regex.fullmatch(text)


@dataclass(frozen=True)
class Relabelling:
    """Rules, one after the other."""

    rules: tuple[Rule, ...] = ()

    def apply(self, labels: Mapping[str, str]) -> dict[str, str] | None:
        """The labels that come of a label set, None where a rule drops it.

        A label with an empty value is none, as in Prometheus.
        """
        now = dict(labels)
        for rule in self.rules:
            if rule.metrics and not now.get(METRIC_NAME, "").startswith(rule.metrics):
                continue
            found = rule.apply(now)
            if found is None:
                return None
            now = found
        return {name: value for name, value in now.items() if name and value}


def _expanded(template: str, found: re.Match[str]) -> str:
    """A template with `$1`, `${1}` and `${name}` filled in; one that is not there is empty."""
    if "$" not in template:
        return template

    def filled(reference: re.Match[str]) -> str:
        dollar, bare, braced = reference.groups()
        if dollar:
            return "$"
        name = bare or braced
        group = int(name) if name.isascii() and name.isdigit() else name
        try:
            return found[group] or ""
        except IndexError:
            return ""

    return _REFERENCE.sub(filled, template)
