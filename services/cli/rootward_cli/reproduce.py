"""`rootward replay-diagnosis`: make a diagnosis again from its bundle and compare, bit for bit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rootward.bundle.comparison import differences
from rootward.bundle.package import Bundle, opened
from rootward.errors import InvalidConfiguration
from rootward.methods import registry
from rootward.methods.base import DiscoveryMethod
from rootward.model.incident import Diagnosis
from rootward.rca.diagnose import diagnose


@dataclass(frozen=True)
class Replay:
    """A diagnosis that was made again."""

    bundle: Bundle
    diagnosis: Diagnosis
    differences: tuple[str, ...]
    """What it says otherwise; empty where it is the same."""


def replay(path: Path) -> Replay:
    """Make the diagnosis of a bundle again.

    Raises:
        UnreadableBody: not a bundle, or it was changed.
        InvalidConfiguration: its learner is not there.
    """
    bundle = opened(path.read_bytes())
    asked = bundle.asked
    made = registry.load().make(asked.discovery)
    if not isinstance(made, DiscoveryMethod):
        raise InvalidConfiguration(f"{asked.discovery} does not learn a causal graph")
    found = diagnose(
        asked.window, discovery=made, symptom=asked.symptom, calls=asked.calls, seed=asked.seed
    )
    return Replay(bundle, found, differences(bundle.diagnosis, found))


def text(done: Replay) -> str:
    """The outcome in words: the ranking, and what differs."""
    first = done.diagnosis.candidates[:5]
    lines = [f"INC-{done.bundle.incident.number}: {done.diagnosis.conclusion}"]
    lines += [f"  {one.rank}. {one.service}  {one.score!r}" for one in first]
    if not done.differences:
        return "\n".join([*lines, "The same as in the bundle, bit for bit."])
    made_with = ", ".join(f"{name} {version}" for name, version in done.bundle.asked.versions)
    return "\n".join(
        [*lines, f"Not the same as in the bundle, which was made with {made_with}:",
         *(f"  {one}" for one in done.differences)]
    )  # fmt: skip
