"""What the benchmarks of the crowd share: devices, frames, brokers, and rounds with their times."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.samples import sample_alert, sample_positions
from clients.crowd.engine import Batch, Engine, EngineSettings
from clients.crowd.histogram import Histogram
from clients.crowd.logic import CrowdLogic
from clients.crowd.outcome import Outcome
from clients.crowd.places import CrowdPlaces, Labels
from clients.crowd.sockets import Endpoint, check_files
from eew import mqtt_packets as mqtt
from eew.app.development_key import development_key, development_keyring
from eew.clock import NS_PER_S, SystemClock
from eew.egress.mosquitto import find_mosquitto, mosquitto_broker
from eew.errors import ConfigError
from eew.messages import wire
from eew.messages.properties import properties_of
from eew.model.alert import AlertMessage, Status
from eew.mqtt_link import BrokerAddress

RADIUS_KM = 150.0
TREE = Status.TEST
CONNECT_LIMIT_S = 300.0
Note = Callable[[NDArray[np.int32], NDArray[np.int64], NDArray[np.int64]], None]
_TICKS = os.sysconf("SC_CLK_TCK")


def bench_places(
    n: int, seed: int, *, within_km: float = RADIUS_KM, tree: Status = TREE
) -> CrowdPlaces:
    """Return phones spread evenly over a circle round the epicentre of the sample alert."""
    lat, lon = sample_positions(n, seed, within_km=within_km)
    return CrowdPlaces(
        kind=Labels.of(["phone"] * n),
        lat=lat,
        lon=lon,
        vs30_mps=np.full(n, np.nan),
        language=Labels.of(["zh"] * n),
        country=Labels.of(["CN"] * n),
        profile=Labels.of(["default"] * n),
        title=Labels.of([""] * n),
        clock_offset_ns=np.zeros(n, dtype=np.int64),
        tree=Labels.of([tree.value] * n),
    )


def bench_alert(
    serial: int, *, event_id: str = "bench", radius_km: float = RADIUS_KM
) -> AlertMessage:
    """Return message ``serial`` of a quake that happens now."""
    now_ns = SystemClock().utc_ns()
    message = sample_alert(serial, radius_km=radius_km)
    ahead_ns = now_ns - message.issued_ns
    return replace(
        message,
        event_id=event_id,
        status=TREE,
        issued_ns=now_ns,
        expires_ns=now_ns + 3600 * NS_PER_S,
        origin=replace(message.origin, time_ns=message.origin.time_ns + ahead_ns),
        first_pick_ns=message.first_pick_ns + ahead_ns,
        trace=replace(
            message.trace,
            last_sample_ns=message.trace.last_sample_ns + ahead_ns,
            received_ns=message.trace.received_ns + ahead_ns,
            pick_ns=message.trace.pick_ns + ahead_ns,
            decided_ns=now_ns,
        ),
    )


def sealed(message: AlertMessage, seed: int) -> bytes:
    """Return a message as the service would send it now."""
    return wire.encode(
        message,
        run_id="bench",
        seed=seed,
        sent_ns=message.issued_ns,
        signer=development_key(seed, TREE),
    )


def frames(payload: bytes, topics: Sequence[str], *, qos: int, first_id: int) -> dict[bytes, bytes]:
    """Return the PUBLISH of each topic, with the properties of a real one."""
    made = {}
    for number, topic in enumerate(topics):
        made[topic.encode()] = mqtt.publish(
            topic,
            payload,
            version=mqtt.MQTT_5,
            qos=qos,
            packet_id=(first_id + number) % 65_535 + 1 if qos else 0,
            properties=properties_of(wire.SCHEMA, left_s=3600.0),
        )
    return made


def cpu_s(pid: int) -> float:
    """Return the CPU time a process has used, s."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


@dataclass(frozen=True, slots=True)
class PrivateBroker:
    """A mosquitto of our own, and its process."""

    port: int
    pid: int


@contextlib.contextmanager
def private_mosquitto(most: int) -> Iterator[PrivateBroker]:
    """Run a mosquitto for so many connections."""
    program = find_mosquitto()
    if program is None:
        raise ConfigError("mosquitto", "the program was not found", hint="install it")
    with asyncio.Runner() as runner:
        broker = mosquitto_broker(program, max_connections=most + 50)
        address = runner.run(_entered(broker))
        try:
            yield PrivateBroker(address.port, broker_pid(address.port))
        finally:
            runner.run(_left(broker))


