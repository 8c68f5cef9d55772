"""From pieces as they lie in files to gapless segments: order, overlaps, gaps, NaN, dead channels.

No sample is changed. Where two pieces hold the same time, what came first stays (a live system
has already used it), and only the later piece's remaining samples are added.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from eew.ingest.limits import limits
from eew.model.waveform import DataProblem, Segment, StreamId

__all__ = ["mend_stream"]

_Samples = NDArray[np.int32] | NDArray[np.float64]


@dataclass(slots=True)
class _Run:
    """Pieces that follow each other without a gap."""

    start_ns: int
    rate_hz: float
    parts: list[_Samples]
    n: int

    def samples(self) -> _Samples:
        if len(self.parts) > 1:
            integer = all(part.dtype == np.int32 for part in self.parts)
            joined: _Samples
            if integer:
                joined = np.concatenate(self.parts, dtype=np.int32)
            else:
                joined = np.concatenate(self.parts, dtype=np.float64)
            self.parts = [joined]
        return self.parts[0]

    def append(self, samples: _Samples) -> None:
        self.parts.append(samples)
        self.n += len(samples)

    def position_of(self, time_ns: int) -> float:
        """Where a time lies in this run, in samples from its start."""
        return (time_ns - self.start_ns) * self.rate_hz / 1e9


@dataclass(slots=True)
class _Counts:
    """What was met while one stream was mended."""

    gaps_s: list[float] = field(default_factory=list)
    duplicated: int = 0
    conflicting: int = 0
    reordered: int = 0
    not_finite: int = 0


def mend_stream(
    stream_id: StreamId, pieces: Sequence[Segment]
) -> tuple[list[Segment], list[DataProblem]]:
    """Put the pieces of one stream in order.

    Parameters
    ----------
    pieces : sequence of Segment
        Pieces of ``stream_id`` in the order in which they were found; any overlap.

    Returns
    -------
    segments : list of Segment
        Gapless, sorted by start, finite samples only; empty for a dead channel.
    problems : list of DataProblem
        What was mended or set aside, one row per kind.
    """
    pieces = [piece for piece in pieces if len(piece.samples)]
    if not pieces:
        return [], []
    pieces, problems = _one_rate(stream_id, pieces)
    counts = _Counts()
    runs = _merge(pieces, counts)
    segments = [segment for run in runs for segment in _finite(stream_id, run, counts)]
    problems += _rows(stream_id, counts)
    if segments and _is_dead(segments):
        n = sum(len(segment.samples) for segment in segments)
        value = segments[0].samples[0].item()
        problems.append(_row("dead_channel", stream_id, f"all {n} samples are {value:g}"))
        segments = []
    return segments, problems


def _one_rate(
    stream_id: StreamId, pieces: Sequence[Segment]
) -> tuple[list[Segment], list[DataProblem]]:
    """Keep the sampling rate that most samples have."""
    same_rate = limits().same_rate
    totals: dict[float, int] = {}
    for piece in pieces:
        rate_hz = piece.sampling_rate_hz
        known_hz = next((known for known in totals if same_rate(rate_hz, known)), rate_hz)
        totals[known_hz] = totals.get(known_hz, 0) + len(piece.samples)
    main_hz = max(totals, key=lambda rate_hz: (totals[rate_hz], rate_hz))
    kept = [piece for piece in pieces if same_rate(piece.sampling_rate_hz, main_hz)]
    problems = [
        _row(
            "rate",
            stream_id,
            f"{n} samples at {rate_hz:g} Hz set aside, the stream runs at {main_hz:g} Hz",
            n,
        )
        for rate_hz, n in totals.items()
        if rate_hz != main_hz
    ]
    return kept, problems


def _merge(pieces: Sequence[Segment], counts: _Counts) -> list[_Run]:
    """Join what touches, drop what is there already, begin a new run after a gap."""
    tolerance = limits().join_tolerance_samples
    latest_ns = pieces[0].start_ns
    late: set[int] = set()  # looked up only, never iterated
    for index, piece in enumerate(pieces):
        if piece.start_ns < latest_ns:
            late.add(index)
        latest_ns = max(latest_ns, piece.start_ns)
    runs: list[_Run] = []
    for index in sorted(range(len(pieces)), key=lambda i: (pieces[i].start_ns, i)):
        piece, samples = pieces[index], pieces[index].samples
        if runs:
            run = runs[-1]
            position = run.position_of(piece.start_ns)
            missing = position - run.n  # samples between the two; negative: overlap
            if missing < -tolerance:
                samples = _drop_overlap(run, math.floor(position + 0.5), samples, counts)
            elif missing > tolerance:
                counts.gaps_s.append(missing / run.rate_hz)
                runs.append(_Run(piece.start_ns, piece.sampling_rate_hz, [], 0))
        else:
            runs.append(_Run(piece.start_ns, piece.sampling_rate_hz, [], 0))
        if len(samples):
            runs[-1].append(samples)
            counts.reordered += index in late
    return runs


def _drop_overlap(run: _Run, first: int, samples: _Samples, counts: _Counts) -> _Samples:
    """Compare what a piece shares with the run, and return the rest of it."""
    n = min(run.n - first, len(samples))
    there = run.samples()[first : first + n]
    if np.array_equal(there, samples[:n], equal_nan=True):
        counts.duplicated += n
    else:
        counts.conflicting += n
    return samples[n:]


def _finite(stream_id: StreamId, run: _Run, counts: _Counts) -> list[Segment]:
    """Cut a run at samples that are NaN or infinite: they are no samples."""
    samples = run.samples()
    if samples.dtype.kind == "f":
        finite = np.isfinite(samples)
        n_bad = len(samples) - int(np.count_nonzero(finite))
    else:
        n_bad = 0
    if n_bad == 0:
        return [_segment(stream_id, run, samples, 0)]
    counts.not_finite += n_bad
    edges = np.flatnonzero(np.diff(np.concatenate(([False], finite, [False])).astype(np.int8)))
    return [
        _segment(stream_id, run, samples[first:last], int(first))
        for first, last in zip(edges[::2], edges[1::2], strict=True)
    ]


def _segment(stream_id: StreamId, run: _Run, samples: _Samples, first: int) -> Segment:
    return Segment(
        stream_id=stream_id,
        start_ns=run.start_ns + round(first * 1e9 / run.rate_hz),
        sampling_rate_hz=run.rate_hz,
        samples=samples,
    )


def _is_dead(segments: Sequence[Segment]) -> bool:
    """Tell whether a stream says the same value from beginning to end."""
    value = segments[0].samples[0]
    return all(bool(np.all(segment.samples == value)) for segment in segments)


def _rows(stream_id: StreamId, counts: _Counts) -> list[DataProblem]:
    rows = []
    if counts.gaps_s:
        n, missing_s = len(counts.gaps_s), sum(counts.gaps_s)
        rows.append(_row("gap", stream_id, f"{n} gap(s), {missing_s:.3f} s missing", n))
    if counts.duplicated:
        n = counts.duplicated
        rows.append(_row("duplicate", stream_id, f"{n} samples are there twice", n))
    if counts.conflicting:
        n = counts.conflicting
        text = f"{n} samples contradict earlier ones of the same time; the first stay"
        rows.append(_row("overlap", stream_id, text, n))
    if counts.reordered:
        n = counts.reordered
        rows.append(_row("reordered", stream_id, f"{n} piece(s) out of order, sorted", n))
    if counts.not_finite:
        n = counts.not_finite
        rows.append(_row("nan", stream_id, f"{n} samples are not finite, left out", n))
    return rows


def _row(kind: str, stream_id: StreamId, detail: str, count: int = 1) -> DataProblem:
    return DataProblem(kind=kind, where=str(stream_id), detail=detail, count=count)
