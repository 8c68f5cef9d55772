"""UTC text from integer ns, without the rounding a float would bring."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from eew.clock import NS_PER_S

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def utc(time_ns: int, *, digits: int = 3) -> str:
    """Return ISO 8601 UTC with ``Z``, rounded to ``digits`` (0 to 6) decimals of a second.

    >>> utc(1_562_383_193_040_400_000)
    '2019-07-06T03:19:53.040Z'
    """
    step = 10 ** (9 - digits)
    seconds, rest = divmod((time_ns + step // 2) // step * step, NS_PER_S)
    moment = _EPOCH + timedelta(seconds=seconds)
    fraction = f".{rest // step:0{digits}d}" if digits else ""
    return f"{moment:%Y-%m-%dT%H:%M:%S}{fraction}Z"


def utc_clock(time_ns: int) -> str:
    """Return the time of day to 0.01 s, as timelines show it.

    >>> utc_clock(1_562_383_193_040_400_000)
    '03:19:53.04'
    """
    return utc(time_ns, digits=2)[11:-1]
