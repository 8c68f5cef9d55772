"""Radiation pattern of a double couple, and what the free surface makes of the waves.

Aki & Richards (2002), Quantitative Seismology, eqs 4.89 to 4.91 and problem 5.6.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["radiation_pattern", "surface_response"]

Floats = NDArray[np.float64]


def radiation_pattern(
    strike_deg: Floats, dip_deg: Floats, rake_deg: Floats, azimuth_deg: Floats, takeoff_deg: Floats
) -> tuple[Floats, Floats, Floats]:
    """Far-field amplitudes of P, SV and SH, -1 to 1, of rays leaving in given directions.

    Parameters
    ----------
    azimuth_deg : numpy.ndarray
        Of the ray at the source, from north.
    takeoff_deg : numpy.ndarray
        Of the ray at the source, 0 straight down, 180 straight up.

    Returns
    -------
    tuple of numpy.ndarray
        Signs as of Aki & Richards: P away from the source, SV along increasing take-off angle
        (at the surface: up and towards the source for a ray that comes from below), SH along
        increasing azimuth. Root mean squares over the sphere: 0.516 for P, 0.632 for SV and SH.
    """
    turn = np.radians(azimuth_deg) - np.radians(strike_deg)
    dip, rake, takeoff = (np.radians(a) for a in (dip_deg, rake_deg, takeoff_deg))
    cos_r, sin_r = np.cos(rake), np.sin(rake)
    sin_d, cos_d = np.sin(dip), np.cos(dip)
    sin_2d, cos_2d = np.sin(2.0 * dip), np.cos(2.0 * dip)
    sin_i, cos_i = np.sin(takeoff), np.cos(takeoff)
    sin_2i, cos_2i = np.sin(2.0 * takeoff), np.cos(2.0 * takeoff)
    sin_t, cos_t = np.sin(turn), np.cos(turn)
    sin_2t, cos_2t = np.sin(2.0 * turn), np.cos(2.0 * turn)
    p = (
        cos_r * sin_d * sin_i**2 * sin_2t
        - cos_r * cos_d * sin_2i * cos_t
        + sin_r * sin_2d * (cos_i**2 - sin_i**2 * sin_t**2)
        + sin_r * cos_2d * sin_2i * sin_t
    )
    sv = (
        sin_r * cos_2d * cos_2i * sin_t
        - cos_r * cos_d * cos_2i * cos_t
        + 0.5 * cos_r * sin_d * sin_2i * sin_2t
        - 0.5 * sin_r * sin_2d * sin_2i * (1.0 + sin_t**2)
    )
    sh = (
        cos_r * cos_d * cos_i * sin_t
        + cos_r * sin_d * sin_i * cos_2t
        + sin_r * cos_2d * cos_i * cos_t
        - 0.5 * sin_r * sin_2d * sin_i * sin_2t
    )
    return p, sv, sh


def surface_response(
    slowness_s_km: Floats, alpha_kms: float, beta_kms: float
) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats]]:
    """Motion of a free surface under a plane P or SV of unit amplitude.

    Parameters
    ----------
    slowness_s_km : numpy.ndarray
        Horizontal slowness, below ``1 / beta_kms``.
    alpha_kms, beta_kms : float
        Of the ground at the surface.

    Returns
    -------
    tuple of (vertical, radial) for P, then for SV
        All positive; 2 and 0 for vertical incidence of P. Beyond the critical angle of SV the
        size of the complex coefficient.
    """
    p = np.minimum(slowness_s_km, 0.99 / beta_kms)
    xi = np.sqrt(np.asarray(alpha_kms**-2 - p**2, dtype=np.complex128))
    eta = np.sqrt(beta_kms**-2 - p**2)
    bent = beta_kms**-2 - 2.0 * p**2
    rayleigh = bent**2 + 4.0 * p**2 * xi * eta
    p_up = 2.0 * alpha_kms / beta_kms**2 * xi * bent / rayleigh
    p_out = 4.0 * alpha_kms / beta_kms**2 * p * xi * eta / rayleigh
    sv_up = 4.0 / beta_kms * p * xi * eta / rayleigh
    sv_out = 2.0 / beta_kms * eta * bent / rayleigh
    return (np.abs(p_up), np.abs(p_out)), (np.abs(sv_up), np.abs(sv_out))
