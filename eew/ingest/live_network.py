"""The stations of a live source: what the server offers, joined to what the metadata say.

The same rules as for a recording choose the sensor of each station; only the samples are still to
come, so rate and resolution are taken from the metadata.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from eew.errors import DataError
from eew.ingest.inventory import Metadata
from eew.ingest.live import LiveNetwork
from eew.ingest.obspy_adapter import candidate_of, choose_stations
from eew.ingest.selection import Selection
from eew.ingest.sensors import Candidate
from eew.model.waveform import DataProblem, Segment, SensorKind, StreamId

__all__ = ["OfferedStream", "live_network"]

_UNKNOWN_RATE_HZ = 1.0


@dataclass(frozen=True, slots=True)
class OfferedStream:
    """A stream that a server says it has, with the time of its newest data if it says so."""

    stream_id: StreamId
    newest_ns: int | None = None


def live_network(
    metadata: Metadata,
    offered: Iterable[OfferedStream] | None,
    selection: Selection,
    *,
    now_ns: int,
    name: str,
) -> LiveNetwork:
    """Choose the stations and channels that will be used.

    Parameters
    ----------
    offered : iterable of OfferedStream or None
        None where the server does not tell: then all streams of the metadata count as offered.
    now_ns : int
        UTC; the metadata have to hold now, or at the time of a stream's newest data.

    Raises
    ------
    DataError
        If no station can be used; the message says why.
    """
    if offered is None:
        offered = [OfferedStream(stream_id) for stream_id in metadata.streams()]
    newest = {one.stream_id: one.newest_ns for one in offered if selection.wants(one.stream_id)}
    problems: list[DataProblem] = []
    seismic: dict[str, list[Candidate]] = {}
    displacement: dict[str, list[Candidate]] = {}
    for stream_id in sorted(newest):
        newest_ns = newest[stream_id]
        at_ns = now_ns if newest_ns is None else min(now_ns, newest_ns)
        rate_hz = _rate_hz(metadata, stream_id, at_ns)
        # a piece of record without a sample: what it will be is known, what it holds is not
        to_come = Segment(
            stream_id=stream_id,
            start_ns=at_ns,
            sampling_rate_hz=rate_hz,
            samples=np.zeros(0, dtype=np.int32),
        )
        candidate = candidate_of(stream_id, [to_come], metadata, problems)
        if candidate is not None:
            gnss = candidate.kind is SensorKind.DISPLACEMENT
            group = displacement if gnss else seismic
            group.setdefault(stream_id.station_code, []).append(candidate)
    stations, _ = choose_stations(seismic, problems)
    receivers, _ = choose_stations(displacement, problems)
    if not stations:
        raise DataError(name, f"no usable station: {_why(len(newest), selection, problems)}")
    return LiveNetwork(stations=tuple(stations), gnss=tuple(receivers), problems=tuple(problems))


def _rate_hz(metadata: Metadata, stream_id: StreamId, at_ns: int) -> float:
    rates_hz = [
        epoch.sampling_rate_hz
        for epoch in metadata.epochs(stream_id)
        if epoch.start_ns <= at_ns < epoch.end_ns and epoch.sampling_rate_hz
    ]
    # without one it is set aside: for want of metadata, or because this rate is not usable
    return rates_hz[0] if rates_hz else _UNKNOWN_RATE_HZ


def _why(n_streams: int, selection: Selection, problems: Sequence[DataProblem]) -> str:
    if not n_streams:
        return f"no stream matches {selection}"
    kinds = Counter(problem.kind for problem in problems)
    counted = ", ".join(f"{n} {kind}" for kind, n in sorted(kinds.items())) or "no direction known"
    first = f"; first: {problems[0].where}: {problems[0].detail}" if problems else ""
    return f"{n_streams} stream(s), {counted}{first}"
