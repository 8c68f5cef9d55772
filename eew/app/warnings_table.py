"""Published warnings, city by city: a table (CSV) to set computed ones beside.

The columns are those of ``icl-warnings.csv``: a quake, a place at a distance from it, and what was
published about the warning there. Lines that begin with ``#`` are words; ``~`` before a number
says that it is not sure and is left out on reading.
"""

from __future__ import annotations

import csv
import datetime as dt
import math
from dataclasses import dataclass
from pathlib import Path

from eew.errors import DataError

__all__ = ["COLUMNS", "WarningRow", "read_warnings"]

COLUMNS = (
    "event_id",
    "origin_time_utc",
    "lat",
    "lon",
    "depth_km",
    "magnitude",
    "first_alert_s",
    "place",
    "distance_km",
    "warning_s",
    "intensity",
)
_RANGES = {
    "lat": (-90.0, 90.0),
    "lon": (-180.0, 180.0),
    "depth_km": (0.0, 700.0),
    "magnitude": (3.0, 9.2),
    "first_alert_s": (0.0, 600.0),
    "distance_km": (0.0, 1000.0),
    "warning_s": (-600.0, 600.0),
    "intensity": (0.0, 12.0),
}
_OPTIONAL = frozenset({"first_alert_s", "warning_s", "intensity"})  # the column, or a field of it


@dataclass(frozen=True, slots=True, kw_only=True)
class WarningRow:
    """One place in one quake, as published.

    Attributes
    ----------
    first_alert_s : float or None
        After the origin.
    distance_km : float
        Epicentral.
    warning_s : float or None
        From the alert to the S wave at the place.
    intensity : float or None
        Predicted for the place in the alert, China scale.
    published : dict
        The line as it stands in the file, by column.
    """

    event_id: str
    origin_time: dt.datetime
    lat: float
    lon: float
    depth_km: float
    magnitude: float
    first_alert_s: float | None
    place: str
    distance_km: float
    warning_s: float | None
    intensity: float | None
    published: dict[str, str]


def read_warnings(path: Path) -> tuple[WarningRow, ...]:
    """Read a table of warnings.

    Raises
    ------
    DataError
        Naming file, line, column and the value found, of all that is wrong.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        problem = error.strerror if isinstance(error, OSError) else "is not UTF-8 text"
        raise DataError(str(path), f"cannot be read: {problem}") from error
    numbered = [
        (number, line)
        for number, line in enumerate(text.splitlines(), start=1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    if not numbered:
        raise DataError(str(path), "has no lines", hint=f"columns: {', '.join(COLUMNS)}")
    header, *lines = csv.reader(line for _, line in numbered)
    header = [name.strip() for name in header]
    missing = [name for name in COLUMNS if name not in header and name not in _OPTIONAL]
    if missing:
        raise DataError(
            str(path),
            f"line {numbered[0][0]}: column {', '.join(missing)} is missing",
            hint=f"found {', '.join(header)}",
        )
    problems: list[str] = []
    rows = []
    for (number, _), fields in zip(numbered[1:], lines, strict=True):
        row = _row(f"line {number}", header, fields, problems)
        if row is not None:
            rows.append(row)
    if problems:
        raise DataError(str(path), "; ".join(problems))
    if not rows:
        raise DataError(str(path), "has a header but no places")
    _check_agreement(path, rows)
    return tuple(rows)


def _row(
    where: str, header: list[str], fields: list[str], problems: list[str]
) -> WarningRow | None:
    if len(fields) != len(header):
        problems.append(f"{where}: {len(fields)} fields, expected {len(header)}")
        return None
    published = {name: field.strip() for name, field in zip(header, fields, strict=True)}
    before = len(problems)
    for name in ("event_id", "place"):
        if not published[name]:
            problems.append(f"{where}: {name} is empty")
    origin_time = _time(where, published["origin_time_utc"], problems)
    numbers = {name: _number(where, name, published.get(name, ""), problems) for name in _RANGES}
    if len(problems) > before or origin_time is None:
        return None
    given = {name: value for name, value in numbers.items() if value is not None}
    return WarningRow(
        event_id=published["event_id"],
        origin_time=origin_time,
        lat=given["lat"],
        lon=given["lon"],
        depth_km=given["depth_km"],
        magnitude=given["magnitude"],
        first_alert_s=numbers["first_alert_s"],
        place=published["place"],
        distance_km=given["distance_km"],
        warning_s=numbers["warning_s"],
        intensity=numbers["intensity"],
        published=published,
    )


def _time(where: str, text: str, problems: list[str]) -> dt.datetime | None:
    try:
        time = dt.datetime.fromisoformat(text.removeprefix("~"))
    except ValueError:
        problems.append(
            f"{where}: origin_time_utc = {text!r}: expected a time such as 2022-09-05T04:52:18Z"
        )
        return None
    return time.replace(tzinfo=dt.UTC) if time.tzinfo is None else time.astimezone(dt.UTC)


def _number(where: str, name: str, text: str, problems: list[str]) -> float | None:
    text = text.removeprefix("~").strip()
    if not text and name in _OPTIONAL:
        return None
    low, high = _RANGES[name]
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not low <= value <= high:
        problems.append(f"{where}: {name} = {text!r}: expected a number of {low:g} to {high:g}")
        return None
    return value


def _check_agreement(path: Path, rows: list[WarningRow]) -> None:
    """All lines of one quake must mean the same quake."""
    first: dict[str, WarningRow] = {}
    for row in rows:
        known = first.setdefault(row.event_id, row)
        for name in ("origin_time", "lat", "lon", "depth_km", "magnitude"):
            if getattr(row, name) != getattr(known, name):
                raise DataError(
                    str(path),
                    f"event_id {row.event_id!r}: {name} is {getattr(known, name)} at "
                    f"{known.place} and {getattr(row, name)} at {row.place}",
                )