async def _entered(broker: contextlib.AbstractAsyncContextManager[BrokerAddress]) -> BrokerAddress:
    return await broker.__aenter__()


async def _left(broker: contextlib.AbstractAsyncContextManager[BrokerAddress]) -> None:
    await broker.__aexit__(None, None, None)


def broker_pid(port: int) -> int:
    """Return the mosquitto that is our child; the port tells those of two benchmarks apart."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
            if b"mosquitto" in words[0] and len(words) > 2:
                config = Path(words[2].decode()).read_text()
                if f"listener {port} " in config:
                    return int(entry.name)
        except OSError:
            continue
    raise ConfigError("mosquitto", f"no process listens on port {port}")


class RawPublisher:
    """One plain connection that sends frames; what comes back is read and dropped."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(mqtt.connect("bench-publisher", keepalive_s=0))
        self._socket.recv(256)

    def send(self, made: dict[bytes, bytes]) -> None:
        """Send all frames."""
        self._socket.sendall(b"".join(made.values()))

    def drain(self) -> None:
        """Read the acknowledgements that have come."""
        self._socket.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while self._socket.recv(65_536):
                pass
        self._socket.setblocking(True)

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()


@dataclass(slots=True)
class Figures:
    """What a side has done, over its rounds."""

    latency: Histogram = field(default_factory=Histogram)
    shown: Histogram = field(default_factory=Histogram)
    last_ms: list[float] = field(default_factory=list)
    delivered: int = 0
    lost: int = 0
    duplicates: int = 0
    refused: int = 0
    crowd_cpu_s: float = 0.0
    server_cpu_s: float = 0.0
    connect_s: list[float] = field(default_factory=list)

    def to_json(self) -> dict[str, object]:
        """Return the figures under the names every delivery benchmark has."""
        n = max(1, self.delivered)
        return {
            **self.latency.summary(),
            "last_p50_ms": round(float(np.median(self.last_ms)), 3) if self.last_ms else None,
            "delivered": self.delivered,
            "lost": self.lost,
            "duplicates": self.duplicates,
            "refused": self.refused,
            "cpu_us_per_delivery": round(1e6 * (self.crowd_cpu_s + self.server_cpu_s) / n, 2),
            "crowd_cpu_us_per_delivery": round(1e6 * self.crowd_cpu_s / n, 2),
            "server_cpu_us_per_delivery": round(1e6 * self.server_cpu_s / n, 2),
            "shown": self.shown.summary(),
            "connect_s": [round(one, 2) for one in self.connect_s],
        }


