"""What ``eew deploy mosquitto`` writes, with a real mosquitto: who may say and hear what."""

from __future__ import annotations

import base64
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from eew.app.deploy_accounts import salted_hash
from eew.errors import ConnectError
from eew.messages import topics
from eew.messages.cells import cell_of
from eew.model.alert import Status
from tests.integration.deployments import Accounts, deployed
from tests.integration.plain_client import CLOSED, PlainClient

pytestmark = [pytest.mark.broker, pytest.mark.mosquitto]

HOME, ELSEWHERE = cell_of(29.6, 102.1), cell_of(35.7, 139.7)
TREES = tuple(Status)
REFUSED = 0x87
TAKEN = (0x00, 0x10)  # 0x10: nobody listens


@pytest.fixture(scope="module", params=["password", "certificates"])
def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Accounts]:
    folder = tmp_path_factory.mktemp("deployment")
    with deployed(folder, [HOME, ELSEWHERE], auth=request.param) as made:
        yield made


def of_service(tree: Status) -> list[str]:
    """Return the topics that a service publishes."""
    return [
        topics.alert_topic(tree=tree),
        topics.area_alert_topic(HOME, tree=tree),
        topics.area_alert_topic(ELSEWHERE, tree=tree),
        topics.event_current_topic("ev1", tree=tree),
        topics.help_topic(HOME, tree=tree),
        topics.help_country_topic("CN", tree=tree),
        topics.keys_topic(tree=tree),
        topics.heartbeat_topic(tree=tree),
        topics.status_topic("main", tree=tree),
    ]


def of_device(tree: Status) -> list[str]:
    """Return the filters that a device subscribes to."""
    return [
        topics.area_alert_topic(HOME, tree=tree),
        topics.alert_topic(tree=tree),
        topics.event_current_filter(tree=tree),
        topics.help_topic(HOME, tree=tree),
        topics.help_country_topic("CN", tree=tree),
        topics.keys_topic(tree=tree),
        topics.heartbeat_topic(tree=tree),
        topics.status_filter(tree=tree),
    ]


NOBODY_MAY_SAY = [
    "$SYS/broker/version",
    "$CONTROL/dynamic-security/v1",
    "$share/a/eew/v1/alert",
    "eew",
    "eew/v1",
    "eew/v1/alert/x",
    f"eew/v1/area/{HOME}/current",
    "eew/v1/client/mine/ack/x",
    "eew/v1/client/mine/position",
    "somewhere/else",
]
NOBODY_MAY_HEAR = [
    "#",
    "+",
    "+/#",
    "+/+/alert",
    "eew/#",
    "eew/v1/#",
    "eew/v1/+",
    "eew/v1/drill/#",
    "eew/v1/client/#",
    "$SYS/#",
    "$SYS/broker/clients/connected",
    "$CONTROL/#",
    "$CONTROL/dynamic-security/v1/response",
    "$share/a/#",
    "$share/a/eew/v1/alert",
    "somewhere/else",
]


@pytest.mark.parametrize("tree", TREES)
def test_a_device_says_its_own_receipts_and_nothing_else(running: Accounts, tree: Status) -> None:
    forbidden = [
        *NOBODY_MAY_SAY,
        *(topic for one in TREES for topic in of_service(one)),
        *(topics.ack_topic("other", tree=one) for one in TREES),
        *(topics.ack_topic("mine", tree=one) for one in TREES if one is not tree),
    ]
    with running.device("broker", HOME, tree) as device, running.service("broker", tree) as service:
        assert device.connected == service.connected == 0
        assert service.subscribe(f"{topics.tree_prefix(tree)}/client/+/ack") == 1
        said = {topic: device.publish(topic) for topic in forbidden}
        assert {topic: code for topic, code in said.items() if code != REFUSED} == {}
        for topic in forbidden:  # QoS 0 has no answer: dropped without a word
            assert device.publish_at_most_once(topic) == 0
        mine = topics.ack_topic("mine", tree=tree)
        assert device.publish(mine, b"one") in TAKEN
        assert device.publish_at_most_once(mine, b"two") == 0
        heard = [(one.topic.decode(), one.payload) for one in service.listen(0.2)]
        assert heard == [(mine, b"one"), (mine, b"two")]


