"""The phones at the end of ``bench_end_to_end``, and the floor they are held against.

``phones`` are whole ones, each on a connection of its own, all in one process. The floor: as many
plain connections to a bare process (``benchmarks/bare_server.py``), which writes the same bytes.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import selectors
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

import numpy as np

from benchmarks.bare_server import BareServer, bare_server
from clients.events import Shown
from clients.phone import Phone
from clients.subscriber import Receipt, run_device
from eew import mqtt_packets as mqtt
from eew.app.options import RunOptions
from eew.app.run_keys import run_keys
from eew.clock import SystemClock
from eew.messages.properties import properties_of
from eew.messages.topics import area_alert_topic, cell_of
from eew.messages.wire import SCHEMA
from eew.mqtt_link import BrokerAddress

__all__ = ["Floor", "Heard", "alert_topic_at", "floor", "phones"]

Place = tuple[float, float]
_SPAWN = multiprocessing.get_context("spawn")
_CONNECT_S = 60.0
_TOPIC = area_alert_topic(cell_of(0.0, 0.0))


def alert_topic_at(place: Place) -> str:
    """Return the topic on which a phone at a place hears of quakes."""
    return area_alert_topic(cell_of(*place))


# ---------------------------------------------------------------- whole phones


@dataclass(frozen=True, slots=True)
class Heard:
    """One message at one phone; monotonic ns, ``shown_ns`` 0 where it was not shown."""

    phone: int
    event_id: str
    serial: int
    accepted: bool
    received_ns: int
    shown_ns: int


@dataclass(slots=True)
class Phones:
    """The other end of the pipe."""

    pipe: Connection
    pid: int

    def heard(self) -> list[Heard]:
        """Return what the phones have said since."""
        said = []
        while self.pipe.poll():
            word = self.pipe.recv()
            if isinstance(word, Heard):
                said.append(word)
        return said


@contextmanager
def phones(address: BrokerAddress, places: Sequence[Place], seed: int) -> Iterator[Phones]:
    """Run phones at places in a process of their own, connected when the context begins."""
    ours, theirs = _SPAWN.Pipe()
    process = _SPAWN.Process(target=_live, args=(address, tuple(places), seed, theirs), daemon=True)
    process.start()
    try:
        assert process.pid is not None
        for _ in places:
            if not ours.poll(_CONNECT_S) or ours.recv() != "connected":
                raise SystemExit("a phone did not connect")
        yield Phones(ours, process.pid)
    finally:
        process.kill()
        process.join()


def _live(address: BrokerAddress, places: Sequence[Place], seed: int, pipe: Connection) -> None:
    keyring = run_keys(RunOptions(seed=seed)).keyring

    async def one(number: int, lat: float, lon: float) -> None:
        def took(receipt: Receipt) -> None:
            shown = any(isinstance(event, Shown) for event in receipt.events)
            for ack in receipt.acks:
                pipe.send(
                    Heard(
                        number,
                        ack.event_id,
                        ack.serial,
                        ack.outcome != "ignored",
                        receipt.received_ns,
                        receipt.done_ns if shown else 0,
                    )
                )

        await run_device(
            Phone(id=f"far-{number}", lat=lat, lon=lon, country="TR", keyring=keyring),
            address,
            clock=SystemClock(),
            rng=np.random.default_rng((seed, number)),
            on_receipt=took,
            on_link=lambda failure: pipe.send("connected" if failure is None else str(failure)),
        )

    async def all_of_them() -> None:
        await asyncio.gather(*(one(n, lat, lon) for n, (lat, lon) in enumerate(places)))

    asyncio.run(all_of_them())


# ---------------------------------------------------------------- the floor


@dataclass(slots=True)
class Floor:
    """A bare process that writes, and what its listeners received."""

    server: BareServer
    pipe: Connection
    pid: int
    n: int
    posted_ns: list[int] = field(default_factory=list)
    delays_ms: list[float] = field(default_factory=list)

    def post(self, payload: bytes) -> None:
        """Have a payload written to every listener, in the frame of an alert."""
        frame = mqtt.publish(
            _TOPIC,
            payload,
            version=mqtt.MQTT_5,
            qos=1,
            packet_id=1,
            properties=properties_of(SCHEMA, left_s=180.0),
        )
        self.posted_ns.append(time.monotonic_ns())
        self.server.post({_TOPIC.encode(): frame})

    def collect(self) -> None:
        """Take note of what the listeners have said."""
        while self.pipe.poll():
            nth, at_ns = self.pipe.recv()
            self.delays_ms.append((at_ns - self.posted_ns[nth]) / 1e6)

    @property
    def lost(self) -> int:
        """How many copies have not come."""
        return self.n * len(self.posted_ns) - len(self.delays_ms)


@contextmanager
def floor(n: int) -> Iterator[Floor]:
    """Run a bare server with ``n`` listeners in a process of their own."""
    with bare_server() as server:
        ours, theirs = _SPAWN.Pipe()
        process = _SPAWN.Process(target=_listen, args=(server.port, n, theirs), daemon=True)
        process.start()
        try:
            assert process.pid is not None
            if not ours.poll(_CONNECT_S) or ours.recv() != "listening":
                raise SystemExit("the listeners of the reference did not connect")
            yield Floor(server, ours, process.pid, n)
        finally:
            process.kill()
            process.join()


def _listen(port: int, n: int, pipe: Connection) -> None:
    """Note when each frame came to each of ``n`` connections; they come as they were sent."""
    ready = selectors.DefaultSelector()
    sockets = []
    for _ in range(n):
        one = socket.create_connection(("127.0.0.1", port))
        one.sendall(mqtt.connect("", version=mqtt.MQTT_5))
        one.recv(64)
        one.sendall(mqtt.subscribe(1, [(_TOPIC, 1)], version=mqtt.MQTT_5))
        one.recv(64)
        ready.register(one, selectors.EVENT_READ, (one, bytearray(), [0]))
        sockets.append(one)
    pipe.send("listening")
    while True:
        for key, _ in ready.select():
            one, left, count = key.data
            data = one.recv(65_536)
            at_ns = time.monotonic_ns()
            if not data:
                return
            left += data
            while (frame := mqtt.next_frame(bytes(left))) is not None:
                del left[: frame.end]
                pipe.send((count[0], at_ns))
                count[0] += 1
