"""``map.png``: stations and what they observed, the estimates, the reach of shaking, the places."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eew.physics.geo import destination
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
from eew.report.result import RunResult, TargetResult

_SCALE_WORDS = {"mmi": "MMI", "csi": "China intensity", "jma": "JMA intensity"}
_AXES_LEFT, _AXES_BOTTOM, _AXES_WIDTH, _AXES_HEIGHT = 0.075, 0.05, 0.80, 0.875
_WIDTH_IN, _HEIGHT_IN = 9.2, 8.4
_LEGEND_X, _LEGEND_Y = 0.29, 0.27  # of the axes, at most
_Box = tuple[float, float, float, float]  # left, bottom, right, top in points
_SPOTS = (  # where a label may stand: offset in points and alignment, best first
    (8.0, 0.0, "left", "center"),
    (-8.0, 0.0, "right", "center"),
    (0.0, 8.0, "center", "bottom"),
    (0.0, -8.0, "center", "top"),
    (7.0, 9.0, "left", "bottom"),
    (-7.0, 9.0, "right", "bottom"),
    (7.0, -9.0, "left", "top"),
    (-7.0, -9.0, "right", "top"),
)


@dataclass(frozen=True, slots=True)
class _View:
    """The piece of the Earth that is drawn; longitudes continue past 180 without a jump."""

    west: float
    east: float
    south: float
    north: float
    centre_lon: float

    @property
    def km_per_deg_lon(self) -> float:
        return 111.32 * math.cos(math.radians((self.south + self.north) / 2.0))

    def lon(self, lon_deg: Any) -> Any:
        """Return longitudes in the turn of the view."""
        return (np.asarray(lon_deg) - self.centre_lon + 180.0) % 360.0 - 180.0 + self.centre_lon

    def holds(self, lat: float, lon: float) -> bool:
        return self.south <= lat <= self.north and self.west <= float(self.lon(lon)) <= self.east


def map_png(result: RunResult) -> bytes:
    """Return the map as PNG bytes, the same for the same run."""
    view = _view(result)
    with figure(_WIDTH_IN, _HEIGHT_IN) as made:
        axes = made.add_axes((_AXES_LEFT, _AXES_BOTTOM, _AXES_WIDTH, _AXES_HEIGHT))
        axes.set_xlim(view.west, view.east)
        axes.set_ylim(view.south, view.north)
        axes.set_aspect(1.0 / math.cos(math.radians((view.south + view.north) / 2.0)))
        _degrees(axes)
        corner = _emptiest_corner(result, view)
        _draw_reach(axes, result, view)
        _draw_stations(made, axes, result, view)
        _draw_places(axes, result, view, corner)
        _draw_epicentres(axes, result, view)
        _draw_scale(axes, view, right=corner != "lower right")
        legend = axes.legend(loc=corner, borderpad=0.7)
        legend.set_zorder(9)
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
        words.append(f"final magnitude off by {found.magnitude_error.final:+.1f}")
    if found.false_alerts:
        words.append(f"{found.false_alerts} false alert(s)")
    return "; ".join(words)


def _view(result: RunResult) -> _View:
    points = [(station.lat, station.lon) for station in result.recording.stations]
    points += [(row.site.lat, row.site.lon) for row in result.targets]
    truth, final = result.recording.truth, result.final_alert()
    if truth is not None and _is_near(truth.lat, truth.lon, points):
        points.append((truth.lat, truth.lon))
    if final is not None:
        points.append((final.origin.lat, final.origin.lon))
    lats = np.array([lat for lat, _ in points])
    centre_lon = points[0][1]
    lons = (np.array([lon for _, lon in points]) - centre_lon + 180.0) % 360.0 - 180.0 + centre_lon
    south, north = float(lats.min()), float(lats.max())
    west, east = float(lons.min()), float(lons.max())
    squeeze = max(0.2, math.cos(math.radians((south + north) / 2.0)))
    width_km, height_km = (east - west) * 111.32 * squeeze, (north - south) * 111.32
    box = (_WIDTH_IN * _AXES_WIDTH) / (_HEIGHT_IN * _AXES_HEIGHT)
    height_km = max(height_km, width_km / box, 30.0) * 1.16
    width_km = height_km * box
    mid_lat, mid_lon = (south + north) / 2.0, (west + east) / 2.0
    half_lat, half_lon = height_km / 222.64, width_km / 222.64 / squeeze
    return _View(
        west=mid_lon - half_lon,
        east=mid_lon + half_lon,
        south=max(-89.0, mid_lat - half_lat),
        north=min(89.0, mid_lat + half_lat),
        centre_lon=mid_lon,
    )


def _is_near(lat: float, lon: float, points: list[tuple[float, float]]) -> bool:
    """Whether the epicentre belongs on a map of the stations (a distant quake does not)."""
    lats = [p[0] for p in points]
    return any(
        abs(lat - p[0]) < 5.0 and abs((lon - p[1] + 180.0) % 360.0 - 180.0) < 7.0 for p in points
    ) or min(lats) <= lat <= max(lats)


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


def _ring(lat: float, lon: float, radius_km: float) -> tuple[NDArray[np.float64], ...]:
    azimuths = np.linspace(0.0, 360.0, 145)
    return destination(lat, lon, azimuths, np.full_like(azimuths, radius_km))


def _draw_reach(axes: Any, result: RunResult, view: _View) -> None:
    """Draw the circles of predicted intensity of the final alert, with their values."""
    final = result.final_alert()
    if final is None:
        return
    origin, prediction = final.origin, final.prediction
    name = _SCALE_WORDS.get(prediction.scale, prediction.scale)
    for n, (intensity, radius_km) in enumerate(sorted(prediction.radii_km.items())):
        if radius_km <= 0.0:
            continue
        lats, lons = _ring(origin.lat, origin.lon, radius_km)
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


def _draw_stations(made: Any, axes: Any, result: RunResult, view: _View) -> None:
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
    bar_axes = made.add_axes((_AXES_LEFT + _AXES_WIDTH + 0.022, 0.24, 0.02, 0.48))
    bar = made.colorbar(dots, cax=bar_axes)
    scale = _scale(result)
    bar.set_label(f"observed intensity ({_SCALE_WORDS.get(scale, scale)})")
    bar.outline.set_edgecolor(MUTED)


def _scale(result: RunResult) -> str:
    final = result.final_alert()
    return final.prediction.scale if final else ""


def _draw_epicentres(axes: Any, result: RunResult, view: _View) -> None:
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


def _emptiest_corner(result: RunResult, view: _View) -> str:
    """Return the corner where a legend hides least: where the fewest things are drawn."""
    points = [(one.lat, one.lon) for one in result.recording.stations]
    points += [(row.site.lat, row.site.lon) for row in result.targets] * 3
    points += [(one.origin.lat, one.origin.lon) for one in result.messages] * 3
    counts = dict.fromkeys(("lower left", "upper left", "lower right", "upper right"), 0)
    for lat, lon in points:
        x = (float(view.lon(lon)) - view.west) / (view.east - view.west)
        y = (lat - view.south) / (view.north - view.south)
        for name in counts:
            up, right = name.startswith("upper"), name.endswith("right")
            inside = (x > 1.0 - _LEGEND_X if right else x < _LEGEND_X) and (
                y > 1.0 - _LEGEND_Y if up else y < _LEGEND_Y
            )
            counts[name] += inside
    return min(counts, key=lambda name: counts[name])


def _draw_places(axes: Any, result: RunResult, view: _View, corner: str) -> None:
    rows = [row for row in result.targets if view.holds(row.site.lat, row.site.lon)]
    labelled: set[str] = set()
    taken = _Taken(view, result, corner)
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


class _Taken:
    """Finds a free spot for each label: right, left, above or below its point, or none.

    Works in points (1/72 inch) with a fixed width per letter, which is enough to keep labels
    apart and needs no rendering pass.
    """

    LETTER_PT, HEIGHT_PT = 5.2, 12.0

    def __init__(self, view: _View, result: RunResult, corner: str) -> None:
        self._view = view
        self._width_pt = _WIDTH_IN * _AXES_WIDTH * 72.0
        self._height_pt = _HEIGHT_IN * _AXES_HEIGHT * 72.0
        left = self._width_pt * (1.0 - _LEGEND_X) if corner.endswith("right") else 0.0
        low = self._height_pt * (1.0 - _LEGEND_Y) if corner.startswith("upper") else 0.0
        legend = (left, low, left + _LEGEND_X * self._width_pt, low + _LEGEND_Y * self._height_pt)
        self._boxes: list[_Box] = [legend, *self._around(self._marks(result), 7.0)]
        self._stations: list[_Box] = self._around(
            [(one.lat, one.lon) for one in result.recording.stations], 4.5
        )

    def _around(self, points: list[tuple[float, float]], half_pt: float) -> list[_Box]:
        boxes = []
        for lat, lon in points:
            if self._view.holds(lat, lon):
                x, y = self._point(float(self._view.lon(lon)), lat)
                boxes.append((x - half_pt, y - half_pt, x + half_pt, y + half_pt))
        return boxes

    @staticmethod
    def _marks(result: RunResult) -> list[tuple[float, float]]:
        marks = [(m.origin.lat, m.origin.lon) for m in result.messages[:1]]
        if result.recording.truth is not None:
            marks.append((result.recording.truth.lat, result.recording.truth.lon))
        marks += [(row.site.lat, row.site.lon) for row in result.targets]
        return marks

    def _point(self, x: float, y: float) -> tuple[float, float]:
        view = self._view
        return (
            (x - view.west) / (view.east - view.west) * self._width_pt,
            (y - view.south) / (view.north - view.south) * self._height_pt,
        )

    def place(self, x: float, y: float, text: str) -> tuple[float, float, str, str] | None:
        """Return offset in points and alignment of a free spot, or None.

        Spots that also leave the stations free come first.
        """
        return self._spot(x, y, text, self._stations) or self._spot(x, y, text, [])

    def _spot(
        self, x: float, y: float, text: str, stations: list[_Box]
    ) -> tuple[float, float, str, str] | None:
        px, py = self._point(x, y)
        width, height = len(text) * self.LETTER_PT + 4.0, self.HEIGHT_PT
        others = [box for box in (*self._boxes, *stations) if not _holds(box, px, py)]
        for dx, dy, ha, va in _SPOTS:
            left = px + dx - {"left": 0.0, "right": width, "center": width / 2.0}[ha]
            low = py + dy - {"bottom": 0.0, "top": height, "center": height / 2.0}[va]
            box = (left, low, left + width, low + height)
            outside = left < 2.0 or low < 2.0
            outside |= box[2] > self._width_pt - 2.0 or box[3] > self._height_pt - 2.0
            if not outside and not any(_overlap(box, other) for other in others):
                self._boxes.append(box)
                return dx, dy, ha, va
        return None


def _holds(box: _Box, x: float, y: float) -> bool:
    return box[0] < x < box[2] and box[1] < y < box[3]


def _overlap(a: _Box, b: _Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _draw_scale(axes: Any, view: _View, *, right: bool) -> None:
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
