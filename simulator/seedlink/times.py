"""Times as SeedLink writes them: ISO 8601 in version 4, numbers between commas in version 3."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from eew.clock import NS_PER_S
from simulator.seedlink.refusal import RefusedError

__all__ = ["iso", "parse_time", "slashed"]

_COMMAS = re.compile(r"(\d{4}),(\d{1,2}),(\d{1,2})(?:,(\d{1,2})(?:,(\d{1,2})(?:,(\d{1,2}))?)?)?")
_ISO = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})(?:T(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,9}))?)?)?Z?"
)


def parse_time(text: str, version: int) -> int:
    """Return UTC ns.

    Raises
    ------
    RefusedError
        If it is no time in the syntax of this version of the protocol.
    """
    match = (_COMMAS if version == 3 else _ISO).fullmatch(text)
    if match is None:
        form = "YYYY,MM,DD,hh,mm,ss" if version == 3 else "YYYY-MM-DDThh:mm:ss.ffffffZ"
        raise RefusedError("ARGUMENTS", f"a time is {form}, was {text!r}")
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    try:
        whole = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError as error:
        raise RefusedError("ARGUMENTS", f"there is no such time: {text!r}") from error
    fraction = match[7] if version == 4 else None
    return int(whole.timestamp()) * NS_PER_S + int((fraction or "").ljust(9, "0"))


def iso(time_ns: int) -> str:
    """``2022-09-05T07:52:52.123457Z``."""
    whole, rest_ns = divmod(time_ns, NS_PER_S)
    return f"{datetime.fromtimestamp(whole, tz=UTC):%Y-%m-%dT%H:%M:%S}.{rest_ns // 1000:06d}Z"


def slashed(time_ns: int) -> str:
    """``2022/09/05 07:52:52.1234``, as version 3 writes times in XML."""
    whole, rest_ns = divmod(time_ns, NS_PER_S)
    return f"{datetime.fromtimestamp(whole, tz=UTC):%Y/%m/%d %H:%M:%S}.{rest_ns // 100_000:04d}"
