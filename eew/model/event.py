"""What the detector says: picks, solutions and station states."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import Enum


class Phase(Enum):
    """Seismic phase of a pick."""

    P = "P"
    S = "S"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """A phase onset at one station.

    Attributes
    ----------
    pick_id : int
        Running number within a run, from 1.
    station : str
        ``NET.STA``.
    time_ns : int
        Onset, UTC ns (data time, not the arrival of the packet).
    known_ns : int
        When the detector could know it (arrival of the deciding packet), UTC ns.
    uncertainty_s : float
        One standard deviation in s, > 0.
    snr : float
        Ratio of short- to long-term average at the trigger, > 0.
    """

    pick_id: int
    station: str
    stream: str
    phase: Phase
    time_ns: int
    known_ns: int
    uncertainty_s: float
    snr: float

    def __post_init__(self) -> None:
        if not self.uncertainty_s > 0.0:  # also refuses NaN
            raise ValueError(f"uncertainty_s must be > 0, was {self.uncertainty_s!r}")
        if not self.snr > 0.0:
            raise ValueError(f"snr must be > 0, was {self.snr!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PickRejected:
    """A trigger that a quality gate refused."""

    station: str
    time_ns: int
    known_ns: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StationMagnitude:
    """One station's part in a network magnitude."""

    station: str
    magnitude: float
    relation: str  # "pd" (displacement), "pv" (velocity, where displacement is all noise)
    pd_m: float
    window_s: float
    weight: float
    epicentral_distance_km: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A pick associated to an event."""

    pick_id: int
    station: str
    phase: Phase
    residual_s: float
    epicentral_distance_km: float
    used: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """Origin, magnitude and quality of one event at one moment.

    Attributes
    ----------
    at_ns : int
        Data time at which this solution was known, UTC ns.
    ellipse_major_km, ellipse_minor_km, ellipse_azimuth_deg : float
        One-sigma error ellipse of the epicentre; azimuth of the major axis from north.
    azimuthal_gap_deg : float
        Largest angle at the epicentre without an associated station, 0 to 360.
    magnitude_is_lower_bound : bool
        True while the source may not have ended, or the relation saturates.
    n_picks, n_stations : int
        Associated P picks, and stations that carry them.
    trace : tuple
        See :class:`Trace`.
    """

    event_id: str
    at_ns: int
    origin_time_ns: int
    lat: float
    lon: float
    depth_km: float
    origin_time_sigma_s: float
    h_sigma_km: float
    z_sigma_km: float
    ellipse_major_km: float
    ellipse_minor_km: float
    ellipse_azimuth_deg: float
    azimuthal_gap_deg: float
    rms_s: float
    magnitude: float
    magnitude_sigma: float
    magnitude_type: str
    magnitude_is_lower_bound: bool
    n_picks: int
    n_stations: int
    likelihood: float
    first_pick_ns: int
    trace: Trace
    arrivals: tuple[Arrival, ...] = ()
    station_magnitudes: tuple[StationMagnitude, ...] = ()

    def __post_init__(self) -> None:
        if not (math.isfinite(self.lat) and math.isfinite(self.lon)):
            raise ValueError(f"{self.event_id}: position must be finite")
        if not math.isfinite(self.magnitude):
            raise ValueError(f"{self.event_id}: magnitude must be finite, was {self.magnitude!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """Data times (UTC ns) along the chain for the sample that decided a solution.

    ``last_sample_ns`` is the end of the newest packet that contributed, ``received_ns`` its
    arrival, ``pick_ns`` the onset of the newest contributing pick.
    """

    last_sample_ns: int
    received_ns: int
    pick_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EventClosed:
    """The detector has finished with an event.

    ``withdrawn`` is True where the event was found not to be one (a false detection);
    ``reason`` then says why.
    """

    event_id: str
    at_ns: int
    withdrawn: bool
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StationPeaks:
    """Largest motion seen so far at a station since its records began, from three components.

    ``pga_mps2`` and ``pgv_mps`` are the largest *horizontal* component (as the ground-motion
    models predict); ``*_vector`` the largest vector sum of the components present (as GB/T
    17742 measures). ``clipped`` says that the values are lower bounds.
    """

    station: str
    pga_mps2: float
    pgv_mps: float
    pga_vector_mps2: float
    pgv_vector_mps: float
    clipped: bool
    n_components: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StationState:
    """What the detector thinks of a station now.

    ``reason`` says why it is not used: ``flat``, ``clipping``, or of a quarantine ``telemetry``,
    ``calibration``, ``noise_floor``, ``chatter``, ``clock``; empty where there is none.
    """

    station: str
    state: str  # "starting", "live", "late", "silent", "dead", "clipped", "quarantined"
    last_sample_ns: int | None
    delay_s: float | None
    n_packets: int
    n_picks: int
    reason: str = ""
    problems: dict[str, int] = field(default_factory=dict)
