"""Land and sea, coarsely: points inside hand-drawn outlines."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eew.errors import ConfigError
from eew.tables import load_table

__all__ = ["land_names", "on_land"]


def land_names() -> tuple[str, ...]:
    """Return the outlines there are, sorted."""
    return tuple(sorted(load_table("coastlines")))


def on_land(land: str, lat: ArrayLike, lon: ArrayLike) -> NDArray[np.bool_]:
    """Whether points lie inside an outline (counting crossings of a ray to the east).

    Outlines are a few hundred km wide at most and do not cross the date line, so degrees are
    taken as plane coordinates.

    Raises
    ------
    ConfigError
        If there is no outline of that name.
    """
    lat = np.asarray(lat, np.float64)[..., None]
    lon = np.asarray(lon, np.float64)[..., None]
    lat1, lon1 = _outline(land)
    lat2, lon2 = np.roll(lat1, -1), np.roll(lon1, -1)
    spans = (lat1 > lat) != (lat2 > lat)
    with np.errstate(divide="ignore", invalid="ignore"):  # edges along a parallel span nothing
        crossing_lon = lon1 + (lat - lat1) * (lon2 - lon1) / (lat2 - lat1)
    crossings = np.count_nonzero(spans & (lon < crossing_lon), axis=-1)
    inside: NDArray[np.bool_] = np.asarray(crossings % 2 == 1)
    return inside


@cache
def _outline(land: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    table = load_table("coastlines")
    if land not in table:
        known = ", ".join(land_names())
        raise ConfigError("land", f"no outline {land!r}", hint=f"there are: {known}")
    lat, lon = np.transpose(np.asarray(table[land]["outline"], np.float64))
    return lat, lon
