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
from rootward_cli.main import app
from shop.topology import SERVICES

DEPLOY = Path(__file__).parents[2] / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
DOCKERFILE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
UNIT = (DEPLOY / "systemd/rootward.service").read_text(encoding="utf-8")
COMPOSED = (Path(sys.executable).with_name("docker-compose"), "-f", DEPLOY / "compose.yaml")
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


def _ours(profile: str) -> dict[str, dict[str, Any]]:
    """The services of a profile that run an image of Rootward as Rootward."""
    return {
        name: service
        for name, service in COMPOSE["services"].items()
        if profile in service["profiles"]
        and service["image"].startswith("rootward")
        and "entrypoint" not in service
    }


@pytest.mark.parametrize("profile", ["embedded", "distributed"])
def test_every_variable_of_the_image_and_of_compose_is_a_setting(profile: str):
    image = dict(re.findall(r"(ROOTWARD_\w+)=(\S+)", DOCKERFILE))
    for name, service in _ours(profile).items():
        composed = service["environment"]
        plain = {k: re.sub(r"\$\{\w+:-(.*?)\}", r"\1", v) for k, v in composed.items()}
        read = _settings({**image, **plain})
        assert (read.host, read.port) == ("0.0.0.0", 8080), name
        scheme = "sqlite" if profile == "embedded" else "postgresql+psycopg"
        assert read.database_url.partition(":")[0] == scheme, name


def test_every_part_of_compose_runs_a_command_of_its_own_image():
    commands = {found.name or found.callback.__name__ for found in app.registered_commands}
    assert {n: s["command"] for n, s in _ours("embedded").items()} == {"rootward": ["up"]}
    targets = {"ingest": "ingest", "detect": "worker", "work": "worker", "dashboard": "dashboard"}
    parts = _ours("distributed")
    assert {n: s["build"]["target"] for n, s in parts.items()} == targets
    for name, service in parts.items():
        assert service["command"] == [name]
        assert name in commands
        assert service["image"] == f"rootward-{targets[name]}:{__version__}"
    built = set(re.findall(r"^FROM runtime AS (\w+)", DOCKERFILE, re.M))
    assert built == {*targets.values(), "all"}


def test_prometheus_of_compose_scrapes_every_part_and_every_service_of_the_shop():
    jobs = yaml.safe_load((DEPLOY / "prometheus.yml").read_text(encoding="utf-8"))["scrape_configs"]
    asked = {job["job_name"]: job["dns_sd_configs"][0] for job in jobs if "dns_sd_configs" in job}
    assert set(asked["rootward"]["names"]) == set(_ours("distributed"))
    assert set(asked["shop"]["names"]) == set(SERVICES)
    shop = {n: s["command"] for n, s in COMPOSE["services"].items() if "entrypoint" in s}
    assert shop == {"visitors": ["load"], **{name: ["serve", name] for name in SERVICES}}


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
    ports = [p for one in COMPOSE["services"].values() for p in one.get("ports", [])]
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
        for volume in service.get("volumes", [])
        if volume.startswith(".")
    ]
    assert mounted
    assert [m for m in mounted if not (DEPLOY / m).exists()] == []


def test_all_name_the_version_of_the_package():
    assert CHART["version"] == CHART["appVersion"] == __version__
    images = {s["image"] for s in COMPOSE["services"].values() if s["image"][:8] == "rootward"}
    assert {image.rpartition(":")[2] for image in images} == {__version__}
    assert f'image.version="{__version__}"' in DOCKERFILE


@pytest.mark.skipif(sys.platform != "linux", reason="the tools are there for Linux alone")
@pytest.mark.parametrize(
    "command",
    [
        [Path(sys.executable).with_name("hadolint"), DEPLOY / "Dockerfile"],
        [*COMPOSED, "--profile", "embedded", "config"],
        [*COMPOSED, "--profile", "distributed", "config"],
    ],
    ids=["hadolint", "embedded", "distributed"],
)
def test_the_tool_that_checks_it_finds_nothing(command: list[str | Path]):
    _finds_nothing(command)


@pytest.mark.chart
@pytest.mark.parametrize(
    "command",
    [
        ["promtool", "check", "config", "--syntax-only", DEPLOY / "prometheus.yml"],
        ["amtool", "check-config", DEPLOY / "alertmanager.yml"],
    ],
    ids=["promtool", "amtool"],
)
def test_the_server_that_reads_it_finds_nothing(command: list[str | Path]):
    _finds_nothing(command)


def _finds_nothing(command: list[str | Path]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
