"""A :class:`~eew.model.waveform.Recording` as ObsPy objects, with nothing in them left to chance.

ObsPy fills in the time of writing and random resource ids where it is given none, so all of them
are given here, made from the content.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from eew.errors import DataError
from eew.model.waveform import (
    Channel,
    Component,
    Recording,
    Segment,
    SensorKind,
    Station,
    StreamId,
    Truth,
)

if TYPE_CHECKING:
    import obspy

__all__ = ["catalog_of", "inventory_of", "stream_of", "trace_of"]

_UNITS = {
    SensorKind.ACCELERATION: ("M/S**2", "Acceleration in metres per second squared"),
    SensorKind.VELOCITY: ("M/S", "Velocity in metres per second"),
    SensorKind.DISPLACEMENT: ("M", "Displacement in metres"),
}
_AXES = {  # azimuth and dip in degrees
    Component.VERTICAL: (0.0, -90.0),
    Component.HORIZONTAL_1: (0.0, 0.0),
    Component.HORIZONTAL_2: (90.0, 0.0),
}
_CODE_LENGTHS = {"network": 2, "station": 5, "location": 2, "channel": 3}  # SEED 2.4
_STEIM2_LARGEST_STEP = 2**29 - 1  # differences are stored in 30 bits
_EVENT_ID = re.compile(r"[\w.~-]+", re.ASCII)
_SENSITIVITY_HZ = 1.0


def stream_of(recording: Recording) -> obspy.Stream:
    """Traces in the order of the segments; ``stats.mseed.encoding`` says how to store each.

    Raises
    ------
    DataError
        If a sample is not a whole number of counts within int32, or a code is too long.
    """
    import obspy

    everything = (*recording.segments, *recording.gnss_segments)
    return obspy.Stream([trace_of(segment) for segment in everything])


def trace_of(segment: Segment) -> obspy.Trace:
    """One segment as a trace; errors as :func:`stream_of`."""
    import obspy

    stream_id = segment.stream_id
    _check_codes(stream_id)
    samples = _whole_counts(segment)
    header = {
        "network": stream_id.network,
        "station": stream_id.station,
        "location": stream_id.location,
        "channel": stream_id.channel,
        "sampling_rate": segment.sampling_rate_hz,
        "starttime": obspy.UTCDateTime(ns=_to_us(segment.start_ns)),
        "mseed": {"encoding": _encoding(samples)},
    }
    return obspy.Trace(data=samples, header=header)


def inventory_of(recording: Recording, *, begins_ns: int | None = None) -> obspy.Inventory:
    """Stations with one flat response per channel: counts / sensitivity = input units.

    What StationXML has no element for stands in comments: ``clip_counts=...``, ``vs30=...``.

    Parameters
    ----------
    begins_ns : int, optional
        When the data begin, where the recording does not hold them.
    """
    import obspy
    from obspy.core import inventory as obspy_inventory

    networks: dict[str, list[obspy_inventory.Station]] = {}
    for station in (*recording.stations, *recording.gnss):
        network, _, code = station.code.partition(".")
        comments = []
        if station.vs30_mps is not None:
            comments = [obspy_inventory.Comment(f"vs30={station.vs30_mps!r} m/s")]
        networks.setdefault(network, []).append(
            obspy_inventory.Station(
                code=code,
                latitude=station.lat,
                longitude=station.lon,
                elevation=station.elevation_m,
                site=obspy_inventory.Site(name=station.code),
                comments=comments,
                channels=[_channel(station, channel) for channel in station.channels],
            )
        )
    return obspy.Inventory(
        networks=[
            obspy_inventory.Network(code=network, stations=stations)
            for network, stations in networks.items()
        ],
        source="eew-simulator",
        module="eew.ingest",
        module_uri="",
        # when the data begin, since the time of writing would differ from run to run
        created=obspy.UTCDateTime(
            ns=_to_us(recording.start_ns if begins_ns is None else begins_ns)
        ),
    )


def catalog_of(truth: Truth) -> obspy.Catalog:
    """One event with one origin and one magnitude.

    Raises
    ------
    DataError
        If the event id cannot be part of a QuakeML resource id.
    """
    import obspy
    from obspy.core import event as obspy_event

    if not _EVENT_ID.fullmatch(truth.event_id):
        raise DataError(
            "truth",
            f"event_id may hold letters, digits, '.', '-', '_', '~', was {truth.event_id!r}",
        )
    prefix = f"smi:local/{truth.event_id}"
    origin_id = obspy_event.ResourceIdentifier(f"{prefix}/origin/{truth.event_id}")
    magnitude_id = obspy_event.ResourceIdentifier(f"{prefix}/magnitude/{truth.event_id}")
    event = obspy_event.Event(
        resource_id=obspy_event.ResourceIdentifier(f"smi:local/{truth.event_id}"),
        event_type="earthquake",
        origins=[
            obspy_event.Origin(
                resource_id=origin_id,
                time=obspy.UTCDateTime(ns=truth.origin_time_ns),
                latitude=truth.lat,
                longitude=truth.lon,
                depth=truth.depth_km * 1000.0,
            )
        ],
        magnitudes=[
            obspy_event.Magnitude(
                resource_id=magnitude_id,
                mag=truth.magnitude,
                magnitude_type=truth.magnitude_type,
                origin_id=origin_id,
            )
        ],
    )
    event.preferred_origin_id = origin_id
    event.preferred_magnitude_id = magnitude_id
    return obspy_event.Catalog(
        events=[event],
        resource_id=obspy_event.ResourceIdentifier(f"smi:local/catalog/{truth.event_id}"),
    )


def _channel(station: Station, channel: Channel) -> obspy.core.inventory.Channel:
    from obspy.core import inventory as obspy_inventory

    _check_codes(channel.stream_id)
    units, meaning = _UNITS[channel.kind]
    azimuth_deg, dip_deg = _AXES[channel.component]
    return obspy_inventory.Channel(
        code=channel.stream_id.channel,
        location_code=channel.stream_id.location,
        latitude=station.lat,
        longitude=station.lon,
        elevation=station.elevation_m,
        depth=0.0,
        azimuth=azimuth_deg,
        dip=dip_deg,
        sample_rate=channel.sampling_rate_hz,
        comments=[obspy_inventory.Comment(f"clip_counts={channel.clip_counts!r}")],
        response=obspy_inventory.Response(
            instrument_sensitivity=obspy_inventory.InstrumentSensitivity(
                value=channel.sensitivity,
                frequency=_SENSITIVITY_HZ,
                input_units=units,
                output_units="COUNTS",
                input_units_description=meaning,
                output_units_description="Digital counts",
            )
        ),
    )


def _check_codes(stream_id: StreamId) -> None:
    for part, length in _CODE_LENGTHS.items():
        code = getattr(stream_id, part)
        if len(code) > length or not code.isascii():
            raise DataError(
                str(stream_id), f"{part} code has at most {length} ASCII characters, was {code!r}"
            )


def _whole_counts(segment: Segment) -> NDArray[np.int32]:
    samples = segment.samples
    if samples.dtype == np.int32:
        return np.ascontiguousarray(samples, dtype=np.int32)
    with np.errstate(invalid="ignore"):  # NaN and overflow are found by comparing
        counts = samples.astype(np.int32)
    wrong = np.flatnonzero(counts != samples)
    if len(wrong):
        raise DataError(
            str(segment.stream_id),
            f"sample {wrong[0]} is no whole number of counts within int32: {samples[wrong[0]]!r}",
        )
    return counts


def _encoding(samples: NDArray[np.int32]) -> str:
    steps = np.abs(np.diff(samples.astype(np.int64)))
    return "STEIM2" if steps.max(initial=0) <= _STEIM2_LARGEST_STEP else "INT32"


def _to_us(time_ns: int) -> int:
    """MiniSEED and the XML formats store whole microseconds."""
    return (time_ns + 500) // 1000 * 1000
