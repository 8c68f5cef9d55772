"""``section.png``: the records by distance, with picks, P and S curves and the alerts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eew.clock import NS_PER_S
from eew.model.alert import AlertMessage
from eew.model.event import Phase
from eew.model.waveform import Component, Segment, Station
from eew.physics.geo import epicentral_distance_km
from eew.physics.traveltime import TravelTimes
from eew.report.canvas import (
    BLUE,
    INK,
    MUTED,
    ORANGE,
    PAPER,
    PURPLE,
    TRACE,
    figure,
    headline,
    png_bytes,
)
from eew.report.result import RunResult

MAX_TRACES = 34
COLUMNS = 900  # about the width of the axes in pixels: more points would not be seen
BEFORE_S = 8.0


@dataclass(frozen=True, slots=True)
class _Row:
    station: Station
    height: float  # km, or the row's number where no epicentre is known


def section_png(result: RunResult) -> bytes:
    """Return the record section as PNG bytes, the same for the same run."""
    centre = _centre(result)
    rows = _rows(result, centre)
    start_s, end_s = _window(result, rows, centre)
    with figure(9.2, 7.4) as made:
        axes = made.add_axes((0.075, 0.07, 0.905, 0.85))
        spacing = _draw_traces(axes, result, rows, start_s, end_s, named=centre is not None)
        _draw_picks(axes, result, rows, spacing)
        if centre is not None:
            _draw_curves(axes, rows, centre, spacing)
        _draw_alerts(axes, result, start_s, end_s)
        heights = [row.height for row in rows] or [0.0]
        axes.set_ylim(min(heights) - 1.6 * spacing, max(heights) + 1.3 * spacing)
        axes.set_xlim(start_s, end_s)
        axes.set_xlabel(_ZERO_WORDS[result.zero_is])
        if centre is not None:
            axes.set_ylabel("epicentral distance (km)")
        else:  # no distance to show: the stations by name
            axes.set_yticks(heights, [row.station.code for row in rows] or [""], fontsize=6.5)
        axes.grid(visible=True, axis="x")
        axes.grid(visible=False, axis="y")
        if axes.get_legend_handles_labels()[0]:
            axes.legend(loc="lower right", handlelength=1.6).set_zorder(6)
        shown = f"{len(rows)} of {len(result.recording.stations)} stations"
        headline(made, result, f"Record section, vertical motion scaled per trace; {shown}")
        return png_bytes(made)


_ZERO_WORDS = {
    "origin": "time after origin (s)",
    "first_pick": "time after the first pick (s)",
    "first_sample": "time after the first sample (s)",
}


@dataclass(frozen=True, slots=True)
class _Centre:
    lat: float
    lon: float
    depth_km: float
    origin_s: float


def _centre(result: RunResult) -> _Centre | None:
    """Return the true hypocentre, else that of the final alert."""
    truth, final = result.recording.truth, result.final_alert()
    if truth is not None:
        origin_s = result.since_zero_s(truth.origin_time_ns)
        return _Centre(truth.lat, truth.lon, truth.depth_km, origin_s)
    if final is not None:
        origin = final.origin
        origin_s = result.since_zero_s(origin.time_ns)
        return _Centre(origin.lat, origin.lon, origin.depth_km, origin_s)
    return None


def _rows(result: RunResult, centre: _Centre | None) -> list[_Row]:
    """Choose stations that do not draw over each other, near ones and picked ones first."""
    stations = result.recording.stations
    if centre is None:
        return [_Row(station, float(n)) for n, station in enumerate(stations[:MAX_TRACES])]
    distances = epicentral_distance_km(
        centre.lat,
        centre.lon,
        np.array([station.lat for station in stations]),
        np.array([station.lon for station in stations]),
    )
    picked = {pick.station for pick in result.picks}
    far_picked = [d for s, d in zip(stations, distances, strict=True) if s.code in picked]
    furthest = max(far_picked, default=float(distances.max()))
    rows = sorted(
        (
            _Row(station, float(distance))
            for station, distance in zip(stations, distances, strict=True)
            if distance <= furthest
        ),
        key=lambda row: (row.height, row.station.code),
    )
    apart = (rows[-1].height - rows[0].height) / MAX_TRACES
    chosen: list[_Row] = []
    for row in rows:
        if not chosen or row.height - chosen[-1].height >= apart:
            chosen.append(row)
        elif row.station.code in picked and chosen[-1].station.code not in picked:
            chosen[-1] = row
    return chosen


def _window(result: RunResult, rows: list[_Row], centre: _Centre | None) -> tuple[float, float]:
    data_start_s = result.since_zero_s(result.recording.start_ns)
    data_end_s = result.since_zero_s(result.recording.end_ns)
    if centre is None or not rows:
        return data_start_s, min(data_end_s, data_start_s + 120.0)
    s_s = float(TravelTimes.load().s_s(rows[-1].height, centre.depth_km))
    interesting = [centre.origin_s + s_s + 15.0]
    if result.messages:
        interesting.append(result.since_zero_s(result.messages[0].issued_ns) + 10.0)
    end_s = min(data_end_s, max(interesting))
    return max(data_start_s, centre.origin_s - BEFORE_S), max(end_s, data_start_s + 10.0)


def _draw_traces(
    axes: Any, result: RunResult, rows: list[_Row], start_s: float, end_s: float, *, named: bool
) -> float:
    """Draw the records; return the height in axis units that one trace may take."""
    heights = np.array([row.height for row in rows])
    span = max(1.0, float(heights.max() - heights.min()))
    # as close as most neighbours are, but not smaller or larger than can be read
    between = float(np.median(np.diff(heights))) if len(rows) > 2 else span
    spacing = min(max(between, span / MAX_TRACES), span / 12.0)
    for row in rows:
        pieces = [
            _thinned(segment, result.zero_ns, start_s, end_s)
            for segment in _vertical(result, row.station)
        ]
        pieces = [piece for piece in pieces if piece[0].size]
        if not pieces:
            continue
        middle = float(np.median(np.concatenate([values for _, values in pieces])))
        peak = max(float(np.abs(values - middle).max()) for _, values in pieces)
        for times_s, values in pieces:
            axes.plot(
                times_s,
                row.height + (values - middle) / (peak or 1.0) * spacing,
                color=TRACE,
                linewidth=0.45,
                zorder=2,
            )
        if named:
            axes.annotate(
                row.station.code,
                xy=(0.004, row.height),
                xycoords=("axes fraction", "data"),
                xytext=(0, 1.5),
                textcoords="offset points",
                fontsize=6.0,
                color=MUTED,
                va="bottom",
                zorder=5,
                bbox={"facecolor": PAPER, "edgecolor": "none", "alpha": 0.75, "pad": 0.3},
            )
    return spacing


def _vertical(result: RunResult, station: Station) -> list[Segment]:
    ordered = sorted(station.channels, key=lambda channel: channel.component.value)
    if not ordered:
        return []
    wanted = next((c for c in ordered if c.component is Component.VERTICAL), ordered[0])
    return [one for one in result.recording.segments if one.stream_id == wanted.stream_id]


def _thinned(
    segment: Segment, zero_ns: int, start_s: float, end_s: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return times and values of the lowest and highest sample per column of pixels."""
    first_s = (segment.start_ns - zero_ns) / NS_PER_S
    rate = segment.sampling_rate_hz
    low = max(0, round((start_s - first_s) * rate))
    high = max(low, min(len(segment.samples), round((end_s - first_s) * rate)))
    samples = np.asarray(segment.samples[low:high], dtype=np.float64)
    times_s = first_s + (low + np.arange(samples.size)) / rate
    good = np.isfinite(samples)
    samples, times_s = samples[good], times_s[good]
    per_column = max(1, round((end_s - start_s) * rate / COLUMNS))
    n = samples.size // per_column
    if per_column < 3 or n == 0:
        return times_s, samples
    block = samples[: n * per_column].reshape(n, per_column)
    values = np.stack([block.min(axis=1), block.max(axis=1)], axis=1).ravel()
    at_s = np.repeat(times_s[: n * per_column : per_column], 2)
    return at_s, values


