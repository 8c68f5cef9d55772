"""Records without noise and instrument, by the same generator as the stations of a network."""

from __future__ import annotations

import math
from dataclasses import dataclass

from eew.physics.traveltime import TravelTimes
from simulator.attenuation import Attenuation
from simulator.calibration.measure import Motion
from simulator.finite_fault import FiniteSource
from simulator.ground_motion import Draws, Ground, acceleration
from simulator.rays import Late, sight_of
from simulator.seeds import rng
from simulator.time_axis import TimeAxis, fast_length

__all__ = ["Site", "motion_at"]

_BEFORE_P_S = 5.0
_AFTER_S_CODAS = 4.0  # decay times of the coda behind the last S: 1/55 of its beginning is left
_FADE_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where a record is made, and the labels of its chance."""

    lat: float
    lon: float
    vs30_mps: float
    labels: tuple[str | int, ...]


def motion_at(
    source: FiniteSource,
    region: Attenuation,
    site: Site,
    seed: int,
    sampling_rate_hz: float,
    *,
    scatter: bool = True,
) -> Motion:
    """Compute ground acceleration at a site.

    Parameters
    ----------
    scatter : bool
        Let ground and kappa differ from site to site as between the stations of a network.
    """
    sight = sight_of(source, TravelTimes.load(), site.lat, site.lon, Late())
    p_s, s_s = float(sight.p.arrivals_s[0]), float(sight.s.arrivals_s[0])
    ends_s = float(sight.s.arrivals_s.max()) + _AFTER_S_CODAS * region.s.coda_decay_s
    first = math.floor((p_s - _BEFORE_P_S) * sampling_rate_hz)
    length = math.ceil(ends_s * sampling_rate_hz) - first
    axis = TimeAxis(
        start_s=first / sampling_rate_hz,
        sampling_rate_hz=sampling_rate_hz,
        samples=fast_length(length + round(_FADE_S * sampling_rate_hz)),
        fade_s=_FADE_S,
    )
    aside = rng(seed, "site", *site.labels).standard_normal(2) * float(scatter)
    ground = Ground(
        vs30_mps=site.vs30_mps,
        kappa_s=region.kappa_s * math.exp(region.kappa_sigma_ln * float(aside[0])),
    )
    draws = Draws(p=rng(seed, "P", *site.labels), s=rng(seed, "S", *site.labels))
    motion = acceleration(axis, source, sight, region, ground, draws)[:, :length]
    motion *= 10.0 ** (region.site_sigma_log10 * float(aside[1]))
    return Motion(
        acceleration_mps2=motion,
        sampling_rate_hz=sampling_rate_hz,
        p_s=p_s - axis.start_s,
        s_s=s_s - axis.start_s,
    )
