"""Sums of computed quakes: one noise, every quake at its time, and sources that come in company."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from eew.model.waveform import Recording
from eew.physics.geo import azimuth_deg, epicentral_distance_km
from eew.physics.traveltime import TravelTimes
from simulator.network import build_network
from simulator.ruptures import (
    Quake,
    Rupture,
    aftershocks,
    doublet,
    line_rupture,
    moment_magnitude,
)
from simulator.source import moment_nm
from simulator.synthesise import Composition, compose, compute
from tests.unit.scenario_cases import small

SEED = 11
SCENARIO = small()
EVENT = SCENARIO.event
QUAKE = Quake(lat=EVENT.lat, lon=EVENT.lon, depth_km=EVENT.depth_km, magnitude=EVENT.magnitude)


def trace(case: Recording, index: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Times after the scenario's zero and counts of a station's vertical, offset taken off."""
    channel = case.stations[index].channels[0]
    (segment,) = [s for s in case.segments if s.stream_id == channel.stream_id]
    counts = segment.samples - np.mean(segment.samples[:1000])
    start_s = (segment.start_ns - EVENT.origin_time_ns) / 1e9
    return start_s + np.arange(len(counts)) / segment.sampling_rate_hz, counts


def onset_s(case: Recording, index: int, after_s: float = -100.0) -> float:
    """When the vertical first stands far above what it was before."""
    times_s, counts = trace(case, index)
    noise = np.abs(counts[:1000]).max()
    return float(times_s[np.argmax((np.abs(counts) > 4.0 * noise) & (times_s > after_s))])


def arrival_s(case: Recording, index: int, quake: Quake) -> float:
    station = case.stations[index]
    distance_km = epicentral_distance_km(quake.lat, quake.lon, station.lat, station.lon)
    p_s = TravelTimes.load().p_s(np.array([float(distance_km)]), quake.depth_km)
    return quake.after_s + float(p_s[0])


@pytest.fixture(scope="module")
def one() -> Composition:
    return compose(SCENARIO, [QUAKE], SEED)


@pytest.fixture(scope="module")
def computed() -> Recording:
    return compute(SCENARIO, SEED)


def test_a_scenario_is_the_composition_of_its_own_sources(
    one: Composition, computed: Recording
) -> None:
    assert one.recording.stations == computed.stations
    assert one.recording.truth == computed.truth
    for ours, theirs in zip(one.recording.segments, computed.segments, strict=True):
        assert ours.samples.tobytes() == theirs.samples.tobytes()


def test_the_same_sources_and_seed_give_the_same_bytes(one: Composition) -> None:
    again = compose(SCENARIO, [QUAKE], SEED)
    assert again.truths == one.truths
    for a, b in zip(again.recording.segments, one.recording.segments, strict=True):
        assert a.samples.tobytes() == b.samples.tobytes()


def test_nothing_composed_is_noise_and_has_no_truth() -> None:
    case = compose(SCENARIO, [], SEED)
    assert case.truths == ()
    assert case.recording.truth is None
    for index in range(len(case.recording.stations)):
        _, counts = trace(case.recording, index)
        assert np.std(counts[3000:]) == pytest.approx(np.std(counts[:3000]), rel=0.5)


def test_each_quake_comes_at_its_own_time_and_place() -> None:
    away = Quake(lat=36.2, lon=-118.2, depth_km=6.0, magnitude=4.6, after_s=-8.0)
    case = compose(SCENARIO, [away], SEED).recording
    for index in range(len(case.stations)):
        assert onset_s(case, index) == pytest.approx(arrival_s(case, index, away), abs=0.8)


def test_a_sum_is_the_sum_of_its_parts() -> None:
    """In counts, but for rounding and the one noise that all have."""
    other = Quake(lat=36.1, lon=-117.9, depth_km=6.0, magnitude=4.9, after_s=4.0)
    noise, first, both = (
        compose(SCENARIO, sources, SEED).recording for sources in ([], [QUAKE], [QUAKE, other])
    )
    for index in range(3):
        times_s, background = trace(noise, index)
        alone, together = trace(first, index)[1], trace(both, index)[1]
        later = arrival_s(both, index, other)
        np.testing.assert_allclose(
            together[times_s < later - 2.5], alone[times_s < later - 2.5], atol=2.0
        )
        added = together - alone
        assert np.abs(added[times_s > later]).max() > 20.0 * np.std(background)


def test_a_quake_from_before_the_record_leaves_its_coda_in_it() -> None:
    before = Quake(lat=36.0, lon=-118.0, depth_km=8.0, magnitude=6.0, after_s=-30.0)
    case = compose(SCENARIO, [before], SEED).recording
    _, counts = trace(case, 0)
    assert np.std(counts[:500]) > 3.0 * np.std(counts[-500:])


def test_the_truths_are_in_the_order_of_the_sources_and_the_largest_is_the_recording_s() -> None:
    first, second = doublet(QUAKE, 6.1, after_s=3.0, distance_km=20.0, azimuth_deg=45.0)
    case = compose(SCENARIO, [first, second], SEED)
    assert [t.magnitude for t in case.truths] == [5.5, 6.1]
    assert [t.event_id for t in case.truths] == ["small", "small-2"]
    assert case.recording.truth == case.truths[1]
    assert case.truths[1].origin_time_ns == EVENT.origin_time_ns + 3_000_000_000


