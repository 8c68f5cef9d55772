"""Quakes that come in company: point sources, ruptures of many parts, aftershocks.

These are the sources that :mod:`simulator.synthesise` sums onto one network. Times are s after the
composition's zero, which is the origin time of its scenario.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from eew.physics.geo import destination
from simulator.seeds import rng
from simulator.source import moment_nm

__all__ = [
    "Fault",
    "Quake",
    "Rupture",
    "aftershocks",
    "doublet",
    "line_rupture",
    "moment_magnitude",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """The plane that breaks, and where on it the rupture begins.

    Angles as of Aki & Richards: the plane dips to the right of its strike, the rake is that of the
    hanging wall.

    Attributes
    ----------
    strike_deg, dip_deg, rake_deg : float
        0 to 360, 0 to 90 (0 excluded), -180 to 180.
    length_km, width_km : float
        Along strike and down dip.
    along_share : float
        Hypocentre along the strike, 0 at the end where the strike begins, 1 at the other.
    down_share : float
        Hypocentre down dip, 0 at the upper edge.
    """

    strike_deg: float
    dip_deg: float
    rake_deg: float
    length_km: float
    width_km: float
    along_share: float = 0.5
    down_share: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Quake:
    """A quake with one hypocentre.

    Attributes
    ----------
    after_s : float
        Origin time after the composition's zero, s; may be negative.
    stress_drop_bar : float or None
        None takes the region's.
    fault : Fault or None
        Its plane where known.
    """

    lat: float
    lon: float
    depth_km: float
    magnitude: float
    after_s: float = 0.0
    stress_drop_bar: float | None = None
    fault: Fault | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rupture:
    """One earthquake made of point sources that go off one after the other."""

    parts: tuple[Quake, ...]

    @property
    def first(self) -> Quake:
        """Where and when the rupture begins: the hypocentre of a catalogue."""
        return min(self.parts, key=lambda part: part.after_s)

    @property
    def magnitude(self) -> float:
        """Moment magnitude of all parts together."""
        if len(self.parts) == 1:  # to the last digit
            return self.parts[0].magnitude
        return moment_magnitude(sum(moment_nm(part.magnitude) for part in self.parts))


def moment_magnitude(moment: float) -> float:
    """Moment magnitude of a seismic moment in N m (Hanks & Kanamori 1979)."""
    return (math.log10(moment) - 9.05) / 1.5


def doublet(
    first: Quake, magnitude: float, *, after_s: float, distance_km: float, azimuth_deg: float
) -> tuple[Quake, Quake]:
    """Add a second quake at a distance and time from the first."""
    lat, lon = destination(first.lat, first.lon, azimuth_deg, distance_km)
    second = Quake(
        lat=float(lat),
        lon=float(lon),
        depth_km=first.depth_km,
        magnitude=magnitude,
        after_s=first.after_s + after_s,
        stress_drop_bar=first.stress_drop_bar,
    )
    return first, second


def line_rupture(
    *,
    lat: float,
    lon: float,
    depth_km: float,
    magnitude: float,
    strike_deg: float,
    length_km: float,
    velocity_kms: float,
    weights: Sequence[float],
    begins_at: float = 0.0,
    after_s: float = 0.0,
    stress_drop_bar: float | None = None,
) -> Rupture:
    """Break a straight line, part by part.

    Parameters
    ----------
    lat, lon : float
        Hypocentre; the part nearest to it goes off first, at ``after_s``.
    magnitude : float
        Moment magnitude of the whole.
    velocity_kms : float
        Speed of the rupture front.
    weights : sequence of float
        Share of the moment of each part (any unit), in order along the strike; they stand at
        equal distances, the first and last at the ends of the line.
    begins_at : float
        Where along the line the hypocentre is, 0 to 1.
    stress_drop_bar : float or None
        Of every part; None takes the region's.
    """
    along_km = np.linspace(-begins_at, 1.0 - begins_at, len(weights)) * length_km
    moments = np.asarray(weights) / np.sum(weights) * moment_nm(magnitude)
    starts_s = np.abs(along_km) / velocity_kms
    starts_s += after_s - starts_s.min()
    parts = []
    for x_km, moment, start_s in zip(along_km, moments, starts_s, strict=True):
        towards = strike_deg if x_km >= 0.0 else strike_deg + 180.0
        part_lat, part_lon = destination(lat, lon, towards % 360.0, abs(x_km))
        parts.append(
            Quake(
                lat=float(part_lat),
                lon=float(part_lon),
                depth_km=depth_km,
                magnitude=moment_magnitude(float(moment)),
                after_s=float(start_s),
                stress_drop_bar=stress_drop_bar,
            )
        )
    return Rupture(parts=tuple(parts))


def aftershocks(
    *,
    lat: float,
    lon: float,
    depth_km: tuple[float, float],
    magnitude: tuple[float, float],
    number: int,
    within_s: float,
    radius_km: float,
    seed: int,
    b_value: float = 1.0,
) -> tuple[Quake, ...]:
    """Draw a storm of quakes: places over a disc, times over an interval, sizes by their number.

    Sizes follow Gutenberg and Richter's law between the two magnitudes; the largest is among
    them for certain, so that a storm is never a mild one by chance.

    Parameters
    ----------
    depth_km, magnitude : tuple of float
        Smallest and largest.
    within_s : float
        All origins lie between 0 and this, s.
    """
    draw = rng(seed, "aftershocks")
    low, high = magnitude
    span = -np.expm1(-b_value * math.log(10.0) * (high - low))
    sizes = low - np.log10(1.0 - span * draw.uniform(size=number)) / b_value
    sizes[int(draw.integers(number))] = high
    times_s = np.sort(draw.uniform(0.0, within_s, size=number))
    away_km = radius_km * np.sqrt(draw.uniform(size=number))
    lats, lons = destination(lat, lon, draw.uniform(0.0, 360.0, size=number), away_km)
    depths_km = draw.uniform(*depth_km, size=number)
    return tuple(
        Quake(
            lat=float(lats[i]),
            lon=float(lons[i]),
            depth_km=float(depths_km[i]),
            magnitude=float(sizes[i]),
            after_s=float(times_s[i]),
        )
        for i in range(number)
    )
