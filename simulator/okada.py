"""Permanent displacement of the surface by slip on a rectangle in an elastic half-space.

Okada (1985), Surface deformation due to shear and tensile faults in a half-space, BSSA 75,
1135-1154, eqs 25, 26 and 28 to 30; of a Poisson solid, at the surface, shear only.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["surface_displacement_m"]

Floats = NDArray[np.float64]

_MEDIUM = 0.5  # mu / (lambda + mu) where lambda = mu
_UPRIGHT = 1e-3  # cosine of a dip that is taken as 90 degrees, where the general form is 0 / 0
_TINY_KM = 1e-9


def surface_displacement_m(
    east_km: Floats,
    north_km: Floats,
    depth_km: Floats,
    *,
    strike_deg: Floats,
    dip_deg: Floats,
    rake_deg: Floats,
    length_km: float,
    width_km: float,
    slip_m: Floats,
) -> Floats:
    """Displacement that each of n rectangles causes at a place of its own.

    Parameters
    ----------
    east_km, north_km : numpy.ndarray, shape (n,)
        The place, seen from the point of the surface above the middle of the rectangle.
    depth_km : numpy.ndarray, shape (n,)
        Of the middle of the rectangle, whose upper edge must not be above the surface.
    strike_deg, dip_deg, rake_deg : numpy.ndarray, shape (n,)
        As in :class:`simulator.ruptures.Fault`.
    slip_m : numpy.ndarray, shape (n,)

    Returns
    -------
    numpy.ndarray, shape (3, n)
        Up, north, east in m.
    """
    strike, dip, rake = (np.radians(angle) for angle in (strike_deg, dip_deg, rake_deg))
    sin_dip, cos_dip = np.sin(dip), np.where(np.cos(dip) < _UPRIGHT, 0.0, np.cos(dip))
    # Okada's axes: x along the strike, y to its left, from above the lower left corner.
    along = east_km * np.sin(strike) + north_km * np.cos(strike)
    left = north_km * np.sin(strike) - east_km * np.cos(strike)
    x = along + 0.5 * length_km
    lower_km = depth_km + 0.5 * width_km * sin_dip
    y = left + 0.5 * width_km * cos_dip
    p = y * cos_dip + lower_km * sin_dip
    q = y * sin_dip - lower_km * cos_dip
    total = np.zeros((2, 3, len(x)))
    for sign, xi, eta in (
        (1.0, x, p),
        (-1.0, x, p - width_km),
        (-1.0, x - length_km, p),
        (1.0, x - length_km, p - width_km),
    ):
        total += sign * _corner(xi, eta, q, sin_dip, cos_dip)
    along_m, left_m, up_m = (
        -slip_m / (2.0 * np.pi) * (np.cos(rake) * total[0] + np.sin(rake) * total[1])
    )
    north_m = along_m * np.cos(strike) + left_m * np.sin(strike)
    east_m = along_m * np.sin(strike) - left_m * np.cos(strike)
    return np.array([up_m, north_m, east_m])


def _corner(xi: Floats, eta: Floats, q: Floats, sin_dip: Floats, cos_dip: Floats) -> Floats:
    """One term of Chinnery's four: strike slip and dip slip, each (x, y, z); shape (2, 3, n)."""
    r = np.sqrt(xi**2 + eta**2 + q**2)
    y = eta * cos_dip + q * sin_dip
    d = eta * sin_dip - q * cos_dip
    r_eta = np.where(np.abs(r + eta) < _TINY_KM, np.inf, r + eta)  # rule (iii) of the paper
    r_xi = np.where(np.abs(r + xi) < _TINY_KM, np.inf, r + xi)
    log_r_eta = np.where(np.isinf(r_eta), -np.log(np.maximum(r - eta, _TINY_KM)), np.log(r_eta))
    angle = np.arctan(xi * eta / np.where(np.abs(q) < _TINY_KM, np.inf, q * r))  # rule (i)
    i1, i2, i3, i4, i5 = _integrals(xi, eta, q, r, y, d, log_r_eta, sin_dip, cos_dip)
    strike_slip = (
        xi * q / (r * r_eta) + angle + i1 * sin_dip,
        y * q / (r * r_eta) + q * cos_dip / r_eta + i2 * sin_dip,
        d * q / (r * r_eta) + q * sin_dip / r_eta + i4 * sin_dip,
    )
    dip_slip = (
        q / r - i3 * sin_dip * cos_dip,
        y * q / (r * r_xi) + cos_dip * angle - i1 * sin_dip * cos_dip,
        d * q / (r * r_xi) + sin_dip * angle - i5 * sin_dip * cos_dip,
    )
    return np.array([strike_slip, dip_slip])


def _integrals(
    xi: Floats,
    eta: Floats,
    q: Floats,
    r: Floats,
    y: Floats,
    d: Floats,
    log_r_eta: Floats,
    sin_dip: Floats,
    cos_dip: Floats,
) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """I1 to I5 of eqs 28 and 29, with the limit for an upright plane."""
    upright = cos_dip == 0.0
    cosine = np.where(upright, 1.0, cos_dip)
    tangent = np.where(upright, 0.0, sin_dip / cosine)
    r_d = r + d
    x = np.sqrt(xi**2 + q**2)
    safe_xi = np.where(np.abs(xi) < _TINY_KM, np.inf, xi)
    i5 = np.where(
        np.isinf(safe_xi),
        0.0,
        _MEDIUM
        * 2.0
        / cosine
        * np.arctan(
            (eta * (x + q * cos_dip) + x * (r + x) * sin_dip) / (safe_xi * (r + x) * cosine)
        ),
    )
    i4 = _MEDIUM / cosine * (np.log(r_d) - sin_dip * log_r_eta)
    i3 = _MEDIUM * (y / (cosine * r_d) - log_r_eta) + tangent * i4
    i1 = -_MEDIUM * xi / (cosine * r_d) - tangent * i5
    i5 = np.where(upright, -_MEDIUM * xi * sin_dip / r_d, i5)
    i4 = np.where(upright, -_MEDIUM * q / r_d, i4)
    i3 = np.where(upright, 0.5 * _MEDIUM * (eta / r_d + y * q / r_d**2 - log_r_eta), i3)
    i1 = np.where(upright, -0.5 * _MEDIUM * xi * q / r_d**2, i1)
    i2 = -_MEDIUM * log_r_eta - i3
    return i1, i2, i3, i4, i5
