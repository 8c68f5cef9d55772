"""Who listens while ``bench_publish`` hands alerts over: connections of a process of their own."""

from __future__ import annotations

import selectors
import socket
import time
from collections import Counter
from collections.abc import Sequence
from multiprocessing.connection import Connection

from eew import mqtt_packets as mqtt

__all__ = ["listen"]


def listen(
    host: str, port: int, version: int, filters: Sequence[str], n: int, pipe: Connection
) -> None:
    """Hold one connection for each filter; count what comes to the first, which hears every cell.

    Says over the pipe ``ready``; for each alert its number and when the last of its ``n`` copies
    came, monotonic ns; and on any word how many came of each, distinct and in all.
    """
    ready = selectors.DefaultSelector()
    sockets = [_subscribed(host, port, version, one) for one in filters]
    for one in sockets:
        ready.register(one, selectors.EVENT_READ, (one, bytearray()))
    pipe.send("ready")
    payloads: dict[bytes, Counter[bytes]] = {}
    while not pipe.poll():
        for key, _ in ready.select(0.2):
            one, left = key.data
            data = one.recv(1 << 20)
            if not data:
                return
            now_ns = time.monotonic_ns()
            left += data
            found = _published(left, version)
            for got in found if one is sockets[0] else ():
                topics = payloads.setdefault(got.payload, Counter())
                topics[got.topic] += 1
                if len(topics) == n and topics[got.topic] == 1:
                    pipe.send((len(payloads), now_ns))
            one.sendall(b"".join(mqtt.puback(got.packet_id) for got in found))
    pipe.recv()
    pipe.send([(len(one), sum(one.values())) for one in payloads.values()])


def _subscribed(host: str, port: int, version: int, topic_filter: str) -> socket.socket:
    made = socket.create_connection((host, port))
    made.sendall(mqtt.connect("", version=version, receive_maximum=65_535))
    made.recv(1024)
    made.sendall(mqtt.subscribe(1, [(topic_filter, 1)], version=version))
    made.recv(1024)
    return made


def _published(left: bytearray, version: int) -> list[mqtt.Published]:
    """Take the whole packets off what came; return those that publish."""
    data, at, found = bytes(left), 0, []
    while (frame := mqtt.next_frame(data, at)) is not None:
        at = frame.end
        if frame.kind == mqtt.PUBLISH:
            body = data[frame.start : frame.end]
            found.append(mqtt.parse_publish(frame.first, body, version=version))
    del left[:at]
    return found
