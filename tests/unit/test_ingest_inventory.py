from __future__ import annotations

import io
import re
from typing import Any

import pytest

from eew.errors import DataError, MetadataError
from eew.ingest import recording_from_obspy
from eew.ingest.inventory import Metadata, read_stationxml
from eew.model.waveform import SensorKind, StreamId
from tests.unit.ingest_cases import (
    START_NS,
    kinds,
    obspy_objects,
    recording,
    segment,
    station,
    three_components,
)

A, B = station(three_components("XX.AAA")), station(three_components("XX.BBB"))


def both() -> tuple[Any, Any]:
    """Two good stations, the second of which the tests spoil."""
    return obspy_objects(recording([A, B]))


def stationxml(inventory: Any) -> bytes:
    buffer = io.BytesIO()
    inventory.write(buffer, format="STATIONXML")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("units", "kind", "size"),
    [
        ("M/S**2", SensorKind.ACCELERATION, 1.0),
        ("m/s**2", SensorKind.ACCELERATION, 1.0),
        ("m/s^2", SensorKind.ACCELERATION, 1.0),
        ("CM/S**2", SensorKind.ACCELERATION, 1e-2),
        ("M/S", SensorKind.VELOCITY, 1.0),
        ("NM/S", SensorKind.VELOCITY, 1e-9),
    ],
)
def test_the_input_units_decide_what_a_channel_measures_not_its_code(
    units: str, kind: SensorKind, size: float
) -> None:
    stream, inventory = obspy_objects(recording([A]))
    for channel in inventory[0][0]:
        channel.response.instrument_sensitivity.input_units = units
        channel.response.instrument_sensitivity.value = 4e5

    result = recording_from_obspy(stream, inventory)

    assert {c.kind for c in result.stations[0].channels} == {kind}
    assert result.stations[0].channels[0].sensitivity == pytest.approx(4e5 / size)


def test_units_that_are_no_ground_motion_are_set_aside() -> None:
    stream, inventory = both()
    for channel in inventory[0][1]:
        channel.response.instrument_sensitivity.input_units = "PA"

    result = recording_from_obspy(stream, inventory)

    assert [s.code for s in result.stations] == ["XX.AAA"]
    assert kinds(result.problems) == {"unit": 3}
    assert "'PA'" in result.problems[0].detail


def test_displacement_stands_apart_as_gnss() -> None:
    gnss = station(["XX.GPS..LXZ"], kind=SensorKind.DISPLACEMENT, sensitivity=1e4, rate_hz=1.0)
    case = recording([A, gnss])

    result = recording_from_obspy(*obspy_objects(case))

    assert [s.code for s in result.stations] == ["XX.AAA"]
    assert [s.code for s in result.gnss] == ["XX.GPS"]
    assert result.gnss[0].channels[0].kind is SensorKind.DISPLACEMENT
    assert {str(s.stream_id) for s in result.gnss_segments} == {"XX.GPS..LXZ"}
    assert all(s.stream_id.station == "AAA" for s in result.segments)
    assert kinds(result.problems) == {}


@pytest.mark.parametrize("rate_hz", [0.1, 50.0])
def test_displacement_at_other_rates_is_no_gnss(rate_hz: float) -> None:
    gnss = station(["XX.GPS..LXZ"], kind=SensorKind.DISPLACEMENT, sensitivity=1e4, rate_hz=rate_hz)

    result = recording_from_obspy(*obspy_objects(recording([A, gnss])))

    assert result.gnss == ()
    assert kinds(result.problems) == {"rate": 1}


@pytest.mark.parametrize(("rate_hz", "usable"), [(19.9, 0), (20.0, 1), (250.0, 1), (500.0, 0)])
def test_sampling_rates_from_20_to_250_hz_are_usable(rate_hz: float, usable: int) -> None:
    case = recording([A, station(["XX.BBB..HNZ"], rate_hz=rate_hz)])

    result = recording_from_obspy(*obspy_objects(case))

    assert len(result.stations) == 1 + usable
    assert kinds(result.problems) == ({} if usable else {"rate": 1})


def test_a_channel_without_metadata_does_not_stop_the_others() -> None:
    stream, inventory = both()
    del inventory[0][1].channels[0]

    result = recording_from_obspy(stream, inventory)

    assert [len(s.channels) for s in result.stations] == [3, 2]
    assert [(p.kind, p.where) for p in result.problems] == [
        ("no_metadata", "XX.BBB..HNZ"),
        ("no_waveform", "XX.BBB"),  # which leaves it without a vertical
    ]


@pytest.mark.parametrize("spoil", ["no response", "no sensitivity", "zero", "origin of the map"])
def test_missing_sensitivity_or_coordinates_are_missing_metadata(spoil: str) -> None:
    stream, inventory = both()
    for place in (inventory[0][1], *inventory[0][1]):
        if spoil == "origin of the map":
            place.latitude = place.longitude = 0.0
    for channel in inventory[0][1]:
        if spoil == "no response":
            channel.response = None
        elif spoil == "no sensitivity":
            channel.response.instrument_sensitivity = None
        elif spoil == "zero":
            channel.response.instrument_sensitivity.value = 0.0

    result = recording_from_obspy(stream, inventory)

    assert [s.code for s in result.stations] == ["XX.AAA"]
    assert kinds(result.problems) == {"no_metadata": 3}


def test_metadata_without_waveforms_are_reported_once_per_station() -> None:
    stream, inventory = both()
    for trace in stream.select(station="BBB"):
        stream.remove(trace)

    result = recording_from_obspy(stream, inventory)

    (row,) = result.problems
    assert (row.kind, row.where, row.count) == ("no_waveform", "XX.BBB", 3)
    assert ".HNE, .HNN, .HNZ" in row.detail


