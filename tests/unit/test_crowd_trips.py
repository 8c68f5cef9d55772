"""Phones of a crowd that travel: who, which way, and where they are at which time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.crowd.places import CrowdPlaces, Labels
from clients.crowd.trips import Trips, draw_trips
from eew.app.crowd_options import CrowdOptions
from eew.app.crowd_places import CrowdRequest
from eew.errors import ConfigError
from eew.physics.geo import epicentral_distance_km
from simulator.seeds import rng

N = 60
HOUR_S = 3600.0


def crowd() -> CrowdPlaces:
    draws = np.random.default_rng(4)
    return CrowdPlaces(
        kind=Labels.of(["phone", "phone", "tv"] * (N // 3)),
        lat=draws.uniform(25.0, 35.0, N),
        lon=draws.uniform(100.0, 110.0, N),
        vs30_mps=np.full(N, np.nan),
        language=Labels.of(["zh"] * N),
        country=Labels.of(["CN"] * N),
        profile=Labels.of(["default"] * N),
        title=Labels.of([""] * N),
        clock_offset_ns=np.zeros(N, dtype=np.int64),
        tree=Labels.of(["exercise"] * N),
    )


def drawn(share: float = 1.0, speed_kmh: float = 100.0) -> Trips:
    return draw_trips(crowd(), share, speed_kmh, rng(1, "trips"))


def test_phones_travel_and_televisions_do_not() -> None:
    kind = crowd().kind
    for share, count in ((0.0, 0), (0.25, 10), (1.0, 40)):
        trips = drawn(share)
        assert len(trips) == count
        assert {kind[device] for device in trips.device.tolist()} <= {"phone"}
        assert np.all(np.diff(trips.device) > 0)


def test_one_goes_from_home_to_the_home_of_another_and_back() -> None:
    trips = drawn()
    everybody = slice(None)
    lat, lon = trips.at(everybody, 0.0)
    assert lat == pytest.approx(trips.lat)
    assert lon == pytest.approx(trips.lon)
    homes = crowd()
    for one in range(len(trips)):
        here = slice(one, one + 1)
        there_s = float(trips.distance_km[one]) / trips.speed_kmh * HOUR_S
        lat, lon = trips.at(here, there_s)
        # as far as azimuths are exact: 0.2 degrees
        off_km = np.min(epicentral_distance_km(lat, lon, homes.lat, homes.lon))
        assert off_km < np.radians(0.2) * trips.distance_km[one] + 0.002
        lat, lon = trips.at(here, 2.0 * there_s)
        assert epicentral_distance_km(lat, lon, trips.lat[here], trips.lon[here]) < 0.01


@given(st.floats(0.0, 1e6), st.floats(1.0, 1000.0))
def test_nobody_is_faster_than_said(after_s: float, speed_kmh: float) -> None:
    trips = replace(drawn(), speed_kmh=speed_kmh)
    before, then = (trips.at(slice(None), at_s) for at_s in (after_s, after_s + 10.0))
    gone_km = epicentral_distance_km(*before, *then)
    assert np.all(gone_km <= speed_kmh / HOUR_S * 10.0 * 1.001 + 1e-6)


@pytest.mark.parametrize("parts", [1, 2, 3])
def test_the_ways_are_the_same_in_however_many_processes(parts: int) -> None:
    trips = drawn(0.5)
    found = {}
    for part in range(parts):
        mine = trips.some(part, parts)
        lat, lon = mine.at(slice(None), 1234.0)
        for row, device in enumerate(mine.device.tolist()):
            found[device * parts + part] = (lat[row], lon[row])
    lat, lon = trips.at(slice(None), 1234.0)
    wanted = dict(zip(trips.device.tolist(), zip(lat, lon, strict=True), strict=True))
    assert found == wanted


def test_one_who_goes_to_its_own_home_stays_there() -> None:
    house = np.full(N, 30.0)
    alone = replace(crowd(), lat=house, lon=house)  # all in one
    trips = draw_trips(alone, 1.0, 100.0, rng(1, "trips"))
    for after_s in (0.0, 5.0, 1e5):
        lat, lon = trips.at(slice(None), after_s)
        assert epicentral_distance_km(lat, lon, trips.lat, trips.lon) == pytest.approx(0, abs=0.002)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"travelling": 1.5}, "--travelling: must be 0 to 1, was 1.5"),
        ({"travelling": float("nan")}, "--travelling: must be 0 to 1, was nan"),
        ({"speed_kmh": 0.0}, "--speed: must be above 0"),
        ({"speed_kmh": 2000.0}, "up to 1000 km/h, was 2000"),
    ],
)
def test_what_cannot_be_travelled_is_refused(asked: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        CrowdOptions(request=CrowdRequest(phones=10, tvs=0), **asked)
