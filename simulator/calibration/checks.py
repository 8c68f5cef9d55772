"""Figures and their bounds, from residuals; bounds are data (``eew/tables/calibration.toml``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from eew.model.calibration import Check, QuakeComparison, RegionCalibration, Residuals
from eew.tables import load_table
from simulator.calibration.grid import columns

__all__ = ["checks_of_quake", "checks_of_region"]

Floats = NDArray[np.float64]
Bounds = Mapping[str, Sequence[float]]


def checks_of_region(found: RegionCalibration) -> list[Check]:
    """Judge the residuals of a region, as a whole and by bins, and its spectra."""
    made = []
    for column, residuals in zip(columns(found.region), found.residuals, strict=True):
        bounds: Bounds = load_table("calibration")["bound"][column.bound]
        made += _overall(found.region, residuals, bounds)
        if "bin" in bounds:
            made += _bins(found.region, residuals, bounds["bin"])
    bounds = load_table("calibration")["bound"]["spectrum"]
    for spectrum in found.spectra:
        off = np.log10(spectrum.computed / spectrum.target)
        where = f"M {spectrum.magnitude:g}, {spectrum.distance_km:g} km"
        for statistic, value in (("bias", off.mean()), ("largest", np.abs(off).max())):
            made.append(
                Check(
                    group=found.region,
                    measure="spectrum of S",
                    statistic=statistic,
                    where=where,
                    against="omega-squared",
                    value=float(value),
                    low=bounds[statistic][0],
                    high=bounds[statistic][1],
                    n=len(off),
                )
            )
    return made


def checks_of_quake(found: QuakeComparison) -> list[Check]:
    """Judge the peaks of a recorded quake and the computed ones, by the median of its stations."""
    bounds: Bounds = load_table("calibration")["bound"]["recorded"]
    made = []
    for measure, computed, recorded in (
        ("PGA", found.computed_pga, found.recorded_pga),
        ("PGV", found.computed_pgv, found.recorded_pgv),
    ):
        residuals = Residuals(
            measure=measure,
            against="recorded",
            unit="log10",
            magnitude=np.full(len(computed), found.magnitude),
            distance_km=found.distance_km,
            value=np.log10(computed / recorded),
        )
        made += _overall(found.name, residuals, bounds)
    return made


def _overall(group: str, residuals: Residuals, bounds: Bounds) -> list[Check]:
    """Bias and scatter of all records: mean of magnitudes, median of ratios."""
    value = residuals.value
    figures = [(_middle_name(residuals), _middle(residuals, value), bounds["bias"])]
    if "sigma" in bounds:
        figures.append(("sigma", float(value.std()) if len(value) else np.nan, bounds["sigma"]))
    return [
        _check(group, residuals, statistic, "", figure, span, len(value))
        for statistic, figure, span in figures
    ]


def _bins(group: str, residuals: Residuals, bounds: Sequence[float]) -> list[Check]:
    """Judge the same middle for each magnitude and each distance."""
    made = []
    for name, keys in (("M", residuals.magnitude), ("km", residuals.distance_km)):
        for key in np.unique(keys):
            value = residuals.value[keys == key]
            where = f"M {key:g}" if name == "M" else f"{key:g} km"
            middle = _middle(residuals, value)
            made.append(
                _check(group, residuals, _middle_name(residuals), where, middle, bounds, len(value))
            )
    return made


def _middle_name(residuals: Residuals) -> str:
    return "bias" if residuals.unit == "M" else "median"


def _middle(residuals: Residuals, value: Floats) -> float:
    if not len(value):
        return float(np.nan)
    return float(value.mean() if residuals.unit == "M" else np.median(value))


def _check(
    group: str,
    residuals: Residuals,
    statistic: str,
    where: str,
    value: float,
    span: Sequence[float],
    n: int,
) -> Check:
    return Check(
        group=group,
        measure=residuals.measure,
        statistic=statistic,
        where=where,
        against=residuals.against,
        value=value,
        low=span[0],
        high=span[1],
        n=n,
    )
