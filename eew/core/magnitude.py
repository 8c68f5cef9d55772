"""Network magnitude from the first seconds of P: peak displacement, else peak velocity.

Displacement: Kuyuk & Allen (2013). The window behind each pick grows with the data to 4 s and
ends where the S wave is due; each station counts by the seconds of data it has (EPIC); stations
beyond a distance taper are left out. Where the displacement does not stand above the station's
own noise (twice-integrated noise of MEMS sensors looks like displacement), the peak velocity is
used with Cua's (2005) envelope attenuation and half the weight.

The network value is a weighted mean that bears single wrong gains (Huber weights round the
median). Large sources outgrow four seconds of P: see :mod:`eew.core.shaking_magnitude`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from eew.core.bank import GrowingPeaks
from eew.core.config import MagnitudeConfig
from eew.core.layout import SERIES_STEP_S
from eew.model.event import StationMagnitude
from eew.physics.envelope import envelope_magnitude
from eew.physics.magnitude import kuyuk_allen_2013, network_uncertainty

FloatArray = NDArray[np.float64]


@dataclass(slots=True, eq=False)
class PeakSeries:
    """A copy of what has grown behind one pick, safe from the live arrays."""

    pd_m: FloatArray = field(default_factory=lambda: np.empty(0))
    pv_mps: FloatArray = field(default_factory=lambda: np.empty(0))
    pd_noise_m: float = 0.0
    pv_noise_mps: float = 0.0
    tau_c_s: float = 0.0
    tau_p_s: float = 0.0
    pgv_mps: float = 0.0
    clipped_from: int = -1

    def update(self, growing: GrowingPeaks) -> None:
        """Copy the newest state."""
        if growing.pd_m.size > self.pd_m.size:
            self.pd_m = growing.pd_m.copy()
            self.pv_mps = growing.pv_mps.copy()
        self.pd_noise_m = growing.pd_noise_m
        self.pv_noise_mps = growing.pv_noise_mps
        self.tau_c_s = growing.tau_c_s
        self.tau_p_s = growing.tau_p_s
        self.pgv_mps = growing.pgv_mps
        self.clipped_from = growing.clipped_from

    @property
    def length_s(self) -> float:
        """Seconds of usable data behind the pick."""
        n = self.pd_m.size if self.clipped_from < 0 else min(self.clipped_from, self.pd_m.size)
        return n * SERIES_STEP_S

    def pd_at(self, window_s: float) -> float:
        """Peak displacement in m within ``window_s`` of the onset, noise taken off."""
        return _at(self.pd_m, window_s, self.pd_noise_m)

    def pv_at(self, window_s: float) -> float:
        """Peak velocity in m/s within ``window_s`` of the onset, noise taken off."""
        return _at(self.pv_mps, window_s, self.pv_noise_mps)


def _at(series: FloatArray, window_s: float, noise: float) -> float:
    if series.size == 0:
        return 0.0
    step = max(0, min(round(window_s / SERIES_STEP_S), series.size) - 1)
    value = float(series[step])
    return math.sqrt(max(value * value - noise * noise, 0.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkMagnitude:
    """Magnitude of an event with its parts."""

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


def network_magnitude(
    inputs: Sequence[MagnitudeInput], config: MagnitudeConfig
) -> NetworkMagnitude | None:
    """Combine the stations; None while no station has a usable amplitude.

    Parameters
    ----------
    inputs : sequence of MagnitudeInput
        Stations with a P pick of this event.
    config : MagnitudeConfig
        Windows, SNR, distance taper.
    """
    rows = [row for item in inputs if (row := _station_magnitude(item, config)) is not None]
    if not rows:
        return None
    limit_km = _taper_km(min(r.epicentral_distance_km for r in rows), config.taper_km)
    rows = [r for r in rows if r.epicentral_distance_km <= limit_km]
    if not rows:
        return None
    value = _robust_mean([r.magnitude for r in rows], [r.weight for r in rows])
    complete = sum(r.window_s >= config.window_s - 0.05 for r in rows) >= min(len(rows), 3)
    return NetworkMagnitude(
        value=value,
        sigma=float(network_uncertainty(len(rows)).magnitude_sigma),
        type="Mpd" if any(r.relation == "pd" for r in rows) else "Mpv",
        lower_bound=value >= config.saturates_at or not complete,
        stations=tuple(rows),
    )


def _station_magnitude(item: MagnitudeInput, config: MagnitudeConfig) -> StationMagnitude | None:
    due_s = item.hypocentral_distance_km / config.s_velocity_km_s
    window_s = min(item.peaks.length_s, config.window_s, due_s)
    if window_s + 1e-9 < config.first_s:
        return None
    pd_m = item.peaks.pd_at(window_s)
    if pd_m > config.min_snr * item.peaks.pd_noise_m:
        relation, weight = "pd", window_s
        distance_km = max(item.epicentral_distance_km, config.min_distance_km)
        value = float(kuyuk_allen_2013(pd_m, distance_km))
    else:
        pv_mps = item.peaks.pv_at(window_s)
        if pv_mps <= config.min_snr_velocity * item.peaks.pv_noise_mps or pv_mps <= 0.0:
            return None
        relation, weight = "pv", 0.5 * window_s
        value = envelope_magnitude(
            pv_mps,
            max(item.hypocentral_distance_km, config.min_distance_km),
            phase="p",
            component="vertical",
            quantity="velocity",
        )
    if not 0.0 < value < config.max_station_m:
        return None
    return StationMagnitude(
        station=item.station,
        magnitude=value,
        relation=relation,
        pd_m=pd_m,
        window_s=round(window_s, 3),
        weight=weight,
        epicentral_distance_km=item.epicentral_distance_km,
    )


def _taper_km(nearest_km: float, limits: tuple[float, float, float]) -> float:
    """EPIC: the farther the nearest usable station, the farther stations may be used."""
    near, middle, far = limits
    if nearest_km > middle:
        return far
    return middle if nearest_km > near else near


def _robust_mean(values: Sequence[float], weights: Sequence[float]) -> float:
    """Weighted mean with Huber weights (0.6 units) round the weighted median."""
    order = sorted(range(len(values)), key=lambda i: (values[i], i))
    half = 0.5 * sum(weights)
    total = 0.0
    centre = values[order[-1]]
    for i in order:
        total += weights[i]
        if total >= half:
            centre = values[i]
            break
    for _ in range(3):
        top = bottom = 0.0
        for v, w in zip(values, weights, strict=True):
            away = abs(v - centre)
            huber = w if away <= 0.6 else w * 0.6 / away
            top += huber * v
            bottom += huber
        centre = top / bottom
    return centre
