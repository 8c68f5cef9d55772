"""Displacement of computed satellite receivers, and stations computed one by one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from eew.ingest import read_quake_folder, write_quake_folder
from eew.model.waveform import Recording, Segment, SensorKind
from eew.physics.geo import epicentral_distance_km
from simulator.gnss import displacement_m
from simulator.low_frequency import static_displacement_m
from simulator.rays import Late, sight_of
from simulator.ruptures import Quake
from simulator.scenario import Scenario
from simulator.synthesise import Plan, compose, prepare
from tests.unit.scenario_cases import small

LARGE = Quake(lat=36.0, lon=-118.0, depth_km=8.0, magnitude=7.2)
SENSOR = 'sensor = "force_balance"'


def with_receivers(spacing_km: float = 25.0) -> Scenario:
    return small(
        (SENSOR, f"{SENSOR}\ngnss_spacing_km = {spacing_km}"),
        ("after_s = 40.0", "after_s = 90.0"),
    )


@pytest.fixture(scope="module")
def plan() -> Plan:
    return prepare(with_receivers(), [LARGE], 5)


@pytest.fixture(scope="module")
def displacement(plan: Plan) -> list[Segment]:
    return list(plan.gnss_segments())


def test_receivers_keep_their_distance_and_measure_displacement_each_second(
    plan: Plan, displacement: list[Segment]
) -> None:
    receivers = plan.outline.gnss
    assert 3 <= len(receivers) < len(plan.outline.stations)
    for one in receivers:
        others = [o for o in receivers if o is not one]
        away_km = [epicentral_distance_km(one.lat, one.lon, o.lat, o.lon) for o in others]
        assert min(away_km) >= 0.78 * 25.0
        assert {channel.kind for channel in one.channels} == {SensorKind.DISPLACEMENT}
    assert len(displacement) == 3 * len(receivers)
    for segment in displacement:
        assert segment.start_ns % 1_000_000_000 == 0
        assert segment.sampling_rate_hz == 1.0
        assert segment.samples.dtype == np.int32
        assert 105 <= len(segment.samples) <= 110


def test_the_ground_stays_where_okada_puts_it(plan: Plan, displacement: list[Segment]) -> None:
    (source,) = plan.task.sources
    rows = {segment.stream_id: segment for segment in displacement}
    largest = 0.0
    for placed, receiver in plan.receivers:
        sight = sight_of(source, plan.task.times, placed.lat, placed.lon, Late())
        stays_m = static_displacement_m(source, sight, plan.task.region).sum(axis=1)
        bare_m = displacement_m(plan.task, placed, source, 0, -20.0, 1.0, 110)
        np.testing.assert_allclose(bare_m[:, -1], stays_m, atol=0.01 * np.abs(stays_m).max())
        seen_m = np.array(
            [rows[c.stream_id].samples[-10:].mean() / c.sensitivity for c in receiver.channels]
        )
        np.testing.assert_allclose(seen_m[1:], stays_m[1:], atol=0.06)  # noise walks 1 to 2 cm
        largest = max(largest, float(np.abs(seen_m).max()))
    assert largest > 0.3


def test_before_the_quake_there_is_noise_of_a_centimetre(displacement: list[Segment]) -> None:
    quiet_m = [segment.samples[:18].std() / 1e5 for segment in displacement]
    assert 0.002 < np.median(quiet_m) < 0.02


def test_without_a_spacing_there_are_no_receivers() -> None:
    assert prepare(small(), [LARGE], 5).outline.gnss == ()


def test_receivers_change_nothing_at_the_stations() -> None:
    with_them, without = (
        compose(scenario, [Quake(lat=36.0, lon=-118.0, depth_km=8.0, magnitude=5.0)], 5).recording
        for scenario in (with_receivers(), with_receivers(400.0))
    )
    assert len(with_them.gnss) > len(without.gnss)
    pairs = zip(with_them.segments, without.segments, strict=True)
    assert all(a.samples.tobytes() == b.samples.tobytes() for a, b in pairs)


def test_a_folder_is_written_as_the_stations_are_computed(plan: Plan, tmp_path: Path) -> None:
    waiting = 0

    def counted(segments: Iterator[Segment]) -> Iterator[Segment]:
        nonlocal waiting
        for segment in segments:
            waiting += 1
            yield segment
            waiting -= 1  # asked for the next: this one is written

    everything = [*plan.segments(), *plan.gnss_segments()]
    write_quake_folder(plan.outline, tmp_path / "one", "s", segments=counted(iter(everything)))
    assert waiting == 0
    back = read_quake_folder(tmp_path / "one")
    assert {s.code for s in back.gnss} == {s.code for s in plan.outline.gnss}
    assert _samples(back) == {s.stream_id: s.samples.tobytes() for s in everything}


def _samples(recording: Recording) -> dict[object, bytes]:
    rows = (*recording.segments, *recording.gnss_segments)
    return {s.stream_id: s.samples.astype(np.int32).tobytes() for s in rows}
