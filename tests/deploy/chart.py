"""The Helm chart, rendered by the Helm library; run as a module it checks a matrix of values."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import helm_python as helm
import jsonschema
import kubernetes_validate
import yaml

from tests.deploy import crds

CHART = Path(__file__).parents[2] / "helm/rootward"
KUBERNETES = ("1.35", "1.36", "1.37")
"""The three newest minor versions whose schemas kubernetes-validate has."""

Values = dict[str, Any]

OPEN_EGRESS: Values = {"networkPolicy": {"egress": [{"ports": [{"port": 9090}]}]}}
VOLUMES: list[Values] = [
    {},
    {"persistence": {"enabled": False}},
    {"persistence": {"existingClaim": "kept"}},
]
DOORS: list[Values] = [
    {},
    {"ingress": {"enabled": True, "hosts": [{"host": "rootward.example"}]}},
    {"httpRoute": {"enabled": True, "parentRefs": [{"name": "gate"}], "hostnames": ["r.example"]}},
    {"service": {"type": "LoadBalancer", "port": 80}},
]
SOURCES: list[Values] = [
    {},
    {"settings": {"samples_url": "promql+http://prometheus:9090"}, **OPEN_EGRESS},
    {"samplesUrlSecret": {"name": "backend"}, **OPEN_EGRESS},
    {"scrapeTargets": [{"targets": ["cart:80"], "labels": {"service": "cart"}}], **OPEN_EGRESS},
]
WATCHED: list[Values] = [
    {},
    {
        "serviceMonitor": {"enabled": True},
        "prometheusRule": {"enabled": True},
        "grafanaDashboard": {"enabled": True},
    },
]
EVERYTHING: Values = {
    "global": {"imageRegistry": "registry.example", "imagePullSecrets": ["pull"]},
    "image": {"repository": "ops/rootward", "digest": "sha256:" + "0" * 64},
    "settings": {"max_body_bytes": 33554432, "step_seconds": 0.5, "log_level": "DEBUG"},
    "kubernetesWatch": {"enabled": True},
    "notifySecret": {"name": "notify"},
    "intakeRules": "[tenants.a]\nmax_series = 10\n",
    "runbooks": {"cart.md": "# Cart\nLook at the queue.\n"},
    "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
    "prometheusRule": {"enabled": True},
    "ingress": {
        "enabled": True,
        "className": "web",
        "hosts": [{"host": "rootward.example", "path": "/"}],
        "tls": [{"hosts": ["rootward.example"], "secretName": "cert"}],
    },
    "resources": {"limits": {"memory": "2Gi"}},
    "extraEnv": [{"name": "TZ", "value": "UTC"}],
    "extraEnvFrom": [{"secretRef": {"name": "more"}}],
    "extraVolumes": [{"name": "ca", "configMap": {"name": "ca"}}],
    "extraVolumeMounts": [{"name": "ca", "mountPath": "/etc/ca"}],
    "extraInitContainers": [{"name": "proxy", "image": "proxy:1", "restartPolicy": "Always"}],
    "extraContainers": [{"name": "beside", "image": "beside:1"}],
    "commonLabels": {"team": "platform"},
    "podLabels": {"tier": "ops"},
    "podAnnotations": {"note": "1"},
    "nodeSelector": {"disk": "ssd"},
    "tolerations": [{"key": "ops", "operator": "Exists"}],
    "priorityClassName": "high",
    **SOURCES[3],
}

DISTRIBUTED: Values = {
    "mode": "distributed",
    "database": {"existingSecret": "rootward-urls"},
    "bus": {"url": "kafka://kafka-1:9092,kafka-2:9092"},
    "jobs": {"existingSecret": "rootward-urls"},
}
SCALED: list[Values] = [
    {},
    {"ingest": {"autoscaling": {"enabled": True}}, "dashboard": {"autoscaling": {"enabled": True}}},
    {
        "keda": {
            "enabled": True,
            "prometheusAddress": "http://prometheus:9090",
            "kafkaLag": {"enabled": True},
        }
    },
]
SHAPES: list[Values] = [
    {},
    {"kubernetesWatch": {"enabled": True, "namespaces": ["shop", "pay"]}, **OPEN_EGRESS},
    {"ingest": {"replicas": 1}, "dashboard": {"replicas": 1}, "migrations": {"hook": False}},
    {"networkPolicy": {"enabled": False}, "podDisruptionBudget": {"enabled": False}},
]
APART: list[Values] = [
    *DOORS,
    {
        "ingress": {
            "enabled": True,
            "hosts": [{"host": "rootward.example"}],
            "ingestHosts": [{"host": "send.example"}],
        }
    },
    {
        "httpRoute": {
            "enabled": True,
            "parentRefs": [{"name": "gate"}],
            "hostnames": ["r.example"],
            "ingestHostnames": ["send.example"],
        }
    },
]
EVERYTHING_APART: Values = {
    **{key: value for key, value in EVERYTHING.items() if key != "scrapeTargets"},
    **DISTRIBUTED,
    **SCALED[2],
    "grafanaDashboard": {"enabled": True},
    "ingest": {
        "autoscaling": {"enabled": True, "minReplicas": 3, "maxReplicas": 30},
        "image": {"repository": "ops/rootward-ingest", "tag": "0.1.0-1"},
        "podLabels": {"door": "in"},
        "podAnnotations": {"note": "2"},
        "extraEnv": [{"name": "TZ", "value": "UTC"}],
    },
    "detect": {"nodeSelector": {"disk": "fast"}, "keda": {"maxReplicas": 6}},
    "work": {
        "tolerations": [{"key": "cpu", "operator": "Exists"}],
        "affinity": {"nodeAffinity": {}},
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "topology.kubernetes.io/zone",
                "whenUnsatisfiable": "DoNotSchedule",
            }
        ],
    },
}
GOLDEN: dict[str, Values] = {
    "default": {},
    "everything": EVERYTHING,
    "distributed": DISTRIBUTED,
    "distributed_everything": EVERYTHING_APART,
}


def _together(*choices: Values) -> Values:
    """Values of several choices; where two speak of one part, what they say of it is added up."""
    made: Values = {}
    for choice in choices:
        for key, value in choice.items():
            known = made.get(key)
            made[key] = {**known, **value} if isinstance(known, dict) else value
    return made


def matrix() -> Iterator[Values]:
    """Both modes with every choice of theirs; last of each, everything."""
    for choices in product(VOLUMES, DOORS, SOURCES, WATCHED):
        yield _together(*choices)
    yield EVERYTHING
    for choices in (*product(APART, SHAPES), *product(SCALED, SOURCES[:3], WATCHED)):
        yield _together(DISTRIBUTED, *choices)
    yield EVERYTHING_APART


def render(values: Values) -> list[dict[str, Any]]:
    """The objects of a release `rel` in `prod`, ordered by file.

    Raises:
        helm_python.HelmError: the schema or a template refuses the values.
    """
    return [
        found
        for name, text in sorted(_files(values).items())
        if not name.endswith("NOTES.txt")
        for found in yaml.safe_load_all(text)
        if found
    ]


def notes(values: Values) -> str:
    """What `helm install` prints of a release `rel` in `prod`."""
    (text,) = (text for name, text in _files(values).items() if name.endswith("NOTES.txt"))
    return text


def _files(values: Values) -> dict[str, str]:
    with helm.Chart.load(CHART) as chart:
        return chart.render(values, name="rel", namespace="prod")


def validate(found: dict[str, Any]) -> int:
    """Hold an object against the schemas there are for it; how many those were.

    Raises:
        ValidationError: of kubernetes_validate or jsonschema; the object does not fit.
    """
    if schema := crds.SCHEMAS.get(found["kind"]):
        jsonschema.validate(found, schema)
        return 1
    for version in KUBERNETES:
        kubernetes_validate.validate(found, version, strict=True)
    return len(KUBERNETES)


def lint(values: Values) -> list[str]:
    """What `helm lint --strict` finds wrong; that an icon is missing is not."""
    report = helm.lint(CHART, values, strict=True)
    warnings = [m["error"] for m in report["messages"] if m["severity"] > 1]
    return [*report["errors"], *warnings]


def main() -> int:
    """Lint, render and validate the matrix, each object once; write one line of counts."""
    sets = objects = checks = faults = 0
    seen: set[str] = set()
    for values in matrix():
        sets += 1
        faults += len(lint(values))
        for found in render(values):
            objects += 1
            written = json.dumps(found)
            checks += 0 if written in seen else validate(found)
            seen.add(written)
    sys.stdout.write(
        f"chart: {sets} sets of values, {objects} objects, {len(seen)} different, "
        f"{checks} validations (Kubernetes {', '.join(KUBERNETES)}), {faults} lint faults\n"
    )
    return min(faults, 1)


if __name__ == "__main__":
    sys.exit(main())
