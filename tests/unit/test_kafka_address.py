"""What a kafka:// URL says of the way to the brokers, in the words of kafka-python."""

from __future__ import annotations

from pathlib import Path

import pytest
from kafka import KafkaAdminClient

from rootward.adapters.kafka.address import MECHANISMS, address_of
from rootward.adapters.kafka.cluster import Cluster
from rootward.errors import InvalidConfiguration


@pytest.fixture
def files(tmp_path: Path) -> str:
    """Files as the URL names them."""
    for name in ("ca", "cert", "key"):
        (tmp_path / name).write_text("")
    return "&".join(f"{name}={tmp_path / name}" for name in ("ca", "cert", "key"))


def test_without_a_name_or_tls_nothing_is_told():
    address = address_of("kafka://a:9092,b:9093?partitions=3")

    assert (address.servers, address.network) == (("a:9092", "b:9093"), {})
    assert address.options == {"partitions": "3"}


def test_a_name_and_a_password_are_shown_by_scram(files: str):
    plain = address_of("kafka://anna:p%40ss%3Aword@a:9092").network
    safe = address_of(f"kafka+tls://anna:secret@a:9092?mechanism=PLAIN&{files}").network

    assert plain == {
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "anna",
        "sasl_plain_password": "p@ss:word",
    }
    assert (safe["security_protocol"], safe["sasl_mechanism"]) == ("SASL_SSL", "PLAIN")


def test_every_setting_is_one_of_the_client(files: str):
    network = address_of(f"kafka+tls://anna:secret@a:9092?{files}").network

    assert network.keys() <= KafkaAdminClient.DEFAULT_CONFIG.keys()
    assert [Path(network[f"ssl_{name}file"]).name for name in ("ca", "cert", "key")] == [
        "ca", "cert", "key",
    ]  # fmt: skip


def test_a_password_is_not_shown_with_the_cluster():
    shown = repr(Cluster.of("kafka://anna:secret@a:9092"))

    assert "a:9092" in shown
    assert "secret" not in shown


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("kafka://a", "must be kafka://"),
        ("kafka://anna@a:9092", "user and password go together"),
        ("kafka://anna:@a:9092", "user and password go together"),
        ("kafka://a:9092?mechanism=PLAIN", "needs a user"),
        ("kafka://anna:secret@a:9092?mechanism=PLAIN", "kafka\\+tls"),
        ("kafka+tls://anna:secret@a:9092?mechanism=GSSAPI", MECHANISMS[0]),
        ("kafka://a:9092?ca=/etc/hostname", "ca needs kafka\\+tls"),
        ("kafka+tls://a:9092?ca=/nowhere/ca.pem", "names no file: /nowhere/ca.pem"),
        ("kafka+tls://a:9092?cert=/etc/hostname", "cert and key go together"),
        ("kafka+tls://anna:secret@a:9092?password=x", "not password"),
    ],
)
def test_what_cannot_work_is_said_without_the_password(url: str, reason: str):
    with pytest.raises(InvalidConfiguration, match=reason) as refused:
        Cluster.of(url)

    assert "secret" not in str(refused.value)
