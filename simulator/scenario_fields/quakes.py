"""The quakes of a scenario: the event, further ones, and storms of aftershocks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta

from simulator.fields import AfterZero, Azimuth, Lat, Lon, Table
from simulator.scenario_fields.rupture import FaultSpec, LineSpec

__all__ = [
    "AftershocksSpec",
    "EventSpec",
    "SourceSpec",
    "utc_ns",
]

Depth = Annotated[float, Meta(ge=0.0, le=700.0)]
Magnitude = Annotated[float, Meta(ge=3.0, le=9.3)]
StressDrop = Annotated[float, Meta(ge=1.0, le=1000.0)]


class EventSpec(Table, frozen=True, kw_only=True):
    """The quake that times and distances count from.

    Attributes
    ----------
    catalogue : str or None
        Name of a known quake (``eew events list``): whatever else the file leaves out of this
        table, and title, region, country, languages and places, are those of that quake.
    id : str
        Letters, digits, dot, hyphen and underscore.
    origin_time : datetime
        With its time zone, ``Z`` for UTC.
    lat, lon : float
        Epicentre, degrees north and east.
    depth_km : float
        Of the hypocentre.
    magnitude : float
        What the generator takes as moment magnitude.
    magnitude_type : str
        What the alert's truth calls it.
    stress_drop_bar : float or None
        That of the region if not given.
    fault : FaultSpec or None
        The plane that breaks, ``[event.fault]``.
    line : LineSpec or None
        A line that breaks, ``[event.line]``.
    """

    catalogue: Annotated[str, Meta(min_length=1)] | None = None
    id: Annotated[str, Meta(pattern="^[A-Za-z0-9._-]{1,64}$")]
    origin_time: Annotated[dt.datetime, Meta(tz=True)]
    lat: Lat
    lon: Lon
    depth_km: Depth
    magnitude: Magnitude
    magnitude_type: Annotated[str, Meta(pattern="^[A-Za-z]{1,8}$")] = "Mw"
    stress_drop_bar: StressDrop | None = None
    fault: FaultSpec | None = None
    line: LineSpec | None = None

    def contradictions(self) -> Iterator[tuple[str, str]]:
        """Check that one thing breaks."""
        if self.fault is not None and self.line is not None:
            yield "line", "expected either a fault or a line"

    @property
    def origin_time_ns(self) -> int:
        """UTC ns."""
        return utc_ns(self.origin_time)


class SourceSpec(Table, frozen=True, kw_only=True):
    """A further quake on the same network.

    Attributes
    ----------
    after_s : float or None
        Its origin time, s after that of the event; or ``origin_time``.
    origin_time : datetime or None
        Its origin time as a moment, with its time zone.
    lat, lon : float or None
        Its epicentre; or ``distance_km`` and ``azimuth_deg``.
    distance_km : float or None
        From the event's epicentre to its own.
    azimuth_deg : float or None
        In this direction, from north over east.
    depth_km : float or None
        That of the event if not given.
    magnitude : float
        Moment magnitude.
    stress_drop_bar : float or None
        That of the region if not given.
    fault : FaultSpec or None
        The plane that breaks, ``[source.fault]`` behind its ``[[source]]``.
    line : LineSpec or None
        A line that breaks.
    """

    after_s: AfterZero | None = None
    origin_time: Annotated[dt.datetime, Meta(tz=True)] | None = None
    lat: Lat | None = None
    lon: Lon | None = None
    distance_km: Annotated[float, Meta(ge=0.0, le=2000.0)] | None = None
    azimuth_deg: Azimuth | None = None
    depth_km: Depth | None = None
    magnitude: Magnitude
    stress_drop_bar: StressDrop | None = None
    fault: FaultSpec | None = None
    line: LineSpec | None = None

    def contradictions(self) -> Iterator[tuple[str, str]]:
        """Check that time, place and rupture are each given once."""
        if (self.after_s is None) == (self.origin_time is None):
            yield "after_s", "expected either after_s or origin_time"
        absolute = self.lat is not None, self.lon is not None
        relative = self.distance_km is not None, self.azimuth_deg is not None
        if not ((all(absolute) and not any(relative)) or (all(relative) and not any(absolute))):
            yield "lat", "expected either lat and lon, or distance_km and azimuth_deg"
        if self.fault is not None and self.line is not None:
            yield "line", "expected either a fault or a line"


class AftershocksSpec(Table, frozen=True, kw_only=True):
    """A storm of quakes: places over a disc, times over an interval, sizes by their number.

    Attributes
    ----------
    number : int
        How many.
    after_s : float
        None comes earlier after the origin time of the event.
    within_s : float
        All come within so much from then.
    magnitude : tuple of float
        Smallest and largest; the largest is among them for certain.
    b_value : float
        Of the law of Gutenberg and Richter.
    radius_km : float
        Of the disc around ``lat``, ``lon``.
    depth_km : tuple of float
        Smallest and largest.
    lat, lon : float or None
        Middle of the disc; the epicentre of the event if not given.
    seed : int or None
        Draws the same storm for every seed of the run.
    """

    number: Annotated[int, Meta(ge=1, le=1000)]
    after_s: AfterZero = 0.0
    within_s: Annotated[float, Meta(gt=0.0, le=86_400.0)]
    magnitude: tuple[Magnitude, Magnitude]
    b_value: Annotated[float, Meta(ge=0.3, le=3.0)] = 1.0
    radius_km: Annotated[float, Meta(gt=0.0, le=1000.0)]
    depth_km: tuple[Depth, Depth] = (5.0, 15.0)
    lat: Lat | None = None
    lon: Lon | None = None
    seed: Annotated[int, Meta(ge=0)] | None = None

    def contradictions(self) -> Iterator[tuple[str, str]]:
        """Check that the pairs are in order."""
        for name in ("magnitude", "depth_km"):
            low, high = getattr(self, name)
            if low > high:
                yield name, "expected the smaller one first"
        if (self.lat is None) != (self.lon is None):
            yield "lat", "expected lat and lon together"


def utc_ns(moment: dt.datetime) -> int:
    """Return a moment as UTC ns, exactly."""
    since = moment - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000_000 + since.microseconds * 1_000
