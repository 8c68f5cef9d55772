"""``picks.csv``, ``solutions.csv`` and ``targets.csv``.

Comma-separated, one header line with units in the names, UTC with ``Z``, Unix line ends, an
empty field where a value is unknown.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from eew.report.result import RunResult
from eew.report.times import utc

PICK_COLUMNS = (
    "pick_id",
    "station",
    "stream",
    "phase",
    "time",
    "since_zero_s",
    "known",
    "known_since_zero_s",
    "uncertainty_s",
    "snr",
)
SOLUTION_COLUMNS = (
    "event_id",
    "at",
    "since_zero_s",
    "origin_time",
    "lat",
    "lon",
    "depth_km",
    "h_sigma_km",
    "z_sigma_km",
    "origin_time_sigma_s",
    "ellipse_major_km",
    "ellipse_minor_km",
    "ellipse_azimuth_deg",
    "azimuthal_gap_deg",
    "rms_s",
    "magnitude",
    "magnitude_sigma",
    "magnitude_type",
    "magnitude_is_lower_bound",
    "n_stations",
    "n_picks",
    "likelihood",
)
TARGET_COLUMNS = (
    "name",
    "lat",
    "lon",
    "distance_km",
    "scale",
    "predicted_intensity",
    "observed_intensity",
    "observed_station",
    "true_intensity",
    "s_arrival_s",
    "told_s",
    "lead_time_s",
    "level",
    "outcome",
    "channel",
    "channel_latency",
)

Field = str | int | bool | None


def picks_csv(result: RunResult) -> str:
    """Return every accepted pick in the order in which the detector knew it."""
    return _csv(
        PICK_COLUMNS,
        (
            (
                pick.pick_id,
                pick.station,
                pick.stream,
                pick.phase.value,
                utc(pick.time_ns),
                fixed(result.since_zero_s(pick.time_ns), 3),
                utc(pick.known_ns),
                fixed(result.since_zero_s(pick.known_ns), 3),
                fixed(pick.uncertainty_s, 3),
                fixed(pick.snr, 1),
            )
            for pick in result.picks
        ),
    )


def solutions_csv(result: RunResult) -> str:
    """Return every solution, also those that gave no message."""
    return _csv(
        SOLUTION_COLUMNS,
        (
            (
                one.event_id,
                utc(one.at_ns),
                fixed(result.since_zero_s(one.at_ns), 3),
                utc(one.origin_time_ns),
                fixed(one.lat, 4),
                fixed(one.lon, 4),
                fixed(one.depth_km, 2),
                fixed(one.h_sigma_km, 2),
                fixed(one.z_sigma_km, 2),
                fixed(one.origin_time_sigma_s, 3),
                fixed(one.ellipse_major_km, 2),
                fixed(one.ellipse_minor_km, 2),
                fixed(one.ellipse_azimuth_deg, 1),
                fixed(one.azimuthal_gap_deg, 1),
                fixed(one.rms_s, 3),
                fixed(one.magnitude, 2),
                fixed(one.magnitude_sigma, 2),
                one.magnitude_type,
                _word(one.magnitude_is_lower_bound),
                one.n_stations,
                one.n_picks,
                fixed(one.likelihood, 3),
            )
            for one in result.solutions
        ),
    )


def targets_csv(result: RunResult) -> str:
    """Return one line per place: what it was told, what came, and the word for it."""
    return _csv(
        TARGET_COLUMNS,
        (
            (
                row.site.name,
                fixed(row.site.lat, 4),
                fixed(row.site.lon, 4),
                fixed(row.distance_km, 1),
                row.scale,
                fixed(row.predicted_intensity, 2),
                fixed(row.observed_intensity, 2),
                row.observed_station,
                fixed(row.true_intensity, 2),
                fixed(row.s_arrival_s, 3),
                fixed(row.told_s, 3),
                fixed(row.lead_time_s, 3),
                row.level.value,
                row.outcome,
                result.info.channel,
                result.info.channel_latency,
            )
            for row in result.targets
        ),
    )


def fixed(value: float | None, digits: int) -> str | None:
    """Return a number with ``digits`` decimals, never ``-0.0``; None stays None."""
    return None if value is None else f"{round(value, digits) + 0.0:.{digits}f}"


def _word(flag: bool) -> str:
    return "true" if flag else "false"


def _csv(columns: Sequence[str], rows: Iterable[Sequence[Field]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()
