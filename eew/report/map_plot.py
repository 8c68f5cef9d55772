"""``map.png``: stations and what they observed, the estimates, the reach of shaking, the places."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eew.model.alert import AlertMessage
from eew.physics.geo import azimuth_deg, destination
from eew.report.canvas import (
    BLUE,
    INK,
    MUTED,
    ORANGE,
    OUTCOME_COLOUR,
    PAPER,
    drawable,
    figure,
    headline,
    png_bytes,
)
from eew.report.map_geometry import (
    AXES_BOTTOM,
    AXES_HEIGHT,
    AXES_LEFT,
    AXES_WIDTH,
    HEIGHT_IN,
    WIDTH_IN,
    LabelSpots,
    View,
    emptiest_corner,
    view_of,
)
from eew.report.result import RunResult, TargetResult

_SCALE_WORDS = {"mmi": "MMI", "csi": "China intensity", "jma": "JMA intensity"}


def map_png(result: RunResult) -> bytes:
    """Return the map as PNG bytes, the same for the same run."""
    view = view_of(result)
    with figure(WIDTH_IN, HEIGHT_IN) as made:
        axes = made.add_axes((AXES_LEFT, AXES_BOTTOM, AXES_WIDTH, AXES_HEIGHT))
        axes.set_xlim(view.west, view.east)
        axes.set_ylim(view.south, view.north)
        axes.set_aspect(1.0 / math.cos(math.radians((view.south + view.north) / 2.0)))
        _degrees(axes)
        corner = emptiest_corner(result, view)
        rings = _draw_reach(axes, result, view)
        _draw_stations(made, axes, result, view)
        _draw_places(axes, result, view, LabelSpots(view, result, corner, rings))
        _draw_epicentres(axes, result, view)
        _draw_scale(axes, view, right=corner != "lower right")
        if axes.get_legend_handles_labels()[0]:
            axes.legend(loc=corner, borderpad=0.7).set_zorder(9)
        headline(made, result, _words(result))
        return png_bytes(made)


def _words(result: RunResult) -> str:
    found = result.detection
    if not result.messages:
        return f"no alert; {len(result.recording.stations)} stations"
    words = []
    if found.first_alert_s is not None:
        after = "after origin" if result.zero_is == "origin" else "after the first pick"
        words.append(f"first alert {found.first_alert_s:.1f} s {after}")
    if found.epicentre_error_km.final is not None:
        words.append(f"final epicentre off by {found.epicentre_error_km.final:.1f} km")
    if found.magnitude_error.final is not None:
        words.append(f"final magnitude off by {round(found.magnitude_error.final, 1) + 0.0:+.1f}")
    if found.false_alerts:
        words.append(f"{found.false_alerts} without a match in the catalogue")
    return "; ".join(words)


def _degrees(axes: Any) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    def worded(plus: str, minus: str, *, wraps: bool) -> Any:
        def text(value: float, _position: int) -> str:
            if wraps:
                value = (value + 180.0) % 360.0 - 180.0
            rounded = round(value, 3)
            return f"{abs(rounded):g}°{plus if rounded > 0 else minus if rounded < 0 else ''}"

        return FuncFormatter(text)

    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.yaxis.set_major_locator(MaxNLocator(7))
    axes.xaxis.set_major_formatter(worded("E", "W", wraps=True))
    axes.yaxis.set_major_formatter(worded("N", "S", wraps=False))


def _ring(message: AlertMessage, radius_km: float) -> tuple[NDArray[np.float64], ...]:
    """Return all points at a distance from the source: a circle, or round the rupture's line."""
    line = message.prediction.line
    turn = np.linspace(0.0, 180.0, 73)
    if line is None:
        ends = [(message.origin.lat, message.origin.lon, turn)] * 2
        ends[1] = (message.origin.lat, message.origin.lon, turn + 180.0)
    else:
        lat1, lon1, lat2, lon2 = line
        strike = float(azimuth_deg(lat1, lon1, lat2, lon2))
        ends = [(lat2, lon2, turn + strike - 90.0), (lat1, lon1, turn + strike + 90.0)]
    halves = [
        destination(lat, lon, azimuths % 360.0, np.full_like(azimuths, radius_km))
        for lat, lon, azimuths in ends
    ]
    closed = [*halves, (halves[0][0][:1], halves[0][1][:1])]
    return tuple(np.concatenate([half[axis] for half in closed]) for axis in (0, 1))


