"""python -m tests.deploy.readme: write the chart's README again, its values from values.yaml."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import yaml

CHART = Path(__file__).parents[2] / "helm/rootward"
README = CHART / "README.md"
_KEY = re.compile(r"( *)([A-Za-z]\w*):(?: (.*))?$")
_HEAD = """# Rootward's chart

Generated from `values.yaml` by `python -m tests.deploy.readme`; how to use it:
[deploy.md](../../docs/deploy.md).

```sh
helm install rootward helm/rootward --namespace rootward --create-namespace
```

`mode: embedded` is one pod with one volume. `mode: distributed` needs `database`, `bus` and `jobs`,
each by `url` or by `existingSecret`, and runs ingest, detect, work and dashboard apart.
`values.schema.json` refuses what is unknown, wrong, or does not go together.

| value | default | what it is |
| --- | --- | --- |
"""


def described() -> Iterator[tuple[str, str, str]]:
    """Every value: its path, its default as JSON, and the comment above it; groups without one."""
    values = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    path: list[str] = []
    said: list[str] = []
    for line in (CHART / "values.yaml").read_text(encoding="utf-8").splitlines():
        if line.lstrip().startswith("# "):
            said.append(line.strip("# "))
            continue
        if found := _KEY.match(line):
            depth = len(found[1]) // 2
            path = [*path[:depth], found[2]]
            default = _at(values, path)
            if said:
                group = isinstance(default, dict) and default and found[3] is None
                yield ".".join(path), "" if group else json.dumps(default), " ".join(said)
        said = []


def _at(values: object, path: list[str]) -> object:
    for key in path:
        values = values[key] if isinstance(values, dict) else None
    return values


def text() -> str:
    """The whole README."""
    rows = (
        f"| `{name}` | {f'`{default}`' if default else ''} | {said.replace('|', chr(92) + '|')} |\n"
        for name, default, said in described()
    )
    return _HEAD + "".join(rows)


if __name__ == "__main__":
    README.write_text(text(), encoding="utf-8")
