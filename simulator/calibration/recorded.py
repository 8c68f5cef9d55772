"""One quake cut out of a recording, station by station, ready to be measured."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, lfilter

from eew.clock import NS_PER_S
from eew.model.waveform import Channel, Recording, Segment, Station
from simulator.calibration.measure import geometric_peak, integrated

__all__ = ["AFTER_S", "BEFORE_S", "Record", "cut"]

Floats = NDArray[np.float64]

BEFORE_S, AFTER_S = 20.0, 150.0  # of the origin
_HIGH_PASS_HZ = 0.075
_QUIET_S = 5.0  # of record before P, to know where zero is
_COMPONENTS = 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Record:
    """Three components of one station, high-passed, from ``start_s`` after the origin.

    ``acceleration_mps2`` has shape (3, n).
    """

    start_s: float
    sampling_rate_hz: float
    acceleration_mps2: Floats

    @property
    def end_s(self) -> float:
        """End after the origin."""
        length_s: float = self.acceleration_mps2.shape[1] / self.sampling_rate_hz
        return self.start_s + length_s

    def peaks(self) -> tuple[float, float]:
        """PGA and PGV, geometric mean of the horizontals, m/s**2 and m/s."""
        horizontals = self.acceleration_mps2[1:]
        velocity = _high_pass(integrated(horizontals, self.sampling_rate_hz), self.sampling_rate_hz)
        return geometric_peak(horizontals), geometric_peak(velocity)


def cut(recording: Recording, station: Station, origin_ns: int, p_s: float) -> Record | str:
    """Cut out the quake of a station, in m/s**2, or say why that cannot be done.

    Parameters
    ----------
    p_s : float
        P after the origin: the pieces that hold it, and some seconds before it, are taken.
    """
    wanted_ns = origin_ns + round((p_s - _QUIET_S) * NS_PER_S)
    begins_ns = origin_ns - round(BEFORE_S * NS_PER_S)
    found: list[tuple[Channel, Segment]] = []
    for channel in sorted(station.channels, key=lambda one: one.component.value):
        pieces = [
            one
            for one in recording.segments
            if one.stream_id == channel.stream_id and one.start_ns <= wanted_ns < one.end_ns
        ]
        found += [(channel, piece) for piece in pieces[:1]]
    if len(found) != _COMPONENTS:
        return f"only {len(found)} components with {_QUIET_S:.0f} s before P"
    rate_hz = found[0][1].sampling_rate_hz
    start_ns = max(begins_ns, max(segment.start_ns for _, segment in found))
    traces = []
    for channel, segment in found:
        first = round((start_ns - segment.start_ns) * rate_hz / NS_PER_S)
        last = first + round((BEFORE_S + AFTER_S) * rate_hz)
        traces.append(np.asarray(segment.samples[first:last], np.float64) / channel.sensitivity)
    length = min(len(one) for one in traces)
    trace = np.stack([one[:length] for one in traces])
    trace -= trace[:, : round(_QUIET_S * rate_hz)].mean(axis=1, keepdims=True)
    return Record(
        start_s=(start_ns - origin_ns) / NS_PER_S,
        sampling_rate_hz=rate_hz,
        acceleration_mps2=_high_pass(trace, rate_hz),
    )


def _high_pass(trace: Floats, rate_hz: float) -> Floats:
    b, a = butter(2, _HIGH_PASS_HZ, "highpass", fs=rate_hz)
    filtered: Floats = lfilter(b, a, trace, axis=-1)
    return filtered
