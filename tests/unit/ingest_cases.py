"""Small recordings and StationXML for the tests of reading and replay."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from eew.ingest.export import inventory_of, stream_of
from eew.model.waveform import (
    Channel,
    Component,
    DataProblem,
    Recording,
    Segment,
    SensorKind,
    Station,
    StreamId,
    Truth,
)

if TYPE_CHECKING:
    import obspy

START_NS = 1_600_000_000_123_456_000  # 2020-09-13, whole microseconds
TRUTH = Truth(
    event_id="xx2020_m61",
    origin_time_ns=START_NS + 5_000_000_000,
    lat=35.2,
    lon=-117.25,
    depth_km=8.1,
    magnitude=6.1,
    magnitude_type="Mw",
)
_COMPONENTS = {
    "Z": Component.VERTICAL,
    "N": Component.HORIZONTAL_1,
    "1": Component.HORIZONTAL_1,
    "E": Component.HORIZONTAL_2,
    "2": Component.HORIZONTAL_2,
}


def counts(n: int = 2000, seed: int = 1) -> NDArray[np.int32]:
    """Noise that no two samples of which are likely to be equal."""
    return np.random.default_rng(seed).integers(-100_000, 100_000, n, dtype=np.int32)


def segment(
    stream: str,
    samples: NDArray[np.int32] | NDArray[np.float64] | None = None,
    *,
    start_ns: int = START_NS,
    rate_hz: float = 100.0,
) -> Segment:
    stream_id = StreamId.parse(stream)
    data = counts(seed=sum(stream.encode())) if samples is None else samples
    return Segment(stream_id=stream_id, start_ns=start_ns, sampling_rate_hz=rate_hz, samples=data)


def station(
    streams: Sequence[str],
    *,
    kind: SensorKind = SensorKind.ACCELERATION,
    sensitivity: float = 213_979.5,
    rate_hz: float = 100.0,
    lat: float = 35.125,
    lon: float = -117.5,
    clip_counts: float = 7_549_747.2,
    vs30_mps: float | None = None,
) -> Station:
    ids = [StreamId.parse(stream) for stream in streams]
    return Station(
        code=ids[0].station_code,
        lat=lat,
        lon=lon,
        elevation_m=712.0,
        channels=tuple(
            Channel(
                stream_id=stream_id,
                component=_COMPONENTS[stream_id.channel[-1]],
                kind=kind,
                sensitivity=sensitivity,
                sampling_rate_hz=rate_hz,
                clip_counts=clip_counts,
            )
            for stream_id in ids
        ),
        vs30_mps=vs30_mps,
    )


def recording(
    stations: Sequence[Station],
    segments: Sequence[Segment] | None = None,
    *,
    truth: Truth | None = None,
    name: str = "case",
) -> Recording:
    """Make a recording; 20 s of noise on every channel where no segments are given."""
    if segments is None:
        segments = [
            segment(str(channel.stream_id), rate_hz=channel.sampling_rate_hz)
            for place in stations
            for channel in place.channels
        ]
    ordered = sorted(segments, key=lambda s: (s.stream_id, s.start_ns))
    return Recording(
        name=name,
        stations=tuple(stations),
        segments=tuple(ordered),
        truth=truth,
        problems=(),
        input_sha256={},
    )


def three_components(code: str, instrument: str = "HN", location: str = "") -> list[str]:
    """Stream ids of a three-component sensor."""
    return [f"{code}.{location}.{instrument}{letter}" for letter in "ZNE"]


def obspy_objects(case: Recording) -> tuple[obspy.Stream, Any]:
    """Give the stream and the inventory of a recording."""
    return stream_of(case), inventory_of(case)


def miniseed(case: Recording) -> bytes:
    """Encode a recording in records of 512 bytes."""
    buffer = io.BytesIO()
    for trace in stream_of(case):
        trace.write(buffer, format="MSEED", reclen=512, encoding="STEIM2")
    return buffer.getvalue()


def kinds(problems: Sequence[DataProblem]) -> dict[str, int]:
    """Sum the counts of problems by kind."""
    totals: dict[str, int] = {}
    for problem in problems:
        totals[problem.kind] = totals.get(problem.kind, 0) + problem.count
    return totals
