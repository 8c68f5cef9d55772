"""Ground motion of one station: P and S with their polarisation, as three-component spectra."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from eew.physics.rupture import rjb_by_strike_km
from eew.physics.traveltime import TravelTimes
from simulator.attenuation import Attenuation, PhaseConstants
from simulator.envelope import coda_window, direct_window
from simulator.source import Ray, acceleration_spectrum, corner_frequency_hz, direct_length_s

__all__ = ["Path", "PointSource", "TimeAxis", "motion_spectra", "path_to"]

Floats = NDArray[np.float64]
Complexes = NDArray[np.complex128]

_SLOPE_STEP_KM = 1.0
_NEAREST_KM = 0.1  # keeps the logarithm finite on top of a fault at the surface


@dataclass(frozen=True, slots=True, kw_only=True)
class PointSource:
    """A quake as the generator sees it; ``stress_drop_bar`` None takes the region's."""

    magnitude: float
    depth_km: float
    stress_drop_bar: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """Geometry between source and station.

    Attributes
    ----------
    hypocentral_distance_km : float
        To where the rupture begins.
    rupture_distance_km : float
        To the nearest part of the fault, geometric mean over all strikes it may have.
    azimuth_deg : float
        At the station, of the direction away from the source.
    p_s, s_s : float
        Travel times in s.
    p_slowness_s_km, s_slowness_s_km : float
        Horizontal slowness at the surface.
    """

    hypocentral_distance_km: float
    rupture_distance_km: float
    azimuth_deg: float
    p_s: float
    s_s: float
    p_slowness_s_km: float
    s_slowness_s_km: float

    def late(self, late_s: float) -> Path:
        """Let P be late by so much, and S by as much more as it is slower all the way."""
        return replace(
            self, p_s=self.p_s + late_s, s_s=self.s_s + late_s * self.s_s / max(self.p_s, 1e-9)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeAxis:
    """Samples of a record: where it begins after the origin, how fine, how long.

    Over the last ``fade_s`` seconds the source noise is faded out (first half) and silent (second
    half): a transform goes round in a circle, and what a filter still makes of a cut-off coda
    would come back at the start of the record.
    """

    start_s: float
    sampling_rate_hz: float
    samples: int
    fade_s: float

    def fade(self) -> Floats:
        """Return the factor that fades the end out, shape (samples,)."""
        to_end_s = np.arange(self.samples, 0, -1) / self.sampling_rate_hz
        share = np.clip(2.0 * to_end_s / self.fade_s - 1.0, 0.0, 1.0)
        factor: Floats = np.sin(0.5 * np.pi * share) ** 2
        return factor

    def since(self, time_s: float) -> Floats:
        """Time of each sample after ``time_s`` (which is after the origin)."""
        since: Floats = np.arange(self.samples) / self.sampling_rate_hz + (self.start_s - time_s)
        return since

    def frequencies_hz(self) -> Floats:
        """Frequencies of the real transform of the record."""
        step_hz = self.sampling_rate_hz / self.samples
        return np.arange(self.samples // 2 + 1, dtype=np.float64) * step_hz


def path_to(
    times: TravelTimes,
    source: PointSource,
    epicentral_distance_km: float,
    azimuth_deg: float,
) -> Path:
    """Work out distances, travel times and slownesses; ``azimuth_deg`` as in :class:`Path`."""
    depth_km = source.depth_km
    nearer = max(epicentral_distance_km - _SLOPE_STEP_KM, 0.0)
    distances = np.array([nearer, epicentral_distance_km, epicentral_distance_km + _SLOPE_STEP_KM])
    p_s, s_s = times.p_s(distances, depth_km), times.s_s(distances, depth_km)
    span_km = float(distances[2] - distances[0])
    nearest_km = np.hypot(rjb_by_strike_km(epicentral_distance_km, source.magnitude), depth_km)
    return Path(
        rupture_distance_km=float(np.exp(np.mean(np.log(np.maximum(nearest_km, _NEAREST_KM))))),
        hypocentral_distance_km=math.hypot(epicentral_distance_km, depth_km),
        azimuth_deg=azimuth_deg,
        p_s=float(p_s[1]),
        s_s=float(s_s[1]),
        p_slowness_s_km=float(p_s[2] - p_s[0]) / span_km,
        s_slowness_s_km=float(s_s[2] - s_s[0]) / span_km,
    )


def motion_spectra(
    axis: TimeAxis,
    region: Attenuation,
    source: PointSource,
    path: Path,
    p_rng: np.random.Generator,
    s_rng: np.random.Generator,
) -> Complexes:
    """Transform of the ground acceleration at a station, without noise.

    Returns
    -------
    numpy.ndarray of complex, shape (3, axis.samples // 2 + 1)
        Up, north, east in m/s**2, for :func:`numpy.fft.irfft`.
    """
    stress_drop_bar = source.stress_drop_bar or region.stress_drop_bar
    corner_hz = corner_frequency_hz(source.magnitude, stress_drop_bar, region.beta_kms)
    frequency_hz = axis.frequencies_hz()
    total = np.zeros((3, len(frequency_hz)), dtype=np.complex128)
    phases = (
        (
            region.p,
            region.alpha_kms,
            # The first seconds come from where the rupture began ...
            region.effective_distance_km(path.hypocentral_distance_km, source.magnitude),
            path.p_s,
            _p_direction(path, region.p),
            p_rng,
        ),
        (
            region.s,
            region.beta_kms,
            # ... the strongest shaking from the part of the fault that is nearest.
            region.effective_distance_km(path.rupture_distance_km, source.magnitude),
            path.s_s,
            _s_directions(path, region.s),
            s_rng,
        ),
    )
    for constants, velocity_kms, distance_km, arrival_s, directions, rng in phases:
        ray = Ray(
            phase=constants,
            velocity_kms=velocity_kms,
            distance_km=distance_km,
            corner_hz=corner_hz * constants.corner_ratio,
        )
        length_s = direct_length_s(region, ray)
        noise = _windowed_noise(axis, constants, arrival_s, length_s, directions, rng)
        total += np.fft.rfft(noise) * acceleration_spectrum(
            frequency_hz, region, ray, source.magnitude
        )
    return total


def _windowed_noise(
    axis: TimeAxis,
    constants: PhaseConstants,
    arrival_s: float,
    length_s: float,
    directions: Floats,
    rng: np.random.Generator,
) -> Floats:
    """White noise with a spectral density of 1, shaped as direct wave and coda, (3, samples).

    The direct wave moves along ``directions`` (3, k), one independent series for each; the coda
    has come from everywhere and moves each component for itself.
    """
    since_s = axis.since(arrival_s)
    first = int(np.searchsorted(since_s, 0.0))
    since_s = since_s[first:]
    rate_hz = axis.sampling_rate_hz
    n_direct = directions.shape[1]
    white = rng.standard_normal((n_direct + 3, len(since_s)))
    direct = white[:n_direct] * direct_window(since_s, length_s, rate_hz)
    coda = white[n_direct:] * coda_window(since_s, length_s, constants.coda_decay_s, rate_hz)
    in_coda = constants.coda_energy
    # Windows whose squares sum to 1 give a transform of 1; a spectrum is the transform over fs.
    wave = np.zeros((3, axis.samples))
    wave[:, first:] = rate_hz * math.sqrt(1.0 - in_coda) * (directions @ direct)
    wave[:, first:] += rate_hz * math.sqrt(in_coda / 3.0) * coda
    return wave * axis.fade()


def _p_direction(path: Path, constants: PhaseConstants) -> Floats:
    """Point P at the surface: a unit vector (up, north, east), shape (3, 1)."""
    sine, cosine = _incidence(path.p_slowness_s_km, constants)
    azimuth = math.radians(path.azimuth_deg)
    return np.array([[cosine], [sine * math.cos(azimuth)], [sine * math.sin(azimuth)]])


def _s_directions(path: Path, constants: PhaseConstants) -> Floats:
    """SV and SH as columns (up, north, east), each with half of the energy, shape (3, 2)."""
    sine, cosine = _incidence(path.s_slowness_s_km, constants)
    azimuth = math.radians(path.azimuth_deg)
    north, east = math.cos(azimuth), math.sin(azimuth)
    vectors = np.array([[-sine, 0.0], [cosine * north, -east], [cosine * east, north]])
    half: Floats = vectors * math.sqrt(0.5)
    return half


def _incidence(slowness_s_km: float, constants: PhaseConstants) -> tuple[float, float]:
    """Sine and cosine of the angle of the ray from the vertical at the surface."""
    sine = min(max(slowness_s_km * constants.surface_velocity_kms, 0.0), 1.0)
    return sine, math.sqrt(1.0 - sine * sine)
