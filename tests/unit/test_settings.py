"""Settings: defaults that work, and errors that name what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from rootward import settings
from rootward.errors import InvalidConfiguration
from rootward.settings import Settings


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"ROOTWARD_{name.upper()}", raising=False)


def test_the_defaults_run_everything_in_one_process():
    loaded = settings.load()

    assert loaded.database_url == "sqlite:///rootward.db"
    assert (loaded.bus_url, loaded.jobs_url) == ("embedded://", "thread://")
    assert loaded.host == "127.0.0.1"


def test_the_default_retention_holds_the_default_window():
    loaded = settings.load()

    assert loaded.retention_seconds > loaded.window_rows * loaded.step_seconds


def test_a_setting_is_read_from_its_variable(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ROOTWARD_PORT", "9")
    monkeypatch.setenv("ROOTWARD_STEP_SECONDS", "2.5")
    monkeypatch.setenv("ROOTWARD_SCRAPE_FILE", "/targets.json")

    loaded = settings.load()

    assert (loaded.port, loaded.step_seconds) == (9, 2.5)
    assert loaded.scrape_file == Path("/targets.json")


def test_variables_of_others_are_left_alone(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PORT", "9")

    assert settings.load().port == 8080


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "http"),
        ("PORT", "70000"),
        ("STEP_SECONDS", "0"),
        ("STEP_SECONDS", "nan"),
        ("WINDOW_ROWS", "5"),
        ("RETENTION_SECONDS", "-1"),
        ("MAX_BACKLOG", "0"),
        ("LOG_LEVEL", "LOUD"),
        ("LOG_FORMAT", "xml"),
        ("SEED", "-1"),
    ],
)
def test_a_wrong_value_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str):
    monkeypatch.setenv(f"ROOTWARD_{name}", value)

    with pytest.raises(InvalidConfiguration, match=f"ROOTWARD_{name}: "):
        settings.load()


def test_every_wrong_value_is_named_at_once(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ROOTWARD_PORT", "http")
    monkeypatch.setenv("ROOTWARD_SEED", "x")

    with pytest.raises(InvalidConfiguration, match=r"ROOTWARD_PORT: .*ROOTWARD_SEED: "):
        settings.load()


def test_settings_do_not_change_once_loaded():
    with pytest.raises(ValueError, match="frozen"):
        settings.load().port = 1
