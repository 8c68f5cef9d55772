"""Distances, azimuths and positions on the WGS84 ellipsoid (numpy, vectorised).

The scalar twin for compiled loops is :func:`eew.physics.kernels.distance_km_scalar`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eew.physics.ellipsoid import EQUATORIAL_RADIUS_KM, FLATTENING

__all__ = [
    "azimuth_deg",
    "azimuthal_gap_deg",
    "destination",
    "epicentral_distance_km",
    "hypocentral_distance_km",
]

Floats = NDArray[np.float64]

_TINY = 1e-300  # keeps 0/0 out; the quotients it guards never exceed 1
_DIRECT_TURNS = 6  # Vincenty's direct series gains about 3 digits each turn


def epicentral_distance_km(
    lat1: ArrayLike, lon1: ArrayLike, lat2: ArrayLike, lon2: ArrayLike
) -> Floats:
    """Length of the shortest path over the ellipsoid between points of the surface.

    Parameters
    ----------
    lat1, lon1, lat2, lon2 : array_like
        Geographic coordinates in degrees; broadcast against each other. Longitudes may be
        given in any turn (190 is -170).

    Returns
    -------
    numpy.ndarray
        Distance in km, >= 0, with the broadcast shape (0-d for four scalars).

    Notes
    -----
    Haversine on reduced latitudes with the first-order flattening term of Andoyer and Lambert:
    within 0.0002 % of the geodesic up to 10,000 km and 0.01 % anywhere but next to the antipode
    (measured against GeographicLib). NaN in, NaN out.
    """
    beta1, beta2 = _reduced_latitude(lat1), _reduced_latitude(lat2)
    half_lon = np.radians(_floats(lon2) - _floats(lon1)) / 2.0
    mean, half = (beta1 + beta2) / 2.0, (beta2 - beta1) / 2.0
    haversine = np.sin(half) ** 2 + np.cos(beta1) * np.cos(beta2) * np.sin(half_lon) ** 2
    haversine = np.clip(haversine, 0.0, 1.0)
    sigma = 2.0 * np.arctan2(np.sqrt(haversine), np.sqrt(1.0 - haversine))
    # Both quotients are at most 1 by construction, so the guard only has to stop 0/0.
    x = (np.sin(mean) * np.cos(half)) ** 2 / np.maximum(1.0 - haversine, _TINY)
    y = (np.cos(mean) * np.sin(half)) ** 2 / np.maximum(haversine, _TINY)
    shortening = (sigma - np.sin(sigma)) * np.minimum(x, 1.0)
    shortening = shortening + (sigma + np.sin(sigma)) * np.minimum(y, 1.0)
    distance: Floats = EQUATORIAL_RADIUS_KM * (sigma - FLATTENING / 2.0 * shortening)
    return distance


def azimuth_deg(lat1: ArrayLike, lon1: ArrayLike, lat2: ArrayLike, lon2: ArrayLike) -> Floats:
    """Direction of point 2 as seen from point 1, degrees clockwise from north in [0, 360).

    Taken on the sphere of reduced latitudes: within 0.2 degrees of the geodesic's azimuth for
    distances below 10,000 km. Identical points give 0.
    """
    beta1, beta2 = _reduced_latitude(lat1), _reduced_latitude(lat2)
    d_lon = np.radians(_floats(lon2) - _floats(lon1))
    east = np.sin(d_lon) * np.cos(beta2)
    north = np.cos(beta1) * np.sin(beta2) - np.sin(beta1) * np.cos(beta2) * np.cos(d_lon)
    azimuth: Floats = np.degrees(np.arctan2(east, north)) % 360.0
    # A tiny negative angle rounds to 360.0 itself.
    return np.where(azimuth >= 360.0, 0.0, azimuth)


def destination(
    lat: ArrayLike, lon: ArrayLike, azimuth_deg: ArrayLike, distance_km: ArrayLike
) -> tuple[Floats, Floats]:
    """Point reached from (``lat``, ``lon``) along an azimuth, by Vincenty's direct series.

    Parameters
    ----------
    lat, lon, azimuth_deg : array_like
        Degrees.
    distance_km : array_like
        Distance along the ellipsoid in km, >= 0.

    Returns
    -------
    lat, lon : numpy.ndarray
        Degrees, longitude in [-180, 180).

    Notes
    -----
    Vincenty (1975), Survey Review 23(176), 88-93; millimetres at any distance.
    """
    f = FLATTENING
    b = EQUATORIAL_RADIUS_KM * (1.0 - f)
    start = np.radians(_floats(azimuth_deg))
    beta1 = _reduced_latitude(lat)
    tan_beta1 = np.tan(beta1)
    sigma1 = np.arctan2(tan_beta1, np.cos(start))
    sin_alpha = np.cos(beta1) * np.sin(start)
    cos_sq_alpha = 1.0 - sin_alpha**2
    u_sq = cos_sq_alpha * (1.0 / (1.0 - f) ** 2 - 1.0)
    big_a = 1.0 + u_sq / 16384.0 * (4096.0 + u_sq * (-768.0 + u_sq * (320.0 - 175.0 * u_sq)))
    big_b = u_sq / 1024.0 * (256.0 + u_sq * (-128.0 + u_sq * (74.0 - 47.0 * u_sq)))
    first = _floats(distance_km) / (b * big_a)
    sigma = first
    for _ in range(_DIRECT_TURNS):
        cos_2m = np.cos(2.0 * sigma1 + sigma)
        inner = np.cos(sigma) * (2.0 * cos_2m**2 - 1.0)
        inner = inner - big_b / 6.0 * cos_2m * (4.0 * np.sin(sigma) ** 2 - 3.0) * (
            4.0 * cos_2m**2 - 3.0
        )
        sigma = first + big_b * np.sin(sigma) * (cos_2m + big_b / 4.0 * inner)
    cos_2m = np.cos(2.0 * sigma1 + sigma)
    sin_sigma, cos_sigma = np.sin(sigma), np.cos(sigma)
    sin_beta1, cos_beta1 = np.sin(beta1), np.cos(beta1)
    across = sin_beta1 * sin_sigma - cos_beta1 * cos_sigma * np.cos(start)
    lat2 = np.arctan2(
        sin_beta1 * cos_sigma + cos_beta1 * sin_sigma * np.cos(start),
        (1.0 - f) * np.hypot(sin_alpha, across),
    )
    lam = np.arctan2(
        sin_sigma * np.sin(start), cos_beta1 * cos_sigma - sin_beta1 * sin_sigma * np.cos(start)
    )
    c = f / 16.0 * cos_sq_alpha * (4.0 + f * (4.0 - 3.0 * cos_sq_alpha))
    d_lon = lam - (1.0 - c) * f * sin_alpha * (
        sigma + c * sin_sigma * (cos_2m + c * cos_sigma * (2.0 * cos_2m**2 - 1.0))
    )
    lon2: Floats = (_floats(lon) + np.degrees(d_lon) + 180.0) % 360.0 - 180.0
    lat2_deg: Floats = np.degrees(lat2)
    return lat2_deg, lon2


def hypocentral_distance_km(epicentral_distance_km: ArrayLike, depth_km: ArrayLike) -> Floats:
    """Straight-line distance to the hypocentre in km (flat Earth, as the relations use it)."""
    distance: Floats = np.hypot(_floats(epicentral_distance_km), _floats(depth_km))
    return distance


def azimuthal_gap_deg(azimuths_deg: ArrayLike) -> float:
    """Largest angle without a station, seen from the epicentre.

    Parameters
    ----------
    azimuths_deg : array_like, shape (n,)
        Azimuths from the epicentre to the stations in degrees, any order and turn.

    Returns
    -------
    float
        In (0, 360]; 360 for no station or one.
    """
    azimuths = np.sort(_floats(azimuths_deg).ravel() % 360.0)
    if azimuths.size < 2:
        return 360.0
    gaps = np.diff(azimuths, append=azimuths[0] + 360.0)
    return min(float(gaps.max()), 360.0)  # rounding may exceed the full turn


def _floats(values: ArrayLike) -> Floats:
    return np.asarray(values, dtype=np.float64)


def _reduced_latitude(lat_deg: ArrayLike) -> Floats:
    """Latitude on the auxiliary sphere, rad; finite at the poles because of atan2."""
    lat = np.radians(_floats(lat_deg))
    beta: Floats = np.arctan2((1.0 - FLATTENING) * np.sin(lat), np.cos(lat))
    return beta
