"""Does the generator make the motion that was measured on real quakes? Figures, not opinions.

Records without noise are computed over magnitudes and distances and put through what a warning
system does with real ones: the magnitude from 4 s of vertical displacement (Kuyuk & Allen 2013)
and the peaks that the ground-motion model of the region predicts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, lfilter

from eew.physics.bssa14 import bssa14
from eew.physics.gb18306 import gb18306
from eew.physics.magnitude import kuyuk_allen_2013
from eew.physics.motion import GroundMotion
from eew.physics.rupture import rjb_by_strike_km
from eew.physics.si_midorikawa import pgv_site_factor, si_midorikawa
from eew.physics.traveltime import TravelTimes
from simulator.attenuation import Attenuation, attenuation
from simulator.motion import PointSource, TimeAxis, motion_spectra, path_to
from simulator.seeds import rng

__all__ = ["DEPTHS_KM", "DISTANCES_KM", "MAGNITUDES", "REFERENCES", "Calibration", "calibrate"]

Floats = NDArray[np.float64]
Reference = Callable[[float, float, float], tuple[float, float]]

MAGNITUDES = (4.0, 4.5, 5.0, 5.5, 6.0, 6.5, 7.0, 7.5)
DISTANCES_KM = (10.0, 15.0, 22.0, 33.0, 50.0, 70.0, 100.0, 150.0)
DEPTHS_KM = (8.0, 12.0, 16.0)

_RATE_HZ = 100.0
_BEFORE_P_S = 5.0
_HIGH_PASS_HZ = 0.075
_WINDOW_S = 4.0
_FADE_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Calibration:
    """Computed against expected, one entry per record.

    Attributes
    ----------
    magnitude, epicentral_distance_km : numpy.ndarray, shape (n,)
        Of the record.
    magnitude_error : numpy.ndarray, shape (n,)
        Magnitude from Pd minus the true one.
    log10_pga_ratio, log10_pgv_ratio : numpy.ndarray, shape (n,)
        Geometric mean of the two horizontal peaks over the median that the region's
        ground-motion model predicts, log10.
    """

    magnitude: Floats
    epicentral_distance_km: Floats
    magnitude_error: Floats
    log10_pga_ratio: Floats
    log10_pgv_ratio: Floats


def calibrate(
    region: str,
    *,
    seed: int,
    repeats: int,
    magnitudes: Sequence[float] = MAGNITUDES,
    distances_km: Sequence[float] = DISTANCES_KM,
) -> Calibration:
    """Compute ``repeats`` records for each magnitude and distance, and measure them.

    Parameters
    ----------
    region : str
        One of :data:`REFERENCES`. Depths take turns through :data:`DEPTHS_KM`.

    Raises
    ------
    ConfigError
        If there is no such region.
    """
    constants = attenuation(region)
    reference = REFERENCES[region]
    rows = [
        (magnitude, distance_km, *_compare(constants, reference, magnitude, distance_km, k, seed))
        for magnitude in magnitudes
        for distance_km in distances_km
        for k in range(repeats)
    ]
    columns = np.transpose(np.array(rows))
    return Calibration(
        magnitude=columns[0],
        epicentral_distance_km=columns[1],
        magnitude_error=columns[2],
        log10_pga_ratio=columns[3],
        log10_pgv_ratio=columns[4],
    )


def _compare(
    region: Attenuation,
    reference: Reference,
    magnitude: float,
    distance_km: float,
    number: int,
    seed: int,
) -> tuple[float, float, float]:
    """One record: magnitude error, log10 ratios of PGA and PGV."""
    draw = rng(seed, "calibration", round(10 * magnitude), round(10 * distance_km), number)
    source = PointSource(magnitude=magnitude, depth_km=DEPTHS_KM[number % len(DEPTHS_KM)])
    path = path_to(TravelTimes.load(), source, distance_km, draw.uniform(0.0, 360.0))
    axis = TimeAxis(
        start_s=path.p_s - _BEFORE_P_S,
        sampling_rate_hz=_RATE_HZ,
        samples=9_000 if magnitude < 6.2 else 12_000,
        fade_s=_FADE_S,
    )
    spectra = motion_spectra(axis, region, source, path, draw, draw)
    acceleration = np.fft.irfft(spectra, axis.samples)
    acceleration *= 10.0 ** (region.site_sigma_log10 * draw.standard_normal())

    acceleration = _high_pass(acceleration)
    velocity = _integrate(acceleration)
    displacement = _integrate(velocity[0])
    first = round(_BEFORE_P_S * _RATE_HZ)
    window_s = min(_WINDOW_S, path.s_s - path.p_s)
    pd_m = float(np.abs(displacement[first : first + round(window_s * _RATE_HZ) + 1]).max())
    pga, pgv = (float(np.sqrt(np.abs(x[1:]).max(axis=1).prod())) for x in (acceleration, velocity))
    expected_pga, expected_pgv = reference(magnitude, distance_km, region.vs30_mps)
    return (
        float(kuyuk_allen_2013(pd_m, distance_km)) - magnitude,
        float(np.log10(pga / expected_pga)),
        float(np.log10(pgv / expected_pgv)),
    )


def _high_pass(trace: Floats) -> Floats:
    b, a = butter(2, _HIGH_PASS_HZ, "highpass", fs=_RATE_HZ)
    filtered: Floats = lfilter(b, a, trace, axis=-1)
    return filtered


def _integrate(trace: Floats) -> Floats:
    """Trapezoids, then the high-pass again, as a warning system does it sample by sample."""
    steps = (trace[..., 1:] + trace[..., :-1]) / (2.0 * _RATE_HZ)
    total = np.zeros_like(trace)
    total[..., 1:] = np.cumsum(steps, axis=-1)
    return _high_pass(total)


def _medians(motion: GroundMotion) -> tuple[float, float]:
    """Geometric mean over the strikes, where there are any."""
    pga, pgv = (np.exp(np.mean(np.log(x))) for x in (motion.pga_mps2, motion.pgv_mps))
    return float(pga), float(pgv)


def _california(magnitude: float, distance_km: float, vs30_mps: float) -> tuple[float, float]:
    return _medians(bssa14(magnitude, rjb_by_strike_km(distance_km, magnitude), vs30_mps))


def _qinghai_tibet(magnitude: float, distance_km: float, _vs30_mps: float) -> tuple[float, float]:
    return _medians(gb18306(magnitude, distance_km, zone="qinghai_tibet", joined=True))


def _central(magnitude: float, distance_km: float, _vs30_mps: float) -> tuple[float, float]:
    return _medians(gb18306(magnitude, distance_km, zone="central_moderate", joined=True))


def _japan(magnitude: float, distance_km: float, vs30_mps: float) -> tuple[float, float]:
    depth_km = float(np.mean(DEPTHS_KM))
    fault_km = np.hypot(rjb_by_strike_km(distance_km, magnitude), depth_km)
    pga, pgv = _medians(si_midorikawa(magnitude, fault_km, depth_km))
    return pga, pgv * float(pgv_site_factor(vs30_mps))


REFERENCES: dict[str, Reference] = {
    "california": _california,
    "kyushu": _japan,
    "sichuan_basin": _central,
    "west_sichuan": _qinghai_tibet,
}
