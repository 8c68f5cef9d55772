"""Many real devices on real brokers: none lost, none doubled, all back after a restart."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from clients.fleet import Fleet
from clients.locality import SharedEstimator
from clients.phone import Phone
from clients.subscriber import Device, Receipt, run_device
from clients.tv import TV
from eew.app.development_key import development_key, development_keyring
from eew.clock import SystemClock
from eew.egress.mosquitto import free_port
from eew.egress.plan import AlertPlanner
from eew.errors import ConfigError, ConnectError
from eew.messages import wire
from eew.messages.control_wire import decode_ack
from eew.model.alert import MsgType
from eew.mqtt_link import BrokerAddress, open_link
from tests.integration.brokers import (
    BOTH,
    EPICENTRE,
    NOW_NS,
    Forwarder,
    alert,
    broker_of,
    pack_of,
    publisher_of,
    recording,
    until,
)

CLOCK = SystemClock()
KEYS = development_keyring(1)


def phones(n: int, rng: np.random.Generator, *, spread_deg: float = 0.5) -> list[Device]:
    """Return devices round the epicentre; each tenth is a TV."""
    estimator = SharedEstimator()
    made: list[Device] = []
    for i in range(n):
        lat, lon = (centre + rng.uniform(-spread_deg, spread_deg) for centre in EPICENTRE)
        settings: dict[str, Any] = {
            "id": f"d{i:03d}",
            "lat": lat,
            "lon": lon,
            "country": "CN",
            "estimator": estimator,
            "follow_heartbeat": False,
            "keyring": KEYS,
        }
        made.append(TV(district="Luding", **settings) if i % 10 == 9 else Phone(**settings))
    return made


def fleet_of(devices: list[Device], address: BrokerAddress, seed: int = 1) -> Fleet:
    return Fleet(devices, address, CLOCK, seed=seed, now_ns=lambda: NOW_NS, heartbeats=False)


@BOTH
async def test_an_alert_to_fifty_devices_reaches_each_once(
    kind: str, rng: np.random.Generator
) -> None:
    devices = phones(50, rng)
    progress: list[tuple[int, int]] = []
    async with broker_of(kind) as address, publisher_of(address) as publisher:
        await publisher.publish_help(pack_of("country:CN"))
        fleet = fleet_of(devices, address)
        await fleet.start(progress=lambda n, of: progress.append((n, of)))
        try:
            assert progress[-1] == (50, 50)
            for serial in range(1, 6):
                receipt = await publisher.publish_alert(alert(serial, radius_km=150.0))
                fleet.sent("ev1", serial, receipt.sent_ns)
                expected = fleet.listeners(receipt.topics)
                assert len(expected) == 50
                report = await fleet.wait_answers("ev1", serial, expected)
                assert report.missing == ()
                assert report.n_shown == 50
                latencies = report.latencies_ns()
                assert all(0 < latency < 5e9 for latency in latencies.values())
            await until(lambda: publisher.n_waiting == 0)
            await asyncio.sleep(0.2)  # a second copy would come now
            summary = fleet.summary()
        finally:
            await fleet.stop()
    assert (summary.expected, summary.delivered, summary.lost) == (250, 250, 0)
    assert (summary.duplicates, summary.repeats, summary.late) == (0, 0, 0)
    assert len(summary.latencies_ns) == 250


@BOTH
async def test_devices_far_away_are_not_told(kind: str, rng: np.random.Generator) -> None:
    near = phones(3, rng, spread_deg=0.1)
    far = Phone(id="far", lat=39.9, lon=116.4, country="CN", follow_heartbeat=False, keyring=KEYS)
    async with (
        broker_of(kind) as address,
        publisher_of(address) as publisher,
        fleet_of([*near, far], address) as fleet,
    ):
        receipt = await publisher.publish_alert(alert(radius_km=150.0))
        reached = fleet.listeners(receipt.topics)
        assert reached == ("d000", "d001", "d002")
        assert (await fleet.wait_answers("ev1", 1, reached)).missing == ()
        report = await fleet.wait_answers("ev1", 1, [*reached, "far"], timeout_s=0.3)
    assert report.missing == ("far",)
    assert sorted(report.answers) == ["d000", "d001", "d002"]


@BOTH
async def test_a_device_that_joins_late_finds_help_and_the_current_alert_once(
    kind: str, rng: np.random.Generator
) -> None:
    devices = phones(1, rng, spread_deg=0.1)
    async with broker_of(kind) as address, publisher_of(address) as publisher:
        await publisher.publish_help(pack_of("country:CN", version=10**12))
        await publisher.publish_alert(alert(1))
        await publisher.publish_alert(alert(2))
        await until(lambda: publisher.n_waiting == 0)
        async with fleet_of(devices, address) as fleet:
            report = await fleet.wait_answers("ev1", 2, ["d000"])
            assert report.n_shown == 1
            # what comes after joining comes once, although it is both live and current
            receipt = await publisher.publish_alert(alert(3))
            report = await fleet.wait_answers("ev1", 3, fleet.listeners(receipt.topics))
            assert report.n_shown == 1
            await until(lambda: publisher.n_waiting == 0)
            await asyncio.sleep(0.2)
            summary = fleet.summary()
    assert (summary.lost, summary.duplicates, summary.repeats) == (0, 0, 0)
    phone = devices[0]
    assert isinstance(phone, Phone)
    assert phone.help_facts().version == 10**12
    assert phone.counts["accepted"] == 2


@BOTH
async def test_a_device_that_joins_between_any_two_copies_of_an_alert_does_not_miss_it(
    kind: str, rng: np.random.Generator
) -> None:
    message = alert(1)
    payload = wire.encode(message, run_id="run", seed=1, sent_ns=NOW_NS, signer=development_key(1))
    outgoing = AlertPlanner().plan(message, payload)
    devices = phones(len(outgoing.topics) + 1, rng, spread_deg=0.05)
    fleets = []
    async with broker_of(kind) as address, open_link(address) as link:
        for device, topic in zip(devices, [*outgoing.topics, ""], strict=True):
            fleet = fleet_of([device], address)
            await fleet.start()
            fleets.append(fleet)
            if topic:
                retain = topic in outgoing.current
                await link.publish(topic, outgoing.payload, qos=1, retain=retain)
        for device, fleet in zip(devices, fleets, strict=True):
            report = await fleet.wait_answers("ev1", 1, [device.id])
            assert report.missing == ()
            await fleet.stop()


@BOTH
async def test_an_expired_alert_is_not_shown_to_a_late_device(
    kind: str, rng: np.random.Generator
) -> None:
    devices = phones(1, rng, spread_deg=0.1)
    shown = 0
    async with broker_of(kind) as address, publisher_of(address) as publisher:
        # alive for the broker, over by the device's clock: the device decides
        await publisher.publish_alert(alert(1, issued_ns=NOW_NS - 3600 * 10**9, lifetime_s=120.0))
        await until(lambda: publisher.n_waiting == 0)
        async with fleet_of(devices, address) as fleet:
            report = await fleet.wait_answers("ev1", 1, ["d000"])
            shown = report.n_shown
            assert report.answers["d000"].reason == "expired"
    assert shown == 0


@BOTH
async def test_after_a_restart_of_the_broker_all_come_back_and_show_the_current_alert_once(
    kind: str, rng: np.random.Generator
) -> None:
    devices = phones(20, rng, spread_deg=0.2)
    port = free_port()
    async with broker_of(kind, port=port) as address:
        publisher = await publisher_of(address, hand_over_s=0.2).__aenter__()
        fleet = fleet_of(devices, address)
        await fleet.start()
        receipt = await publisher.publish_alert(alert(1, radius_km=100.0))
        expected = fleet.listeners(receipt.topics)
        assert len(expected) == 20
        assert (await fleet.wait_answers("ev1", 1, expected)).missing == ()
    try:
        await until(lambda: fleet.n_connected == 0)
        publisher.submit(alert(2, radius_km=100.0))  # decided while nobody could be told
        async with broker_of(kind, port=port) as address:
            async with asyncio.timeout(20):
                await fleet.wait_connected()
            report = await fleet.wait_answers("ev1", 2, expected, timeout_s=10.0)
            assert report.missing == ()
            assert report.n_shown == 20
            await until(lambda: publisher.n_waiting == 0)
            await asyncio.sleep(0.2)
            summary = fleet.summary()
            assert (summary.lost, summary.duplicates) == (0, 0)
            assert fleet.n_connections == 40
    finally:
        await fleet.stop()
        await publisher.__aexit__(None, None, None)


@BOTH
async def test_a_device_cut_off_during_a_cancel_learns_of_it_when_it_is_back(
    kind: str, rng: np.random.Generator
) -> None:
    devices = phones(1, rng, spread_deg=0.1)
    async with broker_of(kind) as address, publisher_of(address) as publisher:
        network = Forwarder(address)
        async with network as far, fleet_of(devices, far) as fleet:
            await publisher.publish_alert(alert(1))
            assert (await fleet.wait_answers("ev1", 1, ["d000"])).n_shown == 1
            network.cut()
            await until(lambda: fleet.n_connected == 0)
            await publisher.publish_alert(alert(2, msg_type=MsgType.CANCEL))
            report = await fleet.wait_answers("ev1", 2, ["d000"])
    assert report.n_shown == 1


@BOTH
async def test_cancelling_the_user_of_a_fleet_at_any_moment_leaves_no_task(
    kind: str, rng: np.random.Generator
) -> None:
    async with broker_of(kind) as address:
        others = asyncio.all_tasks()

        async def use(spread: float) -> None:
            async with fleet_of(phones(30, rng, spread_deg=spread), address) as fleet:
                await fleet.wait_answers("nothing", 1, ["d000"], timeout_s=60.0)

        for delay_s in (0.0, 0.005, 0.02, 0.05, 0.1, 0.6):
            task = asyncio.create_task(use(delay_s))
            await asyncio.sleep(delay_s)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            left = [one for one in asyncio.all_tasks() - others if "device" in one.get_name()]
            assert left == []
        await asyncio.sleep(0.05)
        if kind == "mosquitto":  # amqtt's own tasks come and go in this process
            assert asyncio.all_tasks() == others


async def test_a_fleet_without_a_broker_gives_up_in_one_line() -> None:
    address = BrokerAddress(kind="remote", host="127.0.0.1", port=free_port())
    fleet = fleet_of(phones(3, np.random.default_rng(1)), address)
    with pytest.raises(
        ConnectError, match=r"0 of 3 devices connected within 0\.5 s; last: .*refused"
    ):
        await fleet.start(timeout_s=0.5)


async def test_two_devices_of_one_name_are_refused() -> None:
    devices = phones(1, np.random.default_rng(1)) * 2
    with pytest.raises(ConfigError, match="same identity"):
        fleet_of(devices, BrokerAddress(kind="remote", host="127.0.0.1", port=1))


@BOTH
async def test_a_bug_in_a_device_ends_the_waiting(kind: str, rng: np.random.Generator) -> None:
    class Broken(Phone):
        def receive(self, topic: str, payload: bytes, now_ns: int) -> list:  # type: ignore[type-arg]
            raise ZeroDivisionError("a bug")

    broken = Broken(id="broken", lat=EPICENTRE[0], lon=EPICENTRE[1])
    async with broker_of(kind) as address, publisher_of(address) as publisher:
        fleet = fleet_of([broken], address)
        async with fleet:
            await publisher.publish_alert(alert(1))
            with pytest.raises(ZeroDivisionError, match="a bug"):
                await fleet.wait_answers("ev1", 1, ["broken"], timeout_s=5.0)


@BOTH
async def test_a_single_device_publishes_its_answers_and_never_where_it_is(
    kind: str, rng: np.random.Generator
) -> None:
    receipts: list[Receipt] = []
    phone = Phone(
        id="anna",
        lat=29.61234,
        lon=102.15678,
        country="CN",
        follow_heartbeat=False,
        keyring=KEYS,
    )
    async with (
        broker_of(kind) as address,
        publisher_of(address) as publisher,
        recording(address, "eew/v1/client/#") as recorder,
    ):
        task = asyncio.create_task(
            run_device(
                phone,
                address,
                clock=CLOCK,
                rng=rng,
                now_ns=lambda: NOW_NS,
                on_receipt=receipts.append,
            )
        )
        await publisher.publish_alert(alert(1, radius_km=100.0))
        # joining just then, it may find the retained twin and the live copy: one is shown
        await until(lambda: len(recorder.got) >= 1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    topic, payload = recorder.got[0]
    ack = decode_ack(payload)
    assert topic == f"eew/v1/client/{ack.id}/ack"
    assert re.fullmatch("[0-9a-f]{16}", ack.id)  # drawn at this start, not the device's name
    assert (ack.event_id, ack.serial, ack.outcome) == ("ev1", 1, "shown")
    assert (ack.received_ns, ack.shown_ns) == (NOW_NS, NOW_NS)
    assert b"29.6" not in payload
    assert b"102.1" not in payload
    alerts = [receipt for receipt in receipts if receipt.topic.endswith(("/alert", "/current"))]
    assert alerts[0].received_ns <= alerts[0].done_ns


@BOTH
async def test_a_broker_of_unknown_kind_keeps_the_joining_topics_and_nothing_is_shown_twice(
    kind: str, rng: np.random.Generator
) -> None:
    devices = phones(5, rng, spread_deg=0.1)
    async with (
        broker_of(kind) as address,
        publisher_of(address) as publisher,
        fleet_of(devices, replace(address, kind="remote")) as fleet,
    ):
        receipt = await publisher.publish_alert(alert(1, radius_km=100.0))
        report = await fleet.wait_answers("ev1", 1, fleet.listeners(receipt.topics))
        await until(lambda: publisher.n_waiting == 0)
        await until(lambda: fleet.summary().repeats == 5)
    assert report.n_shown == 5
    assert fleet.summary().duplicates == 0
