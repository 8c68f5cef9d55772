"""In which country a place of a recorded quake lies: chooses language and national numbers."""

from __future__ import annotations

from eew.physics.regions import Region, region_of
from eew.tables import load_table

FALLBACK_LANGUAGE = "en"


def country_of(lat: float, lon: float) -> str:
    """Return the ISO 3166-1 alpha-2 code of a place, or an empty string where it is unknown."""
    lon = (lon + 180.0) % 360.0 - 180.0
    table = load_table("countries")
    for row in table["outline"]:
        corners = tuple((float(c[0]), float(c[1])) for c in row["corners"])
        if _outline(str(row["country"]), corners).contains(lat, lon):
            return str(row["country"])
    group = region_of(lat, lon).name.partition("_")[0]
    return str(table["regions"].get(group, ""))


def languages_of(country: str) -> tuple[str, ...]:
    """Return the languages that devices of a country speak; English where it is unknown."""
    return tuple(load_table("countries")["languages"].get(country, (FALLBACK_LANGUAGE,)))


def _outline(country: str, corners: tuple[tuple[float, float], ...]) -> Region:
    return Region(name=country, title=country, shaking="", scale="", polygon=corners)
