"""Distances between a place on the surface and a rectangular fault."""

from __future__ import annotations

import math

from eew.physics.geo import azimuth_deg, epicentral_distance_km
from simulator.ruptures import Fault

__all__ = ["plane_distances_km"]


def plane_distances_km(
    fault: Fault,
    hypocentre: tuple[float, float, float],
    lat: float,
    lon: float,
) -> tuple[float, float]:
    """Distance to the surface projection of a fault (Joyner-Boore) and to the fault itself.

    Parameters
    ----------
    hypocentre : tuple of float
        Latitude, longitude and depth in km; lies on the plane at the fault's shares.

    Returns
    -------
    tuple of float
        km. On a plane earth: within 0.1 % up to some hundred km.
    """
    hypo_lat, hypo_lon, depth_km = hypocentre
    away_km = float(epicentral_distance_km(hypo_lat, hypo_lon, lat, lon))
    turn = math.radians(float(azimuth_deg(hypo_lat, hypo_lon, lat, lon)) - fault.strike_deg)
    # from the hypocentre: along the strike, to its right (where the plane goes down), up
    site = (away_km * math.cos(turn), away_km * math.sin(turn), depth_km)
    dip = math.radians(fault.dip_deg)
    along = (-fault.along_share * fault.length_km, (1.0 - fault.along_share) * fault.length_km)
    down = (-fault.down_share * fault.width_km, (1.0 - fault.down_share) * fault.width_km)
    right = sorted(edge * math.cos(dip) for edge in down)
    on_plane = site[1] * math.cos(dip) - site[2] * math.sin(dip)  # down the dip
    off_plane = site[1] * math.sin(dip) + site[2] * math.cos(dip)
    past_km = _past(site[0], along)
    return (
        math.hypot(past_km, _past(site[1], (right[0], right[1]))),
        math.hypot(past_km, _past(on_plane, down), off_plane),
    )


def _past(at: float, span: tuple[float, float]) -> float:
    """How far a value lies outside a span."""
    return max(span[0] - at, at - span[1], 0.0)
