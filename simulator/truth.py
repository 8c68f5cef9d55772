"""What really happened, and how an alert is scored against it.

The core never sees any of this. The scoring words of the project are defined here and nowhere
else; times are s after the true origin, and a *target* is a place with people.

needed
    The intensity at the target reaches the ``be_aware`` threshold. The intensity observed
    there decides; where nothing was recorded within reach, the intensity that the
    ground-motion model gives for the *true* magnitude and hypocentre.
told
    A device at the target showed ``be_aware`` or more for an event that matches the truth.
lead time
    Theoretical S arrival at the target (true hypocentre, iasp91) minus the moment the target
    was told. Negative: the shaking was there first.
blind zone
    Where the lead time is not positive, however good the alert: around the epicentre.
timely
    Needed, and told with a positive lead time.
late
    Needed and told, but with no positive lead time: the target lies in the blind zone of this
    alert, or the estimate grew too slowly for it.
missed
    Needed, and never told.
precautionary
    Told, not needed, but shaking that people feel (intensity 2 or more) did come.
false
    Told, and nothing that people feel came: the event was not one (no match with the truth),
    or it was far overestimated at this place.
not_needed
    Not told, and not needed.
unscored
    There is no truth to score against, or the run was cut before S came and anybody was told.

An alerted event *matches* the truth if its epicentre is within 100 km and its origin time
within 30 s of it (Lux et al. 2024, https://doi.org/10.1785/0120230259); any other alerted
event is a false alert, and a second matching one is a split.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from eew.clock import NS_PER_S
from eew.model.alert import Level
from eew.model.waveform import Recording, Truth
from eew.physics.geo import epicentral_distance_km
from eew.physics.traveltime import TravelTimes

MATCH_DISTANCE_KM = 100.0
MATCH_ORIGIN_TIME_S = 30.0
FELT_INTENSITY = 2.0  # MMI II, CSIS II: felt by a few people at rest indoors


class Outcome(Enum):
    """One word per target; the module docstring says what each means."""

    TIMELY = "timely"
    LATE = "late"
    MISSED = "missed"
    PRECAUTIONARY = "precautionary"
    FALSE = "false"
    NOT_NEEDED = "not_needed"
    UNSCORED = "unscored"


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginError:
    """Estimate minus truth; the epicentre error is a distance in km."""

    epicentre_km: float
    depth_km: float
    origin_time_s: float
    magnitude: float


def origin_error(
    truth: Truth, *, lat: float, lon: float, depth_km: float, origin_time_ns: int, magnitude: float
) -> OriginError:
    """Return how far an estimate is from the truth (estimate minus truth)."""
    return OriginError(
        epicentre_km=float(epicentral_distance_km(truth.lat, truth.lon, lat, lon)),
        depth_km=depth_km - truth.depth_km,
        origin_time_s=(origin_time_ns - truth.origin_time_ns) / NS_PER_S,
        magnitude=magnitude - truth.magnitude,
    )


def matches(error: OriginError) -> bool:
    """Whether an alerted event is the true one, by place and time."""
    return (
        error.epicentre_km <= MATCH_DISTANCE_KM and abs(error.origin_time_s) <= MATCH_ORIGIN_TIME_S
    )


def score_target(
    *,
    level: Level,
    told_by_match: bool,
    lead_time_s: float | None,
    intensity: float | None,
    be_aware: float,
) -> Outcome:
    """Give a target its word.

    Parameters
    ----------
    level : Level
        Highest level that a device at the target showed.
    told_by_match : bool
        The event behind that level matches the truth.
    lead_time_s : float or None
        S arrival minus told, s; None where nobody was told or no S arrival is known.
    intensity : float or None
        What came: observed, else computed from the truth; None where there is no truth.
    be_aware : float
        Intensity from which a target is to be told.
    """
    if intensity is None:
        return Outcome.UNSCORED
    told = level is not Level.NONE
    if intensity >= be_aware:
        if not (told and told_by_match):
            return Outcome.MISSED
        in_time = lead_time_s is not None and lead_time_s > 0.0
        return Outcome.TIMELY if in_time else Outcome.LATE
    if not told:
        return Outcome.NOT_NEEDED
    felt = intensity >= FELT_INTENSITY
    return Outcome.PRECAUTIONARY if felt and told_by_match else Outcome.FALSE


def nth_p_floor_s(recording: Recording, *, n: int = 6, model: str = "iasp91") -> list[float]:
    """Return when the first ``n`` P waves reach stations that really deliver data.

    This is the floor under any alert that waits for that many stations: no packet, link or
    computing delay is in it. A station counts if it has samples at the moment of the arrival.

    Returns
    -------
    list of float
        s after the true origin, rising; shorter than ``n`` with fewer stations, empty without
        truth.
    """
    truth = recording.truth
    if truth is None or not recording.stations:
        return []
    p_s = arrivals_s(recording, model=model)[0]
    floor = [
        float(arrival_s)
        for station, arrival_s in zip(recording.stations, p_s, strict=True)
        if delivers_at(recording, station.code, truth.origin_time_ns + round(arrival_s * NS_PER_S))
    ]
    return sorted(floor)[:n]


def arrivals_s(
    recording: Recording, *, model: str = "iasp91"
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return theoretical P and S arrivals at each station, s after the true origin.

    Raises
    ------
    ValueError
        If the recording has no truth.
    """
    truth = recording.truth
    if truth is None:
        raise ValueError(f"{recording.name}: arrivals need a true origin")
    lats = np.array([station.lat for station in recording.stations])
    lons = np.array([station.lon for station in recording.stations])
    distance_km = epicentral_distance_km(truth.lat, truth.lon, lats, lons)
    times = TravelTimes.load(model)
    p_s = np.asarray(times.p_s(distance_km, truth.depth_km), dtype=np.float64)
    s_s = np.asarray(times.s_s(distance_km, truth.depth_km), dtype=np.float64)
    return p_s, s_s


def delivers_at(recording: Recording, station: str, at_ns: int) -> bool:
    """Whether any stream of ``station`` (``NET.STA``) has a sample at ``at_ns``."""
    return any(
        segment.start_ns <= at_ns < segment.end_ns
        for segment in recording.segments
        if segment.stream_id.station_code == station
    )


def blind_zone_km(
    first_alert_s: float, depth_km: float, *, model: str = "iasp91", furthest_km: float = 600.0
) -> float:
    """Return how far from the epicentre S has come when the first alert is decided.

    Inside that radius no lead time is possible, whatever the delivery. 0.0 where the alert is
    out before S reaches the surface; known to 0.1 km, never beyond ``furthest_km``.
    """
    distances_km = np.linspace(0.0, furthest_km, round(furthest_km * 10.0) + 1)
    s_s = np.asarray(
        TravelTimes.load(model).s_s(distances_km, np.full_like(distances_km, depth_km)),
        dtype=np.float64,
    )
    reached = np.flatnonzero(s_s <= first_alert_s)
    return float(distances_km[reached[-1]]) if reached.size else 0.0
