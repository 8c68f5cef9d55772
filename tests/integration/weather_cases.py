"""A mosquitto that is killed and comes back, a door that counts, and devices for the tests."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import tempfile
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from clients.device import Device
from clients.events import DeviceEvent, Shown
from clients.fleet import Fleet
from clients.locality import SharedEstimator
from clients.phone import Phone
from clients.tv import TV
from eew.app.development_key import development_keyring
from eew.clock import NS_PER_S, SystemClock
from eew.egress.mosquitto import free_port
from eew.egress.probe import probe
from eew.errors import ConnectError
from eew.messages.topics import area_alert_topic
from eew.mqtt_link import BrokerAddress
from eew.mqtt_packets import (
    CONNACK,
    PUBLISH,
    connect,
    disconnect,
    next_frame,
    parse_connack,
    parse_publish,
    puback,
    subscribe,
)
from tests.integration.brokers import EPICENTRE, NOW_NS, mosquitto_program

CLOCK = SystemClock()


class Mosquitto:
    """A broker on one port, which can be killed without a word and started again."""

    def __init__(self, folder: Path) -> None:
        self.address = BrokerAddress(kind="mosquitto", host="127.0.0.1", port=free_port())
        self._config = folder / "mosquitto.conf"
        self._config.write_text(
            f"listener {self.address.port} 127.0.0.1\nallow_anonymous true\npersistence false\n"
            "allow_duplicate_messages true\nset_tcp_nodelay true\nmax_queued_messages 1000\n"
            "log_type error\n"
        )
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it; return when it has answered a CONNECT."""
        self._process = await asyncio.create_subprocess_exec(
            mosquitto_program(), "-c", str(self._config), start_new_session=True
        )
        for tries_left in reversed(range(100)):
            try:
                await probe(self.address, timeout_s=0.5)
                return
            except ConnectError:
                if not tries_left:
                    raise
                await asyncio.sleep(0.05)

    async def kill(self) -> None:
        """``kill -9``."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGKILL)
            await self._process.wait()


@contextlib.asynccontextmanager
async def mosquitto() -> AsyncIterator[Mosquitto]:
    with tempfile.TemporaryDirectory(prefix="eew-test-") as folder:
        broker = Mosquitto(Path(folder))
        try:
            await broker.start()
            yield broker
        finally:
            await broker.kill()


class Door:
    """Stands before a broker: counts who knocks, and can keep what passes waiting, or shut.

    While the broker is not there whoever knocks is sent away at once, as by a closed port.
    """

    def __init__(self, target: BrokerAddress) -> None:
        self._target = target
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self.shut = False
        self.knocks_ns: list[int] = []
        self.sent = bytearray()  # what devices sent

    async def __aenter__(self) -> BrokerAddress:
        # a small buffer: a device that does not read must be felt by the broker
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=1024)
        port = self._server.sockets[0].getsockname()[1]
        return BrokerAddress(kind="mosquitto", host="127.0.0.1", port=port)

    async def __aexit__(self, *exc: object) -> None:
        self._server.close()
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """Reset every connection."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    def doze(self) -> None:
        """Let nothing through to the devices; connections stay."""
        self._flowing.clear()

    def wake(self) -> None:
        """Let everything through again."""
        self._flowing.set()

    def most_knocks(self, since_ns: int, span_s: float = 0.1) -> int:
        """Return how many knocked in the busiest span since a time, monotonic."""
        times = sorted(at_ns for at_ns in self.knocks_ns if at_ns >= since_ns)
        span_ns = round(span_s * NS_PER_S)
        starts = np.searchsorted(times, times, side="left")
        ends = np.searchsorted(times, np.asarray(times) + span_ns, side="right")
        return int((ends - starts).max(initial=0))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.knocks_ns.append(CLOCK.monotonic_ns())
        try:
            if self.shut:
                raise ConnectionRefusedError
            far_reader, far_writer = await asyncio.open_connection(
                self._target.host, self._target.port
            )
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, far_writer}
        await asyncio.gather(
            self._pipe(reader, far_writer, inwards=True),
            self._pipe(far_reader, writer, inwards=False),
        )

    async def _pipe(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, inwards: bool
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                if inwards:
                    self.sent += data
                else:
                    await self._flowing.wait()
                writer.write(data)
                await writer.drain()
        writer.close()


def devices_near(
    n: int, rng: np.random.Generator, *, spread_deg: float = 0.4, **settings: Any
) -> list[Device]:
    """Return devices round the epicentre that trust the tests' publisher; each tenth is a TV."""
    usual: dict[str, Any] = {
        "country": "CN",
        "estimator": SharedEstimator(),
        "follow_heartbeat": False,
        "keyring": development_keyring(1),
    }
    made: list[Device] = []
    for i in range(n):
        lat, lon = (centre + rng.uniform(-spread_deg, spread_deg) for centre in EPICENTRE)
        own = {"id": f"d{i:04d}", "lat": lat, "lon": lon, **usual, **settings}
        made.append(TV(district="Luding", **own) if i % 10 == 9 else Phone(**own))
    return made


def fleet_of(devices: list[Device], address: BrokerAddress, **settings: Any) -> Fleet:
    """Return them as a fleet whose data time stands still."""
    usual: dict[str, Any] = {"seed": 1, "now_ns": lambda: NOW_NS, "heartbeats": False}
    return Fleet(devices, address, CLOCK, **(usual | settings))


@dataclass(slots=True)
class Visit:
    """What came of one connection of a phone that keeps its session."""

    session_present: bool = False
    alerts: int = 0
    events: list[DeviceEvent] = field(default_factory=list)

    @property
    def shown(self) -> int:
        """How many messages came onto the screen."""
        return sum(isinstance(event, Shown) for event in self.events)


async def visit(
    device: Device,
    address: BrokerAddress,
    *,
    version: int,
    subscribes: bool,
    listens_s: float,
    now_ns: Callable[[], int],
) -> Visit:
    """Connect with ``clean`` false, as a messenger does that wants everything it missed.

    Our own devices do not; their rules have to hold all the same where somebody's do.
    """
    found = Visit()
    reader, writer = await asyncio.open_connection(address.host, address.port)
    writer.write(connect(device.id, version=version, clean=False, session_expiry_s=3600))
    if subscribes:
        topic = area_alert_topic(device.cell, tree=device.tree)
        writer.write(subscribe(1, [(topic, 1)], version=version))
    buffer = b""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(listens_s):
            while data := await reader.read(65536):
                buffer += data
                while (frame := next_frame(buffer)) is not None:
                    body, buffer = buffer[frame.start : frame.end], buffer[frame.end :]
                    if frame.kind == CONNACK:
                        found.session_present = parse_connack(body, version=version).session_present
                    elif frame.kind == PUBLISH:
                        got = parse_publish(frame.first, body, version=version)
                        found.alerts += 1
                        found.events += device.receive(got.topic.decode(), got.payload, now_ns())
                        writer.write(puback(got.packet_id))
    writer.write(disconnect())
    writer.close()
    await writer.wait_closed()
    return found
