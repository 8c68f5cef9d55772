"""Every byte that phones and TVs send, on the way to a real broker: where is it they are?

Nothing finer than the cell they are in, and no word by which one could be known again after it
was installed anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import struct
from collections.abc import Iterator
from typing import Any

import h3
import numpy as np
import pytest

from clients.device import Device
from clients.events import Shown
from clients.phone import Phone
from clients.subscriber import Place, Receipt, run_device
from clients.tv import TV
from eew.app.development_key import development_key, development_keyring
from eew.clock import SystemClock
from eew.entropy import fresh_seed
from eew.messages.cells import cell_of, is_cell
from eew.mqtt_link import BrokerAddress
from eew.mqtt_packets import PUBLISH, next_frame, parse_publish
from tests.integration.brokers import (
    EPICENTRE,
    NOW_NS,
    Forwarder,
    alert,
    broker_of,
    pack_of,
    publisher_of,
    until,
)

pytestmark = [pytest.mark.broker, pytest.mark.mosquitto]

CLOCK = SystemClock()
_CONNECT = 0x10
_CELL = re.compile(rb"(?<![0-9a-f])8[0-9a-f]{14}(?![0-9a-f])")
_WORD = re.compile(rb"[A-Za-z0-9._:-]{4,}")
_SCALES = (10**2, 10**3, 10**4, 10**5, 10**6, 10**7)


class Tap(Forwarder):
    """A network that writes down what the device behind it sends."""

    def __init__(self, address: BrokerAddress) -> None:
        super().__init__(address)
        self.heard = bytearray()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._from_device = reader
        await super()._serve(reader, writer)

    async def _pipe(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                if reader is self._from_device:
                    self.heard += data
                writer.write(data)
                await writer.drain()
        writer.close()


def spellings(lat: float, lon: float, cell: str) -> Iterator[bytes]:
    """Yield every way we could think of to write a position finer than its cell."""
    for value in (lat, lon):
        for digits in range(2, 8):
            factor = 10**digits
            for cut in (round(value, digits), int(value * factor) / factor):
                yield f"{cut:.{digits}f}".encode()
        for scale in _SCALES[1:]:  # whole numbers, as help packs have them
            yield str(round(value * scale)).encode()
            yield str(int(value * scale)).encode()
        for form in (">d", "<d", ">f", "<f"):
            yield struct.pack(form, value)
            yield struct.pack(form, np.radians(value))
    for resolution in range(h3.get_resolution(cell) + 1, 16):
        fine = h3.latlng_to_cell(lat, lon, resolution)
        yield fine.encode()
        yield fine.upper().encode()
        yield int(fine, 16).to_bytes(8, "big")
        yield str(int(fine, 16)).encode()


def settings_of(name: str, place: Place) -> dict[str, Any]:
    return {
        "id": name,
        "lat": place[0],
        "lon": place[1],
        "country": "CN",
        "keyring": development_keyring(1),
    }


async def capture(
    address: BrokerAddress, device: Device, way: list[Place], event_id: str, *, n_alerts: int
) -> bytes:
    """Let a device live through alerts while it is carried along a way; return what it sent."""
    receipts: list[Receipt] = []
    moves: asyncio.Queue[Place] = asyncio.Queue()
    up = asyncio.Event()
    tap = Tap(address)
    async with (
        tap as far,
        publisher_of(address, signer=development_key(1), heartbeat_s=0.2) as publisher,
    ):
        await publisher.publish_help_packs(
            [pack_of(cell) for cell in sorted({device.cell, *(cell_of(*place) for place in way)})]
        )
        task = asyncio.create_task(
            run_device(
                device,
                far,
                clock=CLOCK,
                rng=np.random.default_rng(fresh_seed()),
                now_ns=lambda: NOW_NS,
                on_receipt=receipts.append,
                on_link=lambda failure: up.set() if failure is None else None,
                moves=moves,
            )
        )
        try:
            await up.wait()
            for serial in range(1, n_alerts + 1):
                await publisher.publish_alert(
                    alert(serial, event_id=event_id, magnitude=8.0, radius_km=400.0)
                )
                await until(lambda s=serial: _shown(receipts, s))  # type: ignore[misc]
                if way:
                    place = way[(serial - 1) % len(way)]
                    moves.put_nowait(place)
                    await until(lambda p=place: device.cell == cell_of(*p))  # type: ignore[misc]
            await asyncio.sleep(0.3)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
    return bytes(tap.heard)


def _shown(receipts: list[Receipt], serial: int) -> bool:
    return any(
        isinstance(event, Shown) and event.serial == serial
        for receipt in receipts
        for event in receipt.events
    )


def packets(heard: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield first byte and body of each whole packet."""
    at = 0
    while (frame := next_frame(heard, at)) is not None:
        yield frame.first, heard[frame.start : frame.end]
        at = frame.end


