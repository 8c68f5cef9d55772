"""ObsPy objects to a :class:`~eew.model.waveform.Recording`: the one way in for recorded data."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from eew.errors import DataError, MetadataError
from eew.ingest.inventory import ChannelMetadata, Metadata
from eew.ingest.limits import limits
from eew.ingest.pieces import mend_stream
from eew.ingest.sensors import Candidate, choose_station
from eew.ingest.truth import truth_from_catalog
from eew.ingest.waveforms import pieces_from_stream
from eew.model.waveform import (
    DataProblem,
    Recording,
    Segment,
    SensorKind,
    Station,
    StreamId,
)

if TYPE_CHECKING:
    import obspy

__all__ = ["assemble", "candidate_of", "choose_stations", "recording_from_obspy"]


def recording_from_obspy(
    stream: obspy.Stream,
    inventory: obspy.Inventory,
    catalog: obspy.Catalog | None = None,
    name: str = "",
) -> Recording:
    """Make a recording from ObsPy objects, by the same rules as from a folder of files.

    Parameters
    ----------
    stream : obspy.Stream
        Raw counts; not changed. int32 samples are shared with it, not copied.
    inventory : obspy.Inventory
        With responses: the overall sensitivity and its input units are used.
    catalog : obspy.Catalog, optional
        The true quake, for scoring.

    Raises
    ------
    DataError
        If no station can be used; the message says why.
    """
    pieces, problems = pieces_from_stream(stream)
    return assemble(pieces, Metadata([inventory]), catalog, name=name, problems=problems)


def assemble(
    pieces: Sequence[Segment],
    metadata: Metadata,
    catalog: obspy.Catalog | None,
    *,
    name: str,
    problems: Iterable[DataProblem] = (),
    input_sha256: Mapping[str, str] | None = None,
) -> Recording:
    """Mend the streams, join them to their metadata, and choose one sensor per station."""
    rows = list(problems)
    candidates: dict[str, list[Candidate]] = {}
    displacements: dict[str, list[Candidate]] = {}
    recorded: dict[StreamId, list[Segment]] = {}
    for piece in pieces:
        recorded.setdefault(piece.stream_id, []).append(piece)
    for stream_id in sorted(recorded):
        segments, more = mend_stream(stream_id, recorded[stream_id])
        rows += more
        candidate = candidate_of(stream_id, segments, metadata, rows) if segments else None
        if candidate is not None:
            # a GNSS receiver beside a seismometer is a second witness, not a second sensor
            gnss = candidate.kind is SensorKind.DISPLACEMENT
            group = displacements if gnss else candidates
            group.setdefault(stream_id.station_code, []).append(candidate)

    stations, chosen = choose_stations(candidates, rows)
    receivers, displacement = choose_stations(displacements, rows)
    if not stations:
        raise DataError(name or "recording", f"no usable station: {_why(rows, recorded)}")
    start_ns = min(segment.start_ns for segment in chosen)
    end_ns = max(segment.end_ns for segment in chosen)
    rows += _silent_stations(metadata, recorded, start_ns, end_ns)

    truth = None
    if catalog is not None:
        truth, more = truth_from_catalog(
            catalog, start_ns=start_ns, end_ns=end_ns, where=name or "catalog"
        )
        rows += more
    return Recording(
        name=name,
        stations=tuple(stations),
        segments=tuple(chosen),
        truth=truth,
        problems=tuple(rows),
        input_sha256=dict(input_sha256 or {}),
        gnss=tuple(receivers),
        gnss_segments=tuple(displacement),
    )


def choose_stations(
    candidates: Mapping[str, Sequence[Candidate]], rows: list[DataProblem]
) -> tuple[list[Station], list[Segment]]:
    """Choose one sensor per station; segments come sorted by stream and time."""
    stations: list[Station] = []
    chosen: list[Segment] = []
    for code in sorted(candidates):
        choice = choose_station(code, candidates[code])
        if choice is not None:
            station, segments_of_station, more = choice
            stations.append(station)
            chosen += segments_of_station
            rows += more
    chosen.sort(key=lambda segment: (segment.stream_id, segment.start_ns))
    return stations, chosen


def candidate_of(
    stream_id: StreamId, segments: list[Segment], metadata: Metadata, rows: list[DataProblem]
) -> Candidate | None:
    """Join a stream to its metadata; None, and a row, where it cannot be used."""

    def set_aside(kind: str, detail: str) -> None:
        rows.append(DataProblem(kind=kind, where=str(stream_id), detail=detail))

    start_ns, end_ns = segments[0].start_ns, segments[-1].end_ns
    try:
        epoch = metadata.at(stream_id, start_ns)
    except MetadataError as error:
        set_aside("no_metadata", error.problem)
        return None
    if epoch.kind is None or epoch.sensitivity is None:
        set_aside(
            "unit", f"input units {epoch.input_units!r} are not ground motion in a known unit"
        )
        return None
    rate_hz, limit = segments[0].sampling_rate_hz, limits()
    low_hz, high_hz = limit.min_rate_hz, limit.max_rate_hz
    if epoch.kind is SensorKind.DISPLACEMENT:
        low_hz, high_hz = limit.min_gnss_hz, limit.max_gnss_hz
    if not low_hz <= rate_hz <= high_hz:
        allowed = f"{low_hz:g} to {high_hz:g} Hz"
        set_aside("rate", f"{rate_hz:g} Hz, usable are {allowed}")
        return None
    if epoch.end_ns < end_ns and not _continues(epoch, metadata):
        segments = _until(segments, epoch.end_ns)
        set_aside("no_metadata", "its StationXML epoch ends within the record; the rest is cut off")
    return Candidate(
        metadata=epoch, kind=epoch.kind, sensitivity=epoch.sensitivity, segments=tuple(segments)
    )


def _continues(epoch: ChannelMetadata, metadata: Metadata) -> bool:
    """Tell whether the following epoch means the same by a count."""
    try:
        following = metadata.at(epoch.stream_id, epoch.end_ns)
    except MetadataError:
        return False
    return (following.kind, following.sensitivity) == (epoch.kind, epoch.sensitivity)


def _until(segments: Sequence[Segment], end_ns: int) -> list[Segment]:
    """Cut off what was recorded at or after a time."""
    kept = []
    for segment in segments:
        n = math.ceil((end_ns - segment.start_ns) * segment.sampling_rate_hz / 1e9)
        if n >= len(segment.samples):
            kept.append(segment)
        elif n > 0:
            kept.append(replace(segment, samples=segment.samples[:n]))
    return kept


def _silent_stations(
    metadata: Metadata, recorded: Mapping[StreamId, list[Segment]], start_ns: int, end_ns: int
) -> list[DataProblem]:
    """One row per station with channels that should have recorded and did not."""
    missing: dict[str, list[str]] = {}
    for stream_id in metadata.streams():
        due = any(e.start_ns < end_ns and e.end_ns > start_ns for e in metadata.epochs(stream_id))
        if due and stream_id not in recorded:
            code = f"{stream_id.location}.{stream_id.channel}"
            missing.setdefault(stream_id.station_code, []).append(code)
    return [
        DataProblem(
            kind="no_waveform",
            where=station,
            detail=f"in the StationXML, without samples: {', '.join(codes)}",
            count=len(codes),
        )
        for station, codes in missing.items()
    ]


def _why(rows: Sequence[DataProblem], recorded: Mapping[StreamId, list[Segment]]) -> str:
    """Say in one line why nothing was left: the kinds of problems, and the first in full."""
    kinds = Counter(row.kind for row in rows)
    if not kinds:
        return f"{len(recorded)} stream(s), none with a known direction"
    counted = ", ".join(f"{n} {kind}" for kind, n in sorted(kinds.items()))
    first = rows[0]
    return f"{len(recorded)} stream(s), {counted}; first: {first.where}: {first.detail}"
