"""Who may import whom: the table of docs/architecture.md, held against the code."""

import ast
import re
import subprocess
import sys
import tomllib

import pytest

from tests.architecture.sources import ROOT, imports, product_files

# layer: (layers it may import beside itself, third-party packages it may import)
TABLE: dict[str, tuple[set[str], set[str]]] = {
    "rootward.errors": (set(), set()),
    "rootward.model": ({"rootward.errors"}, {"numpy", "networkx", "jaxtyping"}),
    "rootward.numerics": ({"rootward.errors"}, {"numpy", "scipy", "torch", "jaxtyping"}),
    "rootward.methods": (
        {"rootward.model", "rootward.numerics", "rootward.errors"},
        {"numpy", "scipy", "torch", "networkx", "jaxtyping"},
    ),
    "rootward.rca": (
        {"rootward.model", "rootward.methods.base", "rootward.numerics", "rootward.errors"},
        {"numpy", "scipy", "networkx", "jaxtyping"},
    ),
    "rootward.codec": ({"rootward.model", "rootward.errors"}, {"numpy", "pydantic"}),
    "rootward.access.store": ({"rootward.model"}, set()),
    "rootward.bundle": ({"rootward.model", "rootward.codec", "rootward.errors"}, {"numpy"}),
    "rootward.client": ({"rootward.errors"}, {"httpx"}),
    "rootward.ports": ({"rootward.model", "rootward.access.store"}, set()),
    "rootward.access": (
        {"rootward.model", "rootward.ports", "rootward.errors", "rootward.telemetry"},
        {"argon2", "starlette"},
    ),
    "rootward.settings": ({"rootward.errors"}, {"pydantic", "pydantic_settings"}),
    "rootward.telemetry": ({"rootward.errors"}, {"prometheus_client"}),
    "rootward.adapters": (
        {"rootward.model", "rootward.ports", "rootward.access.store", "rootward.codec",
         "rootward.errors", "rootward.telemetry"},
        {"numpy", "sqlalchemy", "alembic", "cramjam", "httpx", "kafka", "celery", "billiard",
         "kombu"},
    ),
    "rootward.bootstrap": (
        {"rootward.settings", "rootward.ports", "rootward.adapters", "rootward.errors"},
        {"sqlalchemy"},
    ),
    "rootward.testing": (
        {"rootward.model", "rootward.numerics", "rootward.methods", "rootward.ports",
         "rootward.access.store", "rootward.codec", "rootward.errors"},
        {"numpy", "scipy", "pydantic", "jaxtyping"},
    ),
    "rootward_ingest": (
        {"rootward.model", "rootward.ports", "rootward.access", "rootward.errors",
         "rootward.telemetry"},
        {"fastapi", "starlette", "pydantic", "google", "cramjam", "prometheus_client", "numpy",
         "httpx", "opentelemetry"},
    ),
    "rootward_worker": (
        {"rootward.model", "rootward.ports", "rootward.bundle", "rootward.methods", "rootward.rca",
         "rootward.numerics", "rootward.errors", "rootward.telemetry"},
        {"numpy", "pydantic"},
    ),
    "rootward_dashboard": (
        {"rootward.model", "rootward.ports", "rootward.access", "rootward.errors",
         "rootward.telemetry", "rootward.bundle", "rootward.rca.frame",
         "rootward.rca.labelled_calls"},
        {"fastapi", "starlette", "pydantic", "jinja2", "networkx", "markupsafe", "numpy",
         "jaxtyping"},
    ),
    "rootward_cli": (
        {"rootward.settings", "rootward.bootstrap", "rootward_ingest", "rootward_worker",
         "rootward_dashboard", "rootward.bundle", "rootward.client", "rootward.model",
         "rootward.methods", "rootward.rca",
         "rootward.testing", "rootward.errors", "rootward.telemetry", "rootward.adapters.clock",
         "rootward.ports", "rootward.access", "rootward.codec"},
        {"typer", "rich", "uvicorn", "fastapi", "httpx", "numpy", "pydantic"},
    ),
}  # fmt: skip


def _layer(module: str) -> str | None:
    return max((name for name in TABLE if _inside(module, name)), key=len, default=None)


def _inside(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")


def _crossings() -> list[str]:
    found = []
    for module, path in product_files():
        layer = _layer(module)
        if layer is None:  # rootward itself holds the version and nothing else
            continue
        layers, third_party = TABLE[layer]
        for name in imports(path):
            top = name.partition(".")[0]
            if top in sys.stdlib_module_names or name == "rootward.__version__":
                continue
            allowed = {layer, *layers} if top.startswith("rootward") else third_party
            if not any(_inside(name, package) for package in allowed):
                found.append(f"{module} imports {name}")
    return found


def test_no_import_crosses_a_layer():
    assert _crossings() == []


def test_every_module_belongs_to_a_layer():
    stray = [m for m, _ in product_files() if _layer(m) is None]
    assert stray == ["rootward"]


def test_only_settings_reads_the_environment():
    readers = [
        module
        for module, path in product_files()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "os"
        and node.attr in ("environ", "getenv")
    ]
    assert set(readers) == {"rootward.settings"}


HEAVY = {"scipy", "torch"}
"""What their images leave out (deploy/requirements.py)."""


@pytest.mark.parametrize(
    "module", ["rootward_ingest.app", "rootward_dashboard.app", "rootward_cli.parts"]
)
def test_ingest_and_dashboard_start_without_what_learns(module: str):
    script = f"import sys, {module}; sys.exit(bool({HEAVY!r} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False)
    assert done.returncode == 0


def test_ingest_and_dashboard_never_import_what_learns_later_either():
    files = dict(product_files())
    ways = ["rootward.bootstrap", "rootward_cli.access", "rootward_cli.letters"]
    ways += [one for one in files if one.startswith(("rootward_ingest", "rootward_dashboard"))]
    seen: set[str] = set()
    heavy = []
    while ways:
        module = ways.pop()
        seen.add(module)
        for name in imports(files[module]):
            found = name if name in files else name.rpartition(".")[0]
            if found in files and found not in seen:
                ways.append(found)
            if name.partition(".")[0] in HEAVY:
                heavy.append(f"{module} imports {name}")
    assert heavy == []
    assert "rootward.adapters.sql.engine" in seen


def test_the_images_without_learning_leave_out_what_learns_and_nothing_else():
    def asked(*words: str) -> set[str]:
        command = [sys.executable, "deploy/requirements.py", *words]
        done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
        return {re.split(r"[^\w-]", line)[0] for line in done.stdout.splitlines()}

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {re.split(r"[^\w-]", line)[0] for line in project["dependencies"]}
    assert asked("learning") == HEAVY
    assert asked("light") == wanted - HEAVY
    assert asked("light", "postgres") == (wanted - HEAVY) | {"psycopg"}
