"""A quake of the catalogue as a scenario file would have it: network, places, length of records."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from eew.physics.geo import epicentral_distance_km
from eew.tables import load_table
from simulator.attenuation_regions import attenuation_region
from simulator.catalogue import CatalogueQuake
from simulator.named_networks import stations_near
from simulator.population import Places, places

__all__ = ["default_network", "fault_table", "scenario_table"]

_ANY_SEED = 1  # whether a network covers a place does not hang on the draw
_NEAREST, _LARGEST, _FEWEST_PLACES = 6, 8, 4
_SLOWEST_S_KMS = 3.3
_SHAKING_S = 40.0  # behind the S wave of the farthest place
_RUPTURE_KMS = 2.5
_LONGEST_RECORD_S = 600.0
_PLACES_BEYOND = 1.5  # how much farther than stations places are looked for
_FARTHEST_PLACE_KM = 400.0


def scenario_table(quake: CatalogueQuake, *, network: str | None = None) -> dict[str, Any]:
    """Write a quake of the catalogue as the table of a scenario file.

    Parameters
    ----------
    network : str, optional
        Named network (``eew/tables/networks.toml``); by default that of the country where it
        covers the place, see :func:`default_network`.

    Returns
    -------
    dict
        Of the same keys as the files in ``simulator/scenarios``. Places are the nearest and the
        largest around.
    """
    fault = fault_table(quake)
    radius_km = _radius_km(quake, fault)
    sites = _sites(quake, _PLACES_BEYOND * radius_km)
    farthest_km = max(
        [radius_km]
        + [
            float(epicentral_distance_km(quake.lat, quake.lon, site["lat"], site["lon"]))
            for site in sites
        ]
    )
    lasts_s = (fault["length_km"] if fault else 0.0) / _RUPTURE_KMS
    path_km = math.hypot(farthest_km, quake.depth_km)
    after_s = path_km / _SLOWEST_S_KMS + _SHAKING_S + lasts_s
    event: dict[str, Any] = {
        "id": quake.name,
        "origin_time": quake.origin_time,
        "lat": quake.lat,
        "lon": quake.lon,
        "depth_km": quake.depth_km,
        "magnitude": quake.magnitude,
        "magnitude_type": quake.magnitude_type,
    }
    if fault is not None:
        event["fault"] = fault
    return {
        "title": quake.title,
        "region": attenuation_region(quake.lat, quake.lon, quake.depth_km),
        "country": quake.country,
        "languages": load_table("countries")["languages"].get(quake.country, ["en"]),
        "event": event,
        "network": {"name": network or default_network(quake), "radius_km": radius_km},
        "noise": {"level": 0.5, "spread": 0.2},
        "record": {"before_s": 30.0, "after_s": min(float(math.ceil(after_s)), _LONGEST_RECORD_S)},
        "site": sites,
    }


def default_network(quake: CatalogueQuake) -> str:
    """Return the named network that a quake is computed on where nobody says otherwise."""
    rules = load_table("networks")["default"]
    for name in rules["country"].get(quake.country, ()):
        near = stations_near(name, _ANY_SEED, quake.lat, quake.lon, rules["within_km"])
        if len(near) >= rules["stations"]:
            return str(name)
    return str(rules["elsewhere"])


def fault_table(quake: CatalogueQuake) -> dict[str, float] | None:
    """Return the plane that breaks, as ``[event.fault]`` has it; None where no mechanism is known.

    Where the catalogue has a mechanism and no plane, its size is that of quakes of this magnitude
    (``eew/tables/scaling.toml``) with the hypocentre in the middle, or as far up as leaves its
    upper edge below the ground.
    """
    mechanism, plane = quake.mechanism, quake.plane
    if mechanism is None:
        return None
    if plane is not None:
        length_km, width_km = plane.length_km, plane.width_km
        along, down = plane.along_share, plane.down_share
    else:
        scaling = load_table("scaling")[quake.setting]
        length_km, width_km = (
            round(10.0 ** (a + b * quake.magnitude), 1)
            for a, b in (scaling["length"], scaling["width"])
        )
        height_km = width_km * math.sin(math.radians(mechanism.dip_deg))
        along, down = 0.5, min(0.5, quake.depth_km / height_km)
    return {
        "strike_deg": mechanism.strike_deg,
        "dip_deg": mechanism.dip_deg,
        "rake_deg": mechanism.rake_deg,
        "length_km": length_km,
        "width_km": width_km,
        "along_share": along,
        "down_share": down,
    }


def _radius_km(quake: CatalogueQuake, fault: dict[str, float] | None) -> float:
    """How far stations are taken: where it is felt, and past the far end of the plane."""
    felt_km = min(max(110.0 + 25.0 * (quake.magnitude - 5.0), 100.0), 180.0)
    farther_km = 0.0
    if fault is not None:
        farther_km = max(fault["along_share"], 1.0 - fault["along_share"]) * fault["length_km"]
    most_km = 200.0 if quake.magnitude < 8.5 else 350.0  # what can be computed in a minute or two
    below_km = max(0.0, quake.depth_km - 50.0)  # a deep one is felt farther
    return float(round(min(max(felt_km + below_km, farther_km + 30.0), most_km)))


def _sites(quake: CatalogueQuake, within_km: float) -> list[dict[str, Any]]:
    """Return the nearest and the largest places, by distance; farther ones where few live."""
    found = places().near(quake.lat, quake.lon, within_km)
    while len(found) < _FEWEST_PLACES and within_km < _FARTHEST_PLACE_KM:
        within_km *= 1.5
        found = places().near(quake.lat, quake.lon, within_km)
    distance_km = epicentral_distance_km(quake.lat, quake.lon, found.lat, found.lon)
    by_distance = np.argsort(distance_km, kind="stable")
    chosen = np.union1d(by_distance[:_NEAREST], np.arange(min(_LARGEST, len(found))))
    nearest_first = by_distance[np.isin(by_distance, chosen)]
    return _site_tables(found.where(nearest_first))


def _site_tables(chosen: Places) -> list[dict[str, Any]]:
    tables: dict[str, dict[str, Any]] = {}  # of two with one name the nearer one
    for lat, lon, population, name, country in zip(
        chosen.lat.tolist(),
        chosen.lon.tolist(),
        chosen.population.tolist(),
        chosen.name.tolist(),
        chosen.country.tolist(),
        strict=True,
    ):
        tables.setdefault(
            name,
            {"name": name, "lat": lat, "lon": lon, "population": population, "country": country},
        )
    return list(tables.values())