class CrowdUnderTest:
    """Devices with their logic on a server, and the deliveries of the round under way."""

    def __init__(self, places: CrowdPlaces, port: int, seed: int, **settings: float) -> None:
        self.n = len(places)
        check_files(self.n)
        self.logic = CrowdLogic(places, development_keyring(seed), follow_heartbeat=False)
        self.topics = sorted(
            {name for n in range(self.n) for name, _ in self.logic.subscriptions(n)
             if name.endswith("/alert")}
        )  # fmt: skip
        self.clock = SystemClock()
        self.engine = Engine(
            self.logic,
            Endpoint(host="127.0.0.1", port=port),
            clock=self.clock,
            rng=np.random.default_rng(seed),
            token=b"bench",
            settings=EngineSettings(**settings),  # type: ignore[arg-type]  # floats only
            on_batch=self._take,
        )
        self._batches: list[Batch] = []
        self.accepted = np.zeros(self.n, dtype=np.int64)
        self.outcomes = np.zeros(len(Outcome), dtype=np.int64)

    def connect(self, took: Histogram | None = None) -> float:
        """Connect all; return how long it took, s.

        ``took`` is told when each was subscribed, from when all were due at once, to one round of
        epoll.
        """
        started_ns = self.clock.monotonic_ns()
        self.engine.connect(range(self.n))
        most = 0
        while self.engine.n_up < self.n:
            self.engine.poll(0.5)
            if took is not None and self.engine.n_up > most:
                new, most = self.engine.n_up - most, self.engine.n_up
                took.add_ns(np.full(new, self.clock.monotonic_ns() - started_ns))
            if (self.clock.monotonic_ns() - started_ns) / 1e9 > CONNECT_LIMIT_S:
                raise ConfigError("phones", f"{self.engine.n_up} of {self.n} connected")
        return (self.clock.monotonic_ns() - started_ns) / 1e9

    def settle(self) -> None:
        """Wait until all listen to what they listen to for good, and nothing is under way.

        mosquitto looks through all subscribers of the heartbeat for each that leaves it: with
        thousands about to leave, the first alerts would be timed beside that.
        """
        while self.engine.n_settling or self.engine.n_checking_clocks:
            self.engine.poll(0.1)
        self.idle(0.5)

    def idle(self, for_s: float) -> None:
        """Go on for a while."""
        self.until(self.clock.monotonic_ns() + round(for_s * NS_PER_S))

    def until(self, at_ns: int) -> None:
        """Go on until a monotonic time."""
        while (left_ns := at_ns - self.clock.monotonic_ns()) > 0:
            self.engine.poll(min(0.05, left_ns / NS_PER_S))

    def _take(self, batch: Batch) -> None:
        self._batches.append(batch)

    def turn(self, timeout_s: float, note: Note | None = None) -> int:
        """Do one round and count it; return how many deliveries the logic took or refused.

        ``note`` is told of those taken: the device, how many it had taken before, and the monotonic
        time of receipt.
        """
        came = self.engine.poll(timeout_s)
        for batch in self._batches:
            is_taken = batch.outcome <= Outcome.RECEIVED
            taken = batch.device[is_taken]
            if note is not None:
                at_ns = batch.at_ns[is_taken] - batch.utc_minus_monotonic_ns
                note(taken, self.accepted[taken] + _earlier(taken), at_ns)
            self.accepted += np.bincount(taken, minlength=self.n)
            self.outcomes += np.bincount(batch.outcome, minlength=len(Outcome))
        self._batches.clear()
        return came

    def duplicates_since(self, before: NDArray[np.int64]) -> int:
        """Return how many deliveries the logic has called duplicates since ``outcomes`` was so."""
        return int(self.outcomes[Outcome.DUPLICATE] - before[Outcome.DUPLICATE])

    def refused_since(self, before: NDArray[np.int64]) -> int:
        """Return how many deliveries were refused since, for whichever other reason."""
        refused = slice(Outcome.OLD_SERIAL, Outcome.OTHER)
        return int((self.outcomes[refused] - before[refused]).sum())

    def collect(self, n: int, since_ns: int, limit_s: float, into: Figures | None) -> int:
        """Wait for ``n`` deliveries since a monotonic time; return how many came."""
        end_ns = self.clock.monotonic_ns() + round(limit_s * NS_PER_S)
        came = sum(batch.device.size for batch in self._batches)
        while came < n and self.clock.monotonic_ns() < end_ns:
            came += self.engine.poll(0.05)
        batches, self._batches = self._batches, []
        last_ns = since_ns
        for batch in batches:
            taken = batch.outcome <= Outcome.RECEIVED
            np.add.at(self.accepted, batch.device[taken], 1)
            if into is None:
                continue
            at_ns = batch.at_ns - batch.utc_minus_monotonic_ns
            into.latency.add_ns(at_ns[taken] - since_ns)
            done_ns = batch.done_ns - batch.utc_minus_monotonic_ns
            shown = batch.outcome == Outcome.SHOWN
            into.shown.add_ns(np.full(int(shown.sum()), done_ns - since_ns))
            into.delivered += int(taken.sum())
            into.duplicates += int((batch.outcome == Outcome.DUPLICATE).sum())
            into.refused += int((batch.outcome > Outcome.DUPLICATE).sum())
            last_ns = max(last_ns, int(at_ns.max()))
        if into is not None:
            into.lost += max(0, n - came)
            into.last_ms.append((last_ns - since_ns) / 1e6)
        return came

    def close(self) -> None:
        """Disconnect all."""
        self.engine.close()


def _earlier(device: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return how often each number has stood in an array before."""
    order = np.argsort(device, kind="stable")
    ranked = device[order]
    first = np.searchsorted(ranked, ranked, side="left")
    times = np.empty(device.size, dtype=np.int64)
    times[order] = np.arange(device.size) - first
    return times


def doubled(accepted: NDArray[np.int64], per_device: int) -> int:
    """Return how many deliveries were accepted beyond one each."""
    return int(np.maximum(accepted - per_device, 0).sum())


def process_cpu_s() -> float:
    """Return the CPU time of this process, s."""
    return time.process_time()
