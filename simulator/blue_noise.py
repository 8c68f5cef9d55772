"""Points over the Earth that keep a distance from each other, computed piece by piece.

Points are thrown at random and kept where no kept one is nearer than the distance wanted there
(Poisson-disk sampling): even as a real network, without rows. The Earth is cut into tiles of 2
degrees with four colours, no two of a colour touching. Tiles of one colour cannot see each other
and are filled first; those of the next colour respect what their neighbours of earlier colours
hold, and so on. So what stands in a tile depends on its neighbours within three steps only and is
the same whether one tile is asked for or all of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from simulator.seeds import rng

__all__ = ["LARGEST_DISTANCE_KM", "BlueNoise", "Box", "Points", "Tile", "tiles_within"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Tile = tuple[int, int]  # row from 90 S, column from 180 W
Box = tuple[float, float, float, float]  # south, north, west, east, degrees

TILE_DEG = 2
_ROWS, _COLUMNS = 180 // TILE_DEG, 360 // TILE_DEG
_RADIUS_KM = 6371.0088
# The narrowest tile where people live (70 degrees north) is as wide; farther, a tile could not see
# all that it has to keep a distance from.
LARGEST_DISTANCE_KM = math.radians(TILE_DEG) * math.cos(math.radians(70.0)) * _RADIUS_KM
# Of points that keep a distance d and leave no room there are 0.70 / d**2. So many throws for each
# find 0.63 / d**2 of them; twice as many would find 0.65.
_DENSITY = 0.70
_THROWS_PER_POINT = 40


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Points:
    """What stands in a tile, in the order it was placed.

    Attributes
    ----------
    lat, lon : numpy.ndarray, shape (n,)
        Degrees.
    level : numpy.ndarray, shape (n,)
        Number of the level, 0 for the sparsest.
    """

    lat: Floats
    lon: Floats
    level: Ints


_NOTHING = Points(lat=np.zeros(0), lon=np.zeros(0), level=np.zeros(0, np.int64))

# distances wanted at points: (lat, lon) -> km, shape (levels, n); inf where nothing may stand
Distances = Callable[[Floats, Floats], Floats]
SmallestDistances = Callable[[Box], tuple[float, ...]]


class BlueNoise:
    """Nested sets of points: level 0 keeps the largest distance, each further level fills in.

    Parameters
    ----------
    distances : callable
        From lat and lon, shape (n,), to the distance that a point of each level keeps there from
        all points up to its level, km, shape (levels, n), falling with the level; ``inf`` where
        nothing may stand.
    smallest_km : callable
        From a box (south, north, west, east) to the smallest distance of each level in it, or
        nothing where no point may stand: how many throws a tile needs.
    seed : int
        Of the run.
    label : str
        Of the set; another label gives other points.
    """

    def __init__(
        self,
        distances: Distances,
        smallest_km: SmallestDistances,
        *,
        seed: int,
        label: str,
    ) -> None:
        self._distances = distances
        self._smallest_km = smallest_km
        self._seed = seed
        self._label = label
        self._filled: dict[Tile, Points] = {}

    def tile(self, tile: Tile) -> Points:
        """Return what stands in a tile."""
        found = self._filled.get(tile)
        if found is None:
            earlier = [near for near in _neighbours(tile) if _colour(near) < _colour(tile)]
            found = self._filled[tile] = self._fill(tile, [self.tile(near) for near in earlier])
        return found

    def _fill(self, tile: Tile, beside: list[Points]) -> Points:
        smallest = self._smallest_km(_box(tile))
        if not smallest:
            return _NOTHING
        draw = rng(self._seed, "blue-noise", self._label, *tile)
        thrown = [
            self._throw(tile, level, smallest_km, draw)
            for level, smallest_km in enumerate(smallest)
        ]
        lat, lon, level = (np.concatenate(column) for column in zip(*thrown, strict=True))
        wanted_km = self._distances(lat, lon)
        # Where points may stand farther apart, fewer throws do.
        share = (np.array(smallest)[level] / wanted_km[level, np.arange(len(lat))]) ** 2
        kept = draw.uniform(size=len(lat)) < share
        lat, lon, level, wanted_km = lat[kept], lon[kept], level[kept], wanted_km[:, kept]
        if not len(lat):
            return Points(lat=lat, lon=lon, level=level)
        around = [_NOTHING, *beside]
        chosen = _choose(
            _unit_vectors(lat, lon),
            level,
            _chords(wanted_km),
            _unit_vectors(
                np.concatenate([one.lat for one in around]),
                np.concatenate([one.lon for one in around]),
            ),
            np.concatenate([one.level for one in around]),
        )
        return Points(lat=lat[chosen], lon=lon[chosen], level=level[chosen])

    @staticmethod
    def _throw(
        tile: Tile, level: int, smallest_km: float, draw: np.random.Generator
    ) -> tuple[Floats, Floats, Ints]:
        south, _, west, _ = _box(tile)
        low, high = math.sin(math.radians(south)), math.sin(math.radians(south + TILE_DEG))
        area_km2 = math.radians(TILE_DEG) * (high - low) * _RADIUS_KM**2
        number = math.ceil(_THROWS_PER_POINT * _DENSITY * area_km2 / smallest_km**2)
        lat: Floats = np.degrees(np.arcsin(draw.uniform(low, high, number)))
        lon: Floats = draw.uniform(west, west + TILE_DEG, number)
        # a metre, as station lists have it; before the distances, so that they hold as written
        return np.round(lat, 5), np.round(lon, 5), np.full(number, level)


def tiles_within(south: float, north: float, west: float, east: float) -> list[Tile]:
    """Return the tiles that touch a box, in order; a box may cross the date line."""
    rows = range(max(_index(south + 90.0), 0), min(_index(north + 90.0), _ROWS - 1) + 1)
    first = _index(west + 180.0)
    last = _index(east + 180.0) + (_COLUMNS if west > east else 0)
    columns = sorted({column % _COLUMNS for column in range(first, last + 1)})
    return [(row, column) for row in rows for column in columns]


def _index(degrees: float) -> int:
    return math.floor(degrees / TILE_DEG)


def _box(tile: Tile) -> Box:
    south, west = float(tile[0] * TILE_DEG - 90), float(tile[1] * TILE_DEG - 180)
    return south, south + TILE_DEG, west, west + TILE_DEG


def _colour(tile: Tile) -> int:
    return 2 * (tile[0] % 2) + tile[1] % 2


def _neighbours(tile: Tile) -> list[Tile]:
    row, column = tile
    return [
        (row + up, (column + right) % _COLUMNS)
        for up in (-1, 0, 1)
        for right in (-1, 0, 1)
        if (up, right) != (0, 0) and 0 <= row + up < _ROWS
    ]


def _unit_vectors(lat: Floats, lon: Floats) -> Floats:
    lat, lon = np.radians(lat), np.radians(lon)
    return np.column_stack((np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)))


def _chords(distance_km: Floats) -> Floats:
    """Squared straight distance between unit vectors that are so far apart on the ground."""
    chords: Floats = (2.0 * np.sin(np.minimum(distance_km / _RADIUS_KM, math.pi) / 2.0)) ** 2
    return chords


@njit(cache=True, nogil=True)
def _choose(
    thrown: Floats, levels: Ints, chords: Floats, beside: Floats, beside_levels: Ints
) -> Ints:
    """Numbers of the thrown points that keep their distance, in the order of throwing.

    A point keeps the distance of its own level from points up to that level; from one of a later
    level, which only a tile filled earlier can hold, that level's distance.
    """
    taken = np.empty((len(beside) + len(thrown), 3))
    taken_levels = np.empty(len(taken), np.int64)
    taken[: len(beside)] = beside
    taken_levels[: len(beside)] = beside_levels
    chosen = np.empty(len(thrown), np.int64)
    count = 0
    for k in range(len(thrown)):
        here = len(beside) + count
        free = True
        for other in range(here - 1, -1, -1):  # the latest first: those of this tile
            east = thrown[k, 0] - taken[other, 0]
            north = thrown[k, 1] - taken[other, 1]
            up = thrown[k, 2] - taken[other, 2]
            level = max(levels[k], taken_levels[other])
            if east * east + north * north + up * up < chords[level, k]:
                free = False
                break
        if free:
            taken[here] = thrown[k]
            taken_levels[here] = levels[k]
            chosen[count] = k
            count += 1
    return chosen[:count].copy()
