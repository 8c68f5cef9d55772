"""Displacement at long periods: far-field pulses of each subfault, and where the ground stays.

The far field of a double couple (Aki & Richards 2002, eq. 4.32, its last two terms) keeps its sign
and so adds up with its phase, which makes the displacement grow with the moment. What stays is
Okada's half-space solution for each subfault; between P and S it grows as the near field of eq.
4.32 does. The intermediate field, which is part of the same permanent displacement, grows with it.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from simulator.attenuation import Attenuation, spread
from simulator.finite_fault import FiniteSource
from simulator.motion_kernels import add_impulses, add_ramps
from simulator.okada import surface_displacement_m
from simulator.radiation import surface_response
from simulator.rays import Sight
from simulator.time_axis import TimeAxis

__all__ = ["low_frequency_spectra", "static_displacement_m"]

Floats = NDArray[np.float64]
Complexes = NDArray[np.complex128]

_FREE_SURFACE = 2.0
_TOP_KM = 0.01
_RISE_CORNER = 2.0 / math.pi  # corner of the pulse t exp(-w t), whose mean delay is half the rise


def low_frequency_spectra(
    axis: TimeAxis,
    source: FiniteSource,
    sight: Sight,
    region: Attenuation,
    filters: tuple[Complexes, Complexes],
) -> Complexes:
    """Transform of the ground velocity, shape (3, m), up, north, east.

    Parameters
    ----------
    filters : tuple of numpy.ndarray
        What the way does to P and to S, see :class:`simulator.stochastic.Path`.
    """
    frequency_hz = axis.warped_hz()
    i_omega = 2j * np.pi * frequency_hz
    total = np.zeros((3, len(frequency_hz)), dtype=np.complex128)
    for rays, vectors, filter_ in zip(
        (sight.p, sight.s), _far_field(source, sight, region), filters, strict=True
    ):
        pulses = np.zeros((3, axis.samples))
        add_impulses(axis.at(rays.arrivals_s), vectors, pulses)
        total += i_omega * filter_ * np.fft.rfft(pulses)
    steps = np.zeros((3, axis.samples))
    starts_s = source.starts_s
    add_ramps(
        axis.at(starts_s),
        (sight.p.arrivals_s - starts_s) * axis.sampling_rate_hz,
        (sight.s.arrivals_s - starts_s) * axis.sampling_rate_hz,
        static_displacement_m(source, sight, region),
        steps,
    )
    total += np.fft.rfft(steps)
    rise_s = math.hypot(
        source.rise_s,
        region.finite.rise_s_per_cube_root_nm * float(source.moments_nm.sum()) ** (1.0 / 3.0),
    )
    pulse = 1.0 / (1.0 + 1j * frequency_hz * rise_s / _RISE_CORNER) ** 2
    spectra: Complexes = axis.sampling_rate_hz * pulse * total
    return spectra


def static_displacement_m(source: FiniteSource, sight: Sight, region: Attenuation) -> Floats:
    """Permanent displacement by each subfault, shape (3, n), up, north, east."""
    rigidity_pa = region.density_kgm3 * (region.beta_kms * 1e3) ** 2
    area_m2 = source.length_km * source.width_km * 1e6
    rise_km = 0.5 * source.width_km * np.sin(np.radians(source.dips_deg))
    return surface_displacement_m(
        sight.east_km,
        sight.north_km,
        np.maximum(source.depths_km, rise_km + _TOP_KM),
        strike_deg=source.strikes_deg,
        dip_deg=source.dips_deg,
        rake_deg=source.rakes_deg,
        length_km=source.length_km,
        width_km=source.width_km,
        slip_m=source.moments_nm / (rigidity_pa * area_m2),
    )


def _far_field(source: FiniteSource, sight: Sight, region: Attenuation) -> tuple[Floats, Floats]:
    """Area under the displacement pulse of each subfault by P and by S, m s, shape (3, n)."""
    turn = np.radians(sight.away_deg)
    north, east = np.cos(turn), np.sin(turn)
    p_alpha, s_beta = region.p.surface_velocity_kms, region.s.surface_velocity_kms
    (p_up, p_out), _ = surface_response(sight.p.slowness_s_km, p_alpha, s_beta)
    _, (sv_up, sv_out) = surface_response(sight.s.slowness_s_km, p_alpha, s_beta)
    (pattern_p,), (pattern_sv, pattern_sh) = sight.p.patterns, sight.s.patterns
    weakened = (
        region.impedance * source.moments_nm * spread(region.finite.spreading, sight.distances_km)
    )
    strength = [
        amplitude * weakened / (4.0 * np.pi * region.density_kgm3 * (velocity_kms * 1e3) ** 3 * 1e3)
        for amplitude, velocity_kms in (
            (region.p.amplitude, region.alpha_kms),
            (1.0, region.beta_kms),
        )
    ]
    p = strength[0] * pattern_p * np.array([p_up, p_out * north, p_out * east])
    sv = pattern_sv * np.array([sv_up, -sv_out * north, -sv_out * east])
    sh = pattern_sh * _FREE_SURFACE * np.array([np.zeros_like(north), -east, north])
    return p, strength[1] * (sv + sh)