def test_other_stations_can_take_the_place_of_the_scenario_s(one: Composition) -> None:
    few = build_network(SCENARIO, SEED, 760.0)[3:5]
    case = compose(SCENARIO, [QUAKE], SEED, network=few)
    assert case.recording.stations == tuple(placed.station for placed in few)
    samples = {s.stream_id: s.samples for s in one.recording.segments}
    assert len(case.recording.segments) == 6
    for segment in case.recording.segments:
        np.testing.assert_array_equal(segment.samples, samples[segment.stream_id])


# ---------------------------------------------------------------- sources
def test_a_doublet_has_the_distance_and_delay_it_is_made_with() -> None:
    first, second = doublet(QUAKE, 5.0, after_s=6.0, distance_km=50.0, azimuth_deg=120.0)
    assert first is QUAKE
    apart_km = epicentral_distance_km(first.lat, first.lon, second.lat, second.lon)
    assert apart_km == pytest.approx(50.0, abs=0.1)
    bearing = azimuth_deg(first.lat, first.lon, second.lat, second.lon)
    assert bearing == pytest.approx(120.0, abs=0.5)
    assert (second.after_s, second.magnitude) == (6.0, 5.0)


def test_moment_and_magnitude_belong_together() -> None:
    assert moment_magnitude(moment_nm(6.7)) == pytest.approx(6.7)


def test_a_line_breaks_from_its_beginning_at_the_speed_of_the_rupture() -> None:
    rupture = line_rupture(
        lat=38.0,
        lon=28.0,
        depth_km=20.0,
        magnitude=9.0,
        strike_deg=180.0,
        length_km=500.0,
        velocity_kms=2.5,
        weights=[1.0] * 11,
        after_s=5.0,
    )
    assert rupture.magnitude == pytest.approx(9.0)
    assert rupture.first.lat == pytest.approx(38.0)
    assert rupture.first.after_s == 5.0
    last = rupture.parts[-1]
    assert last.after_s == pytest.approx(5.0 + 200.0)
    assert epicentral_distance_km(38.0, 28.0, last.lat, last.lon) == pytest.approx(500.0, rel=2e-3)
    assert last.lat < 38.0  # to the south
    assert {round(p.magnitude, 6) for p in rupture.parts} == {
        round(moment_magnitude(moment_nm(9.0) / 11.0), 6)
    }


def test_a_line_that_breaks_from_within_goes_both_ways() -> None:
    rupture = line_rupture(
        lat=38.0,
        lon=28.0,
        depth_km=20.0,
        magnitude=8.0,
        strike_deg=0.0,
        length_km=100.0,
        velocity_kms=2.5,
        weights=[1.0, 3.0, 6.0, 2.0, 1.0],
        begins_at=0.5,
    )
    assert [p.after_s for p in rupture.parts] == pytest.approx([20.0, 10.0, 0.0, 10.0, 20.0])
    assert rupture.first is rupture.parts[2]
    assert rupture.parts[0].lat < 38.0 < rupture.parts[-1].lat
    moments = [moment_nm(p.magnitude) for p in rupture.parts]
    assert moments[2] / moments[0] == pytest.approx(6.0)
    assert sum(moments) == pytest.approx(moment_nm(8.0))


def test_the_truth_of_a_rupture_is_its_beginning_and_its_whole_size() -> None:
    rupture = Rupture(
        parts=(
            Quake(lat=36.1, lon=-118.0, depth_km=9.0, magnitude=5.8, after_s=2.0),
            Quake(lat=36.0, lon=-118.0, depth_km=8.0, magnitude=5.0, after_s=0.5),
        )
    )
    (truth,) = compose(SCENARIO, [rupture], SEED).truths
    assert (truth.lat, truth.depth_km) == (36.0, 8.0)
    assert truth.origin_time_ns == EVENT.origin_time_ns + 500_000_000
    assert truth.magnitude == pytest.approx(moment_magnitude(moment_nm(5.8) + moment_nm(5.0)))


def test_a_storm_keeps_to_its_place_time_and_sizes() -> None:
    def storm(seed: int) -> tuple[Quake, ...]:
        return aftershocks(
            lat=38.8,
            lon=28.2,
            depth_km=(5.0, 15.0),
            magnitude=(4.0, 5.5),
            number=200,
            within_s=300.0,
            radius_km=35.0,
            seed=seed,
        )

    quakes = storm(1)
    assert quakes == storm(1)
    assert quakes != storm(2)
    magnitudes = np.array([q.magnitude for q in quakes])
    assert magnitudes.max() == 5.5
    assert 4.0 <= magnitudes.min() < 4.05
    share = np.mean(magnitudes > 4.5)  # b = 1: a third to a tenth per half unit, cut at the top
    assert share == pytest.approx((10**-0.5 - 10**-1.5) / (1.0 - 10**-1.5), abs=0.08)
    times_s = [q.after_s for q in quakes]
    assert times_s == sorted(times_s)
    assert 0.0 <= times_s[0] < times_s[-1] <= 300.0
    away_km = [float(epicentral_distance_km(38.8, 28.2, q.lat, q.lon)) for q in quakes]
    assert max(away_km) <= 35.1
    assert np.mean(np.array(away_km) < 35.0 / np.sqrt(2.0)) == pytest.approx(0.5, abs=0.12)
    assert all(5.0 <= q.depth_km <= 15.0 for q in quakes)
