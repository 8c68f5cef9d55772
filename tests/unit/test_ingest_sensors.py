from __future__ import annotations

import numpy as np
import pytest

from eew.ingest import recording_from_obspy
from eew.ingest.sensors import component_of
from eew.model.waveform import Component, SensorKind
from tests.unit.ingest_cases import kinds, obspy_objects, recording, segment, station
from tests.unit.ingest_cases import three_components as three

Z, H1, H2 = Component.VERTICAL, Component.HORIZONTAL_1, Component.HORIZONTAL_2


@pytest.mark.parametrize(
    ("code", "azimuth_deg", "dip_deg", "component"),
    [
        ("HNZ", 0.0, -90.0, Z),
        ("HLZ", None, None, Z),
        ("HNZ", 0.0, 0.0, Z),  # a letter is believed more than a wrong dip
        ("HNN", 0.0, 0.0, H1),
        ("HNE", 90.0, 0.0, H2),
        ("BN1", 0.0, 0.0, H1),
        ("BN2", 90.0, 0.0, H2),
        ("HN1", 242.0, 0.0, H1),
        ("HN1", 0.0, -90.0, Z),  # digits count axes, the dip tells
        ("HN3", None, None, Z),
        ("HN3", 90.0, 0.0, H2),
        ("HNX", 10.0, 0.0, H1),
        ("HNX", 350.0, 0.0, H1),
        ("HNY", 100.0, 0.0, H2),
        ("HNY", 280.0, 0.0, H2),
        ("HNX", 0.0, 90.0, Z),
        ("HNX", None, None, None),
    ],
)
def test_codes_dips_and_azimuths_give_the_component(
    code: str, azimuth_deg: float | None, dip_deg: float | None, component: Component | None
) -> None:
    assert component_of(code, azimuth_deg=azimuth_deg, dip_deg=dip_deg) is component


def test_an_accelerometer_is_preferred_to_a_velocity_sensor() -> None:
    slow, fast = three("XX.AAA", "BH", "01"), three("XX.AAA", "HH", "01")
    strong = three("XX.AAA", "HN", "01")
    velocity = SensorKind.VELOCITY
    case = recording(
        [
            station(slow, kind=velocity, sensitivity=6e8, rate_hz=40.0),
            station(fast, kind=velocity, sensitivity=6e8),
            station(strong),
        ]
    )

    result = recording_from_obspy(*obspy_objects(case), name="both")

    assert [str(c.stream_id) for c in result.stations[0].channels] == strong
    assert {str(s.stream_id) for s in result.segments} == set(strong)
    assert kinds(result.problems) == {"second_sensor": 6}


def test_among_velocity_sensors_the_higher_rate_is_preferred() -> None:
    velocity = SensorKind.VELOCITY
    case = recording(
        [
            station(three("XX.AAA", "BH"), kind=velocity, sensitivity=6e8, rate_hz=40.0),
            station(three("XX.AAA", "HH"), kind=velocity, sensitivity=6e8),
        ]
    )

    result = recording_from_obspy(*obspy_objects(case))

    assert result.stations[0].channels[0].stream_id.channel == "HHZ"
    assert result.stations[0].channels[0].kind is velocity


def test_a_sensor_with_a_vertical_is_preferred_to_an_accelerometer_without_one() -> None:
    seismometer = station(three("XX.AAA", "HH"), kind=SensorKind.VELOCITY, sensitivity=6e8)
    strong = station(three("XX.AAA", "HN"))
    case = recording([seismometer, strong])
    stream, inventory = obspy_objects(case)
    for trace in stream.select(channel="HNZ"):
        trace.data = np.zeros_like(trace.data)

    result = recording_from_obspy(stream, inventory)

    assert [c.stream_id.channel for c in result.stations[0].channels] == ["HHZ", "HHN", "HHE"]
    assert kinds(result.problems) == {"dead_channel": 1, "second_sensor": 2}


def test_a_station_without_a_vertical_is_kept_and_reported() -> None:
    case = recording([station(["XX.AAA..HN1", "XX.AAA..HN2"])])

    result = recording_from_obspy(*obspy_objects(case))

    assert [c.component for c in result.stations[0].channels] == [H1, H2]
    assert [(p.kind, p.where) for p in result.problems] == [("no_waveform", "XX.AAA")]


def test_all_channels_come_from_one_location() -> None:
    case = recording(
        [station(three("XX.AAA", "HN", "10")), station(three("XX.AAA", "HN", "00")[:2])]
    )

    result = recording_from_obspy(*obspy_objects(case))

    assert {c.stream_id.location for c in result.stations[0].channels} == {"10"}
    assert kinds(result.problems) == {"second_sensor": 2}


def test_of_mixed_rates_the_verticals_is_kept() -> None:
    ids = three("XX.AAA")
    segments = [segment(ids[0]), segment(ids[1]), segment(ids[2], rate_hz=50.0)]
    case = recording([station(ids)], segments)

    result = recording_from_obspy(*obspy_objects(case))

    assert [c.stream_id.channel for c in result.stations[0].channels] == ["HNZ", "HNN"]
    assert [(p.kind, p.where) for p in result.problems] == [("rate", "XX.AAA..HNE")]
    assert "50 Hz" in result.problems[0].detail


def test_two_channels_for_one_component_do_not_both_count() -> None:
    ids = [*three("XX.AAA"), "XX.AAA..HN1"]
    case = recording([station(ids)])

    result = recording_from_obspy(*obspy_objects(case))

    assert [c.stream_id.channel for c in result.stations[0].channels] == ["HNZ", "HNN", "HNE"]
    assert [(p.kind, p.where) for p in result.problems] == [("second_sensor", "XX.AAA..HN1")]


def test_a_vertical_that_points_down_gets_a_negative_sensitivity() -> None:
    case = recording([station(three("XX.AAA"), sensitivity=400_000.0)])
    stream, inventory = obspy_objects(case)
    for channel in inventory.select(channel="HNZ")[0][0]:
        channel.dip = 90.0

    result = recording_from_obspy(stream, inventory)

    assert [c.sensitivity for c in result.stations[0].channels] == [-4e5, 4e5, 4e5]


def test_float_samples_have_no_known_clip_limit_unless_stated() -> None:
    case = recording([station(three("XX.AAA"))])
    stream, inventory = obspy_objects(case)
    for channel in inventory[0][0]:
        channel.comments = []
    whole = recording_from_obspy(stream, inventory)
    for trace in stream:
        trace.data = trace.data * 1.5
    fractional = recording_from_obspy(stream, inventory)

    assert {c.clip_counts for c in whole.stations[0].channels} == {0.9 * 2**23}
    assert {c.clip_counts for c in fractional.stations[0].channels} == {float("inf")}
