"""Phones that are carried into an alert and out of it, and phones whose clock is wrong."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from eew.clock import NS_PER_S
from eew.messages.topics import cell_of
from eew.model.alert import Level, MsgType
from tests.integration.brokers import alert, publisher_of, until
from tests.integration.watched_phone import BEIJING, LUDING, Watched, end, phone_at
from tests.integration.weather_cases import CLOCK, Door, mosquitto

pytestmark = [pytest.mark.broker, pytest.mark.mosquitto]

NOTE = "Time not synchronised"


async def test_a_phone_carried_into_an_alert_is_told_and_one_carried_away_hears_no_more(
    rng: np.random.Generator,
) -> None:
    assert cell_of(*BEIJING) != cell_of(*LUDING)
    watched = Watched(phone_at(BEIJING))
    async with mosquitto() as broker:
        door = Door(broker.address)
        async with (
            publisher_of(broker.address, now_ns=CLOCK.utc_ns) as publisher,
            door as address,
        ):
            task = watched.start(address, rng)
            await watched.connected.wait()
            now_ns = CLOCK.utc_ns()
            await publisher.publish_alert(alert(1, radius_km=100.0, issued_ns=now_ns))
            await asyncio.sleep(0.5)
            assert watched.shown == []

            watched.moves.put_nowait(LUDING)
            await until(lambda: len(watched.shown) == 1)
            assert watched.shown[0].level is Level.TAKE_ACTION

            await publisher.publish_alert(alert(2, radius_km=100.0, issued_ns=now_ns + NS_PER_S))
            await until(lambda: len(watched.shown) == 2)
            watched.moves.put_nowait(BEIJING)
            await until(lambda: watched.moves.empty())
            await asyncio.sleep(0.5)
            shown = len(watched.shown)
            await publisher.publish_alert(
                alert(3, msg_type=MsgType.CANCEL, radius_km=100.0, issued_ns=now_ns + 2 * NS_PER_S)
            )
            await asyncio.sleep(0.5)
            told = [event.serial for event in watched.shown]
            await end(task)
    assert len(told) == len(set(told)) == shown
    # neither place can be found in anything it sent, in any spelling with more than a degree
    for place in (BEIJING, LUDING):
        for value in place:
            assert f"{value:.2f}".encode() not in bytes(door.sent)


@pytest.mark.parametrize("offset_s", [-300.0, 300.0], ids=["behind", "ahead"])
async def test_three_heartbeats_mend_a_clock_that_is_wrong_by_minutes(
    rng: np.random.Generator, offset_s: float
) -> None:
    wrong, right = Watched(phone_at(LUDING), offset_s), Watched(phone_at(LUDING))
    async with (
        mosquitto() as broker,
        publisher_of(broker.address, now_ns=CLOCK.utc_ns) as publisher,
    ):
        tasks = [one.start(broker.address, rng) for one in (wrong, right)]
        await asyncio.gather(wrong.connected.wait(), right.connected.wait())
        await until(lambda: NOTE in wrong.notes())  # after three heartbeats at most
        # an alert that was over two minutes ago, and by the wrong clock that is behind is not
        stale_ns = CLOCK.utc_ns() - 240 * NS_PER_S
        await publisher.publish_alert(alert(1, event_id="old", issued_ns=stale_ns))
        await asyncio.sleep(0.3)
        assert wrong.shown == right.shown == []
        far = alert(1, radius_km=150.0, issued_ns=CLOCK.utc_ns(), lifetime_s=60.0)
        await publisher.publish_alert(far)
        await until(lambda: len(wrong.shown) == len(right.shown) == 1)
        screens = [one.phone.presentation(one.now_ns()) for one in (wrong, right)]
        notes = [one.notes() for one in (wrong, right)]
        for task in tasks:
            await end(task)
    assert screens[0].phase is screens[1].phase
    assert screens[0].arrival == screens[1].arrival
    assert NOTE in notes[0]
    assert NOTE not in notes[1]


async def test_without_heartbeats_a_clock_behind_shows_the_alert_and_says_so(
    rng: np.random.Generator,
) -> None:
    watched = Watched(phone_at(LUDING), -300.0)
    async with (
        mosquitto() as broker,
        publisher_of(broker.address, now_ns=CLOCK.utc_ns, heartbeat_s=None) as publisher,
    ):
        task = watched.start(broker.address, rng)
        await watched.connected.wait()
        message = alert(1, radius_km=150.0, issued_ns=CLOCK.utc_ns(), lifetime_s=60.0)
        await publisher.publish_alert(message)
        await until(lambda: len(watched.shown) == 1)
        screen = watched.phone.presentation(watched.now_ns())
        await end(task)
    assert any(NOTE in note for note in screen.notes)
    assert screen.seconds is None  # no number is promised by a clock that is wrong


async def test_without_heartbeats_a_clock_ahead_keeps_silent(rng: np.random.Generator) -> None:
    # it cannot tell a late alert from a fast clock, and silence is the rule: never a stale alert
    watched = Watched(phone_at(LUDING), 300.0)
    async with (
        mosquitto() as broker,
        publisher_of(broker.address, now_ns=CLOCK.utc_ns, heartbeat_s=None) as publisher,
    ):
        task = watched.start(broker.address, rng)
        await watched.connected.wait()
        message = alert(1, radius_km=150.0, issued_ns=CLOCK.utc_ns(), lifetime_s=60.0)
        await publisher.publish_alert(message)
        await until(lambda: watched.phone.counts.get("expired", 0) >= 1)
        await end(task)
    assert watched.shown == []
