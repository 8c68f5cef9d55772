"""A clustered broker with standard MQTT: three NATS servers, QoS 0, one of them killed."""

from __future__ import annotations

import contextlib

import pytest

from benchmarks.nats_cluster import Devices, Link, Node, find_nats, nats_cluster
from eew import mqtt_packets as mqtt

TOPIC = "eew/v1/area/8431aa5ffffffff/alert"
CURRENT = "eew/v1/event/ev1/current"
PER_NODE = 20


def joined_state(node: Node) -> bytes:
    """Read the retained state as a newcomer does; again while the cluster chooses a leader."""
    for n in range(40):
        with (
            contextlib.suppress(OSError),
            Link(node.mqtt_port, f"newcomer-{n}", timeout_s=0.5) as newcomer,
        ):
            newcomer.subscribe(CURRENT)
            body = newcomer.read(mqtt.PUBLISH)
            return mqtt.parse_publish(mqtt.PUBLISH | 1, body, version=mqtt.MQTT_3_1_1).payload
    return b""


@pytest.mark.nats
@pytest.mark.timeout(90)
def test_an_alert_crosses_the_cluster_and_outlives_a_node() -> None:
    program = find_nats()
    assert program is not None
    with (
        nats_cluster(program) as nodes,
        contextlib.closing(Devices(TOPIC)) as devices,
        Link(nodes[0].mqtt_port, "publisher") as publisher,
    ):
        for node in nodes:
            devices.connect(node.mqtt_port, PER_NODE)
        publisher.publish(CURRENT, b"the state", retain=True)

        publisher.publish(TOPIC, b"first")
        told = [number for number, _ in devices.listen(3 * PER_NODE, 10.0)[b"first"]]
        assert sorted(told) == sorted(devices.links)  # every one, none twice

        nodes[1].kill()
        devices.listen(1, 2.0)  # nothing to hear but connections that end
        assert devices.gone.count(nodes[1].mqtt_port) == PER_NODE
        # the publisher's own node lives: what is sent now goes on reaching the others
        publisher.publish(TOPIC, b"second")
        devices.listen(len(devices.links), 10.0)

        for n in range(len(devices.gone)):
            devices.connect(nodes[0 if n % 2 else 2].mqtt_port, 1)
        assert len(devices.links) == 3 * PER_NODE
        publisher.publish(TOPIC, b"third")
        told = [number for number, _ in devices.listen(3 * PER_NODE, 10.0)[b"third"]]
        assert sorted(told) == sorted(devices.links)

        # who was away reads the current state on joining: QoS 0 keeps nothing for it
        assert joined_state(nodes[2]) == b"the state"
