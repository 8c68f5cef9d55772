"""Spectra of P and S from a point source: Brune's source, the path, the ground, free surface.

After Boore (2003), https://doi.org/10.1007/PL00012553, with one change: all factors are causal
(minimum phase), so that nothing moves before the wave is there. With the usual zero-phase
factors the long periods of a magnitude 7 would come more than a second early, and a picker
would pick that.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.attenuation import Attenuation, PhaseConstants

__all__ = ["Ray", "acceleration_spectrum", "corner_frequency_hz", "direct_length_s", "moment_nm"]

Floats = NDArray[np.float64]
Complexes = NDArray[np.complex128]

_FREE_SURFACE = 2.0  # a wave and its reflection
_BRUNE_SI = 0.49  # Brune (1970): fc = 0.49 beta (stress drop / moment)**(1/3), all SI
_PA_PER_BAR = 1e5
_LOG_FLOOR = -60.0  # a loss beyond e**-60 is nothing, and its logarithm must stay finite


@dataclass(frozen=True, slots=True, kw_only=True)
class Ray:
    """One phase on its way to one station.

    Attributes
    ----------
    phase : PhaseConstants
        Of P or of S.
    velocity_kms : float
        Wave velocity at the source.
    distance_km : float
        Effective distance, see :meth:`Attenuation.effective_distance_km`.
    corner_hz : float
        Corner frequency of this phase.
    """

    phase: PhaseConstants
    velocity_kms: float
    distance_km: float
    corner_hz: float


def moment_nm(magnitude: float) -> float:
    """Seismic moment in N m of a moment magnitude (Hanks & Kanamori 1979)."""
    return float(10.0 ** (1.5 * magnitude + 9.05))


def corner_frequency_hz(magnitude: float, stress_drop_bar: float, beta_kms: float) -> float:
    """Corner frequency of S after Brune; M 6 with 100 bar at 3.5 km/s gives 0.356 Hz."""
    strain = stress_drop_bar * _PA_PER_BAR / moment_nm(magnitude)
    return float(_BRUNE_SI * beta_kms * 1e3 * strain ** (1.0 / 3.0))


def direct_length_s(region: Attenuation, ray: Ray) -> float:
    """Length of the direct wave: source duration ``1/fc`` and what the path adds, in s."""
    source = max(1.0 / ray.corner_hz, ray.phase.shortest_s)
    return source + ray.phase.duration_share * region.path_duration(ray.distance_km)


def acceleration_spectrum(
    frequency_hz: Floats, region: Attenuation, ray: Ray, magnitude: float
) -> Complexes:
    """Fourier spectrum of ground acceleration of the whole phase vector.

    Parameters
    ----------
    frequency_hz : numpy.ndarray, shape (n,)
        All frequencies of a real transform, from 0 to Nyquist in equal steps.
    magnitude : float
        Moment magnitude.

    Returns
    -------
    numpy.ndarray of complex, shape (n,)
        In m/s (that is m/s**2 per Hz), for the sign convention of :func:`numpy.fft.rfft`.
    """
    velocity_mps = ray.velocity_kms * 1e3
    plateau_ms = (
        ray.phase.amplitude
        * ray.phase.radiation
        * _FREE_SURFACE
        * moment_nm(magnitude)
        / (4.0 * np.pi * region.density_kgm3 * velocity_mps**3)
        * ray.phase.geometrical_spreading(ray.distance_km)
        / 1e3  # spreading is relative to 1 km
    )
    i_omega = 2j * np.pi * frequency_hz
    brune = 1.0 / (1.0 + 1j * frequency_hz / ray.corner_hz) ** 2
    # By quarter wavelengths a P of the same frequency feels the ground as deep as a slower S.
    felt_hz = frequency_hz * min(1.0, region.beta_kms / ray.velocity_kms)
    kappa_s = region.kappa_s * ray.phase.kappa_share
    log_ground = region.loss_exponent(
        frequency_hz, ray.distance_km, ray.velocity_kms, kappa_s
    ) + np.log(region.site_amplification(felt_hz))
    spectrum: Complexes = plateau_ms * i_omega**2 * brune * _minimum_phase(log_ground)
    return spectrum


def _minimum_phase(log_amplitude: Floats) -> Complexes:
    """Give an amplitude spectrum the phase of the causal filter with the least delay.

    By the cepstrum: the part of it before time zero is folded onto the part after.
    """
    cepstrum = np.fft.irfft(np.maximum(log_amplitude, _LOG_FLOOR))
    half = len(cepstrum) // 2
    cepstrum[1:half] *= 2.0
    cepstrum[half + 1 :] = 0.0
    phased: Complexes = np.exp(np.fft.rfft(cepstrum))
    return phased
