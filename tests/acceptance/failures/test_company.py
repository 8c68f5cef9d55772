"""Quakes in company: each stays itself, none grows by the other, none appears elsewhere."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from clients.locality import estimate_here
from eew.model.waveform import Recording, Truth
from eew.physics.geo import destination, epicentral_distance_km
from eew.physics.shaking import shaking_model_at
from simulator.network import build_network
from simulator.ruptures import Quake, aftershocks, doublet
from simulator.synthesise import Composition, compose
from tests.acceptance.failures.replay import (
    LAT,
    LON,
    SEED,
    Heard,
    assert_nothing_elsewhere,
    away_km,
    computed,
    late_s,
    matches,
    place,
    quake,
    replay,
    scenario,
    told,
)


def largest_told(heard: Heard) -> float:
    """Largest magnitude that the public was ever told."""
    return max((m.magnitude.value for m in heard.messages), default=-np.inf)


# ---------------------------------------------------------------- 5 January 2018
@pytest.fixture(scope="module")
def two_small() -> Composition:
    """M3.9, and 3 s later M4.4 350 km to the east, on a network that reaches from one to the other.

    As off Toyama and off Ibaraki at 11:02 on 5 January 2018.
    """
    wide = scenario(before_s=15.0, after_s=60.0, spacing_km=25.0, radius_km=235.0)
    (lat1, lon1), (lat2, lon2) = place(175.0, 270.0), place(175.0, 90.0)
    stations = tuple(s for s in build_network(wide, SEED, 760.0) if abs(s.lat - LAT) < 0.45)
    small = Quake(lat=lat1, lon=lon1, depth_km=10.0, magnitude=3.9)
    larger = Quake(lat=lat2, lon=lon2, depth_km=12.0, magnitude=4.4, after_s=3.0)
    return compose(wide, (small, larger), SEED, network=stations)


@pytest.fixture(scope="module")
def two_small_heard(two_small: Composition) -> Heard:
    return replay(two_small.recording)


def test_two_small_quakes_350_km_and_3_s_apart_stay_two(
    two_small: Composition, two_small_heard: Heard
) -> None:
    solutions = (s for s in two_small_heard.solutions if s.n_stations >= 2)  # no first guesses
    final = {s.event_id: s for s in solutions}.values()
    for truth in two_small.truths:
        fitting = [
            s
            for s in final
            if epicentral_distance_km(truth.lat, truth.lon, s.lat, s.lon) < 30.0
            and abs(s.origin_time_ns - truth.origin_time_ns) < 5e9
        ]
        assert len(fitting) == 1, f"{truth.event_id}: {fitting} {told(two_small_heard)}"
    assert len(final) == 2, final


def test_two_small_quakes_350_km_and_3_s_apart_are_never_taken_for_a_large_one(
    two_small: Composition, two_small_heard: Heard
) -> None:
    assert max(s.magnitude for s in two_small_heard.solutions) < 5.0
    assert largest_told(two_small_heard) < 5.0, told(two_small_heard)
    assert_nothing_elsewhere(two_small_heard, two_small.truths, within_km=30.0)


# ---------------------------------------------------------------- Kumamoto 2016
@pytest.mark.parametrize("distance_km", [5.0, 20.0, 50.0])
@pytest.mark.parametrize("after_s", [0.0, 3.0, 6.0, 10.0])
def test_a_doublet_is_never_larger_than_its_larger_quake_and_never_elsewhere(
    after_s: float, distance_km: float
) -> None:
    """Four of JMA's 19 warnings at Kumamoto were small quakes that came together."""
    pair = doublet(quake(5.2), 5.5, after_s=after_s, distance_km=distance_km, azimuth_deg=130.0)
    case = computed(*pair)

    heard = replay(case.recording)

    assert heard.messages, "a M5.5 in the middle of the network is to be announced"
    assert largest_told(heard) <= 5.5 + 0.6, told(heard)
    assert_nothing_elsewhere(heard, case.truths, within_km=40.0)
    assert len(heard.alerted) <= 2, told(heard)


# ---------------------------------------------------------------- M7.2, 39 s later M7.5
@pytest.fixture(scope="module")
def great_doublet() -> Composition:
    first = quake(7.2)
    pair = doublet(first, 7.5, after_s=39.0, distance_km=60.0, azimuth_deg=80.0)
    return computed(*pair, before_s=15.0, after_s=90.0)


@pytest.fixture(scope="module")
def great_doublet_heard(great_doublet: Composition) -> Heard:
    return replay(great_doublet.recording)


def test_a_second_large_quake_39_s_after_the_first_is_told_apart_or_its_shaking_is_covered(
    great_doublet: Composition, great_doublet_heard: Heard
) -> None:
    """Either a second event is announced, or what stands covers the second one's shaking."""
    heard, (_, second) = great_doublet_heard, great_doublet.truths
    told_apart = [
        m
        for m in heard.messages
        if 0.0 < late_s(m, second) <= 15.0
        and matches(m, second, within_km=40.0)
        and abs(m.origin.time_ns - second.origin_time_ns) < 8e9
    ]
    if told_apart:
        own = heard.alerted[told_apart[0].event_id]
        assert max(m.magnitude.value for m in own) >= 6.9, told(heard)
        return
    azimuths_deg = np.array([0.0, 90.0, 180.0, 270.0])
    lats, lons = destination(second.lat, second.lon, azimuths_deg, 25.0)
    model = shaking_model_at(second.lat, second.lon)
    due = model.predict(second.magnitude, second.depth_km, np.full(4, 25.0)).intensity
    standing = np.full(4, -np.inf)
    for messages in heard.alerted.values():
        before = [m for m in messages if late_s(m, second) <= 15.0]
        if before:
            here = [
                estimate_here(before[-1], float(lat), float(lon)).intensity
                for lat, lon in zip(lats, lons, strict=True)
            ]
            standing = np.maximum(standing, here)
    assert (standing >= due - 1.0).all(), f"{standing} where {due} is due {told(heard)}"


