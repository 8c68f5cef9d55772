"""GNSS displacement of a recorded M8.3: what it says once an event is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from eew.core.config import DetectorConfig
from eew.core.displacement import GnssNetwork
from eew.core.event_magnitude import event_magnitude
from eew.ingest import read_quake_folder
from eew.model.waveform import SensorKind
from eew.physics.shaking import shaking_model_at
from eew.physics.traveltime import TravelTimes
from simulator.schedule import Schedule

pytestmark = pytest.mark.quakes


def test_the_receivers_of_illapel_say_m7_8_within_a_minute_and_m8_in_the_end(
    quakes_dir: Path,
) -> None:
    recording = read_quake_folder(quakes_dir / "cl20150916_m83_illapel")
    truth = recording.truth
    assert truth is not None
    assert len(recording.gnss) == 3
    assert {c.kind for s in recording.gnss for c in s.channels} == {SensorKind.DISPLACEMENT}
    settings = DetectorConfig.load().magnitude
    network = GnssNetwork(recording.gnss, TravelTimes.load(), settings, keep_s=480.0)
    model = shaking_model_at(truth.lat, truth.lon)
    at: dict[int, tuple[float, float, bool]] = {}
    for step in Schedule(recording, 0.5, until_s=140.0):
        for packet in step.packets:
            if network.owns(packet.stream_id):
                network.receive(packet)
        second = (step.now_ns - truth.origin_time_ns) // 1_000_000_000
        if second in (30, 60, 120) and second not in at:
            found = event_magnitude(
                [],
                settings,
                depth_km=truth.depth_km,
                distance_sigma_km=10.0,
                model=model,
                others=network.evidence(truth.lat, truth.lon, truth.depth_km, truth.origin_time_ns),
            )
            if found is not None:
                assert found.type == "Mpgd"
                at[second] = (found.value, found.sigma, found.lower_bound)

    assert 30 not in at, "three receivers stand above the noise only after S"
    assert at[60][0] >= 7.8
    assert at[60][2], "an M8 still breaks after a minute"
    value, sigma, lower_bound = at[120]
    assert abs(value - truth.magnitude) <= max(sigma, 0.3)
    assert not lower_bound
