"""Keys, wills and moving devices through real brokers."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np

from clients.events import Shown
from clients.fleet import Fleet
from clients.phone import Phone
from clients.session import Link
from clients.subscriber import Place, Receipt, run_device
from eew.clock import SystemClock
from eew.messages.cells import cell_of
from eew.messages.key_wire import Rotation, encode_rotation
from eew.messages.seal import KeyPair, Keyring
from eew.model.alert import Status
from eew.mqtt_link import BrokerAddress
from tests.integration.brokers import (
    BOTH,
    EPICENTRE,
    NOW_NS,
    Forwarder,
    alert,
    broker_of,
    pack_of,
    publisher_of,
    until,
)

CLOCK = SystemClock()
OLD, SECOND, THIRD = (
    KeyPair(f"ex-{n}", Status.EXERCISE, bytes([n]) * 32, until_ns=NOW_NS + 10**18)
    for n in (1, 2, 3)
)
LATER_NS = NOW_NS + 30 * 86_400 * 10**9
STATEMENTS = [
    encode_rotation(Rotation(key=SECOND.public, previous_until_ns=LATER_NS), OLD),
    encode_rotation(Rotation(key=THIRD.public, previous_until_ns=LATER_NS), SECOND),
]


def phone(**settings: Any) -> Phone:
    usual: dict[str, Any] = {
        "id": "p",
        "lat": EPICENTRE[0],
        "lon": EPICENTRE[1],
        "country": "CN",
        "keyring": Keyring([OLD.public]),
    }
    return Phone(**(usual | settings))


def fleet_of(device: Phone, address: BrokerAddress) -> Fleet:
    return Fleet([device], address, CLOCK, seed=1, now_ns=lambda: NOW_NS)


@BOTH
async def test_a_device_away_for_two_rotations_follows_them_and_shows_what_is_current(
    kind: str,
) -> None:
    device = phone(follow_heartbeat=False)
    async with (
        broker_of(kind) as address,
        publisher_of(address, signer=THIRD, key_statements=STATEMENTS) as publisher,
    ):
        await publisher.publish_help(pack_of(device.cell))
        await publisher.publish_alert(alert(1, radius_km=150.0))
        async with fleet_of(device, address) as fleet:
            report = await fleet.wait_answers("ev1", 1, ["p"])
            assert report.n_shown == 1
            assert device.help_facts().shelter is not None
            assert set(device.counts) == {"accepted", "vanished"}  # nothing was refused


@BOTH
async def test_a_device_that_was_there_before_a_new_key_refuses_nothing_by_it(kind: str) -> None:
    device = phone()
    async with (
        broker_of(kind) as address,
        fleet_of(device, address) as fleet,
        publisher_of(address, signer=THIRD, key_statements=STATEMENTS) as publisher,
    ):
        await publisher.publish_help(pack_of(device.cell))
        await publisher.publish_alert(alert(1, radius_km=150.0))
        report = await fleet.wait_answers("ev1", 1, ["p"])
        assert report.n_shown == 1
        assert set(device.counts) == {"accepted", "vanished"}


@BOTH
async def test_a_device_that_never_hears_of_the_rotation_believes_nobody(kind: str) -> None:
    device = phone(follow_heartbeat=False)
    async with (
        broker_of(kind) as address,
        publisher_of(address, signer=THIRD) as publisher,
        fleet_of(device, address),
    ):
        await publisher.publish_alert(alert(1, radius_km=150.0))
        await until(lambda: device.counts.get("unknown_key", 0) >= 2)
    assert device.counts["accepted"] == 0


@BOTH
async def test_the_last_will_of_a_service_that_is_cut_off_is_signed_and_believed(kind: str) -> None:
    device = phone(keyring=Keyring([THIRD.public]))
    start_ns = CLOCK.monotonic_ns()

    def now_ns() -> int:
        return NOW_NS + CLOCK.monotonic_ns() - start_ns

    async with broker_of(kind) as address:
        network = Forwarder(address)
        async with (
            network as far,
            Fleet([device], address, CLOCK, seed=1, now_ns=now_ns) as fleet,
            publisher_of(far, signer=THIRD, now_ns=now_ns, heartbeat_s=0.5) as publisher,
        ):
            await until(lambda: device.link(now_ns()) is Link.LIVE)
            network.cut()
            network._server.close()  # it cannot come back
            await until(lambda: not publisher.is_connected)
            await until(lambda: device.link(now_ns()) is Link.OFFLINE, timeout_s=4.0)
            assert "old_status" not in device.counts
            assert fleet.n_connected == 1


@BOTH
async def test_a_phone_on_a_train_keeps_its_connection_and_is_told_where_it_is(
    kind: str, rng: np.random.Generator
) -> None:
    far, near = (39.9, 116.4), (EPICENTRE[0] + 0.02, EPICENTRE[1])
    device = phone(lat=far[0], lon=far[1], follow_heartbeat=False, keyring=Keyring([THIRD.public]))
    receipts: list[Receipt] = []
    links: list[object] = []
    moves: asyncio.Queue[Place] = asyncio.Queue()
    async with (
        broker_of(kind) as address,
        publisher_of(address, signer=THIRD) as publisher,
    ):
        task = asyncio.create_task(
            run_device(
                device,
                address,
                clock=CLOCK,
                rng=rng,
                now_ns=lambda: NOW_NS,
                on_receipt=receipts.append,
                on_link=links.append,
                moves=moves,
            )
        )
        try:
            await until(lambda: len(links) == 1)
            await publisher.publish_help(pack_of(cell_of(*near)))
            await publisher.publish_alert(alert(1, radius_km=150.0))
            await asyncio.sleep(0.2)
            assert shown(receipts) == []
            moves.put_nowait(near)  # into the event: it reads what is current there
            await until(lambda: shown(receipts) == [1])
            await until(lambda: device.help_facts().shelter is not None)
            await publisher.publish_alert(alert(2, radius_km=150.0))
            await until(lambda: shown(receipts) == [1, 2])
            moves.put_nowait(far)
            await until(lambda: device.cell == cell_of(*far))
            await asyncio.sleep(0.2)
            await publisher.publish_alert(alert(3, radius_km=150.0))
            await asyncio.sleep(0.2)
            assert shown(receipts) == [1, 2]
            assert links == [None]  # one connection all the way
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def shown(receipts: list[Receipt]) -> list[int]:
    return [
        event.serial for receipt in receipts for event in receipt.events if isinstance(event, Shown)
    ]
