"""The geometry of the map: what is in view, and where labels and the legend find room."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from eew.report.result import RunResult

AXES_LEFT, AXES_BOTTOM, AXES_WIDTH, AXES_HEIGHT = 0.075, 0.05, 0.80, 0.875
WIDTH_IN, HEIGHT_IN = 9.2, 8.4
_LEGEND_X, _LEGEND_Y = 0.34, 0.27  # of the axes, at most
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
class View:
    """The piece of the Earth that is drawn; longitudes continue past 180 without a jump."""

    west: float
    east: float
    south: float
    north: float
    centre_lon: float

    @property
    def km_per_deg_lon(self) -> float:
        """Length of a degree of longitude at the middle, km."""
        return 111.32 * math.cos(math.radians((self.south + self.north) / 2.0))

    def lon(self, lon_deg: Any) -> Any:
        """Return longitudes in the turn of the view."""
        return (np.asarray(lon_deg) - self.centre_lon + 180.0) % 360.0 - 180.0 + self.centre_lon

    def holds(self, lat: float, lon: float) -> bool:
        """Tell whether a point is in view."""
        return self.south <= lat <= self.north and self.west <= float(self.lon(lon)) <= self.east


def view_of(result: RunResult) -> View:
    """Return a view that holds stations, places and epicentres, in the shape of the axes."""
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
    box = (WIDTH_IN * AXES_WIDTH) / (HEIGHT_IN * AXES_HEIGHT)
    height_km = max(height_km, width_km / box, 30.0) * 1.16
    width_km = height_km * box
    mid_lat, mid_lon = (south + north) / 2.0, (west + east) / 2.0
    half_lat, half_lon = height_km / 222.64, width_km / 222.64 / squeeze
    return View(
        west=mid_lon - half_lon,
        east=mid_lon + half_lon,
        south=max(-89.0, mid_lat - half_lat),
        north=min(89.0, mid_lat + half_lat),
        centre_lon=mid_lon,
    )


def _is_near(lat: float, lon: float, points: list[tuple[float, float]]) -> bool:
    """Tell whether an epicentre belongs on a map of the stations (a distant quake does not)."""
    return any(
        abs(lat - p[0]) < 5.0 and abs((lon - p[1] + 180.0) % 360.0 - 180.0) < 7.0 for p in points
    )


def emptiest_corner(result: RunResult, view: View) -> str:
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


class LabelSpots:
    """Finds a free spot for each label: right, left, above or below its point, or none.

    Works in points (1/72 inch) with a fixed width per letter, which is enough to keep labels
    apart and needs no rendering pass.
    """

    LETTER_PT, HEIGHT_PT = 5.2, 12.0

    def __init__(
        self, view: View, result: RunResult, corner: str, rings: list[tuple[float, float]]
    ) -> None:
        self._view = view
        self._width_pt = WIDTH_IN * AXES_WIDTH * 72.0
        self._height_pt = HEIGHT_IN * AXES_HEIGHT * 72.0
        left = self._width_pt * (1.0 - _LEGEND_X) if corner.endswith("right") else 0.0
        low = self._height_pt * (1.0 - _LEGEND_Y) if corner.startswith("upper") else 0.0
        legend = (left, low, left + _LEGEND_X * self._width_pt, low + _LEGEND_Y * self._height_pt)
        self._boxes: list[_Box] = [legend, *self._around([*self._marks(result), *rings], 7.0)]
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
