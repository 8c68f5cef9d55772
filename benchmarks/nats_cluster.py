"""A NATS cluster on loopback and lean MQTT 3.1.1 devices on it, for figures and one test.

Standard MQTT with QoS 0 only. JetStream has to be on: NATS keeps sessions and retained messages of
its MQTT clients in it.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from eew import mqtt_packets as mqtt
from eew.egress.mosquitto import free_port

HOST = "127.0.0.1"
VERSION = mqtt.MQTT_3_1_1
_READY_S = 20.0
_KEEPALIVE_S = 600
_AGAIN_S = 0.2


def find_nats() -> str | None:
    """Return the path of nats-server, or None; Debian puts it into /usr/sbin."""
    return shutil.which("nats-server") or shutil.which("nats-server", path="/usr/sbin")


@dataclass(slots=True)
class Node:
    """One server of the cluster."""

    name: str
    mqtt_port: int
    process: subprocess.Popen[bytes]

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@contextlib.contextmanager
def nats_cluster(program: str, nodes: int = 3) -> Iterator[list[Node]]:
    """Start a cluster; it takes MQTT clients on every node when this returns."""
    routes = [free_port() for _ in range(nodes)]
    with tempfile.TemporaryDirectory(prefix="eew-nats-") as folder, contextlib.ExitStack() as stack:
        started: list[Node] = []
        for n in range(nodes):
            port = free_port()
            path = Path(folder, f"n{n}.conf")
            path.write_text(_configuration(n, port, routes, Path(folder, f"n{n}")))
            process = subprocess.Popen(
                [program, "-c", str(path)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            stack.callback(_end, process)
            started.append(Node(f"n{n}", port, process))
        for node in started:
            _wait_for(node)
        yield started


def _configuration(n: int, port: int, routes: Sequence[int], store: Path) -> str:
    others = ", ".join(f'"nats-route://{HOST}:{one}"' for one in routes)
    return f"""
server_name: n{n}
listen: "{HOST}:{free_port()}"
jetstream {{ store_dir: "{store}" }}
cluster {{ name: eew, listen: "{HOST}:{routes[n]}", routes: [{others}] }}
mqtt {{ listen: "{HOST}:{port}" }}
"""


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.kill()
    process.wait()


def _wait_for(node: Node) -> None:
    """Wait until a node takes an MQTT client: then the cluster has a leader."""
    deadline = time.monotonic() + _READY_S
    while time.monotonic() < deadline:
        if node.process.poll() is not None:
            raise RuntimeError(f"{node.name} ended with {node.process.returncode}")
        try:
            with Link(node.mqtt_port, f"probe-{node.name}", timeout_s=2.0):
                return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(f"{node.name} takes no MQTT client within {_READY_S:g} s")


class Link:
    """One blocking MQTT connection."""

    def __init__(
        self, port: int, name: str, *, timeout_s: float = 10.0, source: str = HOST
    ) -> None:
        self.socket = socket.create_connection((HOST, port), timeout_s, (source, 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._rest = b""
        try:
            self.socket.sendall(mqtt.connect(name, version=VERSION, keepalive_s=_KEEPALIVE_S))
            answer = mqtt.parse_connack(self.read(mqtt.CONNACK), version=VERSION)
            if answer.reason:
                raise ConnectionRefusedError(f"CONNACK {answer.reason}")
        except BaseException:
            self.socket.close()
            raise

    def __enter__(self) -> Link:
        return self

    def __exit__(self, *exc: object) -> None:
        self.socket.close()

    def read(self, kind: int) -> bytes:
        """Return the body of the next packet of a kind; others before it are passed over."""
        while True:
            frame = mqtt.next_frame(self._rest)
            if frame is None:
                got = self.socket.recv(65536)
                if not got:
                    raise ConnectionResetError("closed by the server")
                self._rest += got
                continue
            body, self._rest = self._rest[frame.start : frame.end], self._rest[frame.end :]
            if frame.kind == kind:
                return body

    def subscribe(self, topic: str) -> None:
        """Subscribe with QoS 0 and wait for the answer."""
        self.socket.sendall(mqtt.subscribe(1, [(topic, 0)], version=VERSION))
        self.read(mqtt.SUBACK)

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish with QoS 0."""
        self.socket.sendall(mqtt.publish(topic, payload, version=VERSION, retain=retain))


@dataclass(slots=True)
class Devices:
    """Phones on the nodes of a cluster; each counts the payloads it was sent."""

    topic: str
    links: dict[int, Link] = field(default_factory=dict)  # by file number
    home: dict[int, int] = field(default_factory=dict)  # port of the node, by file number
    gone: list[int] = field(default_factory=list)  # ports of the nodes that cut devices off
    refused: int = 0  # connects that had to be tried again
    _poll: select.epoll = field(default_factory=select.epoll)
    _made: int = 0

    def connect(self, port: int, count: int) -> None:
        """Connect and subscribe so many devices to a node."""
        for _ in range(count):
            self._made += 1
            # addresses of their own, as one runs short of ports that wait to be free
            source = f"127.0.{1 + self._made // 200 % 200}.{1 + self._made % 200}"
            link = self._joined(port, f"d{os.getpid()}-{self._made}", source)
            link.socket.setblocking(False)
            number = link.socket.fileno()
            self.links[number], self.home[number] = link, port
            self._poll.register(number, select.EPOLLIN)

    def _joined(self, port: int, name: str, source: str) -> Link:
        """Connect and subscribe; again where a cluster without a leader refuses."""
        deadline = time.monotonic() + _READY_S
        while True:
            link = None
            try:
                link = Link(port, name, source=source)
                link.subscribe(self.topic)
                return link
            except OSError:
                if link is not None:
                    link.socket.close()
                if time.monotonic() > deadline:
                    raise
                self.refused += 1
                time.sleep(_AGAIN_S)

    def listen(self, expected: int, timeout_s: float) -> dict[bytes, list[tuple[int, float]]]:
        """Return, by payload, who received it and when (monotonic s), until so many did.

        Devices whose connection ends are taken away; see ``gone``.
        """
        found: dict[bytes, list[tuple[int, float]]] = {}
        count, deadline = 0, time.monotonic() + timeout_s
        while count < expected and (left_s := deadline - time.monotonic()) > 0.0:
            for number, _ in self._poll.poll(left_s, 512):
                now = time.monotonic()
                try:
                    got = self.links[number].socket.recv(65536)
                except BlockingIOError:
                    continue
                except OSError:
                    got = b""
                if not got:
                    self._drop(number)
                    continue
                for payload in _payloads(got):
                    found.setdefault(payload, []).append((number, now))
                    count += 1
        return found

    def _drop(self, number: int) -> None:
        self._poll.unregister(number)
        self.links.pop(number).socket.close()
        self.gone.append(self.home.pop(number))

    def close(self) -> None:
        """Close every connection."""
        for link in self.links.values():
            link.socket.close()
        self._poll.close()


def _payloads(data: bytes) -> Iterator[bytes]:
    """Return the payloads in what came; a small message is never cut on loopback."""
    start = 0
    while (frame := mqtt.next_frame(data, start)) is not None:
        start = frame.end
        if frame.kind == mqtt.PUBLISH:
            body = data[frame.start : frame.end]
            yield mqtt.parse_publish(frame.first, body, version=VERSION).payload
