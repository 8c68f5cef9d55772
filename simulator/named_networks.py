"""The stations of a named network: drawn once for its whole territory, asked for by parts.

A station stands where it stands, whatever quake looks at it: what is drawn depends on the name of
the network and the seed only, see :mod:`simulator.blue_noise`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from eew.errors import ConfigError
from eew.model.waveform import Station
from eew.physics.geo import epicentral_distance_km
from simulator.blue_noise import TILE_DEG, BlueNoise, Box, Tile, tiles_within
from simulator.channels import instrument_channels
from simulator.geography import countries_in_box, country_at, country_box, on_land
from simulator.network_table import NamedNetwork, StationKind, Zone, named_network
from simulator.placed import PlacedStation
from simulator.seeds import rng
from simulator.site_class import site_class

__all__ = ["stations_near", "whole_network"]

Floats = NDArray[np.float64]

# What blue noise places is 0.63 points / d**2 (a test holds it); a hexagonal net of spacing s has
# 1.155 / s**2. So d = 0.74 s gives as many stations as that net.
_DISTANCE_SHARE = 0.74
_KM_PER_DEG = 111.0  # a little short, so that a box of degrees holds its circle
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_KEPT_NETWORKS = 4


def stations_near(
    name: str, seed: int, lat: float, lon: float, radius_km: float, *, code: str = "SY"
) -> tuple[PlacedStation, ...]:
    """Return the stations of a named network within a distance of a point.

    Parameters
    ----------
    name : str
        Table of ``eew/tables/networks.toml``.
    seed : int
        Of the run; another seed draws other stations.
    radius_km : float
        > 0.
    code : str
        FDSN network code; ``SY`` is the one kept for synthetic data.

    Returns
    -------
    tuple of PlacedStation
        By code: the same stations with the same codes as in the whole network.

    Raises
    ------
    ConfigError
        If there is no such network.
    """
    half_lat = radius_km / _KM_PER_DEG
    widest = min(89.0, abs(lat) + half_lat)
    half_lon = min(180.0, half_lat / math.cos(math.radians(widest)))
    everywhere = half_lon >= 180.0
    west = -180.0 if everywhere else (lon - half_lon + 180.0) % 360.0 - 180.0
    east = 179.9 if everywhere else (lon + half_lon + 180.0) % 360.0 - 180.0
    tiles = tiles_within(lat - half_lat, lat + half_lat, west, east)

    def near(lats: Floats, lons: Floats) -> NDArray[np.bool_]:
        return np.asarray(epicentral_distance_km(lat, lon, lats, lons) <= radius_km)

    return _in_tiles(name, seed, tiles, code, near)


def whole_network(name: str, seed: int, *, code: str = "SY") -> tuple[PlacedStation, ...]:
    """Return every station of a named network, by code.

    Raises
    ------
    ConfigError
        If there is no such network, or it has no bounds (any land).
    """
    network = named_network(name)
    if not network.countries:
        raise ConfigError("network.name", f"{name!r} has no bounds: it stands on any land")
    tiles: set[Tile] = set()
    for country in network.countries:
        tiles.update(tiles_within(*country_box(country)))
    return _in_tiles(name, seed, sorted(tiles), code, lambda lats, lons: np.isfinite(lats))


def _in_tiles(
    name: str,
    seed: int,
    tiles: list[Tile],
    code: str,
    wanted: Callable[[Floats, Floats], NDArray[np.bool_]],
) -> tuple[PlacedStation, ...]:
    network, noise = named_network(name), _noise(name, seed)
    placed = []
    for tile in tiles:
        points = noise.tile(tile)
        here = np.flatnonzero(wanted(points.lat, points.lon)).tolist()
        if not here:
            continue
        chance = rng(seed, "site-class", name, *tile).uniform(size=len(points.lat))
        for number in here:
            kind = network.kind[points.level[number]]
            placed.append(
                _placed(
                    network,
                    kind,
                    _site_class(kind, float(chance[number])),
                    code,
                    _station_code(tile, number),
                    float(points.lat[number]),
                    float(points.lon[number]),
                )
            )
    return tuple(sorted(placed, key=lambda one: one.code))


def _placed(
    network: NamedNetwork,
    kind: StationKind,
    class_name: str,
    code: str,
    name: str,
    lat: float,
    lon: float,
) -> PlacedStation:
    return PlacedStation(
        station=Station(
            code=f"{code}.{name}",
            lat=lat,
            lon=lon,
            elevation_m=0.0,
            channels=instrument_channels(code, name, kind.sensor, network.sampling_rate_hz),
            vs30_mps=site_class(class_name).vs30_mps,
        ),
        sensor=kind.sensor,
        site_class=class_name,
    )


def _station_code(tile: Tile, number: int) -> str:
    """Five letters and digits, as SEED allows: three for the tile, two for the station in it."""
    text = ""
    rest = (tile[0] * (360 // TILE_DEG) + tile[1]) * len(_DIGITS) ** 2 + number
    for _ in range(5):
        rest, digit = divmod(rest, len(_DIGITS))
        text = _DIGITS[digit] + text
    return text


def _site_class(kind: StationKind, chance: float) -> str:
    total = 0.0
    for name, share in kind.ground.items():
        total += share
        if chance < total:
            return name
    return name


@lru_cache(maxsize=_KEPT_NETWORKS)
def _noise(name: str, seed: int) -> BlueNoise:
    """Keep what has been drawn of a network for the next part of it that is asked for."""
    network = named_network(name)
    return BlueNoise(
        lambda lat, lon: _distances_km(network, lat, lon),
        lambda box: _smallest_km(network, box),
        seed=seed,
        label=name,
    )


def _smallest_km(network: NamedNetwork, box: Box) -> tuple[float, ...]:
    """Smallest distance of each kind in a box, nothing where no station may stand."""
    zones = [one for one in network.zones if not one.corners or _touch(box, _zone_box(one))]
    here = countries_in_box(*box) if zones else frozenset()
    if not here or (network.countries and here.isdisjoint(network.countries)):
        return ()
    columns = zip(*(zone.spacing_km for zone in zones), strict=True)
    return tuple(_DISTANCE_SHARE * min(column) for column in columns)


def _touch(one: Box, other: Box) -> bool:
    return one[0] <= other[1] and other[0] <= one[1] and one[2] <= other[3] and other[2] <= one[3]


def _distances_km(network: NamedNetwork, lat: Floats, lon: Floats) -> Floats:
    """Distance that a station of each kind keeps at points, km; infinite where none may stand."""
    wanted = np.full((len(network.kind), len(lat)), np.inf)
    for zone in reversed(network.zones):  # the first that holds a point is laid over the others
        wanted[:, _inside(zone, lat, lon)] = _DISTANCE_SHARE * np.array(zone.spacing_km)[:, None]
    somewhere = np.flatnonzero(np.isfinite(wanted[0]))
    if network.countries:
        allowed = np.isin(country_at(lat[somewhere], lon[somewhere]), network.countries)
    else:
        allowed = on_land(lat[somewhere], lon[somewhere])
    wanted[:, somewhere[~allowed]] = np.inf
    return wanted


def _zone_box(zone: Zone) -> Box:
    lats, lons = zip(*zone.corners, strict=True)
    return min(lats), max(lats), min(lons), max(lons)


def _inside(zone: Zone, lat: Floats, lon: Floats) -> NDArray[np.bool_]:
    """Whether points are in the outline of a zone (crossings of a ray to the east)."""
    inside = np.full(len(lat), not zone.corners)
    for k, (lat1, lon1) in enumerate(zone.corners):
        lat2, lon2 = zone.corners[k - 1]
        spans = (lat1 > lat) != (lat2 > lat)
        if lat1 != lat2:
            inside ^= spans & (lon < lon1 + (lat - lat1) * (lon2 - lon1) / (lat2 - lat1))
    return inside
