"""Whoever may publish anything anywhere can still show nobody anything.

Hundreds of tries of each kind against a device, and as many through a real broker. 10,000 of each
against a device, as in docs/decisions/0045, take about two minutes:

    EEW_RED_TEAM_TRIES=10000 .venv/bin/python -m pytest -s tests/integration/test_red_team.py
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from clients.crowd.logic import CrowdLogic
from clients.crowd.outcome import Outcome
from clients.device import Device
from clients.events import DeviceEvent, Ignored, Shown
from clients.fleet import Fleet
from clients.session import Link
from eew.clock import SystemClock
from eew.messages import help_wire
from eew.messages.seal import Keyring
from eew.messages.topics import area_alert_topic, heartbeat_topic, help_topic, status_topic
from eew.model.alert import Status
from eew.mqtt_link import BrokerAddress, open_link
from tests.integration.brokers import (
    EPICENTRE,
    NOW_NS,
    alert,
    broker_of,
    pack_of,
    publisher_of,
    until,
)
from tests.integration.red_team import (
    KEY,
    KINDS,
    PINNED,
    SERVICE,
    Attacker,
    S,
    beat,
    phone,
    sealed,
    status,
)
from tests.unit.crowd_cases import Person, places_of

TRIES = int(os.environ.get("EEW_RED_TEAM_TRIES") or 500)
TRIES_ON_A_BROKER, BURST = 300, 10


def at_home() -> Device:
    """Return a phone that has heard three heartbeats, its help pack and that all is well."""
    device = phone()
    device.receive(help_topic(device.cell), help_wire.encode(pack_of(device.cell), signer=KEY), 0)
    device.receive(status_topic(SERVICE), status(NOW_NS - 2 * S, KEY, online=True), NOW_NS - 2 * S)
    for ago_s in (2, 1, 0):
        sent_ns = NOW_NS - ago_s * S
        device.receive(heartbeat_topic(), beat(sent_ns, KEY), sent_ns)
    assert device.counts == {"accepted": 0, "vanished": 0}
    return device


def outcome(events: list[DeviceEvent]) -> str:
    """Return why something was ignored; fail where anything else came of it."""
    (event,) = events
    assert isinstance(event, Ignored), event
    return event.reason


def is_alive(device: Device, serial: int = 1) -> None:
    """Assert that a genuine alert is shown all the same."""
    payload = sealed(alert(serial, event_id="real", radius_km=150.0), KEY)
    events = device.receive(area_alert_topic(device.cell), payload, NOW_NS)
    assert any(isinstance(event, Shown) and event.event_id == "real" for event in events)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(KINDS))
def test_no_number_of_tries_of_a_kind_changes_anything(name: str, rng: np.random.Generator) -> None:
    device, kind = at_home(), KINDS[name]
    attacker = Attacker(rng, device.cell)
    before = device.presentation(NOW_NS)
    reasons: Counter[str] = Counter()
    for _ in range(TRIES):
        topic, payload = kind.forge(attacker)
        reasons[outcome(device.receive(topic, payload, NOW_NS))] += 1
    sys.stdout.write(f"{name}: {TRIES} tries, 0 shown, {dict(sorted(reasons.items()))}\n")
    assert set(reasons) <= kind.reasons
    assert device.presentation(NOW_NS) == before  # help, notes, clock and screen
    assert device.link(NOW_NS) is Link.LIVE
    assert {name: n for name, n in device.counts.items() if n} == dict(reasons)
    is_alive(device)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(KINDS))
def test_a_crowd_refuses_each_kind_as_a_device_does(name: str, rng: np.random.Generator) -> None:
    device, kind = at_home(), KINDS[name]
    here = Person(lat=EPICENTRE[0] + 0.05, lon=EPICENTRE[1])
    logic = CrowdLogic(places_of((here,)), Keyring(PINNED))
    attacker = Attacker(rng, device.cell)

    def take(topic: str, payload: bytes, at_ns: int) -> Outcome:
        number = np.array([logic.intern(topic.encode(), payload)], dtype=np.int32)
        outcomes = logic.receive(np.zeros(1, dtype=np.int32), number, np.array([at_ns]))
        return Outcome(outcomes[0])

    take(help_topic(device.cell), help_wire.encode(pack_of(device.cell), signer=KEY), 0)
    take(status_topic(SERVICE), status(NOW_NS - 2 * S, KEY, online=True), NOW_NS - 2 * S)
    for ago_s in (2, 1, 0):
        take(heartbeat_topic(), beat(NOW_NS - ago_s * S, KEY), NOW_NS - ago_s * S)
    before, counted = logic.presentation(0, NOW_NS), logic.counts
    for _ in range(TRIES):
        topic, payload = kind.forge(attacker)
        device.receive(topic, payload, NOW_NS)
        assert take(topic, payload, NOW_NS) > Outcome.RECEIVED
    refused = {reason: n for reason, n in logic.counts.items() if n != counted.get(reason, 0)}
    assert refused == {reason: n for reason, n in device.counts.items() if n}
    assert sum(refused.values()) == TRIES
    assert logic.presentation(0, NOW_NS) == before
    real = sealed(alert(1, event_id="real", radius_km=150.0), KEY)
    assert take(attacker.area, real, NOW_NS) is Outcome.SHOWN


@pytest.mark.slow
@pytest.mark.parametrize("name", ["replayed", "lower serial", "cancel forged"])
def test_no_number_of_tries_changes_a_screen_that_warns(
    name: str, rng: np.random.Generator
) -> None:
    device = at_home()
    attacker = Attacker(rng, device.cell)
    taken = [sealed(alert(n, radius_km=150.0), KEY) for n in (3, 5)]
    lower = [sealed(alert(n, radius_km=150.0), KEY) for n in (1, 2, 4)]
    for payload in taken:
        assert any(
            isinstance(event, Shown) for event in device.receive(attacker.area, payload, NOW_NS)
        )
    before = device.presentation(NOW_NS)
    assert before.event_id == "ev1"
    reasons: Counter[str] = Counter()
    for n in range(TRIES):
        topic, payload = attacker.area, (taken if name == "replayed" else lower)[n % 2]
        if name == "cancel forged":
            topic, payload = attacker.cancel()
        reasons[outcome(device.receive(topic, payload, NOW_NS))] += 1
    sys.stdout.write(f"{name}: {TRIES} tries, 0 shown, {dict(sorted(reasons.items()))}\n")
    allowed = {"replayed": {"duplicate"}, "lower serial": {"old_serial"}}
    assert set(reasons) <= allowed.get(name, KINDS["cancel forged"].reasons)
    assert device.presentation(NOW_NS) == before


@pytest.mark.slow
def test_a_key_for_exercises_counts_for_nothing_in_the_drill_tree(rng: np.random.Generator) -> None:
    device = phone(tree=Status.DRILL)
    attacker = Attacker(rng, device.cell)
    reasons = Counter(
        outcome(device.receive(*attacker.real_as_drill(), NOW_NS)) for _ in range(TRIES)
    )
    assert reasons == {"wrong_tree": TRIES}


@pytest.mark.slow
def test_a_device_without_keys_believes_nobody(rng: np.random.Generator) -> None:
    device = phone(keyring=None)
    attacker = Attacker(rng, device.cell)
    for payload in attacker.live:
        assert outcome(device.receive(attacker.area, payload, NOW_NS)) == "unknown_key"


@pytest.mark.slow
@pytest.mark.parametrize("joined", ["long ago", "just now"])
def test_old_heartbeats_do_not_make_an_old_alert_new(joined: str, rng: np.random.Generator) -> None:
    """A recorded hour is played again, as fast as it goes, beside the living service."""
    device = at_home() if joined == "long ago" else phone()
    attacker = Attacker(rng, device.cell)
    shown = 0
    for age_s in rng.integers(130, 20_000, size=max(TRIES // 50, 50)).tolist():
        then_ns = NOW_NS - age_s * S
        old = sealed(alert(1, event_id=f"then-{age_s}", issued_ns=then_ns, radius_km=150.0), KEY)
        for n in range(49):  # for up to a second nothing is heard of the living service
            sent_ns, now_ns = then_ns + n * S // 4, NOW_NS + n * S // 50
            device.receive(heartbeat_topic(), beat(sent_ns, KEY), now_ns)
        events = device.receive(attacker.area, old, NOW_NS + S)
        shown += sum(isinstance(event, Shown) for event in events)
        if joined == "just now":
            device = phone()
    assert shown == 0


async def _attack(
    attacker: Attacker,
    address: BrokerAddress,
    name: str,
    told: list[DeviceEvent],
    knows_the_time: Callable[[], bool],
) -> None:
    """Publish as fast as the device takes it.

    A device whose heartbeats are held up and then come in a bunch does not know the time for a
    moment, and takes what the service itself signed for the future (decision 0045).
    """
    async with open_link(address) as link:
        for _ in range(0, TRIES_ON_A_BROKER, BURST):
            await until(knows_the_time)
            wanted = _ignored(told) + BURST
            await asyncio.gather(
                *(
                    link.publish(*KINDS[name].forge(attacker), qos=1, timeout_s=10.0)
                    for _ in range(BURST)
                )
            )
            await until(lambda n=wanted: _ignored(told) >= n)  # type: ignore[misc]


@pytest.mark.slow
@pytest.mark.broker
@pytest.mark.mosquitto
async def test_no_forgery_comes_through_a_real_broker(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clients.subscriber._JOINED_S", 3600.0)  # it hears both alert topics
    clock = SystemClock()
    start_ns = clock.monotonic_ns()

    def now_ns() -> int:
        return NOW_NS + clock.monotonic_ns() - start_ns

    device = phone()

    def knows_the_time() -> bool:
        return device._session.clock_known(now_ns())

    told: list[DeviceEvent] = []
    async with (
        broker_of("mosquitto") as address,
        publisher_of(address, signer=KEY, now_ns=now_ns, service_id=SERVICE) as publisher,
    ):
        await publisher.publish_help(pack_of(device.cell))
        fleet = Fleet(
            [device],
            replace(address, kind="remote"),  # then it listens to event/+/current for a while
            clock,
            seed=1,
            now_ns=now_ns,
            on_events=lambda _device, events, _data_ns: told.extend(events),
        )
        async with fleet:
            await until(knows_the_time)  # after three heartbeats
            before = device.presentation(now_ns())
            told.clear()
            for name in KINDS:
                attacker = Attacker(rng, device.cell, now_ns())
                await _attack(attacker, address, name, told, knows_the_time)
            counts = {reason: n for reason, n in device.counts.items() if n}
            n_tries = len(KINDS) * TRIES_ON_A_BROKER
            sys.stdout.write(f"{len(KINDS)} kinds, {n_tries} tries, 0 shown: {counts}\n")
            assert all(isinstance(event, Ignored) for event in told)
            assert sum(counts.values()) == n_tries
            after = device.presentation(now_ns())
            assert after == before
            told.clear()
            await publisher.publish_alert(alert(1, issued_ns=now_ns(), radius_km=150.0))
            await until(lambda: any(isinstance(event, Shown) for event in told))


def _ignored(events: list[DeviceEvent]) -> int:
    return sum(isinstance(event, Ignored) for event in events)