def epochs_at(inventory: Any, *spans: tuple[float, float, float]) -> None:
    """Give every channel of XX.AAA epochs (begin s, end s, sensitivity) after the first sample."""
    import copy

    import obspy

    place = inventory[0][0]
    channels = list(place.channels)
    place.channels = []
    for begin_s, end_s, sensitivity in spans:
        for channel in channels:
            epoch = copy.deepcopy(channel)
            epoch.start_date = obspy.UTCDateTime(ns=START_NS + round(begin_s * 1e9))
            epoch.end_date = obspy.UTCDateTime(ns=START_NS + round(end_s * 1e9))
            epoch.response.instrument_sensitivity.value = sensitivity
            place.channels.append(epoch)


def test_the_epoch_of_the_data_is_used() -> None:
    stream, inventory = obspy_objects(recording([A]))
    epochs_at(inventory, (-900.0, -100.0, 1e5), (-100.0, 100.0, 4e5), (100.0, 900.0, 9e5))

    result = recording_from_obspy(stream, inventory)

    assert {c.sensitivity for c in result.stations[0].channels} == {4e5}
    assert result.problems == ()


def test_epochs_that_do_not_hold_at_the_time_are_missing_metadata() -> None:
    stream, inventory = obspy_objects(recording([A]))
    epochs_at(inventory, (-900.0, -100.0, 1e5))

    with pytest.raises(DataError, match=r"none of 1 epoch.* holds at the time of the data"):
        recording_from_obspy(stream, inventory)


def test_samples_after_a_change_of_sensitivity_are_cut_off() -> None:
    stream, inventory = obspy_objects(recording([A]))
    epochs_at(inventory, (-900.0, 5.0, 1e5), (5.0, 900.0, 4e5))

    result = recording_from_obspy(stream, inventory)

    assert [len(s.samples) for s in result.segments] == [500, 500, 500]
    assert kinds(result.problems) == {"no_metadata": 3}


def test_an_epoch_that_goes_on_unchanged_is_no_problem() -> None:
    stream, inventory = obspy_objects(recording([A]))
    epochs_at(inventory, (-900.0, 5.0, 1e5), (5.0, 900.0, 1e5))

    result = recording_from_obspy(stream, inventory)

    assert [len(s.samples) for s in result.segments] == [2000, 2000, 2000]
    assert result.problems == ()


@pytest.mark.parametrize(
    ("text", "vs30_mps"),
    [
        ("sensor = CMG-5T | digitizer =; VS30 946", 946.0),
        ("vs30=365.5 m/s", 365.5),
        ("VS30 None", None),
        ("VS30 0", None),
        ("VS 30 changed. Old value: 200", None),
    ],
)
def test_vs30_is_found_in_descriptions(text: str, vs30_mps: float | None) -> None:
    stream, inventory = obspy_objects(recording([A]))
    for channel in inventory[0][0]:
        channel.description = text

    assert recording_from_obspy(stream, inventory).stations[0].vs30_mps == vs30_mps


def test_blank_and_dashed_location_codes_are_the_same() -> None:
    stream, inventory = obspy_objects(recording([A]))
    for channel in inventory[0][0]:
        channel.location_code = "--"

    result = recording_from_obspy(stream, inventory)

    assert str(result.stations[0].channels[0].stream_id) == "XX.AAA..HNZ"


@pytest.mark.parametrize("content", [b"", b"<html><body>404</body></html>", b"\x00\x01"])
def test_what_is_not_stationxml_is_an_error_with_the_file_name(content: bytes) -> None:
    with pytest.raises(MetadataError, match=r"stations\.xml: not readable as StationXML"):
        read_stationxml(content, name="stations.xml")


def test_a_channel_that_obspy_leaves_out_is_reported() -> None:
    _, inventory = both()
    text = stationxml(inventory).decode()
    head, mark, tail = text.partition('<Channel code="HNZ"')
    tail = re.sub(r"<Depth[^/]*</Depth>", "", tail, count=1)

    parsed, problems = read_stationxml((head + mark + tail).encode(), name="stations.xml")

    assert kinds(problems) == {"no_metadata": 1}
    assert "HNZ" in problems[0].detail
    with pytest.raises(MetadataError, match="not in the StationXML"):
        Metadata([parsed]).at(StreamId.parse("XX.AAA..HNZ"), START_NS)


def test_no_usable_station_is_an_error_that_says_why() -> None:
    stream, inventory = obspy_objects(recording([station(["XX.AAA..HNZ"], rate_hz=10.0)]))

    with pytest.raises(DataError) as caught:
        recording_from_obspy(stream, inventory, name="my quake")

    assert caught.value.exit_code == 3
    assert str(caught.value).startswith("my quake: no usable station: 1 stream(s), 1 rate")
    assert "XX.AAA..HNZ: 10 Hz, usable are 20 to 250 Hz" in str(caught.value)


def test_an_empty_stream_is_an_error() -> None:
    stream, inventory = obspy_objects(recording([A]))
    stream.clear()

    with pytest.raises(DataError, match=r"no usable station: 0 stream\(s\)"):
        recording_from_obspy(stream, inventory)


def test_python_objects_give_what_the_samples_say() -> None:
    case = recording([A], [segment(i) for i in three_components("XX.AAA")])

    result = recording_from_obspy(*obspy_objects(case), name="from python")

    assert result.name == "from python"
    assert result.stations == (A,)
    assert result.truth is None
    assert result.input_sha256 == {}
