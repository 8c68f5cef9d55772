"""Figures of the calibration report: residuals, envelopes and spectra, and recorded quakes."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eew.model.calibration import (
    Calibration,
    Check,
    Pair,
    QuakeComparison,
    RegionCalibration,
    Residuals,
)
from eew.physics.bssa14 import bssa14
from eew.report.canvas import (
    BLUE,
    GREEN,
    INK,
    MUTED,
    ORANGE,
    PURPLE,
    TRACE,
    banner,
    drawable,
    figure,
    png_bytes,
)

__all__ = ["envelopes_png", "quake_png", "residuals_png", "spectra_png"]

Floats = NDArray[np.float64]

_WIDTH_IN = 9.0
_SHOWN = ("magnitude from Pd", "PGA", "PGV", "D5-95", "magnitude from PGD")
_ROW_IN, _HEAD_IN, _FOOT_IN = 1.75, 0.75, 0.55
_JITTER = 0.012  # of the width of the axis
_NEAREST_KM = 1.0
_TICKS_HZ = (0.3, 1.0, 3.0, 10.0)
_SPECTRA_COLUMNS = 2
_TICKS_KM = (1.0, 3.0, 10.0, 30.0, 100.0)
_PALETTE = 128  # colours of a figure: a third of the bytes


def residuals_png(found: Calibration, region: RegionCalibration) -> bytes:
    """Draw what is computed less what is expected, by magnitude and by distance."""
    height_in = _HEAD_IN + _ROW_IN * len(_SHOWN) + _FOOT_IN
    with figure(_WIDTH_IN, height_in) as made:
        banner(
            made,
            f"Computed less expected, {region.region}",
            f"{found.repeats} quakes of each magnitude, seed {found.seed}; a dot is a record, a "
            "bar the middle of a bin with its scatter; band: bound",
        )
        axes = made.subplots(
            len(_SHOWN),
            2,
            sharey="row",
            gridspec_kw={
                "left": 0.09,
                "right": 0.985,
                "top": 1.0 - _HEAD_IN / height_in,
                "bottom": _FOOT_IN / height_in,
                "hspace": 0.22,
                "wspace": 0.04,
            },
        )
        for row, measure in zip(axes, _SHOWN, strict=True):
            residuals = region.named(measure)
            checks = [
                one for one in found.checks if one.group == region.region and one.measure == measure
            ]
            _residual_axes(row[0], residuals, residuals.magnitude, checks)
            _residual_axes(row[1], residuals, residuals.distance_km, checks)
            row[1].set_xscale("log")
            unit = "M units" if residuals.unit == "M" else "log10"
            row[0].set_ylabel(f"{measure},\n{unit}", fontsize=8.5)
            row[1].text(
                0.985,
                0.95,
                f"against {residuals.against}",
                transform=row[1].transAxes,
                ha="right",
                va="top",
                fontsize=8.0,
                color=MUTED,
            )
        distances = np.unique(region.named("PGA").distance_km)
        for row in axes:
            row[1].set_xticks(distances, [f"{km:g}" for km in distances], minor=False)
            row[1].set_xticks([], minor=True)
            row[0].set_xlim(3.75, 7.75)
        axes[-1][0].set_xlabel("magnitude")
        axes[-1][1].set_xlabel("epicentral distance, km")
        return _small(made)


def envelopes_png(found: Calibration, region: RegionCalibration) -> bytes:
    """Draw computed envelopes over their model: median and 16 to 84 % of the records."""
    envelopes = [one for one in region.residuals if one.measure[:2] in ("P ", "S ")]
    against = envelopes[0].against
    with figure(_WIDTH_IN, 3.9) as made:
        banner(
            made,
            f"Envelopes of one second, {region.region}",
            f"largest of P and of S; median and 16 to 84 % of {len(envelopes[0].value)} records "
            f"over {against}, band: bound",
        )
        axes = made.add_axes((0.215, 0.13, 0.77, 0.69))
        bias = {one.measure: one for one in found.checks if one.group == region.region}
        for place, one in enumerate(reversed(envelopes)):
            check = bias[one.measure]
            low, middle, high = np.percentile(one.value, [16.0, 50.0, 84.0])
            colour = GREEN if check.passed else ORANGE
            axes.plot([low, high], [place, place], color=colour, lw=2.0)
            axes.plot([middle], [place], "o" if check.passed else "X", color=colour, ms=6.0)
        check = bias[envelopes[0].measure]
        axes.axvspan(check.low, check.high, color=GREEN, alpha=0.08, lw=0)
        axes.axvline(0.0, color=INK, lw=0.8)
        axes.set_yticks(range(len(envelopes)), [one.measure for one in reversed(envelopes)])
        axes.set_xlim(-1.0, 1.0)
        axes.set_xlabel(f"log10 of computed over {against}")
        return _small(made)


def spectra_png(found: Calibration) -> bytes:
    """Draw mean spectra of point sources against what was asked for, a panel for each region."""
    rows = -(-len(found.regions) // _SPECTRA_COLUMNS)
    height_in = _HEAD_IN + 2.6 * rows + _FOOT_IN
    with figure(_WIDTH_IN, height_in) as made:
        banner(
            made,
            "Spectra of S, point sources",
            "transverse acceleration: computed (dots, mean of many records) and the "
            "omega-squared target (lines)",
        )
        panels = made.subplots(
            rows,
            _SPECTRA_COLUMNS,
            squeeze=False,
            sharex=True,
            sharey=True,
            gridspec_kw={
                "left": 0.085,
                "right": 0.985,
                "top": 1.0 - _HEAD_IN / height_in,
                "bottom": _FOOT_IN / height_in,
                "hspace": 0.16,
                "wspace": 0.05,
            },
        ).ravel()
        styles = ((BLUE, "-"), (ORANGE, "--"), (GREEN, "-."), (PURPLE, ":"))
        for axes, region in zip(panels, found.regions, strict=False):
            for (colour, line), one in zip(styles, region.spectra, strict=False):
                label = f"M{one.magnitude:g}, {one.distance_km:g} km"
                axes.loglog(one.frequency_hz, one.target, line, color=colour, lw=1.2)
                axes.loglog(one.frequency_hz, one.computed, "o", color=colour, ms=4.0, label=label)
            axes.set_title(region.region, fontsize=9.0, pad=3.0)
            axes.set_xticks(_TICKS_HZ, [f"{hz:g}" for hz in _TICKS_HZ])
            axes.legend(loc="lower center", ncols=2, fontsize=7.0)
        for axes in panels[len(found.regions) :]:
            axes.set_axis_off()
        for axes in panels[::_SPECTRA_COLUMNS]:
            axes.set_ylabel("Fourier amplitude, m/s")
        for axes in panels[max(0, len(found.regions) - _SPECTRA_COLUMNS) : len(found.regions)]:
            axes.set_xlabel("frequency, Hz")
            axes.tick_params(labelbottom=True)
        return _small(made)


def quake_png(found: Calibration, quake: QuakeComparison) -> bytes:
    """Draw peaks against distance, recorded and computed, and some records of both."""
    with figure(_WIDTH_IN, 7.2) as made:
        banner(
            made,
            f"{drawable(quake.title)}, M{quake.magnitude:.1f}",
            f"same stations, published fault, seed {found.seed}; peaks: mean of the ruptures "
            "drawn, traces: the first of them; from 0.075 Hz up",
        )
        grid = made.add_gridspec(
            2,
            2,
            left=0.095,
            right=0.985,
            top=0.895,
            bottom=0.065,
            height_ratios=[1.25, 1.0],
            hspace=0.28,
            wspace=0.2,
        )
        checks = {
            (one.measure, one.statistic): one for one in found.checks if one.group == quake.name
        }
        distance_km = np.maximum(quake.distance_km, _NEAREST_KM)
        line_km = np.geomspace(_NEAREST_KM, distance_km.max(), 60)
        vs30_mps = float(np.median(quake.vs30_mps))
        line = bssa14(quake.magnitude, line_km, vs30_mps)
        for place, (measure, unit, recorded, computed, model) in enumerate(
            (
                ("PGA", "m/s²", quake.recorded_pga, quake.computed_pga, line.pga_mps2),
                ("PGV", "m/s", quake.recorded_pgv, quake.computed_pgv, line.pgv_mps),
            )
        ):
            axes = made.add_subplot(grid[0, place])
            label = f"{quake.model}, Vs30 {vs30_mps:.0f} m/s"
            axes.loglog(line_km, model, "-", color=MUTED, lw=1.0, label=label)
            axes.loglog(distance_km, recorded, "o", color=INK, ms=4.0, label="recorded", alpha=0.7)
            axes.loglog(distance_km, computed, "^", color=BLUE, ms=4.0, label="computed", alpha=0.7)
            middle = checks[(measure, "median")]
            axes.set_title(
                f"{measure}: computed over recorded {middle.value:+.2f} log10, scatter "
                f"{checks[(measure, 'sigma')].value:.2f}",
                fontsize=9.0,
                color=INK if middle.passed else ORANGE,
            )
            axes.set_xlim(0.9 * _NEAREST_KM, 200.0)
            axes.set_xticks(_TICKS_KM, [f"{km:g}" for km in _TICKS_KM])
            axes.tick_params(which="minor", labelleft=False)
            axes.set_xlabel("distance to the fault's surface projection, km")
            axes.set_ylabel(f"{measure}, {unit}")
            axes.legend(loc="lower left")
        rows = grid[1, :].subgridspec(len(quake.pairs), 1, hspace=0.12)
        ends_s = 5.0 * round(max(_shaken_s(pair) for pair in quake.pairs) / 5.0 + 2.0)
        for place, pair in enumerate(quake.pairs):
            axes = made.add_subplot(rows[place])
            _pair_axes(axes, pair)
            axes.set_xlim(-5.0, ends_s)
            if place < len(quake.pairs) - 1:
                axes.set_xticklabels([])
        axes.set_xlabel("time after the origin, s (north component)")
        return _small(made)


# ---------------------------------------------------------------------- parts


def _residual_axes(axes: Any, residuals: Residuals, keys: Floats, checks: list[Check]) -> None:
    """Draw records, middles of bins and bounds."""
    by_magnitude = keys is residuals.magnitude
    # dots side by side, so that they do not hide each other; no chance in it
    spread = np.sin(np.arange(len(keys)) * 12.9898) * _JITTER
    places = keys + 4.0 * spread if by_magnitude else keys * 10.0 ** (1.2 * spread)
    axes.plot(places, residuals.value, ".", color=TRACE, ms=2.0, alpha=0.35, rasterized=True)
    overall = next(one for one in checks if not one.where)
    binned = {one.where: one for one in checks if one.where}
    bound = next(iter(binned.values()), overall)
    axes.axhspan(bound.low, bound.high, color=GREEN, alpha=0.07, lw=0)
    axes.axhline(0.0, color=INK, lw=0.8)
    for key in np.unique(keys):
        value = residuals.value[keys == key]
        middle = value.mean() if residuals.unit == "M" else np.median(value)
        good = not binned or bound.low <= middle <= bound.high
        colour = GREEN if good else ORANGE
        axes.errorbar(
            [key],
            [middle],
            yerr=[value.std()],
            fmt="o" if good else "X",
            color=colour if binned else BLUE,  # a bin without a bound is not judged
            ms=5.0,
            lw=1.4,
        )
    axes.set_ylim(-1.15, 1.15)
    if by_magnitude:
        sigma = next((one for one in checks if one.statistic == "sigma"), None)
        words = f"{overall.statistic} {overall.value:+.2f} ({overall.low:g} to {overall.high:g})"
        if sigma is not None:
            words += f", sigma {sigma.value:.2f} ({sigma.low:g} to {sigma.high:g})"
        good = overall.passed and (sigma is None or sigma.passed)
        axes.text(
            0.015,
            0.95,
            words,
            transform=axes.transAxes,
            ha="left",
            va="top",
            fontsize=8.0,
            color=GREEN if good else ORANGE,
        )


def _pair_axes(axes: Any, pair: Pair) -> None:
    """Draw a recorded trace above the computed one, to one scale."""
    largest = max(float(np.abs(pair.recorded).max()), float(np.abs(pair.computed).max()))
    for start_s, rate_hz, trace, up, colour in (
        (pair.recorded_start_s, pair.recorded_rate_hz, pair.recorded, 1.0, INK),
        (pair.computed_start_s, pair.computed_rate_hz, pair.computed, -1.0, BLUE),
    ):
        low, high = _drawn(trace, rate_hz)
        time_s = start_s + (np.arange(len(low)) + 0.5) / _COLUMNS_PER_S
        axes.fill_between(time_s, low / largest + up, high / largest + up, color=colour, lw=0.4)
    axes.set_ylim(-2.1, 2.1)
    axes.set_yticks([1.0, -1.0], ["recorded", "computed"])
    axes.text(
        0.99,
        0.93,
        f"{drawable(pair.station)}, {pair.distance_km:.0f} km, full height {2 * largest:.2g} m/s²",
        transform=axes.transAxes,
        ha="right",
        va="top",
        fontsize=8.0,
    )


_COLUMNS_PER_S = 8.0  # a record is drawn as lowest and highest value of so many pieces a second


def _shaken_s(pair: Pair) -> float:
    """Return the time after the origin by which nearly all energy of both has come."""
    ends = []
    for start_s, rate_hz, trace in (
        (pair.recorded_start_s, pair.recorded_rate_hz, pair.recorded),
        (pair.computed_start_s, pair.computed_rate_hz, pair.computed),
    ):
        energy = np.cumsum(trace**2)
        ends.append(start_s + int(np.searchsorted(energy, 0.95 * energy[-1])) / rate_hz)
    return float(max(ends))


def _small(made: Any) -> bytes:
    """Return the figure as PNG of few colours."""
    from PIL import Image

    with Image.open(io.BytesIO(png_bytes(made))) as full:
        out = io.BytesIO()
        full.convert("RGB").quantize(_PALETTE, dither=Image.Dither.NONE).save(
            out, format="png", optimize=True
        )
    return out.getvalue()


def _drawn(trace: Floats, rate_hz: float) -> tuple[Floats, Floats]:
    size = max(1, round(rate_hz / _COLUMNS_PER_S))
    count = len(trace) // size
    pieces = trace[: count * size].reshape(count, size)
    return pieces.min(axis=1), pieces.max(axis=1)
