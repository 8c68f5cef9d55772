"""Phones of a crowd that come into another area, on a real broker: they listen there."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from clients.crowd.outcome import Outcome
from clients.crowd.travellers import Travellers
from clients.crowd.trips import Trips
from eew.clock import NS_PER_S, SystemClock
from eew.messages.topics import area_alert_topic, cell_of
from eew.physics.geo import azimuth_deg, epicentral_distance_km
from tests.integration.brokers import EPICENTRE
from tests.integration.crowd_broker import CLOCK, Crowd, Service, live_alert, mosquitto, places

pytestmark = [pytest.mark.broker, pytest.mark.mosquitto]

N = 40
GOAL = (29.98, 103.0)  # 97 km to the east, where more people live: areas are smaller
SPEED_KMH = 500.0


class Hurried(SystemClock):
    """Runs 400 times as fast, for those who travel."""

    def __init__(self) -> None:
        self._began_ns = CLOCK.monotonic_ns()

    def monotonic_ns(self) -> int:
        return self._began_ns + 400 * (CLOCK.monotonic_ns() - self._began_ns)


def trips(devices: range) -> Trips:
    n = len(devices)
    home_lat, home_lon = (np.full(n, degrees) for degrees in EPICENTRE)
    return Trips(
        device=np.array(devices, dtype=np.int64),
        lat=home_lat,
        lon=home_lon,
        azimuth_deg=azimuth_deg(home_lat, home_lon, *GOAL),
        distance_km=epicentral_distance_km(home_lat, home_lon, *GOAL),
        speed_kmh=SPEED_KMH,
    )


def travel(crowd: Crowd, devices: range) -> Travellers:
    """Let devices go until they are about at the goal."""
    clock = Hurried()
    began_ns = clock.monotonic_ns()
    travellers = Travellers(trips(devices), crowd.logic, crowd.engine, clock, began_ns)
    there_s = float(trips(devices).distance_km[0]) / SPEED_KMH * 3600.0
    while clock.monotonic_ns() - began_ns < 1.05 * there_s * NS_PER_S:
        travellers.turn()
        crowd.engine.poll(0.01)
    return travellers


def test_travellers_are_told_where_they_are_and_not_where_they_were(tmp_path: Path) -> None:
    home, away = (cell_of(*place) for place in (EPICENTRE, GOAL))
    assert home != away
    who = replace(
        places(N), lat=np.full(N, EPICENTRE[0]), lon=np.full(N, EPICENTRE[1])
    )  # all at home
    with mosquitto(tmp_path) as broker:
        crowd = Crowd(who, broker.port, settle_per_s=1e9)
        with crowd as engine, Service(broker.port) as service:
            engine.connect(range(N))
            crowd.until("settled")
            service.publish([area_alert_topic(home)], live_alert(1))
            crowd.until("told")
            crowd.idle(0.5)

            going = range(N // 2)
            travellers = travel(crowd, going)
            assert len(travellers) == N // 2
            assert travellers.n_crossings >= N // 2
            assert travellers.n_moves > travellers.n_crossings
            listening = {crowd.logic.subscriptions(device) for device in going}
            assert {name for topics in listening for name, _ in topics} >= {area_alert_topic(away)}
            crowd.idle(0.6)

            # what goes on was read on the way, and not shown again
            told = Counter(crowd.told())
            assert set(told.values()) == {1}
            assert {device for device, outcome in crowd.outcomes if outcome is Outcome.DUPLICATE} \
                >= set(going)  # fmt: skip

            before = len(crowd.outcomes)
            service.publish([area_alert_topic(away)], live_alert(2))
            crowd.idle(0.5)
            # once each: the current state, which says the same, was left again
            assert sorted(device for device, _ in crowd.outcomes[before:]) == list(going)
            before = len(crowd.outcomes)
            service.publish([area_alert_topic(home)], live_alert(3))
            crowd.idle(0.5)
            stayed = list(range(N // 2, N))
            assert sorted(device for device, _ in crowd.outcomes[before:]) == stayed


def test_who_cannot_be_reached_does_not_move(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as broker:
        crowd = Crowd(places(4), broker.port, settle_per_s=1e9)
        with crowd as engine:
            engine.connect(range(2))
            while engine.n_up < 2:
                engine.poll(0.05)
            engine.set_radio(1, on=False)
            before = [crowd.logic.subscriptions(device) for device in range(4)]
            travel(crowd, range(4))
            moved = [crowd.logic.subscriptions(device) != before[device] for device in range(4)]
            assert moved == [True, False, False, False]
