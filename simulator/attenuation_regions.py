"""Which region of ``eew/tables/attenuation.toml`` a quake belongs to, by its place and depth."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from eew.physics.geo import azimuth_deg, epicentral_distance_km
from eew.physics.regions import polygon_contains, region_of
from eew.physics.subduction import Trench
from eew.tables import load_table

__all__ = ["Plate", "attenuation_region", "plate_below"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plate:
    """A plate going down under a place.

    Attributes
    ----------
    landward_km : float
        Distance from its trench; negative on the side of the sea.
    strike_deg : float
        Direction of the trench for someone who has the dipping plate to his right.
    depth_km : float
        Of its upper side under the place, to some 10 km.
    """

    landward_km: float
    strike_deg: float
    depth_km: float


def attenuation_region(lat: float, lon: float, depth_km: float) -> str:
    """Name the table of constants for a quake.

    Parameters
    ----------
    lat, lon : float
        Epicentre, degrees.
    depth_km : float
        Of the hypocentre. In a subduction zone it tells quakes of the crust, of the plate
        boundary and of the plate below apart.

    Returns
    -------
    str
        One of :func:`simulator.attenuation.region_names`.
    """
    name: str = _place(lat, lon)[_setting(lat, lon, depth_km)]
    return name


def plate_below(lat: float, lon: float) -> Plate | None:
    """Return the plate whose trench is nearest, or None where no trench is within reach."""
    rules = load_table("attenuation")["plate"]
    best: Plate | None = None
    for corners in (*load_table("subduction")["trenches"].values(), *rules["trenches"].values()):
        lats, lons = np.array(corners, dtype=np.float64).T
        away_km = np.asarray(epicentral_distance_km(lat, lon, lats, lons))
        if away_km.min() > 2.0 * rules["reach_km"]:
            continue
        turn = np.radians(np.asarray(azimuth_deg(lat, lon, lats, lons)))
        line = np.column_stack([away_km * np.sin(turn), away_km * np.cos(turn)])
        landward_km = float(Trench(line).landward_km(0.0, 0.0)[0])
        if not abs(landward_km) <= min(rules["reach_km"], abs(best.landward_km) if best else 1e9):
            continue  # NaN beyond the ends comes here too
        a, b = rules["depth_km"]
        best = Plate(
            landward_km=landward_km,
            strike_deg=_strike_deg(line),
            depth_km=a + b * max(landward_km, 0.0),
        )
    return best


def _setting(lat: float, lon: float, depth_km: float) -> str:
    """Return ``crust``, ``interface`` or ``slab``."""
    rules, plate = load_table("attenuation")["plate"], plate_below(lat, lon)
    if plate is None:
        return "crust" if depth_km <= rules["slab_from_km"] else "slab"
    above = depth_km < rules["crust_share"] * plate.depth_km
    if above and depth_km <= rules["crust_deepest_km"]:
        return "crust"
    on_it = (
        plate.landward_km <= rules["interface_reach_km"]
        and depth_km <= rules["interface_deepest_km"]
        and depth_km <= plate.depth_km + rules["interface_below_km"]
    )
    return "interface" if on_it else "slab"


def _strike_deg(line: np.ndarray[Any, np.dtype[np.float64]]) -> float:
    """Direction of the part of a line nearest to the origin, the other way round."""
    middles = 0.5 * (line[1:] + line[:-1])
    east, north = np.diff(line, axis=0)[int(np.hypot(*middles.T).argmin())]
    return float(np.degrees(np.arctan2(-east, -north)) % 360.0)


def _place(lat: float, lon: float) -> dict[str, Any]:
    lon = (lon + 180.0) % 360.0 - 180.0
    named = region_of(lat, lon).name
    for row in _places():
        if row.get("region") == named or polygon_contains(row.get("polygon", ()), lat, lon):
            return row
    elsewhere: dict[str, Any] = load_table("attenuation")["elsewhere"]
    return elsewhere


@cache
def _places() -> tuple[dict[str, Any], ...]:
    return tuple(load_table("attenuation")["place"])