def _draw_picks(axes: Any, result: RunResult, rows: list[_Row], spacing: float) -> None:
    height_of = {row.station.code: row.height for row in rows}
    for phase, colour in ((Phase.P, ORANGE), (Phase.S, PURPLE)):
        shown = [
            (result.since_zero_s(pick.time_ns), height_of[pick.station])
            for pick in result.picks
            if pick.phase is phase and pick.station in height_of
        ]
        if not shown:
            continue
        at_s, heights = np.array(shown).T
        axes.vlines(
            at_s,
            heights - 0.5 * spacing,
            heights + 0.5 * spacing,
            color=colour,
            linewidth=1.6,
            zorder=4,
            label=f"{phase.value} pick",
        )


def _draw_curves(axes: Any, rows: list[_Row], centre: _Centre, spacing: float) -> None:
    nearest, furthest = rows[0].height, rows[-1].height
    heights = np.linspace(max(0.0, nearest - spacing), furthest + spacing, 120)
    depths = np.full_like(heights, centre.depth_km)
    table = TravelTimes.load()
    p_s = centre.origin_s + np.asarray(table.p_s(heights, depths))
    s_s = centre.origin_s + np.asarray(table.s_s(heights, depths))
    axes.plot(p_s, heights, color=BLUE, linewidth=1.1, zorder=3, label="P, computed (iasp91)")
    axes.plot(
        s_s,
        heights,
        color=BLUE,
        linewidth=1.1,
        linestyle=(0, (4, 2)),
        zorder=3,
        label="S, computed",
    )


