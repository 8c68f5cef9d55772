"""What a query to the FDSN web services means: streams, times, areas, and what they hold; pure."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import lru_cache

__all__ = [
    "BEGINNING_NS",
    "END_NS",
    "Area",
    "Codes",
    "DataQuery",
    "EventQuery",
    "StationQuery",
    "Window",
    "degrees_between",
]

# no limit: beyond the year 3000 with which StationXML ends what has no end
BEGINNING_NS, END_NS = -(10**20), 10**20


@dataclass(frozen=True, slots=True)
class Codes:
    """Patterns of SEED codes, each with ``*`` and ``?``; several of a kind mean any of them."""

    network: tuple[str, ...] = ("*",)
    station: tuple[str, ...] = ("*",)
    location: tuple[str, ...] = ("*",)
    channel: tuple[str, ...] = ("*",)

    def matches(self, network: str, station: str, location: str, channel: str) -> bool:
        """Tell whether a stream is meant."""
        return (
            _fits(self.network, network)
            and _fits(self.station, station)
            and _fits(self.location, location)
            and _fits(self.channel, channel)
        )


@dataclass(frozen=True, slots=True)
class Window:
    """Streams over a time, UTC ns, both ends included."""

    codes: Codes
    start_ns: int = BEGINNING_NS
    end_ns: int = END_NS


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """A box and a ring, degrees; both must hold a place.

    A box whose eastern side is west of its western one goes over the date line.
    """

    min_lat: float = -90.0
    max_lat: float = 90.0
    min_lon: float = -180.0
    max_lon: float = 180.0
    lat: float = 0.0
    lon: float = 0.0
    min_radius_deg: float = 0.0
    max_radius_deg: float = 180.0

    def holds(self, lat: float, lon: float) -> bool:
        """Tell whether a place lies inside."""
        if not self.min_lat <= lat <= self.max_lat:
            return False
        if self.min_lon <= self.max_lon:
            inside = self.min_lon <= lon <= self.max_lon
        else:
            inside = lon >= self.min_lon or lon <= self.max_lon
        return inside and (
            self.min_radius_deg
            <= degrees_between(self.lat, self.lon, lat, lon)
            <= self.max_radius_deg
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DataQuery:
    """What a client wants from dataselect."""

    windows: tuple[Window, ...]
    min_length_s: float = 0.0
    longest_only: bool = False
    no_data: int = 204


@dataclass(frozen=True, slots=True, kw_only=True)
class StationQuery:
    """What a client wants from the station service.

    ``start_before_ns`` and its kin bound the epochs of channels, as in the specification.
    """

    windows: tuple[Window, ...]
    area: Area = Area()
    level: str = "station"
    with_data_only: bool = False
    start_before_ns: int = END_NS
    start_after_ns: int = BEGINNING_NS
    end_before_ns: int = END_NS
    end_after_ns: int = BEGINNING_NS
    as_text: bool = False
    no_data: int = 204


@dataclass(frozen=True, slots=True, kw_only=True)
class EventQuery:
    """What a client wants from the event service; depths in km."""

    start_ns: int = BEGINNING_NS
    end_ns: int = END_NS
    area: Area = Area()
    min_depth_km: float = -math.inf
    max_depth_km: float = math.inf
    min_magnitude: float = -math.inf
    max_magnitude: float = math.inf
    magnitude_type: str = ""
    event_id: str = ""
    limit: int | None = None
    offset: int = 1
    order_by: str = "time"
    as_text: bool = False
    no_data: int = 204


def degrees_between(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Return the angle between two places on a sphere, degrees: what radii of a query mean."""
    phi1, phi2 = math.radians(lat1), math.radians(lat2)
    half_lat, half_lon = (phi2 - phi1) / 2.0, math.radians(lon2 - lon1) / 2.0
    share = math.sin(half_lat) ** 2 + math.cos(phi1) * math.cos(phi2) * math.sin(half_lon) ** 2
    return math.degrees(2.0 * math.asin(min(1.0, math.sqrt(share))))


def _fits(patterns: tuple[str, ...], code: str) -> bool:
    return any(_expression(pattern).fullmatch(code) for pattern in patterns)


@lru_cache(maxsize=1024)
def _expression(pattern: str) -> re.Pattern[str]:
    parts = {"*": ".*", "?": "."}
    return re.compile("".join(parts.get(letter, re.escape(letter)) for letter in pattern))
