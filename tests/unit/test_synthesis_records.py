"""Whole computed recordings: bytes, shape of the waves, clipping, the way to files and back."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import msgspec
import numpy as np
import pytest

from eew.ingest import read_quake_folder, write_quake_folder
from eew.model.waveform import Component, Recording, Station
from eew.physics.geo import epicentral_distance_km
from eew.physics.traveltime import TravelTimes
from simulator import synthesise
from simulator.instrument import instrument
from simulator.network import build_network
from simulator.scenario import Scenario
from simulator.synthesise import compute, source_text
from tests.unit.scenario_cases import small

SEED = 11


@pytest.fixture(scope="module")
def recording() -> Recording:
    return compute(small(), SEED)


def acceleration(recording: Recording, station: Station) -> tuple[np.ndarray, np.ndarray]:
    """Times after the origin and the three components in m/s**2, offsets removed."""
    truth = recording.truth
    assert truth is not None
    rows = {s.stream_id: s for s in recording.segments}
    segments = [rows[channel.stream_id] for channel in station.channels]
    start_s = (segments[0].start_ns - truth.origin_time_ns) / 1e9
    times_s = start_s + np.arange(len(segments[0].samples)) / segments[0].sampling_rate_hz
    data = np.array([s.samples for s in segments]) / station.channels[0].sensitivity
    return times_s, data - data[:, : 15 * 100].mean(axis=1, keepdims=True)


def arrivals(recording: Recording, station: Station) -> tuple[float, float]:
    truth = recording.truth
    assert truth is not None
    distance_km = epicentral_distance_km(truth.lat, truth.lon, station.lat, station.lon)
    times = TravelTimes.load()
    return float(times.p_s(distance_km, truth.depth_km)), float(
        times.s_s(distance_km, truth.depth_km)
    )


def test_the_same_scenario_and_seed_give_the_same_bytes(recording: Recording) -> None:
    again = compute(small(), SEED)
    assert again.stations == recording.stations
    for one, other in zip(recording.segments, again.segments, strict=True):
        assert (one.stream_id, one.start_ns) == (other.stream_id, other.start_ns)
        assert one.samples.tobytes() == other.samples.tobytes()


def test_another_seed_gives_other_ground_and_other_noise(recording: Recording) -> None:
    other = compute(small(('sensor = "force_balance"', 'sensor = "force_balance"\nseed = 1')), 12)
    same_places = compute(
        small(('sensor = "force_balance"', 'sensor = "force_balance"\nseed = 1')), 13
    )
    assert other.stations == same_places.stations
    pairs = zip(other.segments, same_places.segments, strict=True)
    assert not any(np.array_equal(a.samples[:2000], b.samples[:2000]) for a, b in pairs)


def test_a_further_station_changes_nothing_at_the_others(
    recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    fewer = build_network(small(), SEED, 760.0)[2::2]
    monkeypatch.setattr(synthesise, "build_network", lambda *_: fewer)
    samples = {s.stream_id: s.samples for s in recording.segments}
    part = compute(small(), SEED)
    assert len(part.segments) == 3 * len(fewer)
    assert all(np.array_equal(s.samples, samples[s.stream_id]) for s in part.segments)


def test_a_recording_is_int32_sorted_and_carries_the_truth(recording: Recording) -> None:
    assert all(s.samples.dtype == np.int32 for s in recording.segments)
    keys = [s.stream_id for s in recording.segments]
    assert keys == sorted(keys)
    truth = recording.truth
    assert truth is not None
    assert (truth.magnitude, truth.depth_km, truth.magnitude_type) == (5.5, 8.0, "Mw")
    assert recording.end_ns - truth.origin_time_ns == pytest.approx(40e9, abs=0.1e9)
    assert recording.input_sha256 == {"small.toml": small().sha256}


def test_stations_start_at_different_moments_within_a_second(recording: Recording) -> None:
    truth = recording.truth
    assert truth is not None
    before_s = {(truth.origin_time_ns - s.start_ns) / 1e9 for s in recording.segments}
    assert len(before_s) > len(recording.stations) // 2
    assert all(19.0 < b <= 20.0 for b in before_s)


def test_p_stands_out_at_its_time_and_s_is_larger_on_the_horizontals(
    recording: Recording,
) -> None:
    ratios = []
    for station in recording.stations:
        times_s, data = acceleration(recording, station)
        p_s, s_s = arrivals(recording, station)
        noise = data[0, (times_s > p_s - 8.0) & (times_s < p_s - 1.2)].std()
        p_wave = (times_s > p_s + 0.05) & (times_s < s_s - 0.3)
        s_wave = (times_s > s_s) & (times_s < s_s + 8.0)
        assert np.abs(data[0, p_wave]).max() > 20.0 * noise
        assert np.abs(data[:, times_s < p_s - 1.2]).max() < 8.0 * noise
        ratios.append(np.abs(data[1:, s_wave]).max() / np.abs(data[0, p_wave]).max())
        vertical, north, east = (np.abs(row[p_wave]).std() for row in data)
        assert vertical > 0.7 * max(north, east)
        coda = (times_s > 30.0) & (times_s < 35.0)
        late = times_s > 35.0
        assert data[:, s_wave].std() > 3.0 * data[:, coda].std() > 3.0 * data[:, late].std() * 0.8
    assert 1.3 < np.median(ratios) < 5.0


def test_onsets_scatter_about_the_layered_model() -> None:
    recording = compute(small(("radius_km = 35.0", "radius_km = 60.0")), 3)
    late_s = []
    for station in recording.stations:
        times_s, data = acceleration(recording, station)
        p_s, _ = arrivals(recording, station)
        noise = np.abs(data[0, times_s < p_s - 2.0]).max()
        first = times_s[(np.abs(data[0]) > 1.5 * noise) & (times_s > p_s - 2.0)][0]
        late_s.append(first - p_s)
    assert 0.08 < np.std(late_s) < 0.35
    assert abs(np.mean(late_s)) < 0.2


def test_a_record_beyond_the_range_of_the_sensor_is_clipped() -> None:
    strong = small(
        ('sensor = "force_balance"', 'sensor = "mems"'),
        ("magnitude = 5.5", "magnitude = 7.0\nstress_drop_bar = 1000.0"),
        ("radius_km = 35.0", "radius_km = 12.0"),
        ('[[site]]\nname = "City"\nlat = 36.0\nlon = -117.4\n', ""),
    )
    recording = compute(strong, 2)
    largest = max(int(s.samples.max()) for s in recording.segments)
    smallest = min(int(s.samples.min()) for s in recording.segments)
    assert largest == instrument("mems").full_scale_counts - 1
    assert smallest == -instrument("mems").full_scale_counts


def test_other_rates_have_the_same_amplitudes() -> None:
    def peak(rate: str) -> float:
        scenario = small(("sampling_rate_hz = 100.0", f"sampling_rate_hz = {rate}"))
        recording = compute(_fixed(scenario), 5)
        gain = recording.stations[0].channels[0].sensitivity
        return float(np.median([np.abs(s.samples).max() / gain for s in recording.segments]))

    assert peak("50.0") == pytest.approx(peak("200.0"), rel=0.3)


def _fixed(scenario: Scenario) -> Scenario:
    network = msgspec.structs.replace(scenario.network, seed=4)
    return dataclasses.replace(scenario, network=network)


def test_written_and_read_back_a_recording_is_the_same(
    recording: Recording, tmp_path: Path
) -> None:
    write_quake_folder(recording, tmp_path / "small", source_text(small(), SEED))
    back = read_quake_folder(tmp_path / "small")
    assert back.stations == recording.stations
    assert back.truth == recording.truth
    assert back.problems == ()
    for one, other in zip(recording.segments, back.segments, strict=True):
        assert (one.stream_id, one.start_ns) == (other.stream_id, other.start_ns)
        np.testing.assert_array_equal(one.samples, other.samples)
    assert "COMPUTED, not recorded" in (tmp_path / "small" / "SOURCE.txt").read_text()


def test_components_are_up_north_east(recording: Recording) -> None:
    station = recording.stations[0]
    assert [c.component for c in station.channels] == [
        Component.VERTICAL,
        Component.HORIZONTAL_1,
        Component.HORIZONTAL_2,
    ]
