"""Motion of a quake at a place, without noise or instrument."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eew.physics.geo import destination
from eew.physics.traveltime import TravelTimes
from simulator.attenuation import Attenuation, attenuation
from simulator.finite_fault import FiniteSource, finite_source
from simulator.ground_motion import Draws, Ground, acceleration
from simulator.rays import Late, Sight, sight_of
from simulator.ruptures import Fault, Quake, Rupture
from simulator.time_axis import TimeAxis, fast_length

LAT, LON = 36.0, -118.0
ROCK = Ground(vs30_mps=760.0, kappa_s=0.03)
BEFORE_P_S = 5.0
RATE_HZ = 100.0


def source_of(
    magnitude: float,
    *,
    depth_km: float = 12.0,
    fault: Fault | None = None,
    region: str = "california",
    seed: int = 1,
    number: int = 0,
) -> FiniteSource:
    quake = Quake(lat=LAT, lon=LON, depth_km=depth_km, magnitude=magnitude, fault=fault)
    return finite_source(Rupture(parts=(quake,)), attenuation(region), seed, number)


@dataclass(frozen=True)
class Seen:
    """Motion, and what it was computed from; P comes :data:`BEFORE_P_S` after the start."""

    axis: TimeAxis
    sight: Sight
    region: Attenuation
    mps2: NDArray[np.float64]


def sight_from(source: FiniteSource, distance_km: float, azimuth_deg: float) -> Sight:
    lat, lon = destination(LAT, LON, azimuth_deg, distance_km)
    return sight_of(source, TravelTimes.load(), float(lat), float(lon), Late())


def axis_of(sight: Sight, rate_hz: float = RATE_HZ, after_s: float = 50.0) -> TimeAxis:
    start_s = float(sight.p.arrivals_s[0]) - BEFORE_P_S
    length_s = float(sight.s.arrivals_s.max()) + after_s - start_s
    return TimeAxis(
        start_s=start_s,
        sampling_rate_hz=rate_hz,
        samples=fast_length(round(length_s * rate_hz)),
        fade_s=20.0,
    )


def motion_of(
    source: FiniteSource,
    distance_km: float,
    azimuth_deg: float = 45.0,
    *,
    seed: int = 0,
    region: str = "california",
    ground: Ground = ROCK,
) -> Seen:
    sight = sight_from(source, distance_km, azimuth_deg)
    axis, constants = axis_of(sight), attenuation(region)
    p, s = (np.random.default_rng([seed, k]) for k in (0, 1))
    mps2 = acceleration(axis, source, sight, constants, ground, Draws(p=p, s=s))
    return Seen(axis=axis, sight=sight, region=constants, mps2=mps2)
