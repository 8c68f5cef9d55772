"""Quakes of all magnitudes of one region, seen at all distances, measured and held to models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eew.errors import ConfigError
from eew.model.calibration import Residuals
from eew.physics.duration import afshari_stewart_2016
from eew.physics.envelope import envelope_amplitude
from eew.physics.geo import destination
from eew.physics.magnitude import kuyuk_allen_2013, pgd_magnitude
from eew.tables import load_table
from simulator.attenuation import attenuation
from simulator.calibration.measure import (
    ENVELOPES,
    Motion,
    envelopes,
    geometric_peak,
    integrated,
    peak_displacement_m,
    peak_p_displacement_m,
    significant_duration_s,
)
from simulator.calibration.plane import plane_distances_km
from simulator.calibration.records import Site, motion_at
from simulator.calibration.references import Place, expected_peaks, peaks_model
from simulator.finite_fault import finite_source
from simulator.mechanism import draw_fault
from simulator.ruptures import Quake, Rupture
from simulator.seeds import rng

__all__ = ["Column", "columns", "quake_rows", "region_names", "region_row", "residuals_of"]

Floats = NDArray[np.float64]

_EVENTS_A_MAGNITUDE = 1000  # numbers of the quakes do not meet


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A measure: name for people, model, unit, name of the bounds in ``calibration.toml``."""

    measure: str
    against: str
    unit: str
    bound: str


def region_names() -> tuple[str, ...]:
    """Return the regions that can be calibrated, in the order of the table."""
    return tuple(load_table("calibration")["region"])


def region_row(region: str) -> Mapping[str, Any]:
    """Return where a region's quakes are put and what they are held against.

    Raises
    ------
    ConfigError
        If it cannot be calibrated.
    """
    rows: Mapping[str, Mapping[str, Any]] = load_table("calibration")["region"]
    if region not in rows:
        known = ", ".join(region_names())
        raise ConfigError("--region", f"no region {region!r}", hint=f"there are: {known}")
    return rows[region]


def columns(region: str) -> tuple[Column, ...]:
    """Return what is measured, in the order of the values of :func:`quake_rows`."""
    row = region_row(region)
    peaks = peaks_model(row)
    measured = ENVELOPES if "envelopes" in row else ()
    return (
        Column(measure="magnitude from Pd", against="Kuyuk & Allen 2013", unit="M", bound="pd"),
        Column(measure="PGA", against=peaks, unit="log10", bound="peak"),
        Column(measure="PGV", against=peaks, unit="log10", bound="peak"),
        Column(measure="D5-95", against="Afshari & Stewart 2016", unit="log10", bound="duration"),
        Column(measure="magnitude from PGD", against="Crowell 2016", unit="M", bound="pgd"),
        *(
            Column(
                measure=f"{phase} {component} {quantity}",
                against=row["envelopes"],
                unit="log10",
                bound="envelope",
            )
            for phase, component, quantity in measured
        ),
    )


def quake_rows(
    region: str, magnitude: float, number: int, seed: int, distances_km: Sequence[float]
) -> Floats:
    """Compute one quake at all distances.

    Returns
    -------
    numpy.ndarray, shape (distances, 2 + columns)
        Magnitude, epicentral distance, then residuals; NaN where a model says nothing.
    """
    row, constants, grid = (
        region_row(region),
        attenuation(region),
        load_table("calibration")["grid"],
    )
    labels = ("calibration", region, round(10 * magnitude), number)
    draw = rng(seed, *labels)
    depths_km = grid["depths_km"]
    quake = Quake(
        lat=row["lat"],
        lon=row["lon"],
        depth_km=depths_km[number % len(depths_km)],
        magnitude=magnitude,
    )
    quake = replace(quake, fault=draw_fault(quake, constants, draw))
    event = _EVENTS_A_MAGNITUDE * round(10 * magnitude) + number
    source = finite_source(Rupture(parts=(quake,)), constants, seed, event)
    rows = []
    for distance_km in distances_km:
        azimuth_deg = float(draw.uniform(0.0, 360.0))
        lat, lon = (float(x) for x in destination(quake.lat, quake.lon, azimuth_deg, distance_km))
        site = Site(
            lat=lat,
            lon=lon,
            vs30_mps=constants.vs30_mps,
            labels=(*labels, round(10 * distance_km)),
        )
        motion = motion_at(source, constants, site, seed, grid["sampling_rate_hz"])
        place = _place(quake, site, distance_km)
        rows.append([magnitude, distance_km, *_residuals(row, quake, place, motion, grid)])
    return np.array(rows)


def residuals_of(region: str, rows: Floats) -> tuple[Residuals, ...]:
    """Sort rows of :func:`quake_rows` into residuals, one set for each column."""
    found = []
    for index, column in enumerate(columns(region)):
        value = rows[:, 2 + index]
        there = np.isfinite(value)
        found.append(
            Residuals(
                measure=column.measure,
                against=column.against,
                unit=column.unit,
                magnitude=rows[there, 0],
                distance_km=rows[there, 1],
                value=value[there],
            )
        )
    return tuple(found)


def _place(quake: Quake, site: Site, distance_km: float) -> Place:
    assert quake.fault is not None
    joyner_boore_km, rupture_km = plane_distances_km(
        quake.fault, (quake.lat, quake.lon, quake.depth_km), site.lat, site.lon
    )
    return Place(
        epicentral_km=distance_km,
        joyner_boore_km=joyner_boore_km,
        rupture_km=rupture_km,
        vs30_mps=site.vs30_mps,
    )


def _residuals(
    row: Mapping[str, Any], quake: Quake, place: Place, motion: Motion, grid: Mapping[str, Any]
) -> list[float]:
    """Subtract what is expected from what is computed, in the order of :func:`columns`."""
    magnitude = quake.magnitude
    horizontals = motion.acceleration_mps2[1:]
    pga = geometric_peak(horizontals)
    pgv = geometric_peak(integrated(horizontals, motion.sampling_rate_hz))
    expected_pga, expected_pgv = expected_peaks(row, magnitude, quake.depth_km, place)
    median_s, _ = afshari_stewart_2016(magnitude, place.rupture_km, place.vs30_mps)
    pd_m = peak_p_displacement_m(motion)
    pgd = np.nan
    if magnitude >= grid["pgd_from_magnitude"]:
        hypocentral_km = float(np.hypot(place.epicentral_km, quake.depth_km))
        pgd = float(pgd_magnitude(peak_displacement_m(motion), hypocentral_km)) - magnitude
    return [
        float(kuyuk_allen_2013(pd_m, place.epicentral_km)) - magnitude,
        float(np.log10(pga / expected_pga)),
        float(np.log10(pgv / expected_pgv)),
        float(np.log10(significant_duration_s(motion) / median_s)),
        pgd,
        *_envelope_residuals(row, magnitude, place, motion, grid),
    ]


def _envelope_residuals(
    row: Mapping[str, Any],
    magnitude: float,
    place: Place,
    motion: Motion,
    grid: Mapping[str, Any],
) -> list[float]:
    if "envelopes" not in row:
        return []
    low, high = grid["envelope_magnitudes"]
    if not low <= magnitude <= high:
        return [np.nan] * len(ENVELOPES)
    ground = "rock" if place.vs30_mps > load_table("envelope")["rock_vs30_mps"] else "soil"
    found = envelopes(motion)
    expected = [
        envelope_amplitude(
            magnitude,
            place.epicentral_km,
            phase=phase,
            component=component,
            quantity=quantity,
            site=ground,
        )
        for phase, component, quantity in ENVELOPES
    ]
    values: list[float] = np.log10(found / np.array(expected)).tolist()
    return values
