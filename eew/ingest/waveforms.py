"""MiniSEED files and ObsPy traces to pieces of samples; nothing is filtered, merged or scaled."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from eew.errors import DataError
from eew.ingest.mseed_records import RecordSpan, find_records
from eew.model.waveform import DataProblem, Segment, StreamId

if TYPE_CHECKING:
    import obspy

__all__ = ["pieces_from_stream", "read_miniseed"]


def read_miniseed(data: bytes, *, name: str) -> tuple[list[Segment], list[DataProblem]]:
    """Read the content of a MiniSEED file, as much of it as can be read.

    Parameters
    ----------
    name : str
        File name for problems and errors.

    Returns
    -------
    pieces : list of Segment
        In file order; they may overlap and hold NaN.
    problems : list of DataProblem
        ``unreadable`` for what had to be left out.

    Raises
    ------
    DataError
        If the file holds no record that can be read.
    """
    records, n_lost = find_records(data)
    if not records:
        found = "it is empty" if not data else f"it begins with {data[:16]!r}"
        raise DataError(name, f"no MiniSEED record in {len(data)} bytes, {found}")
    problems = []
    if n_lost:
        detail = f"{n_lost} of {len(data)} bytes belong to no whole record (cut off or damaged)"
        problems.append(DataProblem(kind="unreadable", where=name, detail=detail, count=n_lost))
        data = b"".join(data[record.start : record.stop] for record in records)
        records, _ = find_records(data)
    streams, bad, remarks = _decode(data, records)
    if bad:
        detail = f"{len(bad)} of {len(records)} records cannot be decoded, first: {bad[0]}"
        if not streams:
            raise DataError(name, detail)
        problems.append(DataProblem(kind="unreadable", where=name, detail=detail, count=len(bad)))
    problems += [DataProblem(kind="unreadable", where=name, detail=text) for text in remarks]
    pieces: list[Segment] = []
    for stream in streams:
        some, more = pieces_from_stream(stream)
        pieces += some
        problems += more
    return pieces, problems


def _decode(
    data: bytes, records: Sequence[RecordSpan]
) -> tuple[list[obspy.Stream], list[str], list[str]]:
    """Decode records; where they do not decode together, halve until the bad ones are alone.

    Returns
    -------
    streams, reasons of the bad records, warnings of the reader
    """
    first, last = records[0].start, records[-1].stop
    try:
        stream, remarks = _read(data[first:last])
    except DataError as error:
        if len(records) == 1:
            return [], [error.problem], []
        middle = len(records) // 2
        left, bad_left, remarks_left = _decode(data, records[:middle])
        right, bad_right, remarks_right = _decode(data, records[middle:])
        return left + right, bad_left + bad_right, remarks_left + remarks_right
    return [stream], [], remarks


def _read(data: bytes) -> tuple[obspy.Stream, list[str]]:
    import obspy  # takes 0.2 s, so only where a file is read

    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            stream = obspy.read(io.BytesIO(data), format="MSEED")
    except Exception as error:  # ObsPy raises anything here: KeyError, struct.error, Exception
        raise DataError("MiniSEED", _one_line(error)) from error
    return stream, sorted({_one_line(warning.message) for warning in caught})


def _one_line(error: object) -> str:
    return " ".join(str(error).split())


def pieces_from_stream(stream: obspy.Stream) -> tuple[list[Segment], list[DataProblem]]:
    """Take the samples out of an ObsPy stream, which is left as it is.

    Masked samples are missing samples. Integers become int32 where they fit (no copy where they
    are int32 already), everything else float64.
    """
    pieces: list[Segment] = []
    problems: list[DataProblem] = []
    for trace in stream:
        stats = trace.stats
        stream_id = StreamId(
            stats.network.strip(), stats.station.strip(), stats.location.strip(" -"), stats.channel
        )
        parts = trace.split() if np.ma.isMaskedArray(trace.data) else [trace]
        for part in parts:
            samples = _samples(np.asarray(part.data))
            if samples is None:
                detail = f"{len(part.data)} samples of type {part.data.dtype} are no numbers"
                problems.append(DataProblem(kind="unreadable", where=str(stream_id), detail=detail))
                continue
            pieces.append(
                Segment(
                    stream_id=stream_id,
                    start_ns=part.stats.starttime.ns,
                    sampling_rate_hz=_rate_hz(part.stats.sampling_rate),
                    samples=samples,
                )
            )
    return pieces, problems


def _samples(data: NDArray[Any]) -> NDArray[np.int32] | NDArray[np.float64] | None:
    if data.dtype == np.int32:
        return np.ascontiguousarray(data, dtype=np.int32)
    if data.dtype.kind in "iu":
        if len(data) == 0 or (data.min() >= -(2**31) and data.max() < 2**31):
            return np.ascontiguousarray(data, dtype=np.int32)
        return data.astype(np.float64)
    if data.dtype.kind == "f":
        with np.errstate(invalid="ignore"):  # a signalling NaN; mending counts it
            return np.ascontiguousarray(data, dtype=np.float64)
    return None


def _rate_hz(rate_hz: float) -> float:
    """Undo the 32-bit rounding of blockette 100: 31.2999992370605 was written as 31.3."""
    rate_hz = float(rate_hz)
    short = np.float32(rate_hz)
    return float(str(short)) if float(short) == rate_hz else rate_hz
