"""The way from each subfault to a station: times, distances and directions of P and S."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eew.physics.geo import azimuth_deg, epicentral_distance_km
from eew.physics.traveltime import TravelTimes
from simulator.finite_fault import FiniteSource
from simulator.radiation import radiation_pattern

__all__ = ["Late", "Rays", "Sight", "sight_of"]

Floats = NDArray[np.float64]

_STEP_KM = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """How late P is, in s and as a share of its travel time; S as much more as it is slower."""

    seconds: float = 0.0
    share: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rays:
    """One phase from n subfaults.

    Attributes
    ----------
    arrivals_s : numpy.ndarray, shape (n,)
        After the origin, none before that of the first subfault.
    slowness_s_km : numpy.ndarray, shape (n,)
        Horizontal, at the surface.
    patterns : tuple of numpy.ndarray
        Radiation of the double couple along each ray: of P, or of SV and of SH.
    """

    arrivals_s: Floats
    slowness_s_km: Floats
    patterns: tuple[Floats, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sight:
    """A source as a station sees it.

    Attributes
    ----------
    distances_km : numpy.ndarray, shape (n,)
        To the subfaults, straight; no less than what half their size makes of it.
    away_deg : numpy.ndarray, shape (n,)
        Azimuth at the station of the direction away from them.
    east_km, north_km : numpy.ndarray, shape (n,)
        The station seen from the epicentres of the subfaults.
    """

    distances_km: Floats
    away_deg: Floats
    east_km: Floats
    north_km: Floats
    p: Rays
    s: Rays


def sight_of(source: FiniteSource, times: TravelTimes, lat: float, lon: float, late: Late) -> Sight:
    """Look at a source from a place."""
    epicentral_km = np.asarray(epicentral_distance_km(source.lats, source.lons, lat, lon))
    azimuths = np.asarray(azimuth_deg(source.lats, source.lons, lat, lon))
    away = np.asarray(azimuth_deg(lat, lon, source.lats, source.lons)) + 180.0
    half_km = 0.5 * np.sqrt(source.length_km * source.width_km) if not source.is_point else 0.0
    turn = np.radians(azimuths)
    p_first_s = float(times.p_s(epicentral_km[0], source.depths_km[0]))
    late_s = late.seconds + late.share * p_first_s

    def rays(phase: str) -> Rays:
        look_up = times.p_s if phase == "p" else times.s_s
        taken_s = look_up(epicentral_km, source.depths_km)
        nearer_km = np.maximum(epicentral_km - _STEP_KM, 0.0)
        further_km = epicentral_km + _STEP_KM
        slowness = (
            look_up(further_km, source.depths_km) - look_up(nearer_km, source.depths_km)
        ) / (further_km - nearer_km)
        # A ray that leaves upwards takes longer from further down.
        upward = (look_up(epicentral_km, source.depths_km + _STEP_KM) - taken_s) / _STEP_KM
        takeoff = np.degrees(np.arctan2(slowness, -upward))
        p, sv, sh = radiation_pattern(
            source.strikes_deg, source.dips_deg, source.rakes_deg, azimuths, takeoff
        )
        slower = float(taken_s[0]) / max(p_first_s, 1e-9)
        arrivals_s = source.starts_s + taken_s + late_s * slower
        return Rays(
            arrivals_s=np.maximum(arrivals_s, arrivals_s[0]),
            slowness_s_km=np.maximum(slowness, 0.0),
            patterns=(p,) if phase == "p" else (sv, sh),
        )

    return Sight(
        distances_km=np.sqrt(epicentral_km**2 + source.depths_km**2 + half_km**2),
        away_deg=away,
        east_km=epicentral_km * np.sin(turn),
        north_km=epicentral_km * np.cos(turn),
        p=rays("p"),
        s=rays("s"),
    )
