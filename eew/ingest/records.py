"""One MiniSEED record, version 2 or 3, as it comes over a wire, to one packet."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from pymseed import MiniSEEDError, MS3Record, sourceid2nslc

from eew.errors import DataError
from eew.model.waveform import Packet, StreamId

__all__ = ["packet_from_record"]

# A date outside is damage: ns of 1950-01-01 and 2100-01-01.
_EARLIEST_NS, _LATEST_NS = -631_152_000_000_000_000, 4_102_444_800_000_000_000


def packet_from_record(payload: bytes, *, where: str) -> Packet:
    """Decode one record; its samples are copied.

    Parameters
    ----------
    payload : bytes
        One whole record.
    where : str
        Whose it is, for the error.

    Raises
    ------
    DataError
        If it is no whole MiniSEED record (a checksum that does not fit included), holds text or
        no samples, or states no possible rate or time. The message names ``where``.
    """
    try:
        record = MS3Record.parse(payload, unpack_data=True)
        stream_id = _stream_id(record.sourceid)
    except (MiniSEEDError, ValueError, BufferError) as error:
        text = " ".join(str(error).split())
        raise DataError(where, f"no MiniSEED record: {text}") from error
    rate_hz = float(record.samprate)
    if not (rate_hz > 0.0 and math.isfinite(rate_hz)):
        raise DataError(where, f"{stream_id}: sampling rate must be > 0 Hz, was {rate_hz!r}")
    if not _EARLIEST_NS <= record.starttime <= _LATEST_NS:
        raise DataError(where, f"{stream_id}: start time out of range, was {record.starttime} ns")
    if record.numsamples < 1:
        raise DataError(where, f"{stream_id}: a record without samples")
    return Packet(
        stream_id=stream_id,
        start_ns=int(record.starttime),
        sampling_rate_hz=rate_hz,
        samples=_samples(record, where, stream_id),
    )


@lru_cache(maxsize=100_000)
def _stream_id(source_id: str) -> StreamId:
    """Take the codes apart; a server says the same names over and over."""
    return StreamId(*(part.strip() for part in sourceid2nslc(source_id)))


def _samples(
    record: MS3Record, where: str, stream_id: StreamId
) -> NDArray[np.int32] | NDArray[np.float64]:
    if record.sampletype == "i":
        counts: NDArray[np.int32] = np.array(record.np_datasamples, dtype=np.int32)
        return counts
    if record.sampletype in ("f", "d"):
        values: NDArray[np.float64] = np.array(record.np_datasamples, dtype=np.float64)
        return values
    raise DataError(where, f"{stream_id}: holds text, not samples")
