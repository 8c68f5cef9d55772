"""What the way of recorded OpenEEW packets took, device by device, and what their clocks did."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from eew.ingest.openeew import DeviceClock
from eew.ingest.openeew_archive import ArchivedPacket

__all__ = ["DeviceDelays", "delays_of", "pooled"]

NS = 1_000_000_000
_GAP_INTERVALS = 1.1  # a packet that starts so many usual intervals after the last: some are lost


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceDelays:
    """One device over the whole archive.

    Attributes
    ----------
    n_packets, n_gaps, n_duplicates : int
        Packets; pauses of more than 1.1 intervals between two; packets with the time of another.
    interval_s : float
        Usual time between two packets by the device's clock.
    rate_hz : float
        Samples that come per second of the device's clock.
    offset_s : float
        What had to be added to the device's clock; 0 where arrivals do not prove it wrong.
    drift_ppm : float
        How much faster (+) than the server's the device's clock runs, from the fastest packets of
        the first and last third.
    jitter_ms : float
        Standard deviation of the device's times about a straight line.
    delay_s : numpy.ndarray, shape (n,)
        Last sample to arrival, by the clock put right.
    """

    device_id: str
    n_packets: int
    n_gaps: int
    n_duplicates: int
    interval_s: float
    rate_hz: float
    offset_s: float
    drift_ppm: float
    jitter_ms: float
    delay_s: NDArray[np.float64]

    def percentile_s(self, share: float) -> float:
        """Return a percentile (0 to 100) of the delays in s."""
        return float(np.percentile(self.delay_s, share))


def delays_of(packets: Iterable[ArchivedPacket]) -> list[DeviceDelays]:
    """Measure every device with three packets or more, by its id."""
    by_device: dict[str, list[ArchivedPacket]] = {}
    for packet in packets:
        by_device.setdefault(packet.trace.device_id, []).append(packet)
    return [_measured(name, some) for name, some in sorted(by_device.items()) if len(some) >= 3]


def pooled(devices: Iterable[DeviceDelays]) -> NDArray[np.float64]:
    """Return the delays of all packets together, s."""
    return np.concatenate([device.delay_s for device in devices])


def _measured(name: str, packets: list[ArchivedPacket]) -> DeviceDelays:
    arrival_ns = np.array([one.arrival_ns for one in packets])
    device_ns = np.array([one.trace.device_ns for one in packets])
    n_samples = len(packets[0].trace.x)
    clock = DeviceClock()
    for one in packets:
        clock.utc_ns(one.trace.device_ns, one.arrival_ns)
    times_s = (np.sort(np.unique(device_ns)) - device_ns.min()) / NS
    steps_s = np.diff(times_s)
    usual_s = float(np.median(steps_s))
    # of the stretch without a gap that is the longest, so that a loss does not count as jitter
    edges = [0, *(np.flatnonzero(steps_s > _GAP_INTERVALS * usual_s) + 1).tolist(), len(times_s)]
    begin, end = max(pairwise(edges), key=lambda pair: pair[1] - pair[0])
    stretch_s = times_s[begin:end]
    numbers = np.arange(len(stretch_s))
    slope_s, at_s = np.polyfit(numbers, stretch_s, 1) if len(stretch_s) > 2 else (usual_s, 0.0)
    jitter_s = float(np.std(stretch_s - (slope_s * numbers + at_s)))
    return DeviceDelays(
        device_id=name,
        n_packets=len(packets),
        n_gaps=len(edges) - 2,
        n_duplicates=len(packets) - len(times_s),
        interval_s=usual_s,
        rate_hz=n_samples / float(slope_s),
        offset_s=clock.offset_ns / NS,
        drift_ppm=_drift_ppm(device_ns, arrival_ns),
        jitter_ms=1e3 * jitter_s,
        delay_s=(arrival_ns - device_ns - clock.offset_ns) / NS,
    )


def _drift_ppm(device_ns: NDArray[np.int64], arrival_ns: NDArray[np.int64]) -> float:
    """Compare the fastest packets early and late: they had the same way."""
    third = len(device_ns) // 3
    if third == 0:
        return 0.0
    seeming = (arrival_ns - device_ns).astype(np.float64)
    early = int(np.argmin(seeming[:third]))
    late = len(seeming) - third + int(np.argmin(seeming[-third:]))
    return float(-1e6 * (seeming[late] - seeming[early]) / (arrival_ns[late] - arrival_ns[early]))
