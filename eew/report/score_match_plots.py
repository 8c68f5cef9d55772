"""``intensity.png`` and ``reliability.png``: predicted against observed, stated against true."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from eew.report.canvas import (
    BLUE,
    GREEN,
    GRID,
    INK,
    MUTED,
    ORANGE,
    PURPLE,
    banner,
    figure,
    png_bytes,
)
from eew.report.score_result import FolderScore, ScoreSettings, StationScore
from eew.report.score_time_plots import settings_words
from eew.report.statistics import bias_and_sigma

ONE_SIGMA = 0.6827  # of a normal distribution
TARGET = (0.55, 0.80)  # of truths inside one stated sigma
RELIABILITY_MOMENTS = ("first", "+5", "final")
_CURVES = (
    ("epicentre", BLUE, "-"),
    ("depth", GREEN, "--"),
    ("origin_time", ORANGE, "-."),
    ("magnitude", PURPLE, ":"),
)
_PROBABILITIES = np.linspace(0.0, 1.0, 101)


def intensity_png(scores: Sequence[FolderScore], _settings: ScoreSettings) -> bytes:
    """Return predicted against observed intensity and PGA at stations, last message."""
    rows = [station for one in scores for station in one.stations]
    compared = [one for one in rows if one.compared]
    left_out = Counter(one.state for one in rows if one.state != "good")
    with figure(10.0, 5.2) as made:
        # two square panels of 3.9 in and a narrow bar
        left, right, beside = (
            made.add_axes((x, 0.09, width, 0.75))
            for x, width in ((0.055, 0.39), (0.53, 0.39), (0.935, 0.012))
        )
        _intensity_panel(left, compared)
        points = _pga_panel(right, compared)
        if points is None:
            beside.set_visible(False)
        else:
            made.colorbar(points, cax=beside).set_label("epicentral distance, km")
        words = ", ".join(f"{n} {word}" for word, n in sorted(left_out.items())) or "none"
        banner(
            made,
            "Shaking at stations: predicted by the last message, and observed",
            f"{len(compared)} stations of {_quakes(scores)} quakes; "
            f"left out by their records: {words}",
        )
        return png_bytes(made)


def _quakes(scores: Sequence[FolderScore]) -> int:
    return sum(any(station.compared for station in one.stations) for one in scores)


def _intensity_panel(axes: Any, rows: Sequence[StationScore]) -> None:
    observed = np.array([one.observed for one in rows], dtype=np.float64)
    predicted = np.array([one.predicted for one in rows], dtype=np.float64)
    low, high = 0.5, 10.5
    axes.fill_between([low, high], [low - 1, high - 1], [low + 1, high + 1], color=GRID, zorder=1)
    axes.plot([low, high], [low, high], color=INK, linewidth=1.0, zorder=2)
    if rows:
        axes.scatter(
            observed, predicted, c=_distances(rows), **_DOTS, vmin=0.0, vmax=_furthest(rows)
        )
        _state(axes, *bias_and_sigma((predicted - observed).tolist()), "")
    axes.set(xlim=(low, high), ylim=(low, high), xlabel="observed", ylabel="predicted")
    axes.set_aspect("equal")
    axes.set_title("intensity (scale of the region); grey: within 1", loc="left", fontsize=9.5)


def _pga_panel(axes: Any, rows: Sequence[StationScore]) -> Any:
    observed = np.array([one.observed_pga_mps2 for one in rows], dtype=np.float64)
    predicted = np.array([one.predicted_pga_mps2 for one in rows], dtype=np.float64)
    low, high = 1e-3, 50.0
    line = np.array([low, high])
    axes.fill_between(line, line / 2.0, line * 2.0, color=GRID, zorder=1)
    axes.plot(line, line, color=INK, linewidth=1.0, zorder=2)
    points = None
    if rows:
        points = axes.scatter(
            observed, predicted, c=_distances(rows), **_DOTS, vmin=0.0, vmax=_furthest(rows)
        )
        _state(axes, *bias_and_sigma(np.log(predicted / observed).tolist()), "ln ")
    axes.set(xscale="log", yscale="log", xlim=(low, high), ylim=(low, high))
    axes.set(xlabel="observed", ylabel="predicted")
    axes.set_aspect("equal")
    axes.set_title("PGA, m/s²; grey: within a factor of 2", loc="left", fontsize=9.5)
    return points


_DOTS: Any = {"s": 16.0, "cmap": "viridis", "edgecolors": "white", "linewidths": 0.3, "zorder": 3}


def _distances(rows: Sequence[StationScore]) -> list[float]:
    return [one.distance_km for one in rows]


def _furthest(rows: Sequence[StationScore]) -> float:
    return max(_distances(rows))


def _state(axes: Any, bias: float | None, sigma: float | None, unit: str) -> None:
    words = [
        f"{unit}{name} {value:+.2f}" if name == "bias" else f"{unit}{name} {value:.2f}"
        for name, value in (("bias", bias), ("sigma", sigma))
        if value is not None
    ]
    axes.text(
        0.03, 0.97, "\n".join(words), transform=axes.transAxes, va="top", fontsize=9.0, zorder=5
    )


def reliability_png(scores: Sequence[FolderScore], settings: ScoreSettings) -> bytes:
    """Return which share of truths lies inside what the stated uncertainties promise."""
    found = [one for one in scores if one.detected]
    with figure(10.0, 5.8) as made:
        left, right = made.subplots(1, 2)
        made.subplots_adjust(left=0.072, right=0.975, top=0.87, bottom=0.085, wspace=0.16)
        for axes, prefix, against in (
            (left, "", "the catalogue"),
            (right, "best_", "the best location of the P picks"),
        ):
            _reliability_panel(axes, found, prefix)
            axes.set_title(f"against {against}", loc="left", fontsize=9.5)
        moments = ", ".join(RELIABILITY_MOMENTS)
        banner(
            made,
            "Are the stated uncertainties honest?",
            f"{len(found)} quakes at {moments}; above the line: too cautious, below: too sure; "
            + settings_words(settings),
        )
        return png_bytes(made)


def _reliability_panel(axes: Any, found: Sequence[FolderScore], prefix: str) -> None:
    axes.plot([0, 1], [0, 1], color=INK, linewidth=1.0, zorder=2)
    axes.plot([ONE_SIGMA] * 2, TARGET, color=MUTED, linewidth=7.0, alpha=0.45, zorder=1)
    axes.annotate(
        "one sigma:\n55 to 80 % wanted",
        (ONE_SIGMA, TARGET[0]),
        xytext=(6, -4),
        textcoords="offset points",
        fontsize=8.0,
        color=MUTED,
        va="top",
    )
    for quantity, colour, line in _CURVES:
        sigmas = np.array(
            [
                snapshot.sigmas[prefix + quantity]
                for one in found
                for moment in RELIABILITY_MOMENTS
                if prefix + quantity in (snapshot := one.snapshots[moment]).sigmas
            ]
        )
        if not sigmas.size:
            continue
        inside = [float(np.mean(_probability(sigmas) <= p)) for p in _PROBABILITIES]
        at_one = float(np.mean(sigmas <= 1.0))
        axes.plot(
            _PROBABILITIES,
            inside,
            color=colour,
            linestyle=line,
            linewidth=2.0,
            zorder=3,
            label=f"{quantity.replace('_', ' ')}: {at_one:.0%} inside one sigma",
        )
    axes.set(xlim=(0.0, 1.0), ylim=(0.0, 1.0), xlabel="promised share", ylabel="share of truths")
    axes.xaxis.set_major_formatter("{x:.0%}")
    axes.yaxis.set_major_formatter("{x:.0%}")
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="upper left")


def _probability(sigmas: Any) -> Any:
    """Return which share of a normal distribution lies within so many standard deviations."""
    from scipy.special import erf

    return erf(sigmas / np.sqrt(2.0))
