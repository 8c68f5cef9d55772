"""Where the whole records of a MiniSEED 2 file lie, so that a damaged file can be read in part.

ObsPy reads a sound file fast, but leaves a cut-off last record out without a word, and gives up
on the whole file where one record is damaged. So the records are found first.
"""

from __future__ import annotations

import re
import struct
from typing import NamedTuple

__all__ = ["RecordSpan", "find_records"]

# Fixed header: six-digit sequence number, quality, reserved byte, then station, location, channel
# and network codes (SEED manual 2.4, chapter 8).
_HEADER = re.compile(rb"[0-9 \0]{6}[DRQM][ \0][A-Z0-9 \-]{12}", re.IGNORECASE)
_HEADER_BYTES = 48
_SMALLEST_RECORD = 64  # also the grain in which records are looked for after damage
_DATA_ONLY_BLOCKETTE = 1000
_YEARS = range(1950, 2101)


class RecordSpan(NamedTuple):
    """One record: bytes ``start`` up to ``stop``."""

    start: int
    stop: int


def find_records(data: bytes) -> tuple[list[RecordSpan], int]:
    """Walk through a file from record to record.

    Returns
    -------
    records : list of RecordSpan
        Whole records with a plausible header, in file order.
    n_lost_bytes : int
        Bytes that belong to no whole record.
    """
    records: list[RecordSpan] = []
    position, n_lost = 0, 0
    while position < len(data):
        length = _record_length(data, position)
        if length and position + length <= len(data):
            records.append(RecordSpan(position, position + length))
            position += length
        else:
            following = _next_header(data, position + 1)
            n_lost += following - position
            position = following
    return records, n_lost


def _next_header(data: bytes, position: int) -> int:
    """Find the next place where a whole record may begin; the end of the data if none."""
    while match := _HEADER.search(data, position):
        length = _record_length(data, match.start())
        if length and match.start() + length <= len(data):
            return match.start()
        position = match.start() + 1
    return len(data)


def _record_length(data: bytes, position: int) -> int:
    """Length in bytes of the record that begins here; 0 where none does."""
    if position + _SMALLEST_RECORD > len(data) or not _HEADER.match(data, position):
        return 0
    order = ">"
    (year,) = struct.unpack_from(">H", data, position + 20)
    if year not in _YEARS:
        order = "<"
        (year,) = struct.unpack_from("<H", data, position + 20)
        if year not in _YEARS:
            return 0
    day, hour, minute, second = struct.unpack_from(f"{order}HBBB", data, position + 22)
    if not (1 <= day <= 366 and hour < 24 and minute < 60 and second <= 60):
        return 0
    (blockette,) = struct.unpack_from(f"{order}H", data, position + 46)
    while blockette >= _HEADER_BYTES and position + blockette + 8 <= len(data):
        kind, following = struct.unpack_from(f"{order}HH", data, position + blockette)
        if kind == _DATA_ONLY_BLOCKETTE:
            exponent = data[position + blockette + 6]
            length: int = 1 << exponent if 6 <= exponent <= 20 else 0
            return length
        if following <= blockette:  # the chain ends, or would go round in a circle
            return 0
        blockette = following
    return 0
