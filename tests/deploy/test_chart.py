"""The chart as Helm renders it. Run by `make chart`, which installs what these tests need."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from rootward.settings import Settings

helm = pytest.importorskip("helm_python", reason="make chart installs the Helm library")
from tests.deploy import chart  # noqa: E402

pytestmark = pytest.mark.chart
GOLDEN = Path(__file__).parent / "golden"
TO_WRITE = "write it again: python -m tests.deploy.golden"


def _one(kind: str, values: chart.Values) -> dict[str, Any]:
    found = [o for o in chart.render(values) if o["kind"] == kind]
    assert len(found) == 1
    return found[0]


def _container(values: chart.Values) -> dict[str, Any]:
    return _one("StatefulSet", values)["spec"]["template"]["spec"]["containers"][0]


@pytest.mark.parametrize(("name", "values"), [("default", {}), ("everything", chart.EVERYTHING)])
def test_the_objects_are_those_of_the_golden_file(name: str, values: chart.Values):
    golden = list(yaml.safe_load_all((GOLDEN / f"{name}.yaml").read_text(encoding="utf-8")))
    assert chart.render(values) == golden, TO_WRITE


@pytest.mark.parametrize("values", [{}, chart.EVERYTHING])
def test_lint_finds_nothing_and_every_object_is_valid(values: chart.Values):
    assert chart.lint(values) == []
    assert all(chart.validate(found) for found in chart.render(values))


def test_a_field_that_kubernetes_does_not_know_is_noticed():
    service = _one("Service", {})
    service["spec"]["prots"] = []
    with pytest.raises(Exception, match="prots"):
        chart.validate(service)


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"mode": "distributed"}, "there is no distributed mode yet"),
        ({"replicaCount": 3}, "replicaCount"),
        ({"settings": {"database_url": "postgresql://db"}}, "database_url"),
        ({"settings": {"step_seconds": 0}}, "step_seconds"),
        ({"settings": {"access": "proxy"}}, "which addresses the proxy has"),
        ({"settings": {"admin_token_file": "/x"}}, "admin_token_file"),
        ({"image": {"digest": "sha256:1"}}, "digest"),
        ({"ingress": {"enabled": True}}, "at least one host"),
        ({"httpRoute": {"enabled": True}}, "at least one gateway"),
        ({"extraEnv": [{"name": "ROOTWARD_PORT", "value": "1"}]}, "is a setting of Rootward"),
        ({"persistence": {"enabled": False, "existingClaim": "a"}}, "persistence.enabled is false"),
        ({"settings": {"samples_url": "promql+http://p"}}, "out of reach without a rule"),
        ({"commonLabels": {"app.kubernetes.io/name": "x"}}, "invalid propertyName"),
        (
            {
                "settings": {"samples_url": "promql+http://p"},
                "samplesUrlSecret": {"name": "s"},
                **chart.OPEN_EGRESS,
            },
            "set one",
        ),
    ],
)
def test_values_that_cannot_work_are_refused_with_the_reason(values: chart.Values, why: str):
    with pytest.raises(helm.HelmError, match=why):
        chart.render(values)


def test_the_process_reads_every_variable_that_the_chart_sets():
    env = {e["name"]: e["value"] for e in _container(chart.EVERYTHING)["env"]}
    ours = {
        name.removeprefix("ROOTWARD_").lower(): value
        for name, value in env.items()
        if name.startswith("ROOTWARD_")
    }
    assert set(ours) - set(Settings.model_fields) == set()
    read = Settings(**ours)
    assert (read.host, read.port, read.max_body_bytes) == ("0.0.0.0", 8080, 33554432)
    assert str(read.intake_file) == "/etc/rootward/intake.toml"


def test_the_pod_meets_the_restricted_profile_and_writes_only_to_data_and_tmp():
    pod = _one("StatefulSet", {})["spec"]["template"]["spec"]
    container = pod["containers"][0]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    mounts = {m["mountPath"]: m.get("readOnly", False) for m in container["volumeMounts"]}
    assert mounts == {"/data": False, "/tmp": False, "/etc/rootward-access": True}


def _secret(values: chart.Values) -> str | None:
    volumes = _one("StatefulSet", values)["spec"]["template"]["spec"]["volumes"]
    return next((v["secret"]["secretName"] for v in volumes if "secret" in v), None)


def test_tokens_come_from_a_secret_and_stand_in_no_object():
    named = {"access": {"existingSecret": "mine", "adminTokenKey": "a", "ingestTokenKey": "i"}}
    assert _secret({}) == "rel-rootward-access"
    assert _secret(named) == "mine"
    env = {e["name"]: e.get("value") for e in _container(named)["env"]}
    assert env["ROOTWARD_ADMIN_TOKEN_FILE"] == "/etc/rootward-access/admin-token"
    assert env["ROOTWARD_INGEST_TOKEN_FILE"] == "/etc/rootward-access/ingest-token"
    assert not [o for o in chart.render({}) if o["kind"] == "Secret"]


def test_behind_a_proxy_that_authenticates_no_secret_is_needed():
    proxy = {"settings": {"access": "proxy", "trusted_proxies": "10.0.0.0/8"}}
    assert _secret(proxy) is None
    assert not {e["name"] for e in _container(proxy)["env"] if "TOKEN" in e["name"]}
    assert _secret(proxy | {"access": {"existingSecret": "mine"}}) == "mine"


def test_no_variable_of_a_service_is_taken_for_a_setting():
    """Kubernetes would set ROOTWARD_PORT=tcp://... for a service of the name `rootward`."""
    for found in chart.render({}):
        spec = found.get("spec", {})
        pod = spec.get("template", {}).get("spec", spec)
        if "containers" in pod:
            assert pod["enableServiceLinks"] is False


def test_a_change_of_a_file_starts_the_pod_anew():
    def sums(text: str) -> str:
        pod = _one("StatefulSet", {"intakeRules": text})["spec"]["template"]
        return pod["metadata"]["annotations"]["checksum/files"]

    assert sums("a = 1") == sums("a = 1") != sums("a = 2")


def test_the_service_sends_requests_to_the_pod_and_not_to_the_test():
    wanted = _one("Service", {})["spec"]["selector"].items()
    pod = _one("StatefulSet", {})["spec"]["template"]["metadata"]["labels"].items()
    assert wanted <= pod
    assert not wanted <= _one("Pod", {})["metadata"]["labels"].items()


def test_each_alert_fires_where_it_should_and_stays_quiet_elsewhere():
    rules = Path(__file__).parent / "alerts_test.yaml"
    done = subprocess.run(
        ["promtool", "test", "rules", str(rules)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_is_tested_and_says_where_to_read_on():
    text = (chart.CHART / "files/alerts.yaml").read_text(encoding="utf-8")
    page = (chart.CHART.parents[1] / "docs/deploy.md").read_text(encoding="utf-8")
    tested = (Path(__file__).parent / "alerts_test.yaml").read_text(encoding="utf-8")
    for rule in yaml.safe_load(text)["groups"][0]["rules"]:
        assert f"### {rule['alert']}\n" in page
        assert rule["annotations"]["runbook"] == f"docs/deploy.md#{rule['alert'].lower()}"
        assert tested.count(f"alertname: {rule['alert']}\n") == 1
        assert tested.count(f"alertname: {rule['alert']}}}") == 1
