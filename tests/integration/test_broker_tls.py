"""Certificates on both sides: what works, and what is said when it does not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from eew.app.deploy_certificates import Authority
from eew.clock import SystemClock
from eew.egress.broker import open_broker
from eew.errors import ConfigError, ConnectError, PublishError
from eew.messages.cells import cell_of
from eew.mqtt_link import open_link
from tests.integration.deployments import Accounts, deployed

pytestmark = [pytest.mark.broker, pytest.mark.mosquitto]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Accounts]:
    folder = tmp_path_factory.mktemp("deployment")
    with deployed(folder, [cell_of(29.6, 102.1)], auth="certificates") as made:
        yield made


def environment(running: Accounts, **changes: Path | None) -> dict[str, str]:
    """Return the settings of a service, with changes by name."""
    files: dict[str, Path | None] = {
        "CA": running.folder / "ca/ca.crt",
        "CERT": running.folder / "credentials/service-exercise.crt",
        "KEY": running.folder / "credentials/service-exercise.key",
    }
    return {f"EEW_MQTT_{name}_FILE": str(file) for name, file in (files | changes).items() if file}


def url_of(running: Accounts) -> str:
    return f"mqtts://127.0.0.1:{running.plan.brokers[0].port}"


async def test_a_certificate_opens_the_broker_and_carries_the_account(running: Accounts) -> None:
    async with open_broker(url_of(running), environ=environment(running)) as address:
        assert address.cert_file is not None
        async with open_link(address) as link:
            await link.publish("eew/v1/alert", b"x", qos=1)
            with pytest.raises(PublishError, match="drill/alert was not taken: refused, not auth"):
                await link.publish("eew/v1/drill/alert", b"x", qos=1)
            await link.subscribe({"eew/v1/alert": 1})
            with pytest.raises(
                ConnectError, match="refused the subscription to eew/v1/drill/alert"
            ):
                await link.subscribe({"eew/v1/drill/alert": 1})


async def test_what_is_wrong_with_a_certificate_is_said(running: Accounts, tmp_path: Path) -> None:
    foreign = Authority(now_ns=SystemClock().utc_ns(), days=1).client("service-exercise")
    crt, key, text = (tmp_path / name for name in ("a.crt", "a.key", "text"))
    crt.write_bytes(foreign.certificate)
    key.write_bytes(foreign.key)
    text.write_text("no certificate")
    own_key = running.folder / "credentials/service-exercise.key"
    # a broker that closes at once may be quicker than its own last words
    closed = "closed the connection without an answer"
    cases: list[tuple[dict[str, Path | None], str]] = [
        ({"CERT": None, "KEY": None}, f"(certificate required|{closed}).*EEW_MQTT_CERT_FILE"),
        ({"CERT": crt, "KEY": key}, f"(unknown ca|{closed}).*EEW_MQTT_CERT_FILE"),
        ({"CERT": crt, "KEY": own_key}, "a.crt with the key in .*: key values mismatch"),
        ({"CERT": tmp_path / "none"}, "cannot use the certificate in .*none with .*: No such file"),
        ({"CERT": text}, "cannot use the certificate in .*text with the key in .*: not PEM"),
        ({"CA": text}, "cannot read the certificates in .*text: "),
        ({"CA": None}, "TLS: the certificate was not accepted.*EEW_MQTT_CA_FILE"),
    ]
    for changes, words in cases:
        with pytest.raises(ConnectError, match=words):
            async with open_broker(url_of(running), environ=environment(running, **changes)):
                pass


def test_a_key_without_a_certificate_is_a_wrong_setting(running: Accounts) -> None:
    with pytest.raises(ConfigError, match="EEW_MQTT_KEY_FILE: a private key without a certificate"):
        open_broker(url_of(running), environ=environment(running, CERT=None))
