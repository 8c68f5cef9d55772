"""Compiled search for the country that a point is in."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

BANDS_PER_DEGREE = 4  # edges are kept by quarter degrees of latitude


@njit(cache=True, nogil=True)
def countries_at(
    lats: Floats, lons: Floats, edges: Floats, countries: Ints, band_starts: Ints
) -> Ints:
    """Find the number of the country at each point, -1 at sea, by crossings of a ray to the east.

    Parameters
    ----------
    edges : numpy.ndarray, shape (n, 4)
        lat, lon of both ends, degrees; those of a band together, in it those of a country.
    countries : numpy.ndarray, shape (n,)
        Number of the country of each edge.
    band_starts : numpy.ndarray
        First edge of each band of latitude from 90 S, and the number of edges.
    """
    found = np.full(len(lats), -1, np.int64)
    for k in range(len(lats)):
        lat, lon = lats[k], lons[k]
        band = int((lat + 90.0) * BANDS_PER_DEGREE)
        if band < 0 or band >= len(band_starts) - 1:
            continue
        country, inside = -1, False
        for e in range(band_starts[band], band_starts[band + 1]):
            if countries[e] != country:
                if inside:
                    break
                country = countries[e]
            lat1, lon1, lat2, lon2 = edges[e]
            if (lat1 > lat) != (lat2 > lat):
                crossing_lon = lon1 + (lat - lat1) * (lon2 - lon1) / (lat2 - lat1)
                if lon < crossing_lon:
                    inside = not inside
        if inside:
            found[k] = country
    return found
