"""A mosquitto that can be killed and started again, a crowd on it, and a service that speaks."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Self

import numpy as np

from clients.crowd.accounts import CrowdAccounts
from clients.crowd.engine import Batch, Engine, EngineSettings
from clients.crowd.logic import CrowdLogic
from clients.crowd.outcome import Outcome
from clients.crowd.places import CrowdPlaces, Labels
from clients.crowd.sockets import Endpoint
from eew import mqtt_packets as mqtt
from eew.app.development_key import development_key, development_keyring
from eew.clock import NS_PER_S, SystemClock
from eew.egress.mosquitto import free_port
from eew.messages import wire
from eew.messages.topics import event_current_topic
from eew.model.alert import AlertMessage
from tests.integration.brokers import EPICENTRE, alert, mosquitto_program

SEED = 1
CLOCK = SystemClock()


def pause(for_s: float) -> None:
    """Wait, with nothing to do."""
    threading.Event().wait(for_s)


class Mosquitto:
    """A broker on a port of its own, that can die and come back."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._config = folder / "mosquitto.conf"
        self._config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\nmax_connections -1\n"
            "allow_duplicate_messages true\nset_tcp_nodelay true\npersistence false\n"
            "log_type none\n"
        )
        self._process: subprocess.Popen[bytes] | None = None

    def add_listener(self, text: Callable[[int], str]) -> int:
        """Listen on a second port as the text says, given its number; return the port."""
        port = free_port()
        self.kill()
        self._config.write_text(
            f"per_listener_settings true\nlistener {self.port} 127.0.0.1\nallow_anonymous true\n"
            + text(port)
        )
        self.start()
        return port

    def start(self) -> None:
        self._process = subprocess.Popen(
            [mosquitto_program(), "-c", str(self._config)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(200):
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), 1.0).close()
                return
            pause(0.02)
        raise AssertionError("mosquitto did not start")

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@contextlib.contextmanager
def mosquitto(folder: Path) -> Iterator[Mosquitto]:
    broker = Mosquitto(folder)
    broker.start()
    try:
        yield broker
    finally:
        broker.kill()


def places(phones: int, tvs: int = 0, *, within_km: float = 60.0) -> CrowdPlaces:
    """Return devices round the epicentre of the tests' alert."""
    n = phones + tvs
    draws = np.random.default_rng(SEED)
    radius_km = within_km * np.sqrt(draws.uniform(size=n))
    angle = draws.uniform(0.0, 2.0 * np.pi, size=n)
    return CrowdPlaces(
        kind=Labels.of(["phone"] * phones + ["tv"] * tvs),
        lat=EPICENTRE[0] + radius_km * np.cos(angle) / 111.2,
        lon=EPICENTRE[1] + radius_km * np.sin(angle) / 97.0,
        vs30_mps=np.full(n, np.nan),
        language=Labels.of(["zh"] * n),
        country=Labels.of(["CN"] * n),
        profile=Labels.of(["default"] * n),
        title=Labels.of([""] * n),
        clock_offset_ns=np.zeros(n, dtype=np.int64),
        tree=Labels.of(["exercise"] * n),
    )


