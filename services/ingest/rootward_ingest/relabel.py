"""Rules that keep, drop and rename before a series gets its service; as Prometheus has them.

https://prometheus.io/docs/prometheus/latest/configuration/configuration/#relabel_config
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

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

    @property
    def touches(self) -> frozenset[str] | None:
        """The labels that it reads or writes; None where that depends on the labels there are.

        A rule that writes the name of the metric counts among these: it may call for others.
        """
        if self.action in (Action.LABELMAP, Action.LABELDROP, Action.LABELKEEP):
            return None
        if "$" in self.target_label or self.target_label == METRIC_NAME:
            return None
        written = (self.target_label,) if self.target_label else ()
        return frozenset((*self.source_labels, *written))

    @property
    def about_metric(self) -> bool:
        """Whether it keeps or drops by the name of the metric alone."""
        return self.action in (Action.KEEP, Action.DROP) and self.source_labels == (METRIC_NAME,)

    def drops_metric(self, metric: str) -> bool:
        """Whether it drops whatever has this name."""
        return self.about_metric and self.apply({METRIC_NAME: metric}) is None

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
    """Rules, one after the other; safe to use from several threads.

    What rules do depends on the metric and on the labels that they name. So the rules that a
    metric needs are chosen once, and what they make of the same values is remembered.
    """

    rules: tuple[Rule, ...] = ()
    _groups: dict[str, _Group | None] = field(default_factory=dict, compare=False, repr=False)
    _by_rules: dict[tuple[Rule, ...], _Group] = field(
        default_factory=dict, compare=False, repr=False
    )

    @cached_property
    def _memorable(self) -> bool:
        return all(rule.touches is not None for rule in self.rules)

    def apply(self, labels: dict[str, str]) -> dict[str, str] | None:
        """The labels that come of a label set, None where a rule drops it.

        The given ones themselves where nothing changes. A label with an empty value is none, as
        in Prometheus.
        """
        if not self._memorable:
            return _one_by_one(self.rules, labels)
        metric = labels.get(METRIC_NAME, "")
        try:
            group = self._groups[metric]
        except KeyError:
            group = self._groups_with(metric)
        made = None if group is None else group.apply(labels)
        if made is None or ("" not in made.values() and "" not in made):
            return made
        return {name: value for name, value in made.items() if name and value}

    def _groups_with(self, metric: str) -> _Group | None:
        """What a metric needs; one group for all metrics that need the same rules."""
        rules = [rule for rule in self.rules if metric.startswith(rule.metrics)]
        found = None
        if not any(rule.drops_metric(metric) for rule in rules):
            needed = tuple(rule for rule in rules if not rule.about_metric)
            found = self._by_rules.setdefault(needed, _Group(needed))
        if len(metric) <= _LONGEST_REMEMBERED:
            if len(self._groups) >= _MOST_REMEMBERED:
                self._groups.clear()
            self._groups[metric] = found
        return found


class _Group:
    """The rules that some metric needs, and what came of label values that were seen."""

    def __init__(self, rules: tuple[Rule, ...]) -> None:
        self._rules = rules
        self._names = sorted(frozenset().union(*(rule.touches or () for rule in rules)))
        self._made: dict[tuple[str | None, ...], dict[str, str] | None] = {}

    def apply(self, labels: dict[str, str]) -> dict[str, str] | None:
        values = tuple(map(labels.get, self._names))
        try:
            made = self._made[values]
        except KeyError:
            made = self._made_of(values)
        if made is None or made is _UNCHANGED:
            return None if made is None else labels
        kept = {name: value for name, value in labels.items() if name not in self._names}
        return kept | made

    def _made_of(self, values: tuple[str | None, ...]) -> dict[str, str] | None:
        pairs = zip(self._names, values, strict=True)
        given = {name: value for name, value in pairs if value is not None}
        made = _in_turn(self._rules, given)
        made = _UNCHANGED if made == given else made
        if sum(map(len, given.values())) <= _LONGEST_REMEMBERED:
            if len(self._made) >= _MOST_REMEMBERED:
                self._made = {}
            self._made[values] = made
        return made


_UNCHANGED: dict[str, str] = {}
_MOST_REMEMBERED = 10_000
_LONGEST_REMEMBERED = 512
"""Characters of what is looked up, so that senders cannot fill the memory with it."""


def _in_turn(rules: Iterable[Rule], labels: Mapping[str, str]) -> dict[str, str] | None:
    """What rules make of labels, whatever metrics they are for."""
    now = dict(labels)
    for rule in rules:
        found = rule.apply(now)
        if found is None:
            return None
        now = found
    return {name: value for name, value in now.items() if name and value}


def _one_by_one(rules: Iterable[Rule], labels: Mapping[str, str]) -> dict[str, str] | None:
    """The same, where a rule may change the metric, and so what comes next."""
    now: dict[str, str] | None = dict(labels)
    for rule in rules:
        if now is not None and now.get(METRIC_NAME, "").startswith(rule.metrics):
            now = rule.apply(now)
    return None if now is None else _in_turn((), now)


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
