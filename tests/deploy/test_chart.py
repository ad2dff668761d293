"""The chart as Helm renders it. Run by `make chart`, which installs what these tests need."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml
from prometheus_client import REGISTRY

from rootward import telemetry  # registers the metrics
from rootward.adapters.kafka.cluster import Cluster
from rootward.settings import Settings
from rootward_cli.main import app
from rootward_ingest.kubernetes.watcher import RESOURCES

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


@pytest.mark.parametrize(("name", "values"), chart.GOLDEN.items())
def test_the_objects_are_those_of_the_golden_file(name: str, values: chart.Values):
    golden = list(yaml.safe_load_all((GOLDEN / f"{name}.yaml").read_text(encoding="utf-8")))
    assert chart.render(values) == golden, TO_WRITE


@pytest.mark.parametrize("values", chart.GOLDEN.values(), ids=chart.GOLDEN)
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
        ({"mode": "distributed"}, "/database/url"),
        ({**chart.DISTRIBUTED, "jobs": {}}, "/jobs/url"),
        ({**chart.DISTRIBUTED, "bus": {"url": "kafka://k", "existingSecret": "s"}}, "/bus/url"),
        ({**chart.DISTRIBUTED, "database": {"url": "sqlite:///a.db"}}, "/database/url"),
        ({**chart.DISTRIBUTED, "jobs": {"url": "thread://"}}, "/jobs/url"),
        ({**chart.DISTRIBUTED, "persistence": {"existingClaim": "a"}}, "/persistence/existing"),
        ({**chart.DISTRIBUTED, "keda": {"enabled": True}}, "/keda/prometheusAddress"),
        (
            {**chart.DISTRIBUTED, **chart.SCALED[2], "bus": {"existingSecret": "s"}},
            "lies in a secret, so name the brokers",
        ),
        (
            {**chart.DISTRIBUTED, **chart.SCALED[2], "bus": {"url": "kafka://k:1?prefix=x"}},
            "names another one",
        ),
        (
            {**chart.DISTRIBUTED, **chart.SCALED[2], "bus": {"url": "kafka+tls://k:1"}},
            "authenticationRef",
        ),
        ({**chart.DISTRIBUTED, "keda": {"kafkaLag": {"enabled": True}}}, "set keda.enabled"),
        ({**chart.DISTRIBUTED, **chart.SOURCES[3]}, "every pod of ingest would scrape"),
        (
            {**chart.DISTRIBUTED, "ingest": {"autoscaling": {"enabled": True, "minReplicas": 11}}},
            "minReplicas is above",
        ),
        ({**chart.DISTRIBUTED, "work": {"keda": {"minReplicas": 21}}}, "minReplicas is above"),
        ({**chart.DISTRIBUTED, "work": {"replicas": 0}}, "/work/replicas"),
        ({"bus": {"url": "kafka://k"}}, "/bus/url"),
        ({"ingest": {"autoscaling": {"enabled": True}}}, "/ingest/autoscaling/enabled"),
        ({"keda": {"enabled": True, "prometheusAddress": "http://p"}}, "/keda/enabled"),
        ({"ingress": {"ingestHosts": [{"host": "a"}]}}, "/ingress/ingestHosts"),
        ({"work": {"extraEnv": [{"name": "ROOTWARD_SEED", "value": "1"}]}}, "is a setting of"),
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
        ({"kubernetesWatch": {"enabled": True}}, "the API server is out of reach"),
        (
            {"kubernetesWatch": {"enabled": True}, "serviceAccount": {"create": False}},
            "rights are given to a service account",
        ),
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


class TestWatch:
    """What the watcher of the cluster may do."""

    WATCH: ClassVar[chart.Values] = {
        "kubernetesWatch": {"enabled": True},
        "networkPolicy": {"enabled": False},
    }

    def test_it_may_read_what_it_reads_and_nothing_else(self):
        rules = _one("ClusterRole", self.WATCH)["rules"]
        allowed = {(g, r) for rule in rules for g in rule["apiGroups"] for r in rule["resources"]}
        asked = {(r.group.split("/")[1].replace("v1", ""), r.plural) for r in RESOURCES}
        assert allowed == asked
        assert {verb for rule in rules for verb in rule["verbs"]} == {"list", "watch"}

    def test_in_some_namespaces_it_has_a_role_in_each_and_sees_no_nodes(self):
        namespaces = {"enabled": True, "namespaces": ["shop", "pay"]}
        found = chart.render({**self.WATCH, "kubernetesWatch": namespaces})
        roles = [o for o in found if o["kind"] == "Role"]
        assert [o["metadata"]["namespace"] for o in roles] == ["shop", "pay"]
        assert not [o for o in found if o["kind"].startswith("Cluster")]
        assert "nodes" not in [r for o in roles for rule in o["rules"] for r in rule["resources"]]

    @pytest.mark.parametrize(("mode", "with_token"), [({}, {"rel-rootward"}),
                             (chart.DISTRIBUTED, {"rel-rootward-ingest"})])  # fmt: skip
    def test_only_who_watches_has_a_token(self, mode: chart.Values, with_token: set[str]):
        pods = {
            o["metadata"]["name"]: o["spec"]["template"]["spec"]
            for o in chart.render({**self.WATCH, **mode})
            if "template" in o.get("spec", {})
        }
        assert {n for n, pod in pods.items() if pod["automountServiceAccountToken"]} == with_token


class TestDistributed:
    """The parts of the distributed mode, and how they find each other."""

    PARTS = ("ingest", "detect", "work", "dashboard")

    @pytest.fixture
    def objects(self) -> dict[tuple[str, str], dict[str, Any]]:
        found = chart.render(chart.DISTRIBUTED)
        return {(o["kind"], o["metadata"]["name"].removeprefix("rel-rootward-")): o for o in found}

    def _pods(self, objects: dict[tuple[str, str], dict[str, Any]]) -> dict[str, dict[str, Any]]:
        kinds = {name: "StatefulSet" if name == "detect" else "Deployment" for name in self.PARTS}
        return {name: objects[kind, name]["spec"]["template"] for name, kind in kinds.items()}

    def test_each_part_runs_its_own_command(self, objects: dict[tuple[str, str], dict[str, Any]]):
        commands = {found.name or found.callback.__name__ for found in app.registered_commands}
        for name, pod in self._pods(objects).items():
            assert pod["spec"]["containers"][0]["args"] == [name]
            assert name in commands
        (job,) = objects["Job", "migrate"]["spec"]["template"]["spec"]["containers"]
        assert job["args"] == ["migrate"]
        assert "migrate" in commands

    def test_each_part_reads_what_the_chart_sets(self, objects: dict[tuple[str, str], Any]):
        for pod in self._pods(objects).values():
            (container,) = pod["spec"]["containers"]
            env = {e["name"]: e for e in container["env"]}
            for name in ("DATABASE", "JOBS"):
                key = env[f"ROOTWARD_{name}_URL"]["valueFrom"]["secretKeyRef"]
                assert key == {"name": "rootward-urls", "key": f"{name.lower()}-url"}
            assert env["ROOTWARD_BUS_URL"]["value"] == "kafka://kafka-1:9092,kafka-2:9092"
            ours = {n.removeprefix("ROOTWARD_").lower() for n in env if n.startswith("ROOTWARD_")}
            assert ours <= set(Settings.model_fields)

    def test_a_service_finds_the_pods_of_its_part_and_no_others(
        self, objects: dict[tuple[str, str], Any]
    ):
        pods = {name: pod["metadata"]["labels"] for name, pod in self._pods(objects).items()}
        for name in self.PARTS:
            wanted = objects["Service", name]["spec"]["selector"].items()
            assert [n for n, labels in pods.items() if wanted <= labels.items()] == [name]
            disrupted = objects["PodDisruptionBudget", name]["spec"]["selector"]["matchLabels"]
            assert disrupted.items() == wanted

    def test_the_network_policy_is_that_of_every_pod(self, objects: dict[tuple[str, str], Any]):
        policy = objects["NetworkPolicy", "rel-rootward"]["spec"]
        job = objects["Job", "migrate"]["spec"]["template"]
        for pod in (*self._pods(objects).values(), job):
            chosen = policy["podSelector"]["matchLabels"].items()
            assert chosen <= pod["metadata"]["labels"].items()
        ports = {p["port"] for rule in policy["egress"] for p in rule["ports"]}
        assert {53, 5432, 9092, 6379, 5672} == ports

    def test_the_job_that_migrates_needs_nothing_that_the_chart_makes(
        self, objects: dict[tuple[str, str], Any]
    ):
        """It runs before an install: only what was there already can be named."""
        job = objects["Job", "migrate"]
        assert "pre-install,pre-upgrade" == job["metadata"]["annotations"]["helm.sh/hook"]
        pod = job["spec"]["template"]["spec"]
        assert "serviceAccountName" not in pod
        assert [v for v in pod["volumes"] if "emptyDir" not in v] == []

    def test_every_pod_meets_the_restricted_profile(self, objects: dict[tuple[str, str], Any]):
        for pod in (*self._pods(objects).values(), objects["Job", "migrate"]["spec"]["template"]):
            assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
            assert pod["spec"]["automountServiceAccountToken"] is False
            assert pod["spec"]["enableServiceLinks"] is False
            (container,) = pod["spec"]["containers"]
            assert container["securityContext"]["readOnlyRootFilesystem"] is True

    def test_one_thing_decides_how_many_pods_there_are(self):
        found = {
            (o["kind"], o["metadata"]["name"]): o for o in chart.render(chart.EVERYTHING_APART)
        }
        scaled = [
            o["spec"]["scaleTargetRef"]
            for o in found.values()
            if o["kind"] in ("HorizontalPodAutoscaler", "ScaledObject")
        ]
        names = [target["name"] for target in scaled]
        assert sorted(names) == ["rel-rootward-detect", "rel-rootward-ingest", "rel-rootward-work"]
        for target in scaled:
            assert "replicas" not in found[target["kind"], target["name"]]["spec"]
        assert found["Deployment", "rel-rootward-dashboard"]["spec"]["replicas"] == 2

    def test_keda_asks_kafka_for_the_group_and_topic_of_the_detectors(self):
        url = "kafka+tls://one:9092,two:9093?partitions=6&prefix=acme"
        lag = {"enabled": True, "prefix": "acme", "authenticationRef": "kafka"}
        keda = chart.SCALED[2]["keda"] | {"kafkaLag": lag}
        found = chart.render({**chart.DISTRIBUTED, "bus": {"url": url}, "keda": keda})
        scaled = {o["metadata"]["name"]: o["spec"] for o in found if o["kind"] == "ScaledObject"}
        cluster = Cluster.of(url)
        _, kafka = scaled["rel-rootward-detect"]["triggers"]
        assert kafka["authenticationRef"] == {"name": "kafka"}
        assert kafka["metadata"] == {
            "bootstrapServers": ",".join(cluster.servers),
            "consumerGroup": cluster.group,
            "topic": cluster.samples,
            "lagThreshold": "500",
            "offsetResetPolicy": "earliest",
        }
        assert [t["type"] for t in scaled["rel-rootward-work"]["triggers"]] == ["prometheus"]


def _metrics(expression: str) -> set[str]:
    found = re.findall(r"rootward_\w+", expression)
    return {re.sub(r"_(bucket|sum|count)$", "", name) for name in found}


def test_board_alerts_and_scaling_ask_for_metrics_that_there_are():
    assert telemetry.BUS_BACKLOG
    known = {family.name for family in REGISTRY.collect()}
    known |= {f"{family.name}_total" for family in REGISTRY.collect()}
    board = json.loads((chart.CHART / "files/board.json").read_text(encoding="utf-8"))
    asked = [t["expr"] for panel in board["panels"] for t in panel.get("targets", ())]
    rules = yaml.safe_load((chart.CHART / "files/alerts.yaml").read_text(encoding="utf-8"))
    asked += [rule["expr"] for rule in rules["groups"][0]["rules"]]
    scaled = [o for o in chart.render(chart.EVERYTHING_APART) if o["kind"] == "ScaledObject"]
    asked += [o["spec"]["triggers"][0]["metadata"]["query"] for o in scaled]
    assert [(e, _metrics(e) - known) for e in asked if not _metrics(e) <= known] == []
    assert all(_metrics(e) for e in asked)


def test_every_panel_asks_what_prometheus_understands(tmp_path: Path):
    board = json.loads((chart.CHART / "files/board.json").read_text(encoding="utf-8"))
    asked = [t["expr"] for panel in board["panels"] for t in panel.get("targets", ())]
    rules = [{"record": f"panel:{n}", "expr": expr} for n, expr in enumerate(asked)]
    file = tmp_path / "panels.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    done = subprocess.run(
        ["promtool", "check", "rules", str(file)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    panels = [p for p in board["panels"] if p["type"] != "row"]
    assert len({p["id"] for p in board["panels"]}) == len(board["panels"])
    assert all(p["gridPos"]["x"] + p["gridPos"]["w"] <= 24 for p in panels)
    linked = chart.CHART.parents[1] / "deploy/grafana/rootward.json"
    assert json.loads(linked.read_text(encoding="utf-8")) == board
