"""Brokers and small tools for the tests of delivery."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from eew.app.development_key import development_key
from eew.clock import NS_PER_S, SystemClock
from eew.egress.embedded import embedded_broker
from eew.egress.mosquitto import find_mosquitto, mosquitto_broker
from eew.egress.mqtt import AlertPublisher
from eew.model.alert import (
    AlertMagnitude,
    AlertMessage,
    AlertOrigin,
    AlertPrediction,
    AlertQuality,
    AlertTrace,
    CancelReason,
    MsgType,
    Status,
)
from eew.model.place import Contact, HelpPack, Shelter
from eew.mqtt_link import BrokerAddress, open_link

BOTH = pytest.mark.parametrize(
    "kind",
    [
        pytest.param("embedded", marks=pytest.mark.broker),
        pytest.param("mosquitto", marks=[pytest.mark.broker, pytest.mark.mosquitto]),
    ],
)


def broker_of(kind: str, *, port: int | None = None) -> AbstractAsyncContextManager[BrokerAddress]:
    """Return a broker of a kind, on a given port where it must come back at the same place."""
    if kind == "embedded":
        return embedded_broker(port=port or 0)
    return mosquitto_broker(mosquitto_program(), port=port)


def mosquitto_program() -> str:
    program = find_mosquitto()
    assert program is not None, "the marker should have skipped this test"
    return program


async def until(condition: Callable[[], bool], *, timeout_s: float = 10.0) -> None:
    """Wait until ``condition`` holds; fail where it does not in time."""
    try:
        async with asyncio.timeout(timeout_s):
            for _ in iter(condition, True):
                await asyncio.sleep(0.01)
    except TimeoutError:
        pytest.fail(f"not so within {timeout_s} s", pytrace=True)


class Recorder:
    """Everything that came on some topics, in order."""

    def __init__(self) -> None:
        self.got: list[tuple[str, bytes]] = []

    def on(self, ending: str) -> list[bytes]:
        """Return the payloads of topics with this ending."""
        return [payload for topic, payload in self.got if topic.endswith(ending)]


@contextlib.asynccontextmanager
async def recording(address: BrokerAddress, *filters: str) -> AsyncIterator[Recorder]:
    """Record what a plain MQTT client receives on ``filters``."""
    recorder = Recorder()

    async def read() -> None:
        async for topic, payload in link.messages():
            recorder.got.append((topic, payload))

    async with open_link(address) as link:
        await link.subscribe(dict.fromkeys(filters, 1))
        task = asyncio.create_task(read())
        try:
            yield recorder
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


class Forwarder:
    """A network between a client and a broker, that can break without a word."""

    def __init__(self, address: BrokerAddress) -> None:
        self._target = address
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> BrokerAddress:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return replace(self._target, port=self._server.sockets[0].getsockname()[1])

    async def __aexit__(self, *exc: object) -> None:
        self._server.close()
        self.cut()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """Reset every connection."""
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        far_reader, far_writer = await asyncio.open_connection(self._target.host, self._target.port)
        self._writers |= {writer, far_writer}
        await asyncio.gather(self._pipe(reader, far_writer), self._pipe(far_reader, writer))

    async def _pipe(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()


def is_running(pid: int) -> bool:
    """Tell whether a process lives; a zombie does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def children_of(pid: int) -> list[int]:
    """Return the living child processes of ``pid``."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            fields = Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            found.append(int(entry))
    return found


NOW_NS = 1_700_000_000 * NS_PER_S
EPICENTRE = (29.6, 102.1)


def alert(
    serial: int = 1,
    *,
    msg_type: MsgType | None = None,
    event_id: str = "ev1",
    radius_km: float = 40.0,
    lifetime_s: float = 120.0,
    issued_ns: int = NOW_NS,
    magnitude: float = 6.8,
) -> AlertMessage:
    """Return a message of an event in Sichuan that concerns a circle of ``radius_km``."""
    kind = msg_type or (MsgType.ALERT if serial == 1 else MsgType.UPDATE)
    lat, lon = EPICENTRE
    return AlertMessage(
        event_id=event_id,
        serial=serial,
        msg_type=kind,
        status=Status.EXERCISE,
        issued_ns=issued_ns,
        expires_ns=issued_ns + round(lifetime_s * NS_PER_S),
        origin=AlertOrigin(
            time_ns=issued_ns - 6 * NS_PER_S,
            lat=lat,
            lon=lon,
            depth_km=12.0,
            h_sigma_km=2.0,
            z_sigma_km=4.0,
            time_sigma_s=0.4,
            provisional=False,
        ),
        magnitude=AlertMagnitude(value=magnitude, type="Mpd", sigma=0.3, lower_bound=False),
        quality=AlertQuality(n_stations=6, n_picks=8, gap_deg=110.0, likelihood=0.95),
        prediction=AlertPrediction(
            scale="csi",
            relation="gb18306_qinghai_tibet",
            max_intensity=8.4,
            radii_km={3: radius_km, 5: radius_km / 3.0},
        ),
        first_pick_ns=issued_ns - 4 * NS_PER_S,
        trace=AlertTrace(
            last_sample_ns=issued_ns - NS_PER_S,
            received_ns=issued_ns - NS_PER_S // 2,
            pick_ns=issued_ns - 2 * NS_PER_S,
            decided_ns=issued_ns,
        ),
        cancel_reason=CancelReason.FALSE_ALERT if kind is MsgType.CANCEL else None,
    )


def pack_of(area: str, version: int = 1) -> HelpPack:
    """Return a small help pack."""
    return HelpPack(
        area=area,
        version=version,
        country="CN",
        contacts=(Contact(kind="emergency", number="119", name={"en": "Fire and rescue"}),),
        rescue={"en": "Knock on a pipe.", "zh": "敲击管道。"},
        shelters=(
            Shelter(
                id="s1", name="School", lat=EPICENTRE[0], lon=EPICENTRE[1] + 0.01, generated=True
            ),
        ),
        source="test",
        generated=True,
    )


def publisher_of(address: BrokerAddress, **settings: Any) -> AlertPublisher:
    """Return a publisher with a test's usual settings."""
    usual: dict[str, Any] = {
        "service_id": "test",
        "run_id": "run",
        "seed": 1,
        "signer": development_key(1),
        "clock": SystemClock(),
        "now_ns": lambda: NOW_NS,
    }
    return AlertPublisher(address, **(usual | settings))
