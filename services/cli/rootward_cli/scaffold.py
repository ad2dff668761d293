"""A new method: its file and its test, with the blanks marked by an ellipsis."""

from __future__ import annotations

from pathlib import Path
from string import Template

from rootward.errors import InvalidInput
from rootward.methods.base import Family

_METHOD = Template('''\
"""… what it finds, in one line: the paper, its equations, what is ours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from rootward.errors import InsufficientData
from rootward.methods.base import About, Cost, Family, Method, Need, Provenance
from rootward.model.case import Case
from rootward.model.result import Bars, Figure, Inputs, Result

LEAST_ROWS = 20


def $name(
    before: Float[np.ndarray, "baseline_rows series"],
    after: Float[np.ndarray, "incident_rows series"],
) -> Float[np.ndarray, " series"]:
    """… what comes out, its unit; the equation it follows.

    Here: how far the median of each series moved, in deviations of its baseline.
    """
    deviation = before.std(axis=0)
    moved = np.abs(np.median(after, axis=0) - np.median(before, axis=0))
    return np.asarray(np.where(deviation > 0, moved / np.where(deviation > 0, deviation, 1.0), 0.0))


@dataclass(frozen=True, kw_only=True)
class $kind(Method):
    """… what the reader learns from it.

    … when it is the right one to ask, and when it is not.
    """

    shown: int = 10
    """Series that are listed."""

    about = About(
        name="$name",
        family=Family.$upper,
        question="… what an engineer would ask?",
        paper="… authors, year, title, identifier",
        needs=frozenset({Need.ONSET}),
        provenance=Provenance.ASSUMED,
        provenance_note="… which parts are ours",
        cost=Cost.INSTANT,
        assumptions=("… what must hold.",),
        limits=("… what must not be concluded.",),
    )

    def run(self, case: Case) -> Result:
        window = case.window
        known = np.isfinite(window.values).all(axis=0)
        if len(window.baseline) < LEAST_ROWS or not len(window.incident) or not known.any():
            raise InsufficientData(f"needs {LEAST_ROWS} rows before the onset and a whole series")
        moved = $name(window.baseline[:, known], window.incident[:, known])
        names = [str(s) for s, k in zip(window.series, known, strict=True) if k]
        order = sorted(range(len(names)), key=lambda k: (-moved[k], names[k]))[: self.shown]
        values = tuple(float(moved[k]) for k in order)
        dropped = {str(s): "has gaps" for s, k in zip(window.series, known, strict=True) if not k}
        return Result(
            f"{names[order[0]]} moved most, by {values[0]:.3g}.",
            (Bars("… title", tuple(names[k] for k in order), values),),
            headline=Figure("… what it is", values[0]),
            inputs=Inputs.of(window, dropped=dropped),
        )
''')
_TEST = Template('''\
"""… what is planted, what it must find, what must not fool it."""

from rootward.methods.$family.$name import $kind
from rootward.testing import cases


def test_it_finds_what_was_planted():
    case = cases.chain(rows=240, seed=1, fault=8.0).case()

    assert $kind().run(case).answer.startswith("x0")


def test_noise_does_not_fool_it():
    calm = cases.noise(rows=240, seed=1)
    case = calm.case()
    raise AssertionError(f"… say what it must not claim of {len(case.window.series)} calm series")
''')


def write(root: Path, family: str, name: str) -> tuple[Path, Path]:
    """The files of a method and of its test, where the others of its family lie.

    Raises:
        InvalidInput: no such family, a name that is none, or files that are there already.
    """
    if family not in tuple(Family):
        raise InvalidInput(f"no family {family!r}; there are {', '.join(Family)}")
    if not name.isidentifier() or name != name.lower():
        raise InvalidInput(f"{name!r} cannot be the name of a file; write small_letters")
    method = root / "shared/rootward/methods" / family / f"{name}.py"
    test = root / "tests/methods" / family / f"test_{name}.py"
    if not method.parent.is_dir():
        raise InvalidInput(f"{method.parent} does not exist; call this where the sources lie")
    for path in (method, test):
        if path.exists():
            raise InvalidInput(f"{path} exists; it is left as it is")
    words = {
        "family": family,
        "upper": family.upper(),
        "name": name,
        "kind": "".join(part.capitalize() for part in name.split("_")),
    }
    test.parent.mkdir(parents=True, exist_ok=True)
    method.write_text(_METHOD.substitute(words), encoding="utf-8")
    test.write_text(_TEST.substitute(words), encoding="utf-8")
    return method, test
