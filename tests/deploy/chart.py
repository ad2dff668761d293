"""The Helm chart, rendered by the Helm library; run as a module it checks a matrix of values."""

from __future__ import annotations

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
    {"serviceMonitor": {"enabled": True}, "prometheusRule": {"enabled": True}},
]
EVERYTHING: Values = {
    "global": {"imageRegistry": "registry.example", "imagePullSecrets": ["pull"]},
    "image": {"repository": "ops/rootward", "digest": "sha256:" + "0" * 64},
    "settings": {"max_body_bytes": 33554432, "step_seconds": 0.5, "log_level": "DEBUG"},
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
    "commonLabels": {"team": "platform"},
    "podLabels": {"tier": "ops"},
    "podAnnotations": {"note": "1"},
    "nodeSelector": {"disk": "ssd"},
    "tolerations": [{"key": "ops", "operator": "Exists"}],
    "priorityClassName": "high",
    **SOURCES[3],
}


def matrix() -> Iterator[Values]:
    """Every choice of volume, way in, source of samples and monitoring; last, everything."""
    for choices in product(VOLUMES, DOORS, SOURCES, WATCHED):
        yield {key: value for choice in choices for key, value in choice.items()}
    yield EVERYTHING


def render(values: Values) -> list[dict[str, Any]]:
    """The objects of a release `rel` in `prod`, ordered by file.

    Raises:
        helm_python.HelmError: the schema or a template refuses the values.
    """
    with helm.Chart.load(CHART) as chart:
        files = chart.render(values, name="rel", namespace="prod")
    return [
        found
        for name, text in sorted(files.items())
        if not name.endswith("NOTES.txt")
        for found in yaml.safe_load_all(text)
        if found
    ]


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
    """Lint, render and validate the matrix; write one line of counts."""
    sets = objects = checks = faults = 0
    for values in matrix():
        sets += 1
        faults += len(lint(values))
        for found in render(values):
            objects += 1
            checks += validate(found)
    sys.stdout.write(
        f"chart: {sets} sets of values, {objects} objects, {checks} validations "
        f"(Kubernetes {', '.join(KUBERNETES)}), {faults} lint faults\n"
    )
    return min(faults, 1)


if __name__ == "__main__":
    sys.exit(main())
