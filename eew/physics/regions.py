"""Which shaking model and intensity scale belong to a place; polygons in ``regions.toml``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from eew.errors import ConfigError
from eew.tables import load_table

__all__ = ["Region", "polygon_contains", "region_of", "regions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A part of the world with a shaking model and a scale of its own.

    Attributes
    ----------
    name, title : str
        Identifier and words for people.
    shaking : str
        Name for :func:`eew.physics.shaking.shaking_model`.
    scale : str
        ``mmi``, ``csi`` or ``jma``.
    polygon : tuple of (lat, lon)
        Corners in degrees, closed by itself; empty for the default region.
    """

    name: str
    title: str
    shaking: str
    scale: str
    polygon: tuple[tuple[float, float], ...] = ()

    def contains(self, lat: float, lon: float) -> bool:
        """Say whether a point is inside the polygon (the default region holds none).

        Edges are straight in latitude and longitude; a point on an edge may fall on either
        side, but always on the same.
        """
        return polygon_contains(self.polygon, lat, lon)


def polygon_contains(polygon: Sequence[tuple[float, float]], lat: float, lon: float) -> bool:
    """Say whether a point is inside a polygon of (lat, lon) corners; see :class:`Region`."""
    inside = False
    previous = polygon[-1] if polygon else (0.0, 0.0)
    for corner in polygon:
        (lat1, lon1), (lat2, lon2) = previous, corner
        if (lat1 > lat) != (lat2 > lat):
            crossing = lon1 + (lat - lat1) / (lat2 - lat1) * (lon2 - lon1)
            inside ^= lon < crossing
        previous = corner
    return inside


def region_of(lat: float, lon: float) -> Region:
    """Return the first region of the table that holds a point, or the default one."""
    lon = (lon + 180.0) % 360.0 - 180.0
    *listed, default = regions()
    return next((region for region in listed if region.contains(lat, lon)), default)


@cache
def regions() -> tuple[Region, ...]:
    """Return all regions in the order in which they are tried, the default last."""
    table = load_table("regions")
    listed = [_region(row) for row in table["region"]]
    default = table["default"]
    return (*listed, _region({"name": "world", "polygon": [], **default}))


def _region(row: dict[str, Any]) -> Region:
    corners = tuple((float(lat), float(lon)) for lat, lon in row["polygon"])
    if corners and len(corners) < 3:
        raise ConfigError(f"regions.{row['name']}", f"needs 3 corners or more, has {len(corners)}")
    return Region(
        name=row["name"],
        title=row["title"],
        shaking=row["shaking"],
        scale=row["scale"],
        polygon=corners,
    )
