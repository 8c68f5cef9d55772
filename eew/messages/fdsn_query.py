"""Queries to the FDSN web services, from text to what is wanted; pure.

GET parameters and POST bodies are read alike. What is wrong is told with the parameter, the value
found and what is expected (:class:`QueryError`), which a server answers with 400.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from eew.errors import WireError
from eew.messages.fdsn_parameters import SERVICES, Parameter
from eew.messages.fdsn_selection import (
    BEGINNING_NS,
    END_NS,
    Area,
    Codes,
    DataQuery,
    EventQuery,
    StationQuery,
    Window,
)

__all__ = [
    "QueryError",
    "parse_data",
    "parse_events",
    "parse_stations",
    "parse_time",
    "split_post",
]

NS = 1_000_000_000
_TIME = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?)?Z?", re.ASCII
)
_CODE = re.compile(r"[A-Za-z0-9*?_-]{1,24}", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_WINDOWS = 20_000


class QueryError(WireError):
    """A query that cannot be understood; one line that says what to write instead."""


def parse_time(text: str) -> int:
    """Read ``2020-01-11``, ``2020-01-11T14:22:02`` or with up to nine decimals; UTC ns.

    Raises
    ------
    ValueError
        If it is something else.
    """
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError(text)
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    extra_s = 1 if second == 60 else 0  # a leap second is the first of the next minute here
    moment = datetime(year, month, day, hour, minute, second - extra_s, tzinfo=UTC)
    since = moment + timedelta(seconds=extra_s) - _EPOCH
    fraction = (match[7] or "").ljust(9, "0")
    return (since.days * 86_400 + since.seconds) * NS + int(fraction)


def parse_data(
    parameters: Sequence[tuple[str, str]], lines: Sequence[str] | None = None
) -> DataQuery:
    """Read a query to dataselect.

    Parameters
    ----------
    parameters : sequence of (str, str)
        As they stand in the URL, or before the lines of a POST.
    lines : sequence of str, optional
        ``NET STA LOC CHA START END`` of a POST.

    Raises
    ------
    QueryError
        Naming what is wrong.
    """
    values = _values("dataselect", parameters, in_post=lines is not None)
    if lines is None:
        for name in ("starttime", "endtime"):
            if name not in values:
                raise QueryError(f"{name}: is missing; dataselect needs a start and an end")
    return DataQuery(
        windows=_windows(values, lines),
        min_length_s=_number(values, "minimumlength", 0.0),
        longest_only=values.get("longestonly") is True,
        no_data=_count(values, "nodata", 204),
    )


def parse_stations(
    parameters: Sequence[tuple[str, str]], lines: Sequence[str] | None = None
) -> StationQuery:
    """Read a query to the station service; parameters as of :func:`parse_data`.

    Raises
    ------
    QueryError
        Naming what is wrong.
    """
    values = _values("station", parameters, in_post=lines is not None)
    query = StationQuery(
        windows=_windows(values, lines),
        area=_area(values),
        level=str(values.get("level", "station")),
        with_data_only=values.get("matchtimeseries") is True,
        start_before_ns=_count(values, "startbefore", END_NS),
        start_after_ns=_count(values, "startafter", BEGINNING_NS),
        end_before_ns=_count(values, "endbefore", END_NS),
        end_after_ns=_count(values, "endafter", BEGINNING_NS),
        as_text=values.get("format") == "text",
        no_data=_count(values, "nodata", 204),
    )
    if query.as_text and query.level == "response":
        raise QueryError("format: text has no room for level=response; write format=xml")
    return query


def parse_events(parameters: Sequence[tuple[str, str]]) -> EventQuery:
    """Read a query to the event service.

    Raises
    ------
    QueryError
        Naming what is wrong.
    """
    values = _values("event", parameters)
    start_ns, end_ns = _times(values)
    return EventQuery(
        start_ns=start_ns,
        end_ns=end_ns,
        area=_area(values),
        min_depth_km=_number(values, "mindepth", -math.inf),
        max_depth_km=_number(values, "maxdepth", math.inf),
        min_magnitude=_number(values, "minmagnitude", -math.inf),
        max_magnitude=_number(values, "maxmagnitude", math.inf),
        magnitude_type=str(values.get("magnitudetype", "")),
        event_id=str(values.get("eventid", "")),
        limit=None if "limit" not in values else _count(values, "limit", 1),
        offset=_count(values, "offset", 1),
        order_by=str(values.get("orderby", "time")),
        as_text=values.get("format") == "text",
        no_data=_count(values, "nodata", 204),
    )


def split_post(body: bytes) -> tuple[list[tuple[str, str]], list[str]]:
    """Split the body of a POST into ``name=value`` lines and selection lines.

    Raises
    ------
    QueryError
        If it is not text, or selects nothing.
    """
    try:
        text = body.decode("ascii")
    except UnicodeDecodeError as error:
        raise QueryError("body: must be ASCII text") from error
    parameters, lines = [], []
    for raw in text.splitlines():
        line = raw.strip()
        name, equals, value = line.partition("=")
        if equals:
            parameters.append((name.strip(), value.strip()))
        elif line:
            lines.append(line)
    if not lines:
        raise QueryError("body: no line NET STA LOC CHA START END")
    if len(lines) > _MAX_WINDOWS:
        raise QueryError(f"body: {len(lines)} lines, at most {_MAX_WINDOWS} are taken")
    return parameters, lines


# ---------------------------------------------------------------- parts
_Value = str | float | int | bool


def _values(
    service: str, parameters: Iterable[tuple[str, str]], *, in_post: bool = False
) -> dict[str, _Value]:
    """Return the values given, by long name."""
    known = {parameter.name: parameter for parameter in SERVICES[service]}
    names = {parameter.alias: parameter.name for parameter in SERVICES[service] if parameter.alias}
    values: dict[str, _Value] = {}
    for given, text in parameters:
        name = names.get(given.lower(), given.lower())
        if name not in known:
            raise QueryError(f"{given}: no such parameter; known are {', '.join(known)}")
        if name in values:
            raise QueryError(f"{given}: given twice")
        if in_post and name in (
            "starttime",
            "endtime",
            "network",
            "station",
            "location",
            "channel",
        ):
            raise QueryError(f"{given}: stands in the lines of a POST")
        values[name] = _value(given, known[name], text.strip())
    return values


def _value(given: str, parameter: Parameter, text: str) -> _Value:
    if parameter.options:
        by_lower = {option.lower(): option for option in parameter.options}
        if text.lower() not in by_lower:
            raise QueryError(f"{given}: must be {' or '.join(parameter.options)}, was {text!r}")
        text = by_lower[text.lower()]
    match parameter.kind:
        case "time":
            try:
                return parse_time(text)
            except ValueError:
                raise QueryError(
                    f"{given}: must be a UTC time like 2020-01-11T14:22:02.5, was {text!r}"
                ) from None
        case "flag":
            if text.lower() not in ("true", "false"):
                raise QueryError(f"{given}: must be true or false, was {text!r}")
            return text.lower() == "true"
        case "number" | "count":
            return _checked_number(given, parameter, text)
        case _:
            return text


def _checked_number(given: str, parameter: Parameter, text: str) -> float | int:
    is_count = parameter.kind == "count"
    try:
        number = int(text) if is_count else float(text)
    except ValueError:
        what = "a whole number" if is_count else "a number"
        raise QueryError(f"{given}: must be {what}, was {text!r}") from None
    if not (parameter.lowest <= number <= parameter.highest and math.isfinite(number)):
        low, high = parameter.lowest, parameter.highest
        limits = f"{low:g} to {high:g}" if math.isfinite(high) else f"{low:g} or more"
        if not math.isfinite(low):
            limits = "finite"
        raise QueryError(f"{given}: must be {limits}, was {text}")
    return number


def _number(values: Mapping[str, _Value], name: str, default: float) -> float:
    return float(values.get(name, default))


def _count(values: Mapping[str, _Value], name: str, default: int) -> int:
    return int(values.get(name, default))


def _times(values: Mapping[str, _Value]) -> tuple[int, int]:
    start_ns, end_ns = _count(values, "starttime", BEGINNING_NS), _count(values, "endtime", END_NS)
    if end_ns < start_ns:
        raise QueryError("endtime: is before starttime")
    return start_ns, end_ns


def _windows(values: Mapping[str, _Value], lines: Sequence[str] | None) -> tuple[Window, ...]:
    if lines is not None:
        return tuple(_line(number, line) for number, line in enumerate(lines, start=1))
    start_ns, end_ns = _times(values)
    codes = Codes(
        *(_patterns(name, str(values.get(name, "*"))) for name in
          ("network", "station", "location", "channel"))
    )  # fmt: skip
    return (Window(codes, start_ns, end_ns),)


def _line(number: int, line: str) -> Window:
    parts = line.split()
    where = f"line {number}"
    if len(parts) != 6:
        raise QueryError(f"{where}: must be NET STA LOC CHA START END, was {line[:80]!r}")
    times = []
    for name, text, default in zip(
        ("start", "end"), parts[4:], (BEGINNING_NS, END_NS), strict=True
    ):
        try:
            times.append(default if text == "*" else parse_time(text))
        except ValueError:
            raise QueryError(f"{where}: {name}: must be a UTC time or *, was {text!r}") from None
    if times[1] < times[0]:
        raise QueryError(f"{where}: the end is before the start")
    codes = Codes(*(_patterns(where, part) for part in parts[:4]))
    return Window(codes, times[0], times[1])


def _patterns(where: str, text: str) -> tuple[str, ...]:
    patterns = []
    for part in text.split(","):
        code = "" if part.strip() in ("--", "") else part.strip()
        if code and not _CODE.fullmatch(code):
            raise QueryError(f"{where}: a code has letters, digits, * and ?, was {part!r}")
        patterns.append(code)
    return tuple(patterns)


def _area(values: Mapping[str, _Value]) -> Area:
    area = Area(
        min_lat=_number(values, "minlatitude", -90.0),
        max_lat=_number(values, "maxlatitude", 90.0),
        min_lon=_number(values, "minlongitude", -180.0),
        max_lon=_number(values, "maxlongitude", 180.0),
        lat=_number(values, "latitude", 0.0),
        lon=_number(values, "longitude", 0.0),
        min_radius_deg=_number(values, "minradius", 0.0),
        max_radius_deg=_number(values, "maxradius", 180.0),
    )
    if area.max_lat < area.min_lat:
        raise QueryError("maxlatitude: is below minlatitude")
    if area.max_radius_deg < area.min_radius_deg:
        raise QueryError("maxradius: is below minradius")
    ring = "minradius" in values or "maxradius" in values
    for name in ("latitude", "longitude"):
        if ring and name not in values:
            raise QueryError(f"{name}: is missing; a radius needs a centre")
    return area