@pytest.mark.parametrize("tree", TREES)
def test_a_device_hears_its_own_area_and_what_is_for_all(running: Accounts, tree: Status) -> None:
    forbidden = [
        *NOBODY_MAY_HEAR,
        *(name for one in TREES if one is not tree for name in of_device(one)),
        topics.area_alert_topic(ELSEWHERE, tree=tree),
        topics.help_topic(ELSEWHERE, tree=tree),
        f"{topics.tree_prefix(tree)}/area/+/alert",
        f"{topics.tree_prefix(tree)}/area/{HOME}/#",
        f"{topics.tree_prefix(tree)}/help/#",
        f"{topics.tree_prefix(tree)}/help/+",
        f"{topics.tree_prefix(tree)}/event/#",
        *(topics.ack_topic(who, tree=one) for who in ("mine", "other") for one in TREES),
        *(f"{topics.tree_prefix(one)}/client/+/ack" for one in TREES),
    ]
    with running.device("broker", HOME, tree) as device, running.service("broker", tree) as service:
        codes = {name: device.subscribe(name) for name in forbidden}
        assert {name: code for name, code in codes.items() if code != REFUSED} == {}
        for topic in of_service(tree):
            assert service.publish(topic, b"unheard") in TAKEN
        assert device.listen(0.2) == []
        codes = {name: device.subscribe(name) for name in of_device(tree)}
        assert {name: code for name, code in codes.items() if code != 1} == {}
        for topic in of_service(tree):
            assert service.publish(topic, topic.encode()) in TAKEN
        heard = {one.payload.decode() for one in device.listen(0.3)}
    assert heard == set(of_service(tree)) - {topics.area_alert_topic(ELSEWHERE, tree=tree)}


@pytest.mark.parametrize("tree", TREES)
def test_a_service_speaks_in_its_own_tree_only(running: Accounts, tree: Status) -> None:
    others = [one for one in TREES if one is not tree]
    unsaid = [
        *NOBODY_MAY_SAY,
        *(topic for one in others for topic in of_service(one)),
        *(topics.ack_topic(who, tree=one) for who in ("mine", "other") for one in TREES),
    ]
    unheard = [
        *NOBODY_MAY_HEAR,
        *(name for one in others for name in of_device(one)),
        *(f"{topics.tree_prefix(one)}/client/+/ack" for one in others),
    ]
    with running.service("broker", tree, client_id="mine") as service:
        codes = {topic: service.publish(topic) for topic in unsaid}
        assert {topic: code for topic, code in codes.items() if code != REFUSED} == {}
        codes = {name: service.subscribe(name) for name in unheard}
        assert {name: code for name, code in codes.items() if code != REFUSED} == {}
        assert all(service.publish(topic) in TAKEN for topic in of_service(tree))


def test_what_is_too_long_goes_nowhere(running: Accounts) -> None:
    mine = topics.ack_topic("mine")
    with running.device("broker", HOME) as device, running.service("broker") as service:
        assert service.subscribe(f"{topics.tree_prefix(Status.EXERCISE)}/client/+/ack") == 1
        assert device.publish(mine, bytes(4_194_305)) not in TAKEN
        assert service.listen(0.3) == []
        with running.device("broker", HOME) as again:
            assert again.publish(mine, bytes(1_000_000)) in TAKEN
        assert [len(one.payload) for one in service.listen(0.5)] == [1_000_000]


def test_a_will_is_under_the_same_rules(running: Accounts) -> None:
    alert, mine = topics.alert_topic(), topics.ack_topic("mine")
    offline = topics.status_topic("main")
    with running.service("broker") as listener:
        for topic in (alert, f"{topics.tree_prefix(Status.EXERCISE)}/client/+/ack", offline):
            assert listener.subscribe(topic) == 1
        for topic in (alert, offline, topics.ack_topic("other"), mine):
            running.device("broker", HOME, will=(topic, b"a device's will")).close()
        running.service("broker", client_id="dying", will=(offline, b"a service's will")).close()
        heard = [(one.topic.decode(), one.payload) for one in listener.listen(0.4)]
    assert heard == [(mine, b"a device's will"), (offline, b"a service's will")]


