"""Cells of the finest resolution round places: those that may hold a point within a distance.

The cells round one cell are asked of H3 once (1 ms for 300 km): the messages of one event, and the
stations that report shaking, ask for the same ones again and again. Distances are then taken for
all places together.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any, NamedTuple

import h3.api.basic_int as h3_int
import numpy as np
from numpy.typing import NDArray

from eew.messages.areas import finest_resolution
from eew.physics.geo import epicentral_distance_km
from eew.tables import load_table

__all__ = ["Circle", "fine_cell_of", "fine_cells_round", "fine_cells_within"]

_RINGS_STEP = 4  # a radius that grows a little from message to message needs no new disk


class Circle(NamedTuple):
    """A place in degrees, and a distance in km."""

    lat: float
    lon: float
    radius_km: float


class _Disk(NamedTuple):
    """Cells and their centres in degrees, shape (n,) each."""

    cells: NDArray[np.int64]
    lat: NDArray[np.float64]
    lon: NDArray[np.float64]


def fine_cell_of(lat: float, lon: float) -> int:
    """Return the H3 cell of the finest resolution of a position in degrees.

    Raises
    ------
    ValueError
        If the position is not finite or out of range.
    """
    if not (math.isfinite(lat) and math.isfinite(lon) and abs(lat) <= 90.0 and abs(lon) <= 180.0):
        raise ValueError(f"position out of range: lat {lat!r}, lon {lon!r}")
    cell: int = h3_int.latlng_to_cell(lat, lon, finest_resolution())
    return cell


def fine_cells_within(lat: float, lon: float, distance_km: float) -> list[int]:
    """Return the cells of the finest resolution that may hold a point within ``distance_km``."""
    return fine_cells_round([Circle(lat, lon, distance_km)])


def fine_cells_round(circles: Sequence[Circle]) -> list[int]:
    """Return the cells that may hold a point inside one of the circles, each once, sorted.

    A cell counts when its centre is nearer than the radius plus the largest circumradius of any,
    so none is missed and a few beyond the rim are included.
    """
    if not circles:
        return []
    circumradius_km, ring_km = _sizes()
    disks, reaches_km = [], []
    for lat, lon, radius_km in circles:
        reach_km = radius_km + circumradius_km
        # The point may itself lie a circumradius off the centre of its own cell.
        rings = math.ceil((reach_km + circumradius_km) / ring_km)
        disks.append(_disk(fine_cell_of(lat, lon), _RINGS_STEP * math.ceil(rings / _RINGS_STEP)))
        reaches_km.append(reach_km)
    sizes = [len(disk.cells) for disk in disks]
    away_km = epicentral_distance_km(
        np.repeat([circle.lat for circle in circles], sizes),
        np.repeat([circle.lon for circle in circles], sizes),
        np.concatenate([disk.lat for disk in disks]),
        np.concatenate([disk.lon for disk in disks]),
    )
    near = away_km <= np.repeat(reaches_km, sizes)
    found: list[int] = np.unique(np.concatenate([disk.cells for disk in disks])[near]).tolist()
    return found


@cache
def _sizes() -> tuple[float, float]:
    """Return the largest circumradius of a cell, and the least gain of distance per ring, km."""
    settings: dict[str, Any] = load_table("topics")["cells"]
    return settings["circumradius_km"], settings["ring_km"]


@lru_cache(maxsize=256)  # 10 KB each at 300 km
def _disk(cell: int, rings: int) -> _Disk:
    """Return the cells within so many rings of one."""
    cells = h3_int.grid_disk(cell, rings)
    lat, lon = np.array([h3_int.cell_to_latlng(one) for one in cells]).T
    return _Disk(np.array(cells, dtype=np.int64), np.ascontiguousarray(lat), lon.copy())
