"""From an epicentre to a rupture of finite length whose strike nobody knows yet."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eew.physics.geo import azimuth_deg, epicentral_distance_km
from eew.physics.motion import floats
from eew.tables import load_table

__all__ = [
    "beyond_reference_depth_km",
    "distance_to_line_km",
    "rjb_by_strike_km",
    "rupture_length_km",
    "rupture_top_km",
]

Floats = NDArray[np.float64]


def rupture_length_km(magnitude: ArrayLike) -> Floats:
    """Median subsurface rupture length in km (Wells & Coppersmith 1994, all slip types)."""
    a, b = _table("rupture")["log10_length"]
    length: Floats = 10.0 ** (a + b * floats(magnitude))
    return length


def rupture_top_km(depth_km: ArrayLike, magnitude: ArrayLike) -> Floats:
    """Depth in km of the upper edge of a steep rupture round a hypocentre, 0 at the surface.

    Half of the median width (Wells & Coppersmith 1994, all slip types) lies above the hypocentre.
    """
    a, b = _table("rupture")["log10_width"]
    top: Floats = np.maximum(floats(depth_km) - 10.0 ** (a + b * floats(magnitude)) / 2.0, 0.0)
    return top


def distance_to_line_km(
    line: tuple[float, float, float, float], lat: ArrayLike, lon: ArrayLike
) -> Floats:
    """Distance in km over the surface from places to the nearest point of a straight line.

    Parameters
    ----------
    line : tuple of float
        Latitude and longitude of one end, then of the other, degrees.
    lat, lon : array_like
        Places, degrees.

    Notes
    -----
    Plane trigonometry on distances and azimuths seen from the first end: within 1 % up to
    600 km from it.
    """
    lat1, lon1, lat2, lon2 = line
    length_km = epicentral_distance_km(lat1, lon1, lat2, lon2)
    away_km = epicentral_distance_km(lat1, lon1, lat, lon)
    turn = np.radians(azimuth_deg(lat1, lon1, lat, lon) - azimuth_deg(lat1, lon1, lat2, lon2))
    along_km, across_km = away_km * np.cos(turn), away_km * np.sin(turn)
    past_km = along_km - np.clip(along_km, 0.0, length_km)
    distance: Floats = np.hypot(past_km, across_km)
    return distance


def rjb_by_strike_km(epicentral_distance_km: ArrayLike, magnitude: ArrayLike) -> Floats:
    """Distance to a line source centred on the epicentre, for strikes spread over all directions.

    Returns
    -------
    numpy.ndarray, shape (..., n_strikes)
        Distances in km. A model is averaged over the last axis (its logarithm): the result has
        no kink at the end of the rupture, which ``max(0, R - L/2)`` has.
    """
    n = int(_table("rupture")["n_strikes"])
    angle = (np.arange(n) + 0.5) * (np.pi / 2.0 / n)
    distance, half_length = np.broadcast_arrays(
        floats(epicentral_distance_km), rupture_length_km(magnitude) / 2.0
    )
    along = distance[..., None] * np.cos(angle)
    past_the_end = np.maximum(along - half_length[..., None], 0.0)
    rjb: Floats = np.hypot(past_the_end, distance[..., None] * np.sin(angle))
    return rjb


def beyond_reference_depth_km(depth_km: ArrayLike) -> Floats:
    """Depth in km below the reach of the crustal models (0 above), see ``groundmotion.toml``."""
    excess: Floats = np.maximum(floats(depth_km) - _table("depth")["reference_km"], 0.0)
    return excess


@cache
def _table(section: str) -> dict[str, Any]:
    table: dict[str, Any] = load_table("groundmotion")[section]
    return table
