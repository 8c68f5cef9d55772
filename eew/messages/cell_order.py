"""In which order cells are told: those the S wave reaches first, first.

With a thousand cells the last one is handed to the broker some 20 ms after the first, and a slow
connection stretches that to seconds: they belong to the places that have the least time.

The S wave leaves the hypocentre, also that of a long rupture, which tears more slowly than S waves
run. One message has one hypocentre and one velocity model, so its S arrivals rise with epicentral
distance and the distances alone give the order.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache

import h3.api.basic_int as h3_int
import numpy as np
from numpy.typing import NDArray

from eew.model.alert import AlertMessage, AlertOrigin
from eew.physics.geo import epicentral_distance_km
from eew.physics.traveltime import RegionalTravelTimes

__all__ = ["in_telling_order", "nearest_km", "s_arrival_s"]

Floats = NDArray[np.float64]


def in_telling_order(
    message: AlertMessage, cells: Collection[str], affected: Collection[str]
) -> tuple[str, ...]:
    """Return ``cells`` by the predicted S arrival at the nearest point of each.

    Parameters
    ----------
    message : AlertMessage
        Its origin counts.
    cells : collection of str
        H3 cells, of any resolutions.
    affected : collection of str
        Those the message concerns. The others, told before and not shaken after all, come last.

    Returns
    -------
    tuple of str
        Cells with the same arrival in the order of their names.
    """
    names = sorted(cells)
    if not names:
        return ()
    concerned = frozenset(affected)
    released = np.array([name not in concerned for name in names])
    # a stable sort keeps the names' order among equals
    order = np.lexsort((nearest_km(message.origin, names), released))
    return tuple(names[i] for i in order.tolist())


def nearest_km(origin: AlertOrigin, cells: Collection[str]) -> Floats:
    """Return the epicentral distance of the nearest point of each cell, km; 0 round the epicentre.

    A cell counts as the circle through its corners, as an average cell of its resolution has it
    (H3 table of cell statistics, https://h3geo.org/docs/core-library/restable).
    """
    if not cells:
        return np.zeros(0)
    lat, lon, radius_km = np.array([_circle(cell) for cell in cells]).T
    away_km = epicentral_distance_km(origin.lat, origin.lon, lat, lon)
    nearest: Floats = np.maximum(0.0, away_km - radius_km)
    return nearest


def s_arrival_s(origin: AlertOrigin, cells: Collection[str]) -> Floats:
    """Return the travel time of the first S wave to the nearest point of each cell, s."""
    times = RegionalTravelTimes().at(origin.lat, origin.lon)
    return times.s_s(nearest_km(origin, cells), origin.depth_km)


@lru_cache(maxsize=65_536)
def _circle(cell: str) -> tuple[float, float, float]:
    """Centre of a cell in degrees, and its radius in km."""
    number = h3_int.str_to_int(cell)
    lat, lon = h3_int.cell_to_latlng(number)
    return lat, lon, _radius_km(h3_int.get_resolution(number))


@lru_cache(maxsize=16)
def _radius_km(resolution: int) -> float:
    # the corners of a hexagon are one edge away from its centre
    return float(h3_int.average_hexagon_edge_length(resolution, unit="km"))