class Crowd:
    """Devices on a broker, and what became of every delivery."""

    def __init__(
        self,
        who: CrowdPlaces,
        port: int = 0,
        *,
        endpoint: Endpoint | Sequence[Endpoint] | None = None,
        accounts: CrowdAccounts | None = None,
        **settings: float,
    ) -> None:
        self.n = len(who)
        self.logic = CrowdLogic(who, development_keyring(SEED), follow_heartbeat=False)
        self.outcomes: list[tuple[int, Outcome]] = []
        self.engine = Engine(
            self.logic,
            endpoint or Endpoint(host="127.0.0.1", port=port),
            clock=CLOCK,
            rng=np.random.default_rng(SEED),
            token=b"test",
            settings=EngineSettings(**settings),  # type: ignore[arg-type]  # floats only
            accounts=accounts,
            named=accounts is not None,
            on_batch=self._take,
        )

    def __enter__(self) -> Engine:
        return self.engine

    def __exit__(self, *exc: object) -> None:
        self.engine.close()

    def _take(self, batch: Batch) -> None:
        for device, outcome in zip(batch.device.tolist(), batch.outcome.tolist(), strict=True):
            self.outcomes.append((device, Outcome(outcome)))

    def told(self) -> list[int]:
        """Return the device of each alert that was taken; one that is twice in it took two."""
        return [device for device, outcome in self.outcomes if outcome <= Outcome.RECEIVED]

    def until(self, true: str, limit_s: float = 20.0) -> float:
        """Go on until it is ``true``; return how long it took, s.

        All are ``up``, ``told`` or ``settled``; some are told (``some_told``); nobody is up and
        whoever tries is ``refused``.
        """
        began_ns = CLOCK.monotonic_ns()
        while not getattr(self, f"_is_{true}")():
            self.engine.poll(0.05)
            assert CLOCK.monotonic_ns() - began_ns < limit_s * NS_PER_S, (
                true,
                self.engine.counts,
                self.engine.n_up,
            )
        return (CLOCK.monotonic_ns() - began_ns) / NS_PER_S

    def _is_up(self) -> bool:
        return self.engine.n_up == self.n

    def _is_told(self) -> bool:
        return len(set(self.told())) == self.n

    def _is_some_told(self) -> bool:
        return bool(self.told())

    def _is_settled(self) -> bool:
        return self._is_up() and not self.engine.n_settling

    def _is_refused(self) -> bool:
        return self.engine.n_up == 0 and self.engine.counts["connect_failures"] > 0

    def idle(self, for_s: float) -> None:
        """Go on for a while."""
        end_ns = CLOCK.monotonic_ns() + round(for_s * NS_PER_S)
        while CLOCK.monotonic_ns() < end_ns:
            self.engine.poll(0.02)

    def alert_topics(self) -> list[str]:
        found = {
            name
            for device in range(self.n)
            for name, _ in self.logic.subscriptions(device)
            if name.endswith("/alert")
        }
        return sorted(found)


def sealed(message: AlertMessage) -> bytes:
    return wire.encode(
        message,
        run_id="run",
        seed=SEED,
        sent_ns=message.issued_ns,
        signer=development_key(SEED, message.status),
    )


def live_alert(serial: int = 1, *, lifetime_s: float = 120.0) -> bytes:
    """Return an alert that is issued now, felt by everybody in the tests."""
    now_ns = CLOCK.utc_ns()
    return sealed(alert(serial, issued_ns=now_ns, lifetime_s=lifetime_s, radius_km=200.0))


class Service:
    """One plain connection that publishes."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), 5.0)
        self._socket.sendall(mqtt.connect("service"))
        assert self._socket.recv(256)[0] == mqtt.CONNACK
        self._id = 0

    def publish(self, topics: list[str], payload: bytes, *, qos: int = 1) -> None:
        """Publish to topics and, retained, as the current state of the event."""
        current = event_current_topic(wire.decode(payload).message.event_id)
        self._send([(current, True), *((topic, False) for topic in topics)], payload, qos)

    def publish_current(self, payload: bytes) -> None:
        current = event_current_topic(wire.decode(payload).message.event_id)
        self._send([(current, True)], payload, 1)

    def _send(self, topics: list[tuple[str, bool]], payload: bytes, qos: int) -> None:
        written = b""
        for topic, retain in topics:
            self._id += 1
            written += mqtt.publish(
                topic, payload, version=mqtt.MQTT_5, qos=qos, retain=retain,
                packet_id=self._id if qos else 0, properties=mqtt.Properties(expiry_s=120),
            )  # fmt: skip
        self._socket.sendall(written)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._socket.close()