def _draw_reach(axes: Any, result: RunResult, view: View) -> list[tuple[float, float]]:
    """Draw where the final alert predicts whole intensities; return where their values are."""
    final = result.final_alert()
    named: list[tuple[float, float]] = []
    if final is None:
        return named
    prediction = final.prediction
    if prediction.line is not None:
        axes.plot(
            view.lon(np.array(prediction.line[1::2])),
            prediction.line[0::2],
            color=ORANGE,
            linewidth=2.4,
            zorder=6,
            label="rupture as a line, final",
        )
    name = _SCALE_WORDS.get(prediction.scale, prediction.scale)
    for n, (intensity, radius_km) in enumerate(sorted(prediction.radii_km.items())):
        if radius_km <= 0.0:
            continue
        lats, lons = _ring(final, radius_km)
        lons = view.lon(lons)
        axes.plot(
            lons,
            lats,
            color=BLUE,
            linewidth=0.9,
            alpha=0.75,
            zorder=2,
            label=f"predicted {name}, final alert" if n == 0 else None,
        )
        inside = (
            (lats > view.south + 0.02 * (view.north - view.south))
            & (lats < view.north - 0.02 * (view.north - view.south))
            & (lons > view.west + 0.02 * (view.east - view.west))
            & (lons < view.east - 0.02 * (view.east - view.west))
        )
        if not inside.any():
            continue
        # towards the upper right, where the legend is not
        best = int(np.argmax(np.where(inside, lats + 0.6 * lons, -np.inf)))
        named.append((float(lats[best]), float(lons[best])))
        axes.text(
            float(lons[best]),
            float(lats[best]),
            f"{intensity}",
            color=BLUE,
            fontsize=8.5,
            fontweight="bold",
            ha="center",
            va="center",
            zorder=3,
            clip_on=True,
            bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 0.8},
        )
    return named


def _draw_stations(made: Any, axes: Any, result: RunResult, view: View) -> None:
    observed = {row.station: row.observed for row in result.intensities}
    picked = {pick.station for pick in result.picks}
    quiet = [one for one in result.recording.stations if one.code not in observed]
    for has_pick, label in ((True, "station with a pick"), (False, "station without a pick")):
        some = [one for one in quiet if (one.code in picked) is has_pick]
        if some:
            axes.scatter(
                view.lon([one.lon for one in some]),
                [one.lat for one in some],
                marker="^",
                s=26,
                facecolor=MUTED if has_pick else PAPER,
                edgecolor=MUTED,
                linewidth=0.8,
                zorder=4,
                label=label,
            )
    shown = [one for one in result.recording.stations if one.code in observed]
    if not shown:
        return
    values = [observed[one.code] for one in shown]
    dots = axes.scatter(
        view.lon([one.lon for one in shown]),
        [one.lat for one in shown],
        c=values,
        cmap="YlOrRd",
        vmin=1.0,
        vmax=max(7.0, math.ceil(max(values))),
        marker="^",
        s=44,
        edgecolor=INK,
        linewidth=0.6,
        zorder=5,
        label="station, observed intensity",
    )
    bar_axes = made.add_axes((AXES_LEFT + AXES_WIDTH + 0.022, 0.24, 0.02, 0.48))
    bar = made.colorbar(dots, cax=bar_axes)
    scale = _scale(result)
    bar.set_label(f"observed intensity ({_SCALE_WORDS.get(scale, scale)})")
    bar.outline.set_edgecolor(MUTED)


def _scale(result: RunResult) -> str:
    final = result.final_alert()
    return final.prediction.scale if final else ""


