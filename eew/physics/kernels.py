"""Compiled scalar twins of geo and traveltime, to be called inside other ``@njit`` functions.

Only the detector core and the simulator import this module; devices use the numpy versions and
never load numba. numba's disk cache watches only the file of the function compiled, so after a
change here remove ``__pycache__`` of the callers too.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from eew.physics.ellipsoid import EQUATORIAL_RADIUS_KM, FLATTENING
from eew.tables.traveltime_axes import (
    DEPTH_CELLS,
    DEPTH_FAR_STEP_KM,
    DEPTH_KNEE_CELL,
    DEPTH_KNEE_KM,
    DEPTH_MAX_KM,
    DEPTH_MID_STEP_KM,
    DEPTH_SECOND_KNEE_CELL,
    DEPTH_SECOND_KNEE_KM,
    DEPTH_STEP_KM,
    DISTANCE_CELLS,
    DISTANCE_FAR_STEP_KM,
    DISTANCE_KNEE_CELL,
    DISTANCE_KNEE_KM,
    DISTANCE_MAX_KM,
    DISTANCE_STEP_KM,
)

__all__ = ["distance_km_scalar", "travel_time"]


@njit(cache=True, nogil=True)
def distance_km_scalar(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Distance over the ellipsoid in km: :func:`eew.physics.geo.epicentral_distance_km`."""
    to_rad = math.pi / 180.0
    beta1 = math.atan2((1.0 - FLATTENING) * math.sin(lat1 * to_rad), math.cos(lat1 * to_rad))
    beta2 = math.atan2((1.0 - FLATTENING) * math.sin(lat2 * to_rad), math.cos(lat2 * to_rad))
    half_lon = (lon2 - lon1) * to_rad / 2.0
    mean, half = (beta1 + beta2) / 2.0, (beta2 - beta1) / 2.0
    haversine = math.sin(half) ** 2 + math.cos(beta1) * math.cos(beta2) * math.sin(half_lon) ** 2
    haversine = min(max(haversine, 0.0), 1.0)
    sigma = 2.0 * math.atan2(math.sqrt(haversine), math.sqrt(1.0 - haversine))
    x = (math.sin(mean) * math.cos(half)) ** 2 / max(1.0 - haversine, 1e-300)
    y = (math.cos(mean) * math.sin(half)) ** 2 / max(haversine, 1e-300)
    shortening = (sigma - math.sin(sigma)) * min(x, 1.0)
    shortening += (sigma + math.sin(sigma)) * min(y, 1.0)
    return EQUATORIAL_RADIUS_KM * (sigma - FLATTENING / 2.0 * shortening)


@njit(cache=True, nogil=True)
def travel_time(table: NDArray[np.float64], distance_km: float, depth_km: float) -> float:
    """Travel time in s from ``TravelTimes.p_table`` or ``.s_table``.

    Same values as ``TravelTimes.p_s`` and ``.s_s`` (tested to 1e-9 s): bilinear inside the
    grid, last slope beyond 1,200 km, depth held within 0 to 700 km. Arguments must be finite.
    """
    depth = min(max(depth_km, 0.0), DEPTH_MAX_KM)
    if depth < DEPTH_KNEE_KM:
        row = depth / DEPTH_STEP_KM
    elif depth < DEPTH_SECOND_KNEE_KM:
        row = DEPTH_KNEE_CELL + (depth - DEPTH_KNEE_KM) / DEPTH_MID_STEP_KM
    else:
        row = DEPTH_SECOND_KNEE_CELL + (depth - DEPTH_SECOND_KNEE_KM) / DEPTH_FAR_STEP_KM
    i = min(int(row), DEPTH_CELLS - 1)
    wi = row - i

    distance = min(max(distance_km, 0.0), DISTANCE_MAX_KM)
    if distance < DISTANCE_KNEE_KM:
        column = distance / DISTANCE_STEP_KM
    else:
        column = DISTANCE_KNEE_CELL + (distance - DISTANCE_KNEE_KM) / DISTANCE_FAR_STEP_KM
    j = min(int(column), DISTANCE_CELLS - 1)
    wj = column - j
    upper = table[i, j] * (1.0 - wj) + table[i, j + 1] * wj
    lower = table[i + 1, j] * (1.0 - wj) + table[i + 1, j + 1] * wj
    time: float = (upper * (1.0 - wi) + lower * wi) * math.sqrt(distance * distance + depth * depth)
    if distance_km <= DISTANCE_MAX_KM:
        return time

    before_km = DISTANCE_MAX_KM - DISTANCE_FAR_STEP_KM
    before: float = (
        table[i, DISTANCE_CELLS - 1] * (1.0 - wi) + table[i + 1, DISTANCE_CELLS - 1] * wi
    )
    before *= math.sqrt(before_km * before_km + depth * depth)
    return time + (time - before) / DISTANCE_FAR_STEP_KM * (distance_km - DISTANCE_MAX_KM)
