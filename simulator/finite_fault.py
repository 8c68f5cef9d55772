"""A quake as subfaults that go off one after the other, each with its moment and its corner.

After Motazedian & Atkinson (2005), Stochastic finite-fault modeling based on a dynamic corner
frequency, BSSA 95, 995-1010, https://doi.org/10.1785/0120030207. The corner of a subfault is that
of all that has broken so far, down to the share that pulses at a time; the strengths are such that
the sum over the subfaults has the spectrum of Brune's source at every frequency, so that energy
is conserved however the plane is divided. A small quake is one subfault: Boore's point source.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eew.physics.geo import azimuth_deg, destination, epicentral_distance_km
from simulator.attenuation import Attenuation, FiniteConstants
from simulator.mechanism import draw_fault, fitted
from simulator.ruptures import Fault, Quake, Rupture
from simulator.seeds import rng
from simulator.slip import slip_field
from simulator.source import corner_frequency_hz, moment_nm

__all__ = ["FiniteSource", "finite_source"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FiniteSource:
    """A quake ready to be seen from any station.

    Attributes
    ----------
    magnitude, corner_hz : float
        Of the whole.
    lat, lon, depth_km : float
        Hypocentre.
    after_s : float
        Origin time after the composition's zero.
    lats, lons, depths_km, starts_s, moments_nm : numpy.ndarray, shape (n,)
        Middles of the subfaults (the first to go off stands at the hypocentre), seconds after the
        origin at which the front reaches them.
    energies : numpy.ndarray, shape (n,)
        Part of each in the energy at high frequency, 1 for a plane that is nowhere shallow.
    strikes_deg, dips_deg, rakes_deg : numpy.ndarray, shape (n,)
    length_km, width_km : float
        Of a subfault.
    rise_s : float
        How long the front takes to cross a subfault: the least length of its radiation.
    corners_hz : numpy.ndarray, shape (k,)
        Dynamic corners, in classes.
    classes : numpy.ndarray of int, shape (n,)
        Which of them a subfault has.
    """

    magnitude: float
    corner_hz: float
    lat: float
    lon: float
    depth_km: float
    after_s: float
    lats: Floats
    lons: Floats
    depths_km: Floats
    starts_s: Floats
    moments_nm: Floats
    energies: Floats
    strikes_deg: Floats
    dips_deg: Floats
    rakes_deg: Floats
    length_km: float
    width_km: float
    rise_s: float
    corners_hz: Floats
    classes: Ints

    @property
    def is_point(self) -> bool:
        """Whether there is but one subfault."""
        return len(self.moments_nm) == 1

    def log_conservation(self, frequency_hz: Floats) -> Floats:
        """Natural logarithm of the factor on amplitude that makes the sum that of the whole."""
        f2 = frequency_hz**2
        weights = np.bincount(self.classes, self.energies, len(self.corners_hz))
        weights = weights / weights.sum()
        summed = (weights[:, None] / (self.corners_hz[:, None] ** 2 + f2) ** 2).sum(axis=0)
        log: Floats = -np.log(self.corner_hz**2 + f2) - 0.5 * np.log(summed)
        return log


def finite_source(rupture: Rupture, region: Attenuation, seed: int, number: int) -> FiniteSource:
    """Divide a rupture into subfaults.

    One quake is broken along its plane, which is drawn where it is not known. The parts of a
    rupture of many are taken as its subfaults, as they stand.

    Parameters
    ----------
    number : int
        Of the rupture in its composition; what is drawn for it depends on it alone.
    """
    if len(rupture.parts) > 1:
        return _composed(rupture, region, seed, number)
    quake = rupture.parts[0]
    known = quake.fault
    if known is None:
        fault = draw_fault(quake, region, rng(seed, "mechanism", number))
    else:
        fault = fitted(known, quake.depth_km)
    rules = region.finite
    stress_bar = quake.stress_drop_bar or region.stress_drop(quake.magnitude)
    corner_hz = corner_frequency_hz(quake.magnitude, stress_bar, region.beta_kms)
    if quake.magnitude <= rules.point_to_magnitude:
        side_km = math.sqrt(fault.length_km * fault.width_km)
        return _assembled(
            rupture,
            corner_hz,
            places=(np.array([quake.lat]), np.array([quake.lon]), np.array([quake.depth_km])),
            starts_s=np.zeros(1),
            moments_nm=np.array([moment_nm(quake.magnitude)]),
            angles=(fault.strike_deg, fault.dip_deg, fault.rake_deg),
            size_km=(side_km, side_km),
            rise_s=1.0 / corner_hz,
            rules=rules,
        )
    draw = rng(seed, "slip", number)
    return _broken(rupture, fault, region, corner_hz, draw)


def _broken(
    rupture: Rupture,
    fault: Fault,
    region: Attenuation,
    corner_hz: float,
    draw: np.random.Generator,
) -> FiniteSource:
    """Divide a plane and let the rupture run over it from the hypocentre."""
    quake, rules = rupture.parts[0], region.finite
    side_km = max(
        math.sqrt(fault.length_km * fault.width_km / rules.subfaults), rules.smallest_subfault_km
    )
    columns = max(2, round(fault.length_km / side_km))
    rows = max(1, round(fault.width_km / side_km))
    length_km, width_km = fault.length_km / columns, fault.width_km / rows
    along_km = (np.arange(columns) + 0.5) * length_km - fault.along_share * fault.length_km
    down_km = (np.arange(rows) + 0.5) * width_km - fault.down_share * fault.width_km
    along_km, down_km = (grid.ravel() for grid in np.meshgrid(along_km, down_km))
    shares = slip_field(rows, columns, length_km, width_km, rules, draw).ravel()
    velocity_kms = region.beta_kms * float(draw.uniform(*rules.velocity_share))
    uneven = 1.0 + rules.velocity_scatter * draw.standard_normal(len(shares)).clip(-2.0, 2.0)
    away_km = np.hypot(along_km, down_km)
    first = int(away_km.argmin())
    crossing_s = math.sqrt(length_km * width_km) / velocity_kms
    starts_s = np.maximum(away_km / velocity_kms * uneven - 0.5 * crossing_s, 0.0)
    along_km[first] = down_km[first] = starts_s[first] = 0.0
    dip = math.radians(fault.dip_deg)
    right_km, deeper_km = down_km * math.cos(dip), down_km * math.sin(dip)
    towards_deg = fault.strike_deg + np.degrees(np.arctan2(right_km, along_km))
    lats, lons = destination(
        quake.lat, quake.lon, towards_deg % 360.0, np.hypot(along_km, right_km)
    )
    return _assembled(
        rupture,
        corner_hz,
        places=(np.asarray(lats), np.asarray(lons), quake.depth_km + deeper_km),
        starts_s=starts_s,
        moments_nm=shares * moment_nm(quake.magnitude),
        angles=(fault.strike_deg, fault.dip_deg, fault.rake_deg),
        size_km=(length_km, width_km),
        rise_s=crossing_s,
        rules=rules,
    )


def _composed(rupture: Rupture, region: Attenuation, seed: int, number: int) -> FiniteSource:
    """Take the parts of a rupture as subfaults that stand in a line, upright where not said."""
    parts = sorted(rupture.parts, key=lambda part: part.after_s)
    first, rules = parts[0], region.finite
    lats, lons, depths_km, after_s = (
        np.array([getattr(part, name) for part in parts])
        for name in ("lat", "lon", "depth_km", "after_s")
    )
    moments_nm = np.array([moment_nm(part.magnitude) for part in parts])
    whole = Quake(
        lat=first.lat, lon=first.lon, depth_km=first.depth_km, magnitude=rupture.magnitude
    )
    fault = first.fault or draw_fault(whole, region, rng(seed, "mechanism", number))
    away_km = epicentral_distance_km(first.lat, first.lon, lats, lons)
    far = int(np.argmax(away_km))
    strike_deg = fault.strike_deg
    if first.fault is None:
        strike_deg = float(azimuth_deg(first.lat, first.lon, lats[far], lons[far]))
    side_km = max(float(np.max(away_km)) / max(len(parts) - 1, 1), rules.smallest_subfault_km)
    width_km = min(fault.width_km, 2.0 * float(depths_km.min()) + side_km)
    stress_bar = first.stress_drop_bar or region.stress_drop(rupture.magnitude)
    corner_hz = corner_frequency_hz(rupture.magnitude, stress_bar, region.beta_kms)
    return _assembled(
        rupture,
        corner_hz,
        places=(lats, lons, depths_km),
        starts_s=after_s - first.after_s,
        moments_nm=moments_nm,
        angles=(strike_deg, fault.dip_deg, fault.rake_deg),
        size_km=(side_km, min(width_km, 2.0 * float(depths_km.min()))),
        rise_s=side_km / (region.beta_kms * sum(rules.velocity_share) / 2.0),
        rules=rules,
    )


def _assembled(
    rupture: Rupture,
    corner_hz: float,
    *,
    places: tuple[Floats, Floats, Floats],
    starts_s: Floats,
    moments_nm: Floats,
    angles: tuple[float, float, float],
    size_km: tuple[float, float],
    rise_s: float,
    rules: FiniteConstants,
) -> FiniteSource:
    """Sort by time and find the dynamic corner of each subfault."""
    order = np.argsort(starts_s, kind="stable")
    first = rupture.first
    moments_nm = moments_nm[order]
    corners_hz, classes = _dynamic_corners(moments_nm, corner_hz, rules.pulsing_share)
    strike_deg, dip_deg, rake_deg = (np.full(len(order), angle) for angle in angles)
    lats, lons, depths_km = (place[order] for place in places)
    energies = moments_nm / moments_nm.sum()
    if len(order) > 1:
        energies = energies * np.minimum(depths_km / rules.shallow_km, 1.0) ** 2
    return FiniteSource(
        magnitude=rupture.magnitude,
        corner_hz=corner_hz,
        lat=first.lat,
        lon=first.lon,
        depth_km=first.depth_km,
        after_s=first.after_s,
        lats=lats,
        lons=lons,
        depths_km=depths_km,
        starts_s=starts_s[order],
        moments_nm=moments_nm,
        energies=energies,
        strikes_deg=strike_deg,
        dips_deg=dip_deg,
        rakes_deg=rake_deg,
        length_km=size_km[0],
        width_km=size_km[1],
        rise_s=rise_s,
        corners_hz=corners_hz,
        classes=classes,
    )


_CLASSES_PER_OCTAVE = 2.0


def _dynamic_corners(
    moments_nm: Floats, corner_hz: float, pulsing_share: float
) -> tuple[Floats, Ints]:
    """Corner of what has broken, but of no more than pulses at a time, in half octaves."""
    if len(moments_nm) == 1:
        return np.array([corner_hz]), np.zeros(1, dtype=np.int64)
    broken = np.cumsum(moments_nm) / moments_nm.sum()
    above = -np.log2(np.minimum(broken, pulsing_share)) / 3.0  # octaves above that of the whole
    steps = np.rint(above * _CLASSES_PER_OCTAVE)
    values, classes = np.unique(steps, return_inverse=True)
    return corner_hz * 2.0 ** (values / _CLASSES_PER_OCTAVE), classes.astype(np.int64)