def _draw_alerts(axes: Any, result: RunResult, start_s: float, end_s: float) -> None:
    inside = [
        (result.since_zero_s(message.issued_ns), message)
        for message in result.messages
        if start_s <= result.since_zero_s(message.issued_ns) <= end_s
    ]
    if not inside:
        axes.text(
            0.5,
            0.965,
            "no alert",
            transform=axes.transAxes,
            ha="center",
            color=INK,
            fontsize=10,
            bbox={"facecolor": PAPER, "edgecolor": "none", "alpha": 0.9, "pad": 2.0},
            zorder=6,
        )
        return
    primary = result.detection.primary_event_id
    firsts = [(at_s, message) for at_s, message in inside if message.serial == 1]
    later = [at_s for at_s, one in inside if one.serial > 1 and one.event_id == primary]
    for n, at_s in enumerate(later):
        axes.axvline(
            at_s, color=MUTED, linewidth=0.7, zorder=3, label="later message" if n == 0 else None
        )
    named: set[str] = set()
    for at_s, message in firsts:
        word = "first alert" if message.event_id == primary else "alert for another event"
        style = "solid" if message.event_id == primary else (0, (3, 2))
        axes.axvline(
            at_s,
            color=INK,
            linewidth=1.8,
            linestyle=style,
            zorder=5,
            label=None if word in named else word,
        )
        named.add(word)
        _label(axes, at_s, message, right=at_s < start_s + 0.75 * (end_s - start_s))


def _label(axes: Any, at_s: float, message: AlertMessage, *, right: bool) -> None:
    axes.annotate(
        f"ALERT 1   {at_s:+.1f} s   M{message.magnitude.value:.1f}",
        xy=(at_s, 0.985),
        xycoords=("data", "axes fraction"),
        xytext=(6 if right else -6, 0),
        textcoords="offset points",
        ha="left" if right else "right",
        va="top",
        fontsize=9.5,
        fontweight="bold",
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.9, "pad": 1.5},
        zorder=6,
    )
