"""Land and sea, and whose land: points against the polygons of ``eew/tables/land``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eew.tables import open_table_file
from simulator.land_kernels import BANDS_PER_DEGREE, countries_at

__all__ = [
    "border_lines",
    "countries_in_box",
    "countries_with_land",
    "country_at",
    "country_box",
    "on_land",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Land:
    """Every edge of every polygon, by band of latitude; see :func:`countries_at`."""

    codes: NDArray[np.str_]
    boxes: dict[str, tuple[float, float, float, float]]
    edges: Floats
    countries: Ints
    band_starts: Ints


def on_land(lat: ArrayLike, lon: ArrayLike) -> NDArray[np.bool_]:
    """Whether points are on land; coasts are true to about 1 km, islets are missing.

    Parameters
    ----------
    lat, lon : array_like
        Degrees; broadcast against each other.
    """
    here: NDArray[np.bool_] = np.asarray(_numbers(lat, lon) >= 0)
    return here


def country_at(lat: ArrayLike, lon: ArrayLike) -> NDArray[np.str_]:
    """ISO 3166-1 alpha-2 code of the country at each point, empty at sea."""
    codes = np.append(_land().codes, "")  # number -1 is the last
    found: NDArray[np.str_] = codes[_numbers(lat, lon)]
    return found


def countries_with_land() -> tuple[str, ...]:
    """Return the codes that :func:`country_at` knows, sorted."""
    return tuple(_land().codes.tolist())


def country_box(country: str) -> tuple[float, float, float, float]:
    """South, north, west and east of all land of a country, degrees.

    One that crosses the date line reaches from 180 W to 180 E.
    """
    return _land().boxes[country]


def countries_in_box(south: float, north: float, west: float, east: float) -> frozenset[str]:
    """Return every country that may have land in a box: its border enters it, or it holds it."""
    land = _land()
    first, last = _band(np.array([max(south, -90.0), min(north, 89.99)]))
    edges = land.edges[land.band_starts[first] : land.band_starts[last + 1]]
    countries = land.countries[land.band_starts[first] : land.band_starts[last + 1]]
    lowest, highest = np.minimum(edges[:, :2], edges[:, 2:]), np.maximum(edges[:, :2], edges[:, 2:])
    enters = (highest[:, 0] >= south) & (lowest[:, 0] <= north)
    enters &= (highest[:, 1] >= west) & (lowest[:, 1] <= east)
    found = {str(code) for code in land.codes[np.unique(countries[enters])]}
    centre = str(country_at((south + north) / 2.0, (west + east) / 2.0))
    return frozenset(found | {centre} - {""})


def _numbers(lat: ArrayLike, lon: ArrayLike) -> Ints:
    lats, lons = np.broadcast_arrays(np.asarray(lat, np.float64), np.asarray(lon, np.float64))
    lons = (lons + 180.0) % 360.0 - 180.0
    land = _land()
    found = countries_at(
        np.ascontiguousarray(lats).ravel(),
        np.ascontiguousarray(lons).ravel(),
        land.edges,
        land.countries,
        land.band_starts,
    )
    return np.asarray(found).reshape(lats.shape)


@cache
def _land() -> _Land:
    with open_table_file("land/countries.npz") as file, np.load(file) as table:
        corners = np.cumsum(table["step"], axis=0, dtype=np.int64) * table["degrees_per_step"]
        lon, lat = np.transpose(corners + table["origin_deg"])
        starts, ring_country = table["ring_starts"], table["ring_country"]
    after = np.arange(len(lat)) + 1  # the next corner; of the last one of a ring its first
    after[starts[1:] - 1] = starts[:-1]
    codes, ring_number = np.unique(ring_country, return_inverse=True)
    countries = np.repeat(ring_number, np.diff(starts))
    edges = np.column_stack((lat, lon, lat[after], lon[after]))
    lowest = _band(np.minimum(edges[:, 0], edges[:, 2]))
    copies = _band(np.maximum(edges[:, 0], edges[:, 2])) - lowest + 1
    which = np.repeat(np.arange(len(edges)), copies)
    nth_copy = np.arange(len(which)) - np.repeat(np.cumsum(copies) - copies, copies)
    bands = lowest[which] + nth_copy
    order = np.lexsort((countries[which], bands))  # stable
    return _Land(
        codes=codes,
        boxes={
            str(code): _box(lat[countries == number], lon[countries == number])
            for number, code in enumerate(codes)
        },
        edges=edges[which[order]],
        countries=countries[which[order]].astype(np.int64),
        band_starts=np.searchsorted(bands[order], np.arange(180 * BANDS_PER_DEGREE + 1)),
    )


def _box(lat: Floats, lon: Floats) -> tuple[float, float, float, float]:
    south, north = float(lat.min()), float(lat.max())
    return south, north, max(-180.0, float(lon.min())), min(179.9999, float(lon.max()))


def _band(lat: Floats) -> Ints:
    bands: Ints = ((lat + 90.0) * BANDS_PER_DEGREE).astype(np.int64)
    return bands


def border_lines() -> Floats:
    """Return every piece of coast and border for drawing: lat, lon, lat, lon, shape (n, 4)."""
    lines: Floats = np.unique(_land().edges, axis=0)
    return lines
