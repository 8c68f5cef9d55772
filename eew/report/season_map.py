"""``map.png`` of a season: its quakes, by size, by how soon the first alert came."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eew.report.canvas import BLUE, INK, MUTED, ORANGE, banner, figure, png_bytes

_WIDTH_IN, _HEIGHT_IN = 9.2, 6.6
_NAMED = 8  # so many quakes with the most alerts have their name beside them


def season_map_png(document: Mapping[str, Any], borders: NDArray[np.float64]) -> bytes:
    """Draw the quakes of a season document.

    Parameters
    ----------
    borders : numpy.ndarray, shape (n, 4)
        Pieces of coast and border: lat, lon, lat, lon in degrees.
    """
    from matplotlib.collections import LineCollection

    quakes = document["quakes"]
    with figure(_WIDTH_IN, _HEIGHT_IN) as made:
        axes = made.add_axes((0.06, 0.07, 0.92, 0.84))
        lines = list(borders[:, [1, 0, 3, 2]].reshape(-1, 2, 2))
        axes.add_collection(LineCollection(lines, colors=MUTED, linewidths=0.7))
        lats = [one["lat"] for one in quakes]
        lons = [one["lon"] for one in quakes]
        south, north = min(lats) - 3.0, max(lats) + 3.0
        west, east = min(lons) - 4.0, max(lons) + 9.0  # room for names
        axes.set_xlim(west, east)
        axes.set_ylim(south, north)
        axes.set_aspect(1.0 / math.cos(math.radians((south + north) / 2.0)))
        axes.set_xlabel("longitude, °E")
        axes.set_ylabel("latitude, °N")
        for drawn, marker, colour, words in (
            (False, "o", ORANGE, "on record"),
            (True, "D", BLUE, "drawn (never happened)"),
        ):
            mine = [one for one in quakes if one["drawn"] is drawn]
            axes.scatter(
                [one["lon"] for one in mine],
                [one["lat"] for one in mine],
                s=[12.0 * 4.0 ** (one["magnitude"] - 4.0) for one in mine],
                marker=marker,
                facecolors=[colour if one["detected"] else "none" for one in mine],
                edgecolors=INK,
                linewidths=0.7,
                alpha=0.85,
                label=words,
                zorder=4,
            )
        _names(axes, quakes)
        legend = axes.legend(loc="lower left", title="area by magnitude", title_fontsize=8.0)
        for handle in legend.legend_handles:
            handle.set_sizes([36.0])
        banner(
            made,
            f"{document['season']}: {len(quakes)} quakes on the {document['network']} network",
            f"{document['quakes_handled']} detected, {document['alerts_total']:,} alerts, "
            f"{document['people_reached']:,} people reached (modelled)",
        )
        return png_bytes(made)


def _names(axes: Any, quakes: list[Mapping[str, Any]]) -> None:
    """Name the quakes with the most alerts, one for each neighbourhood."""
    taken: list[tuple[float, float]] = []
    for one in sorted(quakes, key=lambda q: (-q["alerts_total"], q["id"])):
        here = one["lat"], one["lon"]
        near = any(abs(here[0] - lat) < 1.2 and abs(here[1] - lon) < 5.0 for lat, lon in taken)
        if one["drawn"] or near:
            continue
        taken.append(here)
        first = "" if one["first_alert_s"] is None else f", {one['first_alert_s']:.1f} s"
        axes.annotate(
            f"{one['place'].split(',')[0]} M{one['magnitude']:.1f}{first}",
            here[::-1],
            xytext=(8, 6),
            textcoords="offset points",
            fontsize=8.0,
            zorder=5,
        )
        if len(taken) == _NAMED:
            return
