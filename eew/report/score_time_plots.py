"""``errors.png`` and ``alerts.png``: how errors shrink with time, and how near alerts come to P."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from eew.report.canvas import (
    BLUE,
    GREEN,
    INK,
    MUTED,
    ORANGE,
    PURPLE,
    banner,
    drawable,
    figure,
    png_bytes,
)
from eew.report.score_result import MOMENTS, FolderScore, ScoreSettings, Snapshot

_PLACES = range(len(MOMENTS))
_DETECTOR_MARKS = ("s", "^", "v", "P", "X")
_ROW_IN = 0.34
_NAMED = 2  # of the worst quakes in a panel
_SMALLEST_KM = 0.2  # no error below is of any meaning: the axis ends there


def settings_words(settings: ScoreSettings) -> str:
    """Return the settings of a score in a few words, for the line below a title."""
    return (
        f"packets of {settings.packet_s:g} s, link delay {settings.delay_s:g} s, "
        f"seed {settings.seed}, version {settings.version}"
    )


def errors_png(scores: Sequence[FolderScore], settings: ScoreSettings) -> bytes:
    """Return errors against the time since the first alert, a thin line per quake."""
    found = [one for one in scores if one.detected]
    panels: tuple[tuple[str, Callable[[Snapshot], float | None], bool], ...] = (
        ("epicentre error, km, against the catalogue", lambda one: one.epicentre_km, True),
        (
            "epicentre error, km, against the best location",
            lambda one: one.best_epicentre_km,
            True,
        ),
        ("magnitude, estimate minus catalogue", lambda one: one.magnitude, False),
        ("origin time, s, estimate minus catalogue", lambda one: one.origin_time_s, False),
    )
    with figure(10.0, 8.2) as made:
        grid = made.subplots(2, 2)
        made.subplots_adjust(
            left=0.06, right=0.985, top=0.905, bottom=0.065, hspace=0.26, wspace=0.14
        )
        for axes, (words, value, is_distance) in zip(grid.flat, panels, strict=True):
            _error_panel(axes, found, value, is_distance=is_distance)
            axes.set_title(words, loc="left", fontsize=9.5, color=INK)
            axes.set_xlabel("s after the first alert")
        if found:
            grid.flat[0].legend(loc="lower left")
        banner(made, "Errors of location, magnitude and time", _words(found, settings))
        return png_bytes(made)


def _words(found: Sequence[FolderScore], settings: ScoreSettings) -> str:
    return f"{len(found)} quakes; {settings_words(settings)}"


def _error_panel(
    axes: Any,
    found: Sequence[FolderScore],
    value: Callable[[Snapshot], float | None],
    *,
    is_distance: bool,
) -> None:
    groups = (
        ("in the network", BLUE, "-", [one for one in found if _inside(one)]),
        ("at its edge", ORANGE, "--", [one for one in found if not _inside(one)]),
    )
    everything: list[float] = []
    for words, colour, line, group in groups:
        rows = []
        for one in group:
            row = [value(one.snapshots[moment]) for moment in MOMENTS]
            known = [np.nan if v is None else float(v) for v in row]
            axes.plot(_PLACES, known, color=colour, linewidth=0.7, alpha=0.45, linestyle=line)
            rows.append(known)
            everything += [v for v in known if np.isfinite(v)]
        table = np.array(rows).reshape(len(rows), len(MOMENTS))
        table = table[np.isfinite(table).all(axis=1)]
        if table.size:
            axes.plot(
                _PLACES,
                np.median(table, axis=0),
                color=colour,
                linewidth=2.4,
                linestyle=line,
                marker="o",
                markersize=4.5,
                label=f"{words}: median of {len(table)}",
            )
    axes.set_xticks(_PLACES, ["0", *(one.removeprefix("+") for one in MOMENTS[1:-1]), "final"])
    axes.margins(x=0.03)
    if is_distance:
        axes.set_yscale("log")
        axes.set_ylim(_SMALLEST_KM, 2.0 * max((*everything, 10.0)))
        axes.set_yticks([0.3, 1.0, 3.0, 10.0, 30.0], minor=False)
        axes.yaxis.set_major_formatter("{x:g}")
        axes.minorticks_off()
    else:
        axes.axhline(0.0, color=INK, linewidth=0.9)
    _name_worst(axes, found, value)


def _name_worst(
    axes: Any, found: Sequence[FolderScore], value: Callable[[Snapshot], float | None]
) -> None:
    finals = [(v, one) for one in found if (v := value(one.snapshots["final"])) is not None]
    worst = sorted(finals, key=lambda item: (-abs(item[0]), item[1].name))[:_NAMED]
    for final, one in worst:
        is_lower = final < worst[0][0]  # its name stands below its line, clear of the other
        axes.annotate(
            drawable(one.name),
            (_PLACES[-1], final),
            xytext=(-2, -7.5 if is_lower else 2.5),
            textcoords="offset points",
            ha="right",
            fontsize=6.5,
            color=MUTED,
        )


def _inside(score: FolderScore) -> bool:
    return score.network is not None and score.network.in_network


def alerts_png(scores: Sequence[FolderScore], settings: ScoreSettings) -> bytes:
    """Return, per quake, the P waves that the network saw and when who alerted."""
    rows = sorted(
        (one for one in scores if one.expected),
        key=lambda one: (not _inside(one), _first_p(one), one.name),
    )
    detectors = sorted({line.detector for one in rows for line in one.published})
    marks = dict(zip(detectors, _DETECTOR_MARKS, strict=False))
    height_in = max(5.0, 2.0 + _ROW_IN * len(rows))
    with figure(10.0, height_in) as made:
        axes = made.add_axes((0.285, 0.5 / height_in, 0.7, 1.0 - 1.1 / height_in))
        for at, one in enumerate(rows):
            _alert_row(axes, -at, one, marks)
        axes.set_yticks(
            [-at for at in range(len(rows))],
            [drawable(one.name) + ("" if _inside(one) else "  (edge)") for one in rows],
            fontsize=8.0,
        )
        axes.set_ylim(-len(rows) + 0.4, 0.6)
        axes.set_xlabel("s after the catalogue's origin time")
        axes.grid(visible=False, axis="y")
        axes.set_xlim(0.0, None)
        _alert_legend(axes, marks)
        banner(
            made, "First alert, and the P waves that the network had seen", settings_words(settings)
        )
        return png_bytes(made)


def _first_p(score: FolderScore) -> float:
    return min((*score.observed_floor_s, *score.floor_s), default=np.inf)


def _alert_row(axes: Any, y: int, one: FolderScore, marks: dict[str, str]) -> None:
    seen = one.observed_floor_s
    if seen:
        axes.plot([min(seen), max(seen)], [y, y], color=MUTED, linewidth=0.8, zorder=2)
    for n, at_s in enumerate(seen, start=1):
        is_4th = n == 4
        axes.plot(
            [at_s, at_s],
            [y - (0.34 if is_4th else 0.18), y + (0.34 if is_4th else 0.18)],
            color=INK if is_4th else MUTED,
            linewidth=2.0 if is_4th else 1.1,
            zorder=3,
        )
    if len(one.floor_s) >= 4:
        axes.plot(one.floor_s[3], y, marker="|", color=PURPLE, markersize=11, linewidth=0, zorder=4)
    for line in one.published:
        if line.detector in marks:
            axes.plot(
                line.t_s,
                y,
                marker=marks[line.detector],
                color=ORANGE,
                markerfacecolor="none",
                markersize=7,
                linewidth=0,
                zorder=5,
            )
    if one.first_alert_s is not None:
        axes.plot(one.first_alert_s, y, marker="D", color=BLUE, markersize=6.5, zorder=6)
    else:
        axes.annotate(
            "no alert",
            (max((*seen, *one.floor_s), default=0.0), y),
            xytext=(8, 0),
            textcoords="offset points",
            color=GREEN if not one.expected else ORANGE,
            va="center",
            fontsize=8.0,
        )


def _alert_legend(axes: Any, marks: dict[str, str]) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], marker="D", color=BLUE, linewidth=0, label="first alert"),
        Line2D([], [], marker="|", color=MUTED, linewidth=0, markersize=8, label="P observed"),
        Line2D(
            [],
            [],
            marker="|",
            color=INK,
            linewidth=0,
            markersize=12,
            markeredgewidth=2.0,
            label="4th P observed",
        ),
        Line2D(
            [],
            [],
            marker="|",
            color=PURPLE,
            linewidth=0,
            markersize=11,
            label="4th P, catalogue and iasp91",
        ),
        *(
            Line2D(
                [],
                [],
                marker=mark,
                color=ORANGE,
                markerfacecolor="none",
                linewidth=0,
                label=f"{name}, published",
            )
            for name, mark in marks.items()
        ),
    ]
    axes.legend(handles=handles, loc="upper right")  # the quakes with late alerts stand below
