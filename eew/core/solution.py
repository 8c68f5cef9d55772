"""From the detector's inner state of an event to the public :class:`Solution`."""

from __future__ import annotations

import math
from collections.abc import Sequence

from eew.core.event_state import EventState
from eew.core.verdict import distinct_stations
from eew.model.event import Arrival, Phase, Solution, Trace
from eew.model.waveform import Station
from eew.physics.geo import azimuth_deg, azimuthal_gap_deg


def make_solution(
    event: EventState, stations: Sequence[Station], now_ns: int, trace: Trace
) -> Solution | None:
    """Describe an event as known at ``now_ns``; None while it has no magnitude."""
    magnitude = event.magnitude
    if magnitude is None:
        return None
    located = event.located
    rows = [t.row for t in event.picks]
    azimuths = azimuth_deg(
        located.lat, located.lon, [stations[r].lat for r in rows], [stations[r].lon for r in rows]
    )
    residuals = [event.residual_s(t) for t in event.picks]
    n_stations = distinct_stations(event)
    return Solution(
        event_id=event.event_id,
        at_ns=now_ns,
        origin_time_ns=event.origin_time_ns,
        lat=round(located.lat, 5),
        lon=round(located.lon, 5),
        depth_km=round(located.depth_km, 2),
        origin_time_sigma_s=located.origin_time_sigma_s,
        h_sigma_km=located.h_sigma_km,
        z_sigma_km=located.z_sigma_km,
        ellipse_major_km=located.ellipse_major_km,
        ellipse_minor_km=located.ellipse_minor_km,
        ellipse_azimuth_deg=located.ellipse_azimuth_deg,
        azimuthal_gap_deg=azimuthal_gap_deg(azimuths),
        rms_s=math.sqrt(sum(r * r for r in residuals) / len(residuals)),
        magnitude=round(magnitude.value, 3),
        magnitude_sigma=magnitude.sigma,
        magnitude_type=magnitude.type,
        magnitude_is_lower_bound=magnitude.lower_bound,
        n_picks=len(event.picks),
        n_stations=n_stations,
        likelihood=round(event.probability, 6),
        first_pick_ns=event.first_pick_ns,
        trace=trace,
        arrivals=tuple(
            Arrival(
                pick_id=t.pick.pick_id,
                station=t.pick.station,
                phase=Phase.P,
                residual_s=r,
                epicentral_distance_km=float(event.distance_km[t.row]),
                used=True,
            )
            for t, r in zip(event.picks, residuals, strict=True)
        ),
        station_magnitudes=magnitude.stations,
    )
