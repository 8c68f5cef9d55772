"""The arguments of DATA, FETCH and TIME: where a transfer begins and ends."""

from __future__ import annotations

import re
from collections.abc import Sequence

from simulator.seedlink.refusal import RefusedError
from simulator.seedlink.selection import Start
from simulator.seedlink.times import parse_time

__all__ = ["start_v3", "start_v4", "time_window"]

_V3_NUMBER = re.compile(r"-1|(?:0x)?([0-9A-F]{1,7})", re.IGNORECASE)
_V3_NUMBERS = 2**24
_V4_NUMBERS = 2**64


def start_v3(arguments: Sequence[str]) -> Start:
    """Read ``[number [time of the last record]]``; the number is hex, with or without ``0x``.

    Raises
    ------
    RefusedError
        If it is neither.
    """
    if len(arguments) > 2:
        raise RefusedError("ARGUMENTS", "DATA [number [time of the last record]]")
    if not arguments:
        return Start()
    number = _V3_NUMBER.fullmatch(arguments[0])
    if number is None:
        raise RefusedError("ARGUMENTS", f"a number is 6 hex digits, was {arguments[0]!r}")
    after_ns, _ = _window(arguments[1:], 3)
    if number[1] is None:
        return Start(after_ns=after_ns)
    # clients add 1 to the last number they have: 1000000 is 0
    return Start(seq=int(number[1], 16) % _V3_NUMBERS, after_ns=after_ns)


def start_v4(arguments: Sequence[str]) -> Start:
    """Read ``[number|ALL [begin [end]]]``; the number is decimal.

    Raises
    ------
    RefusedError
        If it is something else.
    """
    if len(arguments) > 3:
        raise RefusedError("ARGUMENTS", "DATA [number|ALL [begin [end]]]")
    if not arguments:
        return Start()
    begin_ns, end_ns = _window(arguments[1:], 4)
    word = arguments[0].upper()
    if word in ("ALL", "-1"):  # -1 is what drafts of version 4 had for "no number"
        from_oldest = word == "ALL" or begin_ns is not None
        return Start(from_oldest=from_oldest, begin_ns=begin_ns, end_ns=end_ns)
    if not word.isdecimal() or int(word) >= _V4_NUMBERS:
        raise RefusedError("ARGUMENTS", f"a number is decimal and below 2**64, was {word!r}")
    return Start(seq=int(word), begin_ns=begin_ns, end_ns=end_ns)


def time_window(arguments: Sequence[str]) -> Start:
    """Read ``begin [end]`` of TIME (version 3).

    Raises
    ------
    RefusedError
        If they are no times, or in the wrong order.
    """
    if not 1 <= len(arguments) <= 2:
        raise RefusedError("ARGUMENTS", "TIME begin [end]")
    begin_ns, end_ns = _window(arguments, 3)
    return Start(from_oldest=True, begin_ns=begin_ns, end_ns=end_ns)


def _window(arguments: Sequence[str], version: int) -> tuple[int | None, int | None]:
    times = [parse_time(argument, version) for argument in arguments]
    begin_ns = times[0] if times else None
    end_ns = times[1] if len(times) > 1 else None
    if begin_ns is not None and end_ns is not None and end_ns <= begin_ns:
        raise RefusedError("ARGUMENTS", "the window ends before it begins")
    return begin_ns, end_ns