def test_a_session_left_behind_gives_nobody_its_subscriptions(running: Accounts) -> None:
    """Whoever knows a service's client identifier takes its session over, but hears nothing."""
    receipts = f"{topics.tree_prefix(Status.EXERCISE)}/client/+/ack"
    lasting: dict[str, Any] = {"client_id": "known", "clean": False, "session_expiry_s": 60}
    with running.service("broker", **lasting) as service:
        assert service.subscribe(receipts) == 1
    with running.device("broker", HOME, **lasting) as thief:
        with running.device("broker", HOME) as device:
            assert device.publish(topics.ack_topic("mine"), b"secret") in TAKEN
        assert thief.listen(0.3) == []


def test_nobody_gets_in_without_proof(running: Accounts) -> None:
    port = running.plan.brokers[0].port
    account = f"exercise-{HOME}"
    if running.plan.auth == "password":
        right = running.devices(Status.EXERCISE)["accounts"][HOME]["password"]
        other = running.devices(Status.DRILL)["accounts"][HOME]["password"]
        for username, password in [
            (None, None),
            (account, None),
            (account, ""),
            (account, "wrong"),
            (account, other),
            ("service-exercise", right),
            ("unknown", right),
            ("+", right),
        ]:
            with PlainClient(
                port, client_id="x", username=username, password=password, context=running.context()
            ) as client:
                assert client.connected == REFUSED
    else:
        with PlainClient(
            port, client_id="x", username=account, context=running.context()
        ) as client:
            assert client.connected == CLOSED
        # a name beside the certificate counts for nothing
        with running.device("broker", HOME, username="service-exercise", password="x") as device:
            assert device.connected == 0
            assert device.publish(topics.alert_topic()) == REFUSED
    with PlainClient(port, client_id="x", timeout_s=0.5) as plain:  # no TLS at all
        assert plain.connected == CLOSED
    with pytest.raises(ssl.SSLCertVerificationError):
        PlainClient(port, client_id="x", context=ssl.create_default_context())


def test_an_identifier_with_wildcards_gives_no_rights(running: Accounts) -> None:
    for client_id in ("+", "#", "a/b", "../other"):
        with running.device("broker", HOME, client_id=client_id) as device:
            if device.connected == 0:
                assert device.publish(topics.ack_topic("other")) == REFUSED
                assert device.publish("eew/v1/client/a/ack") == REFUSED


def test_hashes_are_those_of_mosquitto_passwd(tmp_path: Path) -> None:
    file = tmp_path / "passwords"
    subprocess.run(
        ["mosquitto_passwd", "-c", "-b", str(file), "anna", "correct horse"],
        check=True,
        capture_output=True,
        timeout=10,
    )
    line = file.read_text().strip()
    _, _, rest = line.partition(":$7$")
    iterations, salt, _ = rest.split("$")
    made = salted_hash("correct horse", base64.b64decode(salt), int(iterations))
    assert f"anna:{made}" == line


def test_secrets_are_for_their_owner_only(running: Accounts) -> None:
    for path in running.folder.rglob("*"):
        closed = path.suffix in (".key", ".secret", ".env", ".conf", ".acl", ".json")
        if closed and path.parent.name != "handed-out":
            assert path.stat().st_mode & 0o077 == 0, path


@pytest.mark.parametrize("auth", ["password", "certificates"])
@pytest.mark.parametrize("damage", ["gone", "cut off"])
def test_without_its_access_rules_a_broker_tells_nobody_anything(
    tmp_path: Path, auth: str, damage: str
) -> None:
    with deployed(tmp_path, [HOME], auth=auth, start=()) as made:
        rules = tmp_path / "broker/access.json"
        if damage == "gone":
            rules.unlink()
        else:
            rules.write_bytes(rules.read_bytes()[:500])
        try:
            made.start("broker")
        except ConnectError:
            return  # it does not even start
        with made.service("broker") as service, made.device("broker", HOME) as device:
            if auth == "password":
                assert service.connected == device.connected == REFUSED
                return
            device.subscribe("#")
            assert service.publish(topics.alert_topic()) == REFUSED
            assert device.publish(topics.alert_topic()) == REFUSED
            assert device.publish(topics.ack_topic("mine")) in TAKEN
            assert device.listen(0.3) == []
