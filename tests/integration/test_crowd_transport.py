"""The crowd over TLS with a password, and over MQTT 3.1.1."""

from __future__ import annotations

import datetime
import ipaddress
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from clients.crowd.sockets import Endpoint
from eew import mqtt_packets as mqtt
from tests.integration.crowd_broker import Crowd, Service, live_alert, mosquitto, places

pytestmark = [pytest.mark.broker, pytest.mark.mosquitto]
N = 30


def certificate(folder: Path) -> tuple[Path, Path]:
    """Write a certificate for 127.0.0.1 that vouches for itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    start = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=36_500))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert, private = folder / "cert.pem", folder / "key.pem"
    cert.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return cert, private


def _secured(folder: Path, port: int) -> str:
    cert, private = certificate(folder)
    users = folder / "users"
    users.touch()
    subprocess.run(
        ["mosquitto_passwd", "-b", str(users), "phone", "secret"], check=True, capture_output=True
    )
    return (  # user: it must still be able to read these files
        f"user root\nlistener {port} 127.0.0.1\nallow_anonymous false\n"
        f"password_file {users}\ncertfile {cert}\nkeyfile {private}\n"
        "connection_messages false\nlog_type none\n"
    )


def _crowd(endpoint: Endpoint) -> Crowd:
    return Crowd(places(N), endpoint.port, endpoint=endpoint)


@pytest.mark.parametrize("password", ["secret", "wrong"])
def test_tls_and_password_let_in_who_knows_it_and_nobody_else(
    tmp_path: Path, password: str
) -> None:
    with mosquitto(tmp_path) as broker:
        port = broker.add_listener(lambda port: _secured(tmp_path, port))
        crowd = _crowd(
            Endpoint(
                host="127.0.0.1", port=port, username="phone", password=password, tls=True,
                ca_file=tmp_path / "cert.pem",
            )
        )  # fmt: skip
        with crowd as engine:
            engine.connect(range(N))
            if password == "wrong":
                crowd.idle(0.5)
                assert engine.n_up == 0
                assert "refused" in engine.last_failure
                return
            crowd.until("settled")
            with Service(broker.port) as service:
                service.publish(crowd.alert_topics(), live_alert())
                crowd.until("told")
        assert sorted(crowd.told()) == list(range(N))


def test_a_certificate_that_nobody_vouches_for_is_said(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as broker:
        port = broker.add_listener(lambda port: _secured(tmp_path, port))
        with _crowd(Endpoint(host="127.0.0.1", port=port, tls=True)) as engine:
            engine.connect([0])
            for _ in range(20):
                engine.poll(0.05)
            assert engine.n_up == 0
            assert "certificate" in engine.last_failure


def test_mqtt_3_1_1_is_told_as_well(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as broker:
        crowd = _crowd(Endpoint(host="127.0.0.1", port=broker.port, version=mqtt.MQTT_3_1_1))
        with crowd as engine:
            engine.connect(range(N))
            crowd.until("settled")
            with Service(broker.port) as service:
                service.publish(crowd.alert_topics(), live_alert())
                crowd.until("told")
        assert sorted(crowd.told()) == list(range(N))
