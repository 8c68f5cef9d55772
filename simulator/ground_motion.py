"""Ground motion of a quake at a station: random waves above a frequency, computed ones below.

The two are joined by causal filters whose powers sum to one. A point source has random waves only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eew.physics.bssa14 import bssa14_site
from simulator.attenuation import Attenuation
from simulator.finite_fault import FiniteSource
from simulator.low_frequency import low_frequency_spectra
from simulator.rays import Rays, Sight
from simulator.source import minimum_phase
from simulator.stochastic import Draws, Path, stochastic_spectra
from simulator.time_axis import TimeAxis

__all__ = ["Draws", "Ground", "acceleration", "acceleration_spectra", "join_hz", "paths_of"]

Floats = NDArray[np.float64]
Complexes = NDArray[np.complex128]

_PGA_HZ = 5.0  # where the peak comes from
_NONLINEAR_HZ = 1.0  # soft ground loses above
_ALL = 0.99


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What stands under a station: Vs30 in m/s and kappa in s."""

    vs30_mps: float
    kappa_s: float


def acceleration(
    axis: TimeAxis,
    source: FiniteSource,
    sight: Sight,
    region: Attenuation,
    ground: Ground,
    draws: Draws,
) -> Floats:
    """Ground acceleration, without noise.

    Strong shaking makes soft ground softer: above some 1 Hz it loses what the nonlinear term of
    Boore et al. (2014) says, by the peak it would have on rock.

    Returns
    -------
    numpy.ndarray, shape (3, axis.samples)
        Up, north, east in m/s**2.
    """
    spectra = acceleration_spectra(axis, source, sight, region, ground, draws)
    linear: Floats = np.fft.irfft(spectra, axis.samples)
    pga_hz = np.array([_PGA_HZ])
    rock_pga_mps2 = float(
        np.abs(linear).max() / np.exp(region.log_vs30(pga_hz, ground.vs30_mps)[0])
    )
    strong, _ = bssa14_site(ground.vs30_mps, region.amplification_vs30_mps, rock_pga_mps2)
    weak, _ = bssa14_site(ground.vs30_mps, region.amplification_vs30_mps, 0.0)
    left = float(strong / weak)
    if left > _ALL:
        return linear
    i_f = 1j * axis.warped_hz()
    softened: Floats = np.fft.irfft(
        spectra * (_NONLINEAR_HZ + left * i_f) / (_NONLINEAR_HZ + i_f), axis.samples
    )
    return softened


def acceleration_spectra(
    axis: TimeAxis,
    source: FiniteSource,
    sight: Sight,
    region: Attenuation,
    ground: Ground,
    draws: Draws,
) -> Complexes:
    """Transform of the ground acceleration while it is weak, shape (3, axis.samples // 2 + 1)."""
    frequency_hz = axis.frequencies_hz()
    paths = paths_of(frequency_hz, source, sight, region, ground)
    spectra = stochastic_spectra(axis, source, sight, region, paths, draws)
    if source.is_point:
        return _less_on_vertical(spectra, frequency_hz, region, ground)
    joint_hz = join_hz(source, region)
    s = 1j * axis.warped_hz() / joint_hz
    below = 1.0 / (s**2 + math.sqrt(2.0) * s + 1.0)  # Butterworth; its high pass is s**2 times it
    velocity = low_frequency_spectra(
        axis, source, sight, region, filters=(paths[0].filter, paths[1].filter)
    )
    joined: Complexes = s**2 * below * spectra + 2.0 * np.pi * joint_hz * s * below * velocity
    return _less_on_vertical(joined, frequency_hz, region, ground)


def _less_on_vertical(
    spectra: Complexes, frequency_hz: Floats, region: Attenuation, ground: Ground
) -> Complexes:
    """Take back from the vertical most of what soft ground has added to all components."""
    added = region.log_vs30(frequency_hz, ground.vs30_mps)
    spectra[0] *= minimum_phase((region.vertical_vs30_share - 1.0) * added)
    return spectra


def join_hz(source: FiniteSource, region: Attenuation) -> float:
    """Where computed and random waves meet, from the corner frequency."""
    rules = region.finite
    return max(rules.join_corners * source.corner_hz, rules.join_least_hz)


def paths_of(
    frequency_hz: Floats,
    source: FiniteSource,
    sight: Sight,
    region: Attenuation,
    ground: Ground,
) -> tuple[Path, Path]:
    """Work out what the way does to P and to S."""
    return (
        _path(frequency_hz, source, sight, sight.p, region, ground, "p"),
        _path(frequency_hz, source, sight, sight.s, region, ground, "s"),
    )


def _path(
    frequency_hz: Floats,
    source: FiniteSource,
    sight: Sight,
    rays: Rays,
    region: Attenuation,
    ground: Ground,
    which: str,
) -> Path:
    """One loss for all subfaults, at the distance from which most of the energy comes."""
    phase = region.p if which == "p" else region.s
    velocity_kms = region.alpha_kms if which == "p" else region.beta_kms
    distances_km = region.effective_distance_km(
        sight.distances_km, source.magnitude if source.is_point else None
    )
    spread = phase.geometrical_spreading(distances_km)
    weigh_hz = np.array([region.weigh_hz])
    per_km = float(region.loss_exponent(weigh_hz, 1.0, velocity_kms, 0.0)[0])
    power = source.energies * spread**2 * np.exp(2.0 * per_km * (distances_km - distances_km.min()))
    distance_km = float((power * distances_km).sum() / power.sum())
    power = source.energies * spread**2 * np.exp(2.0 * per_km * (distances_km - distance_km))
    felt_hz = frequency_hz * min(1.0, region.beta_kms / velocity_kms)
    log_amplitude = (
        region.loss_exponent(
            frequency_hz, distance_km, velocity_kms, ground.kappa_s * phase.kappa_share
        )
        + np.log(region.site_amplification(felt_hz))
        + region.log_vs30(felt_hz, ground.vs30_mps)
    )
    return Path(
        phase=phase,
        velocity_kms=velocity_kms,
        rays=rays,
        distances_km=distances_km,
        power=power,
        filter=minimum_phase(log_amplitude),
    )
