"""The quakes of a year: those on record that a network covers, and drawn ones for the rest."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta

from eew.errors import ConfigError
from eew.physics.geo import destination
from eew.tables import load_table
from simulator.catalogue import CatalogueQuake, Sources, catalogue
from simulator.named_networks import stations_near, whole_network
from simulator.seeds import rng
from simulator.strict import read_struct

__all__ = ["SEASONS", "Season", "is_drawn", "season", "season_quakes"]

SEASONS = {"china-2020": "season_china_2020"}  # name and table

_DRAWN = "drawn"  # the word of such a quake's sources

Positive = Annotated[float, Meta(gt=0.0)]
Share = Annotated[float, Meta(ge=0.0, le=1.0)]
Range = tuple[float, float]


class Drawing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How quakes are drawn; pairs are smallest and largest."""

    magnitude: Range
    b_value: Positive
    depth_km: Range
    off_station_km: Positive


class Season(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table of a season; what its fields mean stands there."""

    quakes: Annotated[int, Meta(ge=1)]
    country: str
    year: int
    least_magnitude: float
    network: str
    towns_km: Positive
    people_per_point: Annotated[int, Meta(ge=1)]
    most_points: Annotated[int, Meta(ge=1)]
    covered_stations: Annotated[int, Meta(ge=1)]
    covered_km: Positive
    installed_share: Share
    reported_alerts: Annotated[int, Meta(ge=0)]
    tv_share: Share
    drawn: Drawing


def is_drawn(quake: CatalogueQuake) -> bool:
    """Whether a quake never happened, but stands for the many that a list does not hold."""
    return quake.sources.hypocentre == _DRAWN


def season(name: str) -> Season:
    """Read a season by its name.

    Raises
    ------
    ConfigError
        If there is no such season, or its table is wrong.
    """
    if name not in SEASONS:
        raise ConfigError("SEASON", f"no season {name!r}", hint=f"there are: {', '.join(SEASONS)}")
    value, problems = read_struct(Season, load_table(SEASONS[name]))
    if value is None:
        raise ConfigError(f"eew/tables/{SEASONS[name]}.toml", "; ".join(problems))
    return value


def season_quakes(
    what: Season, seed: int
) -> tuple[tuple[CatalogueQuake, ...], tuple[CatalogueQuake, ...]]:
    """Return the quakes of a season in order of time, and those that the network does not cover.

    Parameters
    ----------
    seed : int
        Of the run; draws the network, and what the record leaves open of the number.
    """
    on_record = [
        one
        for one in catalogue()
        if (one.country, one.origin_time.year) == (what.country, what.year)
        and one.magnitude >= what.least_magnitude
    ]
    covered = [one for one in on_record if _is_covered(what, one.lat, one.lon, seed)]
    left_out = tuple(one for one in on_record if one not in covered)
    drawn = _drawn(what, what.quakes - len(covered), seed)
    found = sorted([*covered[: what.quakes], *drawn], key=lambda one: (one.origin_time, one.name))
    return tuple(found), left_out


def _is_covered(what: Season, lat: float, lon: float, seed: int) -> bool:
    near = stations_near(what.network, seed, lat, lon, what.covered_km)
    return len(near) >= what.covered_stations


def _drawn(what: Season, count: int, seed: int) -> list[CatalogueQuake]:
    """Draw quakes under the network, each under a station of its own region."""
    if count <= 0:
        return []
    how, draw = what.drawn, rng(seed, "season")
    stations = whole_network(what.network, seed)
    low, high = how.magnitude
    span = -np.expm1(-how.b_value * np.log(10.0) * (high - low))
    found: list[CatalogueQuake] = []
    while len(found) < count:
        near = stations[int(draw.integers(len(stations)))]
        away_km = how.off_station_km * np.sqrt(draw.uniform())
        lat, lon = destination(near.lat, near.lon, draw.uniform(0.0, 360.0), away_km)
        magnitude = low - np.log10(1.0 - span * draw.uniform()) / how.b_value
        depth_km = draw.uniform(*how.depth_km)
        second = int(draw.integers(365 * 86_400))
        if not _is_covered(what, float(lat), float(lon), seed):
            continue
        found.append(
            CatalogueQuake(
                name=f"drawn-{len(found) + 1:02d}",
                place=f"drawn, under station {near.code}",
                origin_time=dt.datetime(what.year, 1, 1, tzinfo=dt.UTC)
                + dt.timedelta(seconds=second),
                lat=round(float(lat), 3),
                lon=round(float(lon), 3),
                depth_km=round(float(depth_km), 1),
                magnitude=round(float(magnitude), 1),
                magnitude_type="Mw",
                country=what.country,
                region="",
                setting="crust",
                sources=Sources(hypocentre=_DRAWN, magnitude=_DRAWN),
            )
        )
    return found
