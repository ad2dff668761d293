"""The Python files of the product, and what each imports; read as text, nothing is run."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = {
    "rootward": ROOT / "shared/rootward",
    "rootward_ingest": ROOT / "services/ingest/rootward_ingest",
    "rootward_worker": ROOT / "services/worker/rootward_worker",
    "rootward_dashboard": ROOT / "services/dashboard/rootward_dashboard",
    "rootward_cli": ROOT / "services/cli/rootward_cli",
}


def product_files() -> Iterator[tuple[str, Path]]:
    """Dotted module name and path of every file that ships."""
    for package, folder in PACKAGES.items():
        for path in sorted(folder.rglob("*.py")):
            parts = path.relative_to(folder).with_suffix("").parts
            dotted = ".".join((package, *parts)).removesuffix(".__init__")
            yield dotted, path


def all_files() -> list[Path]:
    """Every Python file of the repository, tests included."""
    tops = ("shared", "services", "deploy", "tests")
    return [path for top in tops for path in sorted((ROOT / top).rglob("*.py"))]


def web_files() -> list[Path]:
    """Every source file of the web app, but for the client's types, which are generated."""
    folder = ROOT / "services/dashboard/web/src"
    found = sorted(p for p in folder.rglob("*") if p.suffix in {".ts", ".tsx", ".css"})
    return [path for path in found if not path.name.endswith(".gen.ts")]


def imports(path: Path) -> Iterator[str]:
    """Dotted names that a file imports, as deep as the text tells."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                yield "." * node.level + (node.module or "")
            else:
                yield from (f"{node.module}.{alias.name}" for alias in node.names)
