"""Stations whose waves have a known magnitude."""

from __future__ import annotations

import math

import numpy as np

from eew.core.magnitude import MagnitudeInput, PeakSeries
from eew.physics.envelope import envelope_amplitude
from eew.physics.magnitude import half_duration_s

STEP_S = 0.1


def station(
    pd_m: float,
    distance_km: float,
    *,
    name: str = "XX.A",
    seconds: float = 6.0,
    depth_km: float = 10.0,
    pd_noise_m: float = 1e-9,
    pv_mps: float = 0.0,
    pv_noise_mps: float = 0.0,
    clipped_from: int = -1,
    pgv_mps: float = 0.0,
    since_s_s: float = -1.0,
) -> MagnitudeInput:
    """A station whose P displacement stands at ``pd_m`` from the first step on."""
    n = round(seconds / STEP_S)
    return MagnitudeInput(
        station=name,
        epicentral_distance_km=distance_km,
        hypocentral_distance_km=math.hypot(distance_km, depth_km),
        since_s_s=since_s_s,
        peaks=PeakSeries(
            pd_m=np.full(n, pd_m),
            pv_mps=np.full(n, pv_mps),
            pd_noise_m=pd_noise_m,
            pv_noise_mps=pv_noise_mps,
            clipped_from=clipped_from,
            pgv_mps=pgv_mps,
        ),
    )


def pd_of(magnitude: float, distance_km: float) -> float:
    """Kuyuk & Allen (2013) solved for displacement, m."""
    return 0.01 * math.pow(10.0, (magnitude - 5.39 - 1.38 * math.log10(distance_km)) / 1.23)


def ring_of(magnitude: float, n: int, *, seconds: float = 6.0) -> list[MagnitudeInput]:
    """Stations at 40 to 80 km that all show the same magnitude."""
    distances = np.linspace(40.0, 80.0, n)
    return [
        station(pd_of(magnitude, d), float(d), name=f"XX.S{i}", seconds=seconds)
        for i, d in enumerate(distances)
    ]


def universal_onset(magnitude: float, distance_km: float, seconds: float) -> MagnitudeInput:
    """A station of a source that is, at each age, as large as any that has radiated as long."""
    times_s = (np.arange(round(seconds / STEP_S)) + 1) * STEP_S
    sizes = np.arange(2.0, magnitude + 0.005, 0.01)
    reached = np.interp(times_s, half_duration_s(sizes), sizes)
    result = station(1.0, distance_km, seconds=seconds, name=f"XX.{distance_km:.0f}")
    result.peaks.pd_m = np.array([pd_of(m, distance_km) for m in reached])
    return result


def s_wave(
    magnitude: float, distance_km: float, *, seconds: float = 30.0, name: str = "XX.A"
) -> MagnitudeInput:
    """A station with the S envelope of Cua (2005) from where S is due, and a P without noise."""
    hypocentral_km = math.hypot(distance_km, 10.0)
    size = float(
        envelope_amplitude(
            magnitude, hypocentral_km, phase="s", component="vertical", quantity="velocity"
        )
    )
    result = station(1e-12, distance_km, seconds=seconds, name=name)
    due = round(hypocentral_km / 8.4 / STEP_S)
    result.peaks.pv_mps = np.where(np.arange(result.peaks.pd_m.size) < due, 1e-9, size)
    return result