def _draw_epicentres(axes: Any, result: RunResult, view: View) -> None:
    truth, final = result.recording.truth, result.final_alert()
    mine = [m for m in result.messages if m.event_id == result.detection.primary_event_id]
    others = [
        m
        for m in result.messages
        if m.serial == 1 and m.event_id != result.detection.primary_event_id
    ]
    if truth is not None and view.holds(truth.lat, truth.lon):
        axes.scatter(
            view.lon(truth.lon),
            truth.lat,
            marker="*",
            s=260,
            facecolor="#f0c419",
            edgecolor=INK,
            linewidth=1.0,
            zorder=7,
            label=f"true epicentre, M{truth.magnitude:.1f}",
        )
    if mine:
        first = mine[0]
        axes.scatter(
            view.lon(first.origin.lon),
            first.origin.lat,
            marker="o",
            s=85,
            facecolor="none",
            edgecolor=ORANGE,
            linewidth=2.0,
            zorder=8,
            label=f"first alert, M{first.magnitude.value:.1f}",
        )
    if final is not None and len(mine) > 1:
        axes.scatter(
            view.lon(final.origin.lon),
            final.origin.lat,
            marker="x",
            s=75,
            color=ORANGE,
            linewidth=2.4,
            zorder=8,
            label=f"final, M{final.magnitude.value:.1f}",
        )
    if others:
        axes.scatter(
            view.lon([m.origin.lon for m in others]),
            [m.origin.lat for m in others],
            marker="P",
            s=80,
            facecolor=PAPER,
            edgecolor=ORANGE,
            linewidth=1.4,
            zorder=7,
            label="other alerted event",
        )


def _draw_places(axes: Any, result: RunResult, view: View, taken: LabelSpots) -> None:
    rows = [row for row in result.targets if view.holds(row.site.lat, row.site.lon)]
    labelled: set[str] = set()
    for row in sorted(rows, key=lambda one: -one.site.population):
        colour = OUTCOME_COLOUR.get(row.outcome, MUTED)
        word = row.outcome.replace("_", " ")
        x, y = float(view.lon(row.site.lon)), row.site.lat
        axes.scatter(
            x,
            y,
            marker="s",
            s=40,
            facecolor=colour,
            edgecolor=PAPER,
            linewidth=0.9,
            zorder=6,
            label=None if word in labelled else f"place: {word}",
        )
        labelled.add(word)
        text = place_words(row)
        spot = taken.place(x, y, text)
        if spot is None:
            continue
        dx, dy, ha, va = spot
        axes.annotate(
            text,
            xy=(x, y),
            xytext=(dx, dy),
            textcoords="offset points",
            ha=ha,
            va=va,
            fontsize=8.5,
            zorder=8,
            bbox={"facecolor": PAPER, "edgecolor": "none", "alpha": 0.8, "pad": 0.6},
        )


def place_words(row: TargetResult) -> str:
    """Return the label of a place: its name and, where told, the lead time with its sign."""
    name = drawable(row.site.name)
    return name if row.lead_time_s is None else f"{name}  {row.lead_time_s:+.0f} s"


def _draw_scale(axes: Any, view: View, *, right: bool) -> None:
    """Draw a bar of a round length in km in a lower corner."""
    width_km = (view.east - view.west) * view.km_per_deg_lon
    length_km = max(
        step * 10**power
        for power in range(4)
        for step in (1, 2, 5)
        if step * 10**power <= max(1.0, width_km / 5.0)
    )
    length_deg = length_km / view.km_per_deg_lon
    margin = 0.04 * (view.east - view.west)
    begin = view.east - margin - length_deg if right else view.west + margin
    low = view.south + 0.035 * (view.north - view.south)
    axes.plot(
        [begin, begin + length_deg],
        [low, low],
        color=INK,
        linewidth=2.2,
        solid_capstyle="butt",
        zorder=9,
    )
    axes.text(
        begin + length_deg / 2.0,
        low + 0.008 * (view.north - view.south),
        f"{length_km} km",
        ha="center",
        va="bottom",
        fontsize=8.5,
        zorder=9,
    )
