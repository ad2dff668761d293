"""The parts of four custom resources that the chart writes, closed to other fields.

Written from the documentation of the Prometheus operator (monitoring.coreos.com/v1), of the
Gateway API (gateway.networking.k8s.io/v1) and of KEDA (keda.sh/v1alpha1): a check of what we write,
not their whole schemas.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string", "minLength": 1}
TEXTS: Schema = {"type": "object", "additionalProperties": {"type": "string"}}
DURATION: Schema = {"type": "string", "pattern": r"^([0-9]+(ms|[smhdwy]))+$"}


def _closed(required: Schema, **optional: Schema) -> Schema:
    return {
        "type": "object",
        "properties": {**required, **optional},
        "required": list(required),
        "additionalProperties": False,
    }


def _listed(items: Schema) -> Schema:
    return {"type": "array", "items": items, "minItems": 1}


def _resource(version: str, kind: str, spec: Schema) -> Schema:
    metadata = _closed({"name": TEXT, "labels": TEXTS}, annotations=TEXTS)
    fixed = {"apiVersion": {"const": version}, "kind": {"const": kind}}
    return _closed({**fixed, "metadata": metadata, "spec": spec})


_endpoint = _closed(
    {"port": TEXT, "path": {"const": "/metrics"}}, interval=DURATION, scrapeTimeout=DURATION
)
_alert = _closed(
    {"alert": TEXT, "expr": TEXT, "labels": TEXTS, "annotations": TEXTS}, **{"for": DURATION}
)
_path = _closed({"type": {"enum": ["Exact", "PathPrefix"]}, "value": TEXT})
_backend = _closed({"name": TEXT, "port": {"type": "integer"}})
_rule = _closed({"matches": _listed(_closed({"path": _path})), "backendRefs": _listed(_backend)})
_count: Schema = {"type": "integer", "minimum": 1}
_prometheus = _closed(
    {"serverAddress": TEXT, "query": TEXT, "threshold": TEXT}, ignoreNullValues=TEXT
)
_metric_type: Schema = {"enum": ["AverageValue", "Value"]}
_kafka = _closed(
    {"bootstrapServers": TEXT, "consumerGroup": TEXT, "topic": TEXT, "lagThreshold": TEXT},
    offsetResetPolicy={"enum": ["earliest", "latest"]},
)
_trigger: Schema = {
    "oneOf": [
        _closed(
            {"type": {"const": name}, "metadata": metadata},
            metricType=_metric_type,
            authenticationRef=_closed({"name": TEXT}),
        )
        for name, metadata in (("prometheus", _prometheus), ("kafka", _kafka))
    ]
}

SCHEMAS: dict[str, Schema] = {
    "ServiceMonitor": _resource(
        "monitoring.coreos.com/v1",
        "ServiceMonitor",
        _closed(
            {"selector": _closed({"matchLabels": TEXTS}), "endpoints": _listed(_endpoint)},
            jobLabel=TEXT,
        ),
    ),
    "PrometheusRule": _resource(
        "monitoring.coreos.com/v1",
        "PrometheusRule",
        _closed({"groups": _listed(_closed({"name": TEXT, "rules": _listed(_alert)}))}),
    ),
    "HTTPRoute": _resource(
        "gateway.networking.k8s.io/v1",
        "HTTPRoute",
        _closed(
            {
                "parentRefs": _listed(_closed({"name": TEXT}, namespace=TEXT, sectionName=TEXT)),
                "rules": _listed(_rule),
            },
            hostnames=_listed(TEXT),
        ),
    ),
    "ScaledObject": _resource(
        "keda.sh/v1alpha1",
        "ScaledObject",
        _closed(
            {
                "scaleTargetRef": _closed(
                    {
                        "apiVersion": {"const": "apps/v1"},
                        "kind": {"enum": ["Deployment", "StatefulSet"]},
                        "name": TEXT,
                    }
                ),
                "minReplicaCount": _count,
                "maxReplicaCount": _count,
                "triggers": _listed(_trigger),
            },
            pollingInterval=_count,
            cooldownPeriod=_count,
            fallback=_closed({"failureThreshold": _count, "replicas": _count}),
        ),
    ),
}
