"""The way of a simulated device: where it is at which time, from a file or from one move."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

from eew.errors import ConfigError, DataError

__all__ = ["Waypoint", "parse_position", "read_track"]

_MOST_BYTES = 50_000_000
_CSV_HEADER = ("after_s", "lat", "lon")


@dataclass(frozen=True, slots=True)
class Waypoint:
    """A place, degrees, and when the device is there: s after its start."""

    after_s: float
    lat: float
    lon: float


def parse_position(key: str, text: str) -> tuple[float, float]:
    """Read ``lat,lon`` in degrees.

    Raises
    ------
    ConfigError
        Naming ``key`` and what is wrong. A position is private, so it is not repeated.
    """
    form = "the form is LAT,LON in degrees, for example 29.65,102.12"
    parts = text.split(",")
    if len(parts) != 2:
        raise ConfigError(key, f"two numbers expected, found {len(parts)}", hint=form)
    values = []
    for word, part, limit in (("latitude", parts[0], 90.0), ("longitude", parts[1], 180.0)):
        try:
            value = float(part)
        except ValueError:
            raise ConfigError(key, f"the {word} is no number", hint=form) from None
        if not abs(value) <= limit:  # also refuses NaN
            raise ConfigError(key, f"the {word} must be within ±{limit:g} degrees", hint=form)
        values.append(value)
    return values[0], values[1]


def read_track(path: Path) -> tuple[Waypoint, ...]:
    """Read a track: GPX with times, or CSV with the columns ``after_s,lat,lon``.

    Times count from the first point of a GPX track. Points are in the order of the file.

    Raises
    ------
    ConfigError
        If there is no such file.
    DataError
        If it cannot be understood, naming the point.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise DataError(str(path), f"more than {_MOST_BYTES} bytes")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigError("--track", f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise DataError(str(path), "is not UTF-8 text") from None
    points = tuple(_gpx(path, text) if text.lstrip().startswith("<") else _csv(path, text))
    if not points:
        raise DataError(str(path), "holds no point with a time")
    for before, after in pairwise(points):
        if after.after_s < before.after_s:
            raise DataError(str(path), f"time goes backwards at {after.after_s:g} s")
    return points


def _csv(path: Path, text: str) -> Iterator[Waypoint]:
    rows = csv.DictReader(text.splitlines())
    names = tuple(name.strip() for name in rows.fieldnames or ())
    missing = [name for name in _CSV_HEADER if name not in names]
    if missing:
        raise DataError(
            str(path), f"no column {missing[0]}", hint=f"columns: {','.join(_CSV_HEADER)}"
        )
    rows.fieldnames = names
    for number, row in enumerate(rows, start=2):
        try:
            after_s = float(row["after_s"])
        except (TypeError, ValueError):
            raise DataError(str(path), f"line {number}: after_s is no number") from None
        yield _point(path, f"line {number}", after_s, row["lat"], row["lon"])


def _gpx(path: Path, text: str) -> Iterator[Waypoint]:
    try:
        root = ElementTree.fromstring(text)  # expat bounds the growth of entities
    except ElementTree.ParseError as error:
        raise DataError(str(path), f"no GPX: {error}") from None
    first: datetime | None = None
    for number, element in enumerate(root.findall(".//{*}trkpt"), start=1):
        where = f"track point {number}"
        time = (element.findtext("{*}time") or "").strip()
        try:
            at = datetime.fromisoformat(time)
        except ValueError:
            raise DataError(str(path), f"{where}: time {time!r} is no ISO 8601 time") from None
        at = at.replace(tzinfo=at.tzinfo or UTC)
        first = first or at
        after_s = (at - first).total_seconds()
        yield _point(path, where, after_s, element.get("lat"), element.get("lon"))


def _point(path: Path, where: str, after_s: float, lat: str | None, lon: str | None) -> Waypoint:
    if not (math.isfinite(after_s) and after_s >= 0.0):
        raise DataError(str(path), f"{where}: the time must be 0 s or later")
    try:
        return Waypoint(after_s, *parse_position(where, f"{lat},{lon}"))
    except ConfigError as error:
        raise DataError(str(path), str(error)) from None
