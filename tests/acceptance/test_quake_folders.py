"""Every recorded quake is read, with what its README and SOURCE.txt say about it."""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from eew.ingest import read_quake_folder, write_quake_folder
from eew.model.waveform import Component, Recording, SensorKind
from simulator.schedule import Schedule

pytestmark = pytest.mark.quakes

ACCELERATION, VELOCITY = SensorKind.ACCELERATION, SensorKind.VELOCITY

# usable stations, their channels, and rows of problems by kind
EXPECTED: dict[str, tuple[int, int, dict[str, int]]] = {
    "cl20071120_m49_tocopilla_aftershock": (8, 24, {}),
    "cl20150916_m83_illapel": (3, 9, {}),
    "cl20180124_m54_tarapaca_deep": (10, 30, {}),
    "mx20171225_m50_openeew": (15, 45, {}),
    "mx20180108_m47_openeew": (15, 45, {}),
    "mx20180216_m72_openeew": (16, 48, {}),
    "mx20180822_m53_openeew": (17, 51, {}),
    "mx20200111_m51_openeew": (19, 57, {}),
    "mx20200130_m53_openeew": (21, 63, {"gap": 3}),
    "noise_cl20180124_broadband": (10, 30, {}),
    "noise_mx20180216_openeew": (16, 48, {}),
    "nz20161113_m78_kaikoura": (3, 9, {}),
    "tele20150916_m83_illapel_farfield": (10, 30, {"second_sensor": 4}),
    "tr20230206_m78_pazarcik": (112, 336, {}),
    "tw20210418_ml58_hualien": (103, 309, {}),
    "tw20220917_m65_guanshan": (35, 105, {}),
    "us20190414_m53_hawaii_clipped": (6, 18, {}),
    "us20190706_m71_ridgecrest": (12, 36, {}),
    "us20191015_m45_pleasanthill": (11, 33, {"second_sensor": 2}),
    "us20200515_m65_montecristo": (10, 29, {"no_waveform": 1}),
}
MAGNITUDES = {
    "cl20071120_m49_tocopilla_aftershock": 4.88,
    "mx20180216_m72_openeew": 7.2,
    "tr20230206_m78_pazarcik": 7.8,
    "us20190706_m71_ridgecrest": 7.1,
}


@cache
def read(folder: Path) -> Recording:
    return read_quake_folder(folder)


def peak(recording: Recording, stream: str) -> float:
    """Largest count of a stream."""
    return max(
        float(np.abs(s.samples.astype(np.float64)).max())
        for s in recording.segments
        if str(s.stream_id) == stream
    )


def clipped(recording: Recording) -> set[str]:
    """Streams with a sample beyond their clip limit."""
    return {
        str(channel.stream_id)
        for station in recording.stations
        for channel in station.channels
        if peak(recording, str(channel.stream_id)) > channel.clip_counts
    }


def test_every_folder_is_known_here(quakes_dir: Path) -> None:
    assert {entry.name for entry in quakes_dir.iterdir() if entry.is_dir()} == set(EXPECTED)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_the_stations_that_the_readme_names_are_usable(quakes_dir: Path, name: str) -> None:
    stations, channels, problems = EXPECTED[name]
    recording = read(quakes_dir / name)

    assert recording.name == name
    assert len(recording.stations) == stations
    assert sum(len(station.channels) for station in recording.stations) == channels
    rows: dict[str, int] = {}
    for problem in recording.problems:
        rows[problem.kind] = rows.get(problem.kind, 0) + 1
    assert rows == problems


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_stations_and_segments_belong_together(quakes_dir: Path, name: str) -> None:
    recording = read(quakes_dir / name)

    used = {c.stream_id: c for station in recording.stations for c in station.channels}
    assert {segment.stream_id for segment in recording.segments} == set(used)
    keys = [(segment.stream_id, segment.start_ns) for segment in recording.segments]
    assert keys == sorted(keys)
    for station in recording.stations:
        assert len({channel.kind for channel in station.channels}) == 1
        assert len({channel.sampling_rate_hz for channel in station.channels}) == 1
        assert len({channel.component for channel in station.channels}) == len(station.channels)
    for segment in recording.segments:
        assert segment.samples.dtype == np.int32
        channel = used[segment.stream_id]
        assert segment.sampling_rate_hz == pytest.approx(channel.sampling_rate_hz, rel=1e-4)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_only_quakes_have_a_truth(quakes_dir: Path, name: str) -> None:
    truth = read(quakes_dir / name).truth

    assert (truth is None) == name.startswith("noise")
    if truth is not None:
        assert truth.event_id.startswith(name.partition("_")[0])
        assert truth.magnitude == MAGNITUDES.get(name, truth.magnitude)
        assert 3.0 < truth.magnitude < 9.0
        assert 0.0 < truth.depth_km < 120.0


