"""Many MQTT connections in one thread, plain or over TLS: timed one by one."""

from __future__ import annotations

import select
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from eew import mqtt_packets as mqtt
from eew.errors import ConnectError
from eew.mqtt_link import BrokerAddress, tls_context

_AT_ONCE = 64  # awaiting SUBACK; mosquitto's listen backlog is 100
_SOURCES = 100  # addresses of 127.0.0.0/8, so that ports in TIME_WAIT do not slow us down
_PATIENCE_S = 20.0
_PACKET_ID = 1


@dataclass(slots=True)
class _Client:
    socket: socket.socket
    started_ns: int
    handshaking: bool
    buffer: bytearray = field(default_factory=bytearray)


class Clients:
    """Subscribers of one topic; close them when done."""

    def __init__(self, address: BrokerAddress, topic: str) -> None:
        self._address = address
        self._context = tls_context(address)
        self._subscribe = mqtt.subscribe(_PACKET_ID, [(topic, 1)], version=mqtt.MQTT_5)
        self._epoll = select.epoll()
        self._clients: dict[int, _Client] = {}

    def connect(self, n: int) -> list[float]:
        """Connect ``n`` and subscribe; return how long each took from the first packet, in s."""
        took_s: list[float] = []
        opened = 0
        while len(took_s) < n:
            while opened < n and opened - len(took_s) < _AT_ONCE:
                self._open(opened)
                opened += 1
            for client in self._ready():
                if client.handshaking:
                    self._go_on(client)
                    continue
                for first, _ in self._packets(client):
                    if first & 0xF0 == mqtt.CONNACK:
                        client.socket.sendall(self._subscribe)
                    elif first & 0xF0 == mqtt.SUBACK:
                        took_s.append((time.perf_counter_ns() - client.started_ns) / 1e9)
        return took_s

    def receive(self, payload: bytes) -> tuple[list[int], int]:
        """Wait until every client has a payload, or nothing comes for a while; acknowledge.

        Returns
        -------
        tuple
            Monotonic ns at which each client had it, and how many other messages came: what a
            client had before.
        """
        came_ns: dict[int, int] = {}
        n_others = 0
        taken: list[tuple[_Client, int]] = []
        while len(came_ns) < len(self._clients):
            try:
                ready = list(self._ready())
            except ConnectError:
                break
            for client in ready:
                for first, body in self._packets(client):
                    if first & 0xF0 == mqtt.PUBLISH:
                        at_ns = time.perf_counter_ns()
                        message = mqtt.parse_publish(first, body, version=mqtt.MQTT_5)
                        if message.payload == payload and id(client) not in came_ns:
                            came_ns[id(client)] = at_ns
                        else:
                            n_others += 1
                        taken.append((client, message.packet_id))
        # afterwards: here all share a core, while real phones have one each
        for client, packet_id in taken:
            client.socket.sendall(mqtt.puback(packet_id))
        return list(came_ns.values()), n_others

    def send(self, packet: bytes) -> None:
        """Send a packet from the first connection."""
        next(iter(self._clients.values())).socket.sendall(packet)

    def close(self) -> None:
        """End all connections."""
        for client in self._clients.values():
            client.socket.close()
        self._epoll.close()

    def _open(self, number: int) -> None:
        raw = socket.socket()
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        raw.bind((f"127.0.1.{1 + number % _SOURCES}", 0))
        started_ns = time.perf_counter_ns()
        raw.connect((self._address.host, self._address.port))
        made: socket.socket = raw
        if self._context is not None:
            made = self._context.wrap_socket(
                raw, server_hostname=self._address.host, do_handshake_on_connect=False
            )
        made.setblocking(False)
        client = _Client(made, started_ns, handshaking=self._context is not None)
        self._clients[made.fileno()] = client
        self._epoll.register(made.fileno(), select.EPOLLIN)
        self._go_on(client)

    def _go_on(self, client: _Client) -> None:
        if isinstance(client.socket, ssl.SSLSocket):
            try:
                client.socket.do_handshake()
            except ssl.SSLWantReadError:
                return
        client.handshaking = False
        address = self._address
        client.socket.sendall(
            mqtt.connect("", username=address.username, password=address.password, keepalive_s=600)
        )

    def _ready(self) -> Iterator[_Client]:
        found = self._epoll.poll(_PATIENCE_S)
        if not found:
            raise ConnectError(str(self._address), f"nothing came within {_PATIENCE_S:g} s")
        for number, _ in found:
            yield self._clients[number]

    def _packets(self, client: _Client) -> Iterator[tuple[int, bytes]]:
        while True:
            try:
                data = client.socket.recv(16_384)
            except (BlockingIOError, ssl.SSLWantReadError):
                return
            if not data:
                raise ConnectError(str(self._address), "the broker closed a connection")
            client.buffer += data
            while (frame := mqtt.next_frame(client.buffer)) is not None:
                body = bytes(client.buffer[frame.start : frame.end])
                del client.buffer[: frame.end]
                yield frame.first, body
            if not isinstance(client.socket, ssl.SSLSocket):
                return
