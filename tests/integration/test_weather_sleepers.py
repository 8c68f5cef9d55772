"""Phones that sleep while an alert is on: those that wake in time are told, the others are not.

Three ways to sleep: without a connection (flight mode), with a session that the broker keeps and
fills (which our own devices never ask for), and with a connection that nobody reads (doze).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from clients.device import Device as AnyDevice
from clients.events import DeviceEvent, Ignored, Shown
from clients.fleet import Fleet
from clients.subscriber import Device
from eew.model.alert import AlertMessage
from eew.mqtt_link import MQTT_3_1_1, MQTT_5, BrokerAddress
from tests.integration.brokers import alert, publisher_of, until
from tests.integration.weather_cases import CLOCK, Door, devices_near, fleet_of, mosquitto, visit

pytestmark = [pytest.mark.broker, pytest.mark.mosquitto]

LIFETIME_S = 3.0
N_DEVICES = 20
IN_TIME = pytest.mark.parametrize("in_time", [True, False], ids=["in-time", "too-late"])


class Screens:
    """What a fleet showed and refused."""

    def __init__(self) -> None:
        self.shown: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()

    def __call__(self, device: Device, events: Sequence[DeviceEvent], at_ns: int) -> None:
        for event in events:
            if isinstance(event, Shown):
                self.shown[device.id] += 1
            elif isinstance(event, Ignored):
                self.refused[event.reason] += 1


def short_alert(lifetime_s: float = LIFETIME_S) -> AlertMessage:
    """Return an alert of now that is over in a moment."""
    return alert(1, radius_km=150.0, issued_ns=CLOCK.utc_ns(), lifetime_s=lifetime_s)


def awake_fleet(devices: list[AnyDevice], address: BrokerAddress, screens: Screens) -> Fleet:
    return fleet_of(devices, address, now_ns=CLOCK.utc_ns, on_events=screens)


def judge(screens: Screens, *, in_time: bool) -> None:
    if in_time:
        assert len(screens.shown) == N_DEVICES
        assert set(screens.shown.values()) == {1}
    else:
        assert screens.shown == Counter()


@IN_TIME
async def test_flight_mode(rng: np.random.Generator, in_time: bool) -> None:
    screens = Screens()
    async with mosquitto() as broker:
        door = Door(broker.address)
        async with (
            publisher_of(broker.address, now_ns=CLOCK.utc_ns) as publisher,
            door as address,
            awake_fleet(devices_near(N_DEVICES, rng), address, screens) as fleet,
        ):
            door.shut = True
            door.cut()
            await until(lambda: fleet.n_connected == 0)
            # waits between attempts to connect grow to 5 s
            await publisher.publish_alert(short_alert(30.0 if in_time else LIFETIME_S))
            if not in_time:
                await asyncio.sleep(LIFETIME_S + 0.5)
            assert screens.shown == Counter()
            door.shut = False
            await fleet.wait_connected()
            await asyncio.sleep(0.5)  # what the broker holds for them would come now
    judge(screens, in_time=in_time)


@IN_TIME
async def test_doze(rng: np.random.Generator, in_time: bool) -> None:
    screens = Screens()
    async with mosquitto() as broker:
        door = Door(broker.address)
        async with (
            publisher_of(broker.address, now_ns=CLOCK.utc_ns) as publisher,
            door as address,
            awake_fleet(devices_near(N_DEVICES, rng), address, screens) as fleet,
        ):
            door.doze()
            await publisher.publish_alert(short_alert())
            await asyncio.sleep(0.5 if in_time else LIFETIME_S + 0.5)
            assert screens.shown == Counter()
            door.wake()
            reasons = screens.refused
            await until(lambda: len(screens.shown) + reasons["expired"] >= N_DEVICES)
            await asyncio.sleep(0.3)
            assert fleet.n_connected == N_DEVICES
    judge(screens, in_time=in_time)
    # they have all been given it, and those who woke too late know why they kept silent
    assert screens.refused["expired"] == (0 if in_time else N_DEVICES)


@IN_TIME
@pytest.mark.parametrize("version", [MQTT_5, MQTT_3_1_1], ids=["mqtt-5", "mqtt-3.1.1"])
async def test_a_session_the_broker_keeps(
    rng: np.random.Generator, version: int, in_time: bool
) -> None:
    phone = devices_near(1, rng, spread_deg=0.05)[0]

    async with (
        mosquitto() as broker,
        publisher_of(broker.address, now_ns=CLOCK.utc_ns) as publisher,
    ):
        address = broker.address
        before = await visit(
            phone, address, version=version, subscribes=True, listens_s=0.3, now_ns=CLOCK.utc_ns
        )
        assert (before.session_present, before.alerts) == (False, 0)
        await publisher.publish_alert(short_alert())
        if not in_time:
            await asyncio.sleep(LIFETIME_S + 1.2)
        after = await visit(
            phone, address, version=version, subscribes=False, listens_s=0.5, now_ns=CLOCK.utc_ns
        )
    assert after.session_present
    assert after.shown == (1 if in_time else 0)
    if in_time:
        assert after.alerts == 1
    else:
        # mosquitto drops what has expired for clients of either version; a broker of 3.1.1 alone
        # does not know of expiry, and the device has to refuse by itself (test below)
        assert after.alerts in (0, 1)


async def test_a_broker_that_knows_no_expiry_delivers_it_and_the_device_refuses(
    rng: np.random.Generator,
) -> None:
    phone = devices_near(1, rng, spread_deg=0.05)[0]
    async with mosquitto() as broker:
        old = replace(broker.address, protocol=MQTT_3_1_1)  # the publisher then sends no expiry
        async with publisher_of(old, now_ns=CLOCK.utc_ns) as publisher:
            await visit(phone, old, version=4, subscribes=True, listens_s=0.3, now_ns=CLOCK.utc_ns)
            await publisher.publish_alert(short_alert())
            await asyncio.sleep(LIFETIME_S + 0.2)
            after = await visit(
                phone, old, version=4, subscribes=False, listens_s=0.5, now_ns=CLOCK.utc_ns
            )
    assert after.alerts == 1
    assert after.shown == 0
    assert phone.counts["expired"] == 1