def test_ridgecrest_reads_as_obspy_reads_it(quakes_dir: Path) -> None:
    import obspy

    folder = quakes_dir / "us20190706_m71_ridgecrest"
    recording = read(folder)
    stream = obspy.read(str(folder / "waveforms.mseed"))
    inventory = obspy.read_inventory(str(folder / "stations.xml"))

    assert len(stream) == len(recording.segments)
    channels = {c.stream_id: c for s in recording.stations for c in s.channels}
    for segment in recording.segments:
        (trace,) = stream.select(id=str(segment.stream_id))
        np.testing.assert_array_equal(segment.samples, trace.data)
        assert segment.start_ns == trace.stats.starttime.ns
        response = inventory.get_response(trace.id, trace.stats.starttime)
        assert channels[segment.stream_id].sensitivity == response.instrument_sensitivity.value


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_writing_and_reading_again_changes_nothing(
    quakes_dir: Path, tmp_path: Path, name: str
) -> None:
    recording = read(quakes_dir / name)

    write_quake_folder(recording, tmp_path / name, "copied by a test")
    again = read_quake_folder(tmp_path / name)

    assert again.stations == recording.stations
    assert again.truth == recording.truth
    for got, wanted in zip(again.segments, recording.segments, strict=True):
        assert got.stream_id == wanted.stream_id
        assert abs(got.start_ns - wanted.start_ns) <= 500
        assert got.sampling_rate_hz == wanted.sampling_rate_hz
        np.testing.assert_array_equal(got.samples, wanted.samples)


def test_the_input_units_count_not_the_channel_code(quakes_dir: Path) -> None:
    stations = {s.code: s for s in read(quakes_dir / "cl20180124_m54_tarapaca_deep").stations}

    assert {c.stream_id.channel for c in stations["C1.TA02"].channels} == {"HHZ", "HHN", "HHE"}
    assert {c.kind for c in stations["C1.TA02"].channels} == {ACCELERATION}
    assert {c.kind for code, s in stations.items() if code != "C1.TA02" for c in s.channels} == {
        VELOCITY
    }


def test_the_accelerometer_of_a_station_with_three_sensors_is_used(quakes_dir: Path) -> None:
    recording = read(quakes_dir / "us20191015_m45_pleasanthill")

    (brib,) = [station for station in recording.stations if station.code == "BK.BRIB"]
    assert [str(c.stream_id) for c in brib.channels] == [
        "BK.BRIB.01.HNZ",
        "BK.BRIB.01.HNN",
        "BK.BRIB.01.HNE",
    ]


def test_a_station_without_a_vertical_has_its_horizontals(quakes_dir: Path) -> None:
    recording = read(quakes_dir / "us20200515_m65_montecristo")

    (station,) = [station for station in recording.stations if station.code == "CE.54545"]
    assert [c.component for c in station.channels] == [
        Component.HORIZONTAL_1,
        Component.HORIZONTAL_2,
    ]


def test_gaps_are_kept(quakes_dir: Path) -> None:
    recording = read(quakes_dir / "mx20200130_m53_openeew")

    assert {p.where for p in recording.problems} == {f"XX.OE029..BN{c}" for c in "Z12"}
    for component in "Z12":
        stream = f"XX.OE029..BN{component}"
        assert sum(str(s.stream_id) == stream for s in recording.segments) == 5


def test_a_station_that_stops_early_has_a_shorter_record(quakes_dir: Path) -> None:
    recording = read(quakes_dir / "us20190706_m71_ridgecrest")

    assert recording.truth is not None
    ends_s = {
        segment.stream_id.station: (segment.end_ns - recording.truth.origin_time_ns) / 1e9
        for segment in recording.segments
    }
    assert ends_s["MPM"] == pytest.approx(36.0, abs=1.0)
    assert sorted(ends_s, key=lambda station: ends_s[station])[0] == "MPM"


def test_vs30_is_read_where_the_network_gives_it(quakes_dir: Path) -> None:
    stations = read(quakes_dir / "tr20230206_m78_pazarcik").stations

    known = [station.vs30_mps for station in stations if station.vs30_mps is not None]
    assert len(known) == 70
    assert all(100.0 < vs30_mps < 2000.0 for vs30_mps in known)


def test_every_hawaiian_station_clips(quakes_dir: Path) -> None:
    recording = read(quakes_dir / "us20190414_m53_hawaii_clipped")

    streams = clipped(recording)
    assert {stream.split(".")[1] for stream in streams} == {
        station.code.split(".")[1] for station in recording.stations
    }
    assert len(streams) >= 12


def test_what_is_not_clipped_is_not_called_clipped(quakes_dir: Path) -> None:
    found = {name: clipped(read(quakes_dir / name)) for name in EXPECTED}

    found.pop("us20190414_m53_hawaii_clipped")
    # C1.TA02 is flattened at +-1e7 counts; CX.PB11 reaches 0.99 of 2**25, which is the 13 mm/s at
    # which its STS-2 seismometer ends
    tarapaca = found.pop("cl20180124_m54_tarapaca_deep")
    assert tarapaca == {*(f"C1.TA02..HH{c}" for c in "ZNE"), "CX.PB11..HHE"}
    assert set().union(*found.values()) == set()


def test_converted_records_have_no_clip_limit(quakes_dir: Path) -> None:
    for name in ("tr20230206_m78_pazarcik", "tw20210418_ml58_hualien", "nz20161113_m78_kaikoura"):
        for station in read(quakes_dir / name).stations:
            assert {channel.clip_counts for channel in station.channels} == {math.inf}


def test_the_packets_of_112_stations_hold_every_sample_once(quakes_dir: Path) -> None:
    recording = read(quakes_dir / "tr20230206_m78_pazarcik")

    packets = [packet for step in Schedule(recording, seed=1) for packet in step.packets]

    assert len(packets) > 70_000
    n_samples = sum(len(segment.samples) for segment in recording.segments)
    assert sum(len(packet.samples) for packet in packets) == n_samples
