"""A NATS cluster of three as MQTT broker, QoS 0: one alert to 3 x N devices, and a node that dies.

    python -m benchmarks.bench_nats --devices 2000

Figures: the delay from publishing to each device (p50, p99, last); what an alert loses when a node
is killed while half of the devices have not got it; how long the devices of that node take to be
back on the others; whether the next alert reaches all of them; and when a newcomer is given the
retained current state (null: not within 10 s).
"""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np

from benchmarks.common import git_revision, machine, quantiles
from benchmarks.nats_cluster import Devices, Link, Node, find_nats, nats_cluster
from eew import mqtt_packets as mqtt

TOPIC = "eew/v1/area/8431aa5ffffffff/alert"
CURRENT = "eew/v1/event/ev1/current"
PAYLOAD = b"x" * 640
CUT_OFF_S = 2.0  # by then every device of a dead node has seen its connection end
REPEATS = 5
RETAINED_WITHIN_S = 10.0


def main(argv: list[str] | None = None) -> int:
    import argparse
    import json

    parser = argparse.ArgumentParser(prog="bench_nats", description=__doc__)
    parser.add_argument("--devices", type=int, default=2000, help="per node")
    parser.add_argument("--json", action="store_true", help="is the only form there is")
    chosen = parser.parse_args(argv)
    program = find_nats()
    if program is None:
        sys.exit("bench_nats: no nats-server (Debian: apt-get install nats-server)")
    with nats_cluster(program) as nodes:
        figures = measure(nodes, chosen.devices)
    document = {"benchmark": "nats", "revision": git_revision(), "machine": machine(), **figures}
    print(json.dumps(document, indent=2))
    return 0


def measure(nodes: list[Node], per_node: int) -> dict[str, Any]:
    """Return all figures of a fresh cluster; its second node is dead afterwards."""
    devices = Devices(TOPIC)
    began = time.monotonic()
    for node in nodes:
        devices.connect(node.mqtt_port, per_node)
    connects_per_s = len(devices.links) / (time.monotonic() - began)
    first = nodes[0]
    try:
        with Link(first.mqtt_port, "publisher") as publisher:
            publisher.publish(CURRENT, PAYLOAD, retain=True)
            whole = [_alert(devices, publisher, n) for n in range(1 + REPEATS)][1:]
            before_s = [_retained_after_s(node) for node in nodes]
            kill_after_s = whole[-1]["ms"]["p50"] / 2e3
            cut = _alert_with_a_kill(devices, publisher, nodes[1], kill_after_s)
            back_s = _reconnect(devices, [nodes[0], nodes[2]])
            after = _alert(devices, publisher, 100)
            after_s = [_retained_after_s(node) for node in (nodes[0], nodes[2])]
    finally:
        devices.close()
    return {
        "devices": 3 * per_node,
        "connects_per_s": round(connects_per_s),
        "alert_ms": {
            name: round(float(np.median([one["ms"][name] for one in whole])), 1)
            for name in ("p50", "p99", "max")
        },
        "alert_lost": sum(one["lost"] for one in whole),
        "killed": cut,
        "reconnect_s": round(back_s, 2),
        "refused": devices.refused,
        "next_alert": after,
        "retained_s": {"three_nodes": before_s, "two_left": after_s},
    }


def _alert(devices: Devices, publisher: Link, n: int) -> dict[str, Any]:
    payload = b"%04d" % n + PAYLOAD
    expected = len(devices.links)
    time.sleep(0.3)
    sent = time.monotonic()
    publisher.publish(TOPIC, payload)
    got = devices.listen(expected, 10.0).get(payload, [])
    return {
        "ms": quantiles([1e3 * (at - sent) for _, at in got], digits=1),
        "lost": expected - len({number for number, _ in got}),
    }


def _alert_with_a_kill(
    devices: Devices, publisher: Link, victim: Node, after_s: float
) -> dict[str, Any]:
    """Kill a node while its share of an alert is on the way."""
    payload = b"9999" + PAYLOAD
    total = len(devices.links)
    on_victim = {n for n, port in devices.home.items() if port == victim.mqtt_port}
    publisher.publish(TOPIC, payload)
    time.sleep(after_s)
    victim.kill()
    got = {number for number, _ in devices.listen(total + 1, CUT_OFF_S).get(payload, [])}
    return {
        "after_ms": round(1e3 * after_s, 1),
        "told_on_the_others": len(got - on_victim),
        "of_the_others": total - len(on_victim),
        "told_on_the_dead": len(got & on_victim),
        "of_the_dead": len(on_victim),
        "cut_off": len(devices.gone),
    }


def _reconnect(devices: Devices, others: list[Node]) -> float:
    """Connect those that were cut off to the other nodes in turn; return how long that took."""
    began = time.monotonic()
    for n in range(len(devices.gone)):
        devices.connect(others[n % len(others)].mqtt_port, 1)
    devices.gone.clear()
    return time.monotonic() - began


def _retained_after_s(node: Node) -> float | None:
    """Return when a newcomer is given the current state that was published before the kill."""
    began, n = time.monotonic(), 0
    while time.monotonic() - began < RETAINED_WITHIN_S:
        n += 1
        try:
            with Link(node.mqtt_port, f"late-{node.name}-{began}-{n}", timeout_s=0.5) as newcomer:
                newcomer.subscribe(CURRENT)
                newcomer.read(mqtt.PUBLISH)  # right behind the answer
                return round(time.monotonic() - began, 3)
        except OSError:
            continue
    return None


if __name__ == "__main__":
    sys.exit(main())
