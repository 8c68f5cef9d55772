"""The calibration report as a document (``eew.calibration/1``) and as a page of Markdown."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from eew.model.calibration import Calibration, Check, QuakeComparison, RegionCalibration

__all__ = ["SCHEMA", "calibration_document", "calibration_page", "has_envelopes"]

SCHEMA = "eew.calibration/1"
IMAGES = "images/calibration"
MARK = "<!-- written by eew simulate --calibration -->"  # what may be written over
_DIGITS = 4


def calibration_document(found: Calibration, version: str) -> dict[str, Any]:
    """Return figures, bounds and verdicts; numbers rounded to four digits behind the point."""
    return {
        "schema": SCHEMA,
        "simulation": True,
        "version": version,
        "seed": found.seed,
        "repeats": found.repeats,
        "passed": not found.failed and not found.missing,
        "checks_failed": len(found.failed),
        "missing": list(found.missing),
        "checks": [
            {
                "group": one.group,
                "measure": one.measure,
                "against": one.against,
                "statistic": one.statistic,
                "where": one.where,
                "value": _number(one.value),
                "low": one.low,
                "high": one.high,
                "n": one.n,
                "passed": one.passed,
            }
            for one in found.checks
        ],
        "quakes": [_quake(one) for one in found.quakes],
    }


def calibration_page(found: Calibration, command: str) -> str:
    """Return the report for people."""
    failed = len(found.failed)
    verdict = "every figure is within its bounds" if not failed else f"{failed} are beyond"
    lines = [
        MARK,
        "# Calibration of the computed motion",
        "",
        (
            "SIMULATION. Computed records against published models and against recorded quakes. "
            f"Of {len(found.checks)} figures with bounds, {verdict}. What is measured, and how: "
            "`simulator/calibration`; bounds and models: `eew/tables/calibration.toml`. "
            "Reproduce with"
        ),
        "",
        f"    {command}",
        "",
        (
            "Values are computed less expected: magnitude units (mean) or log10 (median). Bins are "
            "single magnitudes and single epicentral distances. Bold: beyond the bound."
        ),
        "",
    ]
    if found.missing:
        lines += [f"Not there, so not compared: {', '.join(found.missing)}.", ""]
    for region in found.regions:
        lines += _region_lines(found, region)
    lines += ["## Spectra", "", f"![Spectra of point sources]({IMAGES}/spectra.png)", ""]
    for quake in found.quakes:
        lines += _quake_lines(found, quake)
    return "\n".join(lines).rstrip() + "\n"


def has_envelopes(region: RegionCalibration) -> bool:
    """Whether envelopes of the region were held against a model."""
    return any(one.measure.startswith("P ") for one in region.residuals)


# ---------------------------------------------------------------------- parts


def _region_lines(found: Calibration, region: RegionCalibration) -> list[str]:
    checks = [one for one in found.checks if one.group == region.region]
    overall = [one for one in checks if not one.where]
    by_measure: dict[str, list[Check]] = {}
    for one in overall:
        by_measure.setdefault(one.measure, []).append(one)
    rows = []
    for measure, group in by_measure.items():
        middle = group[0]
        sigma = next((one for one in group if one.statistic == "sigma"), None)
        rows.append(
            [
                measure,
                middle.against,
                str(middle.n),
                _cell(middle),
                _span(middle),
                _cell(sigma) if sigma else "",
                _span(sigma) if sigma else "",
            ]
        )
    lines = [
        f"## {region.region}",
        "",
        *_table(("measure", "against", "n", "bias", "bound", "sigma", "bound"), rows),
        "",
    ]
    for title, unit in (("magnitude", "M "), ("distance, km", " km")):
        lines += [*_bin_table(checks, title, unit), ""]
    spectra = [one for one in checks if one.measure == "spectrum of S"]
    rows = [
        [one.where, one.statistic, _cell(one, digits=3), _span(one)]
        for one in sorted(spectra, key=lambda one: (one.where, one.statistic))
    ]
    lines += _table(("spectrum of S, point source", "log10 off", "value", "bound"), rows)
    lines += [
        "",
        f"![Residuals, {region.region}]({IMAGES}/{region.region}-residuals.png)",
        "",
    ]
    if has_envelopes(region):
        lines += [f"![Envelopes, {region.region}]({IMAGES}/{region.region}-envelopes.png)", ""]
    return lines


def _bin_table(checks: Sequence[Check], title: str, unit: str) -> list[str]:
    """One row for each measure that has bins, one column for each bin."""
    binned = [
        one
        for one in checks
        if one.where and "," not in one.where and (unit.strip() in one.where.split())
    ]
    names = list(dict.fromkeys(one.where for one in binned))
    rows = []
    for measure in dict.fromkeys(one.measure for one in binned):
        own = {one.where: one for one in binned if one.measure == measure}
        rows.append([measure, *(_cell(own[name]) if name in own else "" for name in names)])
    heads = [name.replace("M ", "").replace(" km", "") for name in names]
    return _table((f"by {title}", *heads), rows)


def _quake_lines(found: Calibration, quake: QuakeComparison) -> list[str]:
    rows = [
        [one.measure, one.statistic, _cell(one), _span(one)]
        for one in found.checks
        if one.group == quake.name
    ]
    model = np.log10(quake.computed_pga / quake.model_pga)
    recorded = np.log10(quake.recorded_pga / quake.model_pga)
    left = len(quake.left_out)
    return [
        f"## {quake.title}, M{quake.magnitude:.1f}",
        "",
        f"`{quake.name}`, {len(quake.stations)} stations ({left} left out). {quake.source}",
        "",
        *_table(("computed over recorded", "log10", "value", "bound"), rows),
        "",
        (
            f"Median PGA against {quake.model}: computed {np.median(model):+.2f}, recorded "
            f"{np.median(recorded):+.2f}."
        ),
        "",
        f"![{quake.title}]({IMAGES}/{quake.name}.png)",
        "",
    ]


def _quake(quake: QuakeComparison) -> dict[str, Any]:
    columns = {
        "distance_km": quake.distance_km,
        "vs30_mps": quake.vs30_mps,
        "recorded_pga_mps2": quake.recorded_pga,
        "computed_pga_mps2": quake.computed_pga,
        "model_pga_mps2": quake.model_pga,
        "recorded_pgv_mps": quake.recorded_pgv,
        "computed_pgv_mps": quake.computed_pgv,
        "model_pgv_mps": quake.model_pgv,
    }
    return {
        "name": quake.name,
        "title": quake.title,
        "magnitude": _number(quake.magnitude),
        "source": quake.source,
        "model": quake.model,
        "left_out": list(quake.left_out),
        "stations": [
            {"code": code, **{name: _significant(values[k]) for name, values in columns.items()}}
            for k, code in enumerate(quake.stations)
        ],
    }


def _table(heads: Iterable[str], rows: Iterable[Sequence[str]]) -> list[str]:
    names = list(heads)
    return [
        f"| {' | '.join(names)} |",
        f"|{'---|' * len(names)}",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]


def _cell(check: Check, *, digits: int = 2) -> str:
    text = check.shown(digits)
    return text if check.passed else f"**{text}**"


def _span(check: Check) -> str:
    if check.low == -check.high:
        return f"±{check.high:g}"
    return f"{check.low:g} to {check.high:g}"


def _number(value: float) -> float | None:
    return round(value, _DIGITS) if math.isfinite(value) else None


def _significant(value: float) -> float:
    return float(f"{value:.4g}")
