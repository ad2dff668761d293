"""What people are told to type after an installation and to restore a backup, held to the chart."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from rootward_cli.main import app

pytest.importorskip("helm_python", reason="make chart installs the Helm library")
from tests.deploy import chart

pytestmark = pytest.mark.chart
DEPLOY = Path(__file__).parents[2] / "docs/deploy.md"


def _objects(values: chart.Values) -> set[tuple[str, str]]:
    return {(o["kind"], o["metadata"]["name"]) for o in chart.render(values)}


@pytest.mark.parametrize("values", chart.GOLDEN.values(), ids=chart.GOLDEN)
class TestNotes:
    def test_they_name_the_pod_and_the_services_that_there_are(self, values: chart.Values):
        text, found = chart.notes(values), _objects(values)
        ((pod, command),) = re.findall(r"--tty (\S+) -- rootward (\w+)", text)
        kind, _, name = pod.rpartition("/")
        named = ("Deployment", name) if kind else ("StatefulSet", name.removesuffix("-0"))
        assert named in found
        assert command in get_command(app).commands  # type: ignore[attr-defined]
        (door,) = re.findall(r"port-forward service/(\S+) 8080:", text)
        assert ("Service", door) in found
        for host in re.findall(r"http://([\w-]+)\.prod:", text):
            assert ("Service", host) in found

    def test_the_secret_they_make_is_the_one_that_pods_wait_for(self, values: chart.Values):
        text = chart.notes(values)
        (secret,) = re.findall(r"create secret generic (\S+)", text)
        keys = set(re.findall(r"--from-literal=([\w-]+)=", text))
        waited = [
            volume["secret"]
            for o in chart.render(values)
            if o["kind"] in {"Deployment", "StatefulSet"}
            for volume in o["spec"]["template"]["spec"]["volumes"]
            if volume["name"] == "access"
        ]
        assert waited
        for one in waited:
            assert one["secretName"] == secret
            assert {item["key"] for item in one["items"]} <= keys


SCRAPING: chart.Values = {"scrapeTargets": [{"targets": ["a:1"]}], **chart.OPEN_EGRESS}
ASKING: chart.Values = {"settings": {"samples_url": "promql+http://p:9090"}, **chart.OPEN_EGRESS}


@pytest.mark.parametrize(
    ("values", "others", "told"),
    [
        ({}, SCRAPING, "remote_write:"),
        (SCRAPING, {}, "It scrapes 1 group(s) of targets itself"),
        (ASKING, {}, "nothing to send"),
        ({"persistence": {"enabled": False}}, {}, "all data goes with the pod"),
        ({"service": {"type": "LoadBalancer"}}, {}, "put TLS"),
        (
            chart.DISTRIBUTED | {"migrations": {"hook": False}},
            chart.DISTRIBUTED,
            "migrations.hook is false",
        ),
    ],
)
def test_notes_tell_what_these_values_need_and_others_do_not(
    values: chart.Values, others: chart.Values, told: str
):
    assert told in chart.notes(values)
    assert told not in chart.notes(others)


def test_an_address_with_tls_is_not_warned_of():
    values = {
        "service": {"type": "LoadBalancer"},
        "settings": {"public_url": "https://rca.example"},
    }
    assert "put TLS" not in chart.notes(values)


class TestRestore:
    @pytest.fixture
    def pod(self) -> dict[str, Any]:
        """The pod of the page, which holds the volume while the backup is put into it."""
        text = DEPLOY.read_text(encoding="utf-8")
        return yaml.safe_load(text.partition("--filename - <<EOF\n")[2].partition("\nEOF")[0])

    @pytest.fixture
    def chart_s(self) -> dict[str, Any]:
        (one,) = [o for o in chart.render({}) if o["kind"] == "StatefulSet"]
        return one["spec"]

    def test_kubernetes_takes_it(self, pod: dict[str, Any]):
        assert chart.validate(pod) == len(chart.KUBERNETES)

    def test_it_has_the_volume_and_the_rights_of_the_chart_s_pod(
        self, pod: dict[str, Any], chart_s: dict[str, Any]
    ):
        (claim,) = chart_s["volumeClaimTemplates"]
        (volume,) = pod["spec"]["volumes"]
        name = f"{claim['metadata']['name']}-rootward-0"
        assert volume["persistentVolumeClaim"] == {"claimName": name}
        ours, theirs = (
            pod["spec"]["securityContext"],
            chart_s["template"]["spec"]["securityContext"],
        )
        assert ours == {key: theirs[key] for key in theirs if key != "fsGroupChangePolicy"}
        (mine,), (container,) = pod["spec"]["containers"], chart_s["template"]["spec"]["containers"]
        assert mine["securityContext"] == container["securityContext"]
        assert mine["volumeMounts"][0] in container["volumeMounts"]
