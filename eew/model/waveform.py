"""Streams, stations and packets."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, order=True)
class StreamId:
    """SEED network.station.location.channel codes; ``str()`` gives ``NET.STA.LOC.CHA``."""

    network: str
    station: str
    location: str
    channel: str

    def __str__(self) -> str:
        return f"{self.network}.{self.station}.{self.location}.{self.channel}"

    @property
    def station_code(self) -> str:
        """``NET.STA``."""
        return f"{self.network}.{self.station}"

    @classmethod
    def parse(cls, text: str) -> StreamId:
        """Parse ``NET.STA.LOC.CHA`` (an empty location is written as nothing between dots)."""
        parts = text.split(".")
        if len(parts) != 4:
            raise ValueError(f"stream id must have four parts NET.STA.LOC.CHA, was {text!r}")
        return cls(*parts)


class SensorKind(Enum):
    """What a channel measures, by the input units of its response."""

    ACCELERATION = "acceleration"  # m/s**2
    VELOCITY = "velocity"  # m/s
    DISPLACEMENT = "displacement"  # m (1 Hz GNSS)


class Component(Enum):
    """The place of a channel in a station's three components."""

    VERTICAL = 0
    HORIZONTAL_1 = 1  # north, or the first horizontal where azimuths are unknown
    HORIZONTAL_2 = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One stream with what is needed to turn counts into physical units.

    Attributes
    ----------
    sensitivity : float
        Counts per unit of ``kind`` (m/s**2, m/s or m); sign carries polarity, never 0.
    sampling_rate_hz : float
        Nominal sampling rate, > 0.
    clip_counts : float
        Counts beyond which the sample is taken as clipped; ``inf`` where unknown.
    """

    stream_id: StreamId
    component: Component
    kind: SensorKind
    sensitivity: float
    sampling_rate_hz: float
    clip_counts: float = math.inf

    def __post_init__(self) -> None:
        if self.sensitivity == 0.0 or not math.isfinite(self.sensitivity):
            raise ValueError(
                f"{self.stream_id}: sensitivity must be finite and not 0, was {self.sensitivity!r}"
            )
        if not (self.sampling_rate_hz > 0.0 and math.isfinite(self.sampling_rate_hz)):
            raise ValueError(
                f"{self.stream_id}: sampling_rate_hz must be > 0, was {self.sampling_rate_hz!r}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """A place with the channels the detector uses: one to three of one sensor kind.

    Attributes
    ----------
    code : str
        ``NET.STA``; unique within a run.
    channels : tuple of Channel
        At most one per component; all of one sensor kind and one sampling rate.
    vs30_mps : float or None
        Mean S velocity of the upper 30 m in m/s, where known.
    """

    code: str
    lat: float
    lon: float
    elevation_m: float
    channels: tuple[Channel, ...]
    vs30_mps: float | None = None

    def __post_init__(self) -> None:
        if not (-90.0 <= self.lat <= 90.0 and -180.0 <= self.lon <= 180.0):
            raise ValueError(f"{self.code}: coordinates out of range: {self.lat!r}, {self.lon!r}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Run:
    """A run of samples of one stream with one start time.

    Attributes
    ----------
    start_ns : int
        UTC of the first sample, ns.
    samples : numpy.ndarray, shape (n,)
        Counts, as recorded (int32 or float64); may hold NaN, which the core sets aside.
    """

    stream_id: StreamId
    start_ns: int
    sampling_rate_hz: float
    samples: NDArray[np.int32] | NDArray[np.float64]

    @property
    def end_ns(self) -> int:
        """UTC just after the last sample (start of what comes next), ns."""
        return self.start_ns + round(len(self.samples) * 1e9 / self.sampling_rate_hz)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Packet(_Run):
    """A run of samples as a station sends it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Segment(_Run):
    """A gapless piece of recording of one stream, of any length."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataProblem:
    """Something in the input that was set aside or mended; counted, never silent.

    Attributes
    ----------
    kind : str
        One of ``gap``, ``overlap``, ``duplicate``, ``reordered``, ``nan``, ``dead_channel``,
        ``no_metadata``, ``no_waveform``, ``unit``, ``rate``, ``second_sensor``,
        ``unreadable``, ``late``, ``lagging``, ``clock``,
        ``implausible_motion``; importers of shelters have kinds of their own.
    where : str
        Stream, station or file.
    detail : str
        One line for people, with the value found.
    count : int
        How many samples, packets or channels this row stands for.
    """

    kind: str
    where: str
    detail: str
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """The catalogue's word on a quake (QuakeML), for scoring only; never seen by the core."""

    event_id: str
    origin_time_ns: int
    lat: float
    lon: float
    depth_km: float
    magnitude: float
    magnitude_type: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Recording:
    """A recorded or computed quake, ready to be cut into packets.

    ``segments`` hold only streams of ``stations`` (one usable sensor per station), sorted by
    stream and time; what was left out stands in ``problems``. GNSS displacement stands apart in
    ``gnss`` and ``gnss_segments``: it makes magnitudes, but nobody picks on it.
    """

    name: str
    stations: tuple[Station, ...]
    segments: tuple[Segment, ...]
    truth: Truth | None
    problems: tuple[DataProblem, ...]
    input_sha256: dict[str, str]
    gnss: tuple[Station, ...] = ()
    gnss_segments: tuple[Segment, ...] = ()

    @property
    def start_ns(self) -> int:
        """UTC of the earliest sample, ns."""
        return min(s.start_ns for s in self.segments)

    @property
    def end_ns(self) -> int:
        """UTC after the latest sample, ns."""
        return max(s.end_ns for s in self.segments)

    def moved(self, by_ns: int) -> Recording:
        """Return the same quake as if it had been ``by_ns`` later."""
        truth = self.truth
        if truth is not None:
            truth = replace(truth, origin_time_ns=truth.origin_time_ns + by_ns)
        return replace(
            self,
            segments=_moved(self.segments, by_ns),
            gnss_segments=_moved(self.gnss_segments, by_ns),
            truth=truth,
        )


def _moved(segments: tuple[Segment, ...], by_ns: int) -> tuple[Segment, ...]:
    return tuple(replace(one, start_ns=one.start_ns + by_ns) for one in segments)
