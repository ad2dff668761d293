"""The documentation is tested: what exists is documented, what is documented exists."""

import re

from prometheus_client import Counter, Gauge, Histogram

from rootward import telemetry
from rootward.methods import registry
from rootward.settings import Settings
from rootward_cli import reference
from rootward_cli.main import app
from rootward_dashboard.app import create_app
from tests.architecture.sources import ROOT


def _doc(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def test_every_setting_stands_in_the_configuration_page():
    assert _doc("configuration.md") == reference.configuration()


def test_every_method_stands_in_the_methods_page():
    assert _doc("methods.md") == reference.methods(registry.load())


def test_every_setting_says_what_it_is():
    assert [n for n, f in Settings.model_fields.items() if not f.description] == []


def test_every_metric_of_ours_is_documented():
    kinds = (Counter, Gauge, Histogram)
    names = {
        m._name + ("_total" if isinstance(m, Counter) else "")
        for m in vars(telemetry).values()
        if isinstance(m, kinds)
    }
    assert sorted(names - set(re.findall(r"rootward_[a-z_]+", _doc("operations.md")))) == []


def test_every_api_route_is_documented(fake_platform):
    paths = [p for p in create_app(fake_platform).openapi()["paths"] if p.startswith("/api/")]
    assert paths
    assert [p for p in sorted(paths) if p not in _doc("api.md")] == []


def test_every_command_stands_in_the_command_page():
    commands = {c.name or c.callback.__name__ for c in app.registered_commands}
    commands |= {group.name for group in app.registered_groups}
    page = (ROOT / "services/cli/README.md").read_text(encoding="utf-8")
    assert [c for c in sorted(commands) if f"rootward {c}" not in page] == []


def test_readme_shows_both_commands_on_its_first_screen():
    top = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()[:40]
    assert any("make demo" in line for line in top)
    assert any("make test" in line for line in top)


def test_every_link_between_documents_leads_somewhere():
    broken = []
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), ROOT / "CONTRIBUTING.md"]:
        for target in re.findall(r"\]\((?!http|#)([^)#]+)", page.read_text(encoding="utf-8")):
            if not (page.parent / target).exists():
                broken.append(f"{page.relative_to(ROOT)}: {target}")
    assert broken == []
