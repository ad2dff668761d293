"""Compose file, Dockerfile and systemd unit: they agree with the settings and with each other."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from rootward import __version__
from rootward.settings import Settings

DEPLOY = Path(__file__).parents[2] / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
DOCKERFILE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
UNIT = (DEPLOY / "systemd/rootward.service").read_text(encoding="utf-8")
CHART = yaml.safe_load((DEPLOY.parent / "helm/rootward/Chart.yaml").read_text(encoding="utf-8"))


def _settings(assignments: dict[str, str]) -> Settings:
    """The settings as the process would read them; a name that it does not know fails."""
    ours = {
        name.removeprefix("ROOTWARD_").lower(): value
        for name, value in assignments.items()
        if name.startswith("ROOTWARD_")
    }
    assert set(ours) <= set(Settings.model_fields)
    return Settings(**ours)


def test_every_variable_of_the_image_and_of_compose_is_a_setting():
    image = dict(re.findall(r"(ROOTWARD_\w+)=(\S+)", DOCKERFILE))
    composed = COMPOSE["services"]["rootward"]["environment"]
    plain = {k: re.sub(r"\$\{\w+:-(.*)\}", r"\1", v) for k, v in composed.items()}
    read = _settings({**image, **plain})
    assert (read.host, read.port) == ("0.0.0.0", 8080)
    assert read.database_url == "sqlite:////data/rootward.db"


def test_every_variable_of_the_unit_is_a_setting_and_it_listens_on_the_loopback():
    read = _settings(dict(re.findall(r"^Environment=(\w+)=(\S+)", UNIT, re.M)))
    assert read.host == "127.0.0.1"
    assert read.database_url == "sqlite:////var/lib/rootward/rootward.db"


def test_compose_runs_the_image_as_the_chart_does():
    service: dict[str, Any] = COMPOSE["services"]["rootward"]
    assert service["user"] == "10001:10001"
    assert "USER 10001:10001\n" in DOCKERFILE
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["volumes"] == ["data:/data"]


def test_compose_opens_ports_on_the_loopback_only():
    ports = [p for service in COMPOSE["services"].values() for p in service["ports"]]
    assert [p for p in ports if not p.startswith("127.0.0.1:")] == []


def test_compose_gives_prometheus_the_token_for_sending_and_no_other():
    services = COMPOSE["services"]
    assert services["prometheus"]["secrets"] == ["ingest-token"]
    assert set(services["rootward"]["secrets"]) == set(COMPOSE["secrets"])
    (sent,) = yaml.safe_load((DEPLOY / "prometheus.yml").read_text(encoding="utf-8"))[
        "remote_write"
    ]
    file = "/run/secrets/ingest-token"
    assert sent["authorization"] == {"credentials_file": file}
    assert services["rootward"]["environment"]["ROOTWARD_INGEST_TOKEN_FILE"] == file
    ignored = (DEPLOY.parent / ".gitignore").read_text(encoding="utf-8")
    folders = {Path(s["file"]).parts[0] for s in COMPOSE["secrets"].values()}
    assert all(f"deploy/{folder}/" in ignored for folder in folders)


def test_every_file_that_compose_mounts_exists():
    mounted = [
        volume.partition(":")[0]
        for service in COMPOSE["services"].values()
        for volume in service["volumes"]
        if volume.startswith(".")
    ]
    assert mounted
    assert [m for m in mounted if not (DEPLOY / m).is_file()] == []


def test_all_name_the_version_of_the_package():
    assert CHART["version"] == CHART["appVersion"] == __version__
    assert COMPOSE["services"]["rootward"]["image"] == f"rootward:{__version__}"
    assert f'image.version="{__version__}"' in DOCKERFILE


@pytest.mark.chart
@pytest.mark.parametrize(
    "command",
    [
        [Path(sys.executable).with_name("hadolint"), DEPLOY / "Dockerfile"],
        [Path(sys.executable).with_name("docker-compose"), "-f", DEPLOY / "compose.yaml", "config"],
        ["promtool", "check", "config", "--syntax-only", DEPLOY / "prometheus.yml"],
    ],
    ids=["hadolint", "compose", "promtool"],
)
def test_the_tool_that_checks_it_finds_nothing(command: list[str | Path]):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