@pytest.mark.slow
async def test_nothing_that_devices_send_says_where_they_are(rng: np.random.Generator) -> None:
    lat, lon = EPICENTRE
    starts = [
        (lat + float(rng.uniform(-0.2, 0.2)), lon + float(rng.uniform(-0.2, 0.2))) for _ in range(4)
    ]
    way = [(lat + step * 0.2637771, lon + step * 0.4818873) for step in range(1, 5)]
    assert len({cell_of(*place) for place in way}) > 1  # it crosses from one cell into another
    async with broker_of("mosquitto") as address:
        cases: list[tuple[Device, list[Place]]] = [
            (Phone(**settings_of("anna-phone", starts[0])), way),
            (Phone(**settings_of("bo-phone", starts[1])), []),
            (TV(district="Luding", **settings_of("district-tv", starts[2])), []),
            (Phone(profile="deaf", language="zh", **settings_of("chen", starts[3])), way[::-1]),
        ]
        for number, (device, stops) in enumerate(cases):
            start = starts[number]
            heard = await capture(address, device, stops, f"ev-{number}", n_alerts=4)
            assert heard.count(b"/ack") >= 4  # it answered: silence would prove nothing
            places = [start, *stops]
            allowed = {cell_of(*place) for place in places}
            found = {one.decode() for one in _CELL.findall(heard)}
            assert found <= allowed
            assert all(is_cell(cell) for cell in found)
            assert len(found) == len(allowed)
            for place in places:
                for spelling in spellings(*place, cell_of(*place)):
                    assert spelling not in heard, spelling
            assert device.id.encode() not in heard
            assert b"Luding" not in heard


@pytest.mark.slow
async def test_two_installs_of_a_device_have_nothing_in_common_that_is_not_everybodys() -> None:
    place = (EPICENTRE[0] + 0.0314159, EPICENTRE[1] - 0.0271828)
    nearby = (EPICENTRE[0] - 0.0141421, EPICENTRE[1] + 0.0173205)
    assert cell_of(*place) == cell_of(*nearby)
    heard = []
    async with broker_of("mosquitto") as address:
        for n, (name, where) in enumerate((("anna", place), ("anna", place), ("bo", nearby))):
            device = Phone(**settings_of(name, where))
            heard.append(await capture(address, device, [], f"ev-{n}", n_alerts=2))
    first, again, other = (set(_WORD.findall(one)) for one in heard)
    assert first & again <= other
    names = [re.findall(rb"client/([0-9a-f]{16})/ack", one)[0] for one in heard]
    assert len(set(names)) == 3
    for one, name in zip(heard, names, strict=True):
        sent = list(packets(one))
        assert sent[0][0] & 0xF0 == _CONNECT
        protocol, client_id = _connect_fields(sent[0][1])
        assert protocol == b"MQTT"
        assert client_id in (b"", name)  # the broker makes up a name, or it is that of this start
        topics = {
            parse_publish(kind, body, version=address.protocol).topic
            for kind, body in sent
            if kind & 0xF0 == PUBLISH
        }
        assert len(topics) == 1


def _connect_fields(body: bytes) -> tuple[bytes, bytes]:
    """Return protocol name and client identifier of a CONNECT of MQTT 5."""
    size = int.from_bytes(body[:2], "big")
    protocol, at = body[2 : 2 + size], 2 + size + 4  # level, flags, keep alive
    at += 1 + body[at]  # properties, fewer than 128 bytes
    size = int.from_bytes(body[at : at + 2], "big")
    return protocol, body[at + 2 : at + 2 + size]


async def test_the_tap_hears_what_it_is_there_to_hear(rng: np.random.Generator) -> None:
    """The guard of this guard: a device that gives itself away is found out."""

    class Careless(Phone):
        def subscriptions(self) -> list[str]:
            return [*super().subscriptions(), f"eew/v1/near/{self._lat:.3f}/{self._lon:.3f}"]

    place = (EPICENTRE[0] + 0.0314159, EPICENTRE[1])
    async with broker_of("mosquitto") as address:
        heard = await capture(address, Careless(**settings_of("x", place)), [], "ev", n_alerts=1)
    assert any(spelling in heard for spelling in spellings(*place, cell_of(*place)))
