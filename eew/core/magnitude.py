"""Magnitude of an event: what each station shows, made into evidence and fused.

- ``pd`` (or ``pv``): the first seconds of P, :mod:`eew.core.evidence_p`;
- ``vs``: S-wave envelopes of Virtual Seismologist, an independent check,
  :mod:`eew.core.evidence_vs`;
- ``gm``: peak velocities of the whole shaking, for large sources,
  :mod:`eew.core.shaking_magnitude`;
- ``pgd``: GNSS displacement, :mod:`eew.core.displacement`;
- whatever else is handed in (a line source).

:mod:`eew.core.fusion` multiplies them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from eew.core.bank import GrowingPeaks
from eew.core.layout import SERIES_STEP_S
from eew.model.event import StationMagnitude

FloatArray = NDArray[np.float64]

_GROWN = 1.1  # less is no growth: a tenth of PGV is 0.05 units of magnitude


_CLEAR_STEPS = round(0.5 / SERIES_STEP_S)


@dataclass(slots=True, eq=False)
class PeakSeries:
    """A copy of what has grown behind one pick, safe from the live arrays.

    ``free_s`` is how long after the pick the waves of a larger quake come: what grows behind them
    is not this one's.
    """

    pd_m: FloatArray = field(default_factory=lambda: np.empty(0))
    pv_mps: FloatArray = field(default_factory=lambda: np.empty(0))
    pd_noise_m: float = 0.0
    pv_noise_mps: float = 0.0
    tau_c_s: float = 0.0
    tau_p_s: float = 0.0
    pgv_mps: float = 0.0
    clipped_from: int = -1
    grown_ns: int = 0
    clarity: float = 0.0
    sharpness_per_s: float = 0.0
    free_s: float = math.inf
    kept: object = None  # what the P evidence made of it last; see eew.core.evidence_p
    _mark_mps: float = 0.0

    def update(self, growing: GrowingPeaks, at_ns: int) -> None:
        """Copy the newest state; ``at_ns`` is the newest data time of the station.

        ``grown_ns`` is when the largest velocity last grew by a tenth; ``clarity`` the peak
        acceleration of the first half second over that of the noise before: what is judged
        early has seen little of its own onset, and stands out more with every sample.
        ``sharpness_per_s`` is that acceleration over the velocity of the same time: the angular
        frequency of the first motion.
        """
        first = growing.pa_mps2[:_CLEAR_STEPS]
        if first.size and growing.pa_noise_mps2 > 0.0:
            self.clarity = float(first[-1]) / growing.pa_noise_mps2
            self.sharpness_per_s = float(first[-1]) / max(
                float(growing.pv_mps[first.size - 1]), 1e-12
            )
        if growing.pd_m.size > self.pd_m.size:
            self.pd_m = growing.pd_m.copy()
            self.pv_mps = growing.pv_mps.copy()
        self.pd_noise_m = growing.pd_noise_m
        self.pv_noise_mps = growing.pv_noise_mps
        self.tau_c_s = growing.tau_c_s
        self.tau_p_s = growing.tau_p_s
        self.pgv_mps = growing.pgv_mps
        if self.pgv_mps > _GROWN * self._mark_mps:
            self._mark_mps, self.grown_ns = self.pgv_mps, at_ns
        self.clipped_from = growing.clipped_from

    @property
    def length_s(self) -> float:
        """Seconds of usable data behind the pick."""
        n = self.pd_m.size if self.clipped_from < 0 else min(self.clipped_from, self.pd_m.size)
        return min(n * SERIES_STEP_S, self.free_s)

    def pd_at(self, window_s: float) -> float:
        """Peak displacement in m within ``window_s`` of the onset, noise taken off."""
        return _at(self.pd_m, min(window_s, self.free_s), self.pd_noise_m)

    def pv_at(self, window_s: float) -> float:
        """Peak velocity in m/s within ``window_s`` of the onset, noise taken off."""
        return _at(self.pv_mps, min(window_s, self.free_s), self.pv_noise_mps)

    def pd_in(self, windows_s: FloatArray) -> FloatArray:
        """Peak displacement for many windows, as :meth:`pd_at`."""
        return _in(self.pd_m, np.minimum(windows_s, self.free_s), self.pd_noise_m)

    def pv_in(self, windows_s: FloatArray) -> FloatArray:
        """Peak velocity for many windows, as :meth:`pv_at`."""
        return _in(self.pv_mps, np.minimum(windows_s, self.free_s), self.pv_noise_mps)


def _at(series: FloatArray, window_s: float, noise: float) -> float:
    if series.size == 0:
        return 0.0
    step = max(0, min(round(window_s / SERIES_STEP_S), series.size) - 1)
    value = float(series[step])
    return math.sqrt(max(value * value - noise * noise, 0.0))


def _in(series: FloatArray, windows_s: FloatArray, noise: float) -> FloatArray:
    if series.size == 0:
        return np.zeros(windows_s.shape)
    steps = np.clip(np.rint(windows_s / SERIES_STEP_S).astype(np.int64), 1, series.size) - 1
    values = series[steps]
    result: FloatArray = np.sqrt(np.maximum(values * values - noise * noise, 0.0))
    return result


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkMagnitude:
    """Magnitude of an event with its parts.

    ``value`` is the posterior's median, ``sigma`` half the width of its middle 68 %, ``type``
    the evidences it came from; ``lower_bound`` while the source may still be growing.
    """

    value: float
    sigma: float
    type: str
    lower_bound: bool
    stations: tuple[StationMagnitude, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MagnitudeInput:
    """One station as the magnitude sees it.

    ``since_s_s`` is the newest data time minus the S arrival due at the station, s.
    """

    station: str
    epicentral_distance_km: float
    hypocentral_distance_km: float
    since_s_s: float
    peaks: PeakSeries