def test_a_great_doublet_makes_no_phantom(
    great_doublet: Composition, great_doublet_heard: Heard
) -> None:
    assert len(great_doublet_heard.alerted) <= 2, told(great_doublet_heard)
    assert largest_told(great_doublet_heard) <= 7.5 + 0.6, told(great_doublet_heard)
    assert_nothing_elsewhere(great_doublet_heard, great_doublet.truths, within_km=60.0)


# ---------------------------------------------------------------- a foreshock
def test_a_main_shock_20_s_after_its_foreshock_is_seen_for_what_it_is() -> None:
    main = quake(6.5)
    fore = Quake(
        lat=main.lat + 0.03, lon=main.lon + 0.02, depth_km=9.0, magnitude=4.5, after_s=-20.0
    )
    case = computed(fore, main, before_s=40.0, after_s=50.0)
    truth = case.truths[1]

    heard = replay(case.recording)

    in_time = [m for m in heard.messages if 0.0 < late_s(m, truth) <= 10.0]
    assert max((m.magnitude.value for m in in_time), default=-np.inf) >= 6.0, told(heard)
    own = [
        messages
        for messages in heard.alerted.values()
        if abs(messages[-1].origin.time_ns - truth.origin_time_ns) < 5e9
    ]
    assert len(own) == 1, told(heard)
    assert abs(own[0][-1].magnitude.value - 6.5) <= 0.4, told(heard)
    assert len(heard.alerted) <= 2, told(heard)
    assert largest_told(heard) <= 6.5 + 0.6, told(heard)
    assert_nothing_elsewhere(heard, case.truths, within_km=40.0)


# ---------------------------------------------------------------- a storm of aftershocks
@pytest.fixture(scope="module")
def storm() -> Composition:
    """Twenty quakes of M4 to 5.5 in five minutes under the middle of the network."""
    quakes = aftershocks(
        lat=LAT,
        lon=LON,
        depth_km=(5.0, 15.0),
        magnitude=(4.0, 5.5),
        number=20,
        within_s=300.0,
        radius_km=35.0,
        seed=SEED,
    )
    return computed(*quakes, before_s=15.0, after_s=330.0, rate_hz=50.0)


@pytest.fixture(scope="module")
def storm_heard(storm: Composition) -> Heard:
    return replay(storm.recording)


@pytest.mark.slow
def test_a_storm_of_twenty_aftershocks_makes_no_large_quake(storm_heard: Heard) -> None:
    assert storm_heard.messages
    assert largest_told(storm_heard) <= 6.3, told(storm_heard)


@pytest.mark.slow
def test_a_storm_of_twenty_aftershocks_makes_no_quake_elsewhere(
    storm: Composition, storm_heard: Heard
) -> None:
    for message in storm_heard.messages:
        nearest_km = min(away_km(message, truth) for truth in storm.truths)
        assert nearest_km <= 100.0, told(storm_heard)


@pytest.mark.slow
def test_the_largest_quake_of_a_storm_is_announced(storm: Composition, storm_heard: Heard) -> None:
    truth = max(storm.truths, key=lambda t: t.magnitude)
    own = [
        m
        for m in storm_heard.messages
        if away_km(m, truth) <= 30.0 and abs(m.origin.time_ns - truth.origin_time_ns) < 4e9
    ]
    assert own, told(storm_heard)
    assert late_s(own[0], truth) <= 15.0, told(storm_heard)


def test_the_cases_are_what_they_say(two_small: Composition, storm: Composition) -> None:
    """A case that is none of its kind would pass every test."""
    first, second = two_small.truths
    apart_km = epicentral_distance_km(first.lat, first.lon, second.lat, second.lon)
    assert apart_km == pytest.approx(350.0, abs=2.0)
    assert (second.origin_time_ns - first.origin_time_ns) / 1e9 == pytest.approx(3.0)
    assert has_stations_near(two_small.recording, two_small.truths)
    magnitudes = sorted(truth.magnitude for truth in storm.truths)
    assert len(magnitudes) == 20
    assert magnitudes[0] >= 4.0
    assert magnitudes[-1] == 5.5
    times_s = sorted(truth.origin_time_ns / 1e9 for truth in storm.truths)
    assert times_s[-1] - times_s[0] <= 300.0
    assert all(a < b for a, b in itertools.pairwise(times_s))


def has_stations_near(recording: Recording, truths: tuple[Truth, ...]) -> bool:
    """Whether each quake has four stations within 40 km."""
    lats = np.array([s.lat for s in recording.stations])
    lons = np.array([s.lon for s in recording.stations])
    return all(
        np.sum(epicentral_distance_km(truth.lat, truth.lon, lats, lons) < 40.0) >= 4
        for truth in truths
    )
