"""Random waves of a source at a station: P, SV, SH and their codas, each with its power in time.

Boore (2003), https://doi.org/10.1007/PL00012553, summed over subfaults. All of a phase is one
noise for each class of corner frequency: its power at any moment is the sum of the powers of the
subfaults whose waves pass. Everything is causal, so that nothing moves before the wave is there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from simulator.attenuation import Attenuation, PhaseConstants
from simulator.envelope import direct_power
from simulator.finite_fault import FiniteSource
from simulator.motion_kernels import power_in_time, scattered
from simulator.radiation import surface_response
from simulator.rays import Rays, Sight
from simulator.source import minimum_phase
from simulator.time_axis import TimeAxis

__all__ = ["Draws", "Path", "stochastic_spectra"]

Floats = NDArray[np.float64]
Complexes = NDArray[np.complex128]

_FREE_SURFACE = 2.0  # a wave and its reflection
_REACH = 3.2  # in lengths: what is left of the power after that is nothing
_STEPS = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Draws:
    """Chance at one station for one source."""

    p: np.random.Generator
    s: np.random.Generator


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Path:
    """What the way does to one phase.

    Attributes
    ----------
    velocity_kms : float
        At the source.
    distances_km, power : numpy.ndarray, shape (n,)
        Effective distance of each subfault, and the power it has at high frequency against one
        with all of the moment at 1 km.
    filter : numpy.ndarray of complex
        Loss and amplification, causal.
    """

    phase: PhaseConstants
    velocity_kms: float
    rays: Rays
    distances_km: Floats
    power: Floats
    filter: Complexes


def stochastic_spectra(
    axis: TimeAxis,
    source: FiniteSource,
    sight: Sight,
    region: Attenuation,
    paths: tuple[Path, Path],
    draws: Draws,
) -> Complexes:
    """Transform of the random ground acceleration, shape (3, m), up, north, east."""
    frequency_hz, warped_hz = axis.frequencies_hz(), axis.warped_hz()
    fade = axis.fade()
    total = np.zeros((3, len(frequency_hz)), dtype=np.complex128)
    for path, draw in zip(paths, (draws.p, draws.s), strict=True):
        power = _power(axis, source, region, path)
        coda = np.zeros_like(power)
        scattered(power, path.phase.coda_decay_s * axis.sampling_rate_hz, coda)
        ratio = path.phase.corner_ratio
        sources = [
            _brune(warped_hz, ratio * source.corner_hz, ratio * hz) for hz in source.corners_hz
        ]
        common = _plateau(source, region, path) * axis.sampling_rate_hz * path.filter
        if not source.is_point:
            common *= minimum_phase(source.log_conservation(frequency_hz / ratio))
        direct = _noise(power, len(path.rays.patterns), fade, sources, draw)
        in_coda = path.phase.coda_energy
        directions = _directions(sight, region, path)
        for wave, pattern, direction in zip(direct, path.rays.patterns, directions, strict=True):
            mean_square = path.phase.radiation**2 / len(path.rays.patterns)
            seen = float((path.power * pattern**2).sum() / path.power.sum()) / mean_square
            least = max(math.sqrt(seen), region.pattern_least)
            # the pattern at long periods, its mean where scattering has mixed the directions
            shelf = (least * region.pattern_hz + 1j * warped_hz) / (
                region.pattern_hz + 1j * warped_hz
            )
            amplitude = math.sqrt((1.0 - in_coda) * mean_square)
            total += direction[:, None] * (wave * shelf * (amplitude * common))
        mixed = _noise(coda, 3, fade, sources, draw)
        total += mixed * (math.sqrt(in_coda / 3.0) * path.phase.radiation * _FREE_SURFACE * common)
    return total


def _power(axis: TimeAxis, source: FiniteSource, region: Attenuation, path: Path) -> Floats:
    """Power of a phase in time for each class of corner; sums to that of the path."""
    phase = path.phase
    lengths_s = max(source.rise_s / phase.corner_ratio, phase.shortest_s) + (
        phase.duration_share * region.path_duration(path.distances_km)
    )
    power = np.zeros((len(source.corners_hz), axis.samples))
    power_in_time(
        axis.at(path.rays.arrivals_s),
        lengths_s * axis.sampling_rate_hz,
        path.power,
        source.classes,
        _shape(),
        _REACH,
        power,
    )
    return power


def _noise(
    power: Floats, n: int, fade: Floats, sources: list[Complexes], draw: np.random.Generator
) -> Complexes:
    """Transform ``n`` noises of that power, each class through its source; shape (n, m)."""
    total: Complexes = np.zeros((n, len(sources[0])), dtype=np.complex128)
    for row, spectrum in zip(power, sources, strict=True):
        passes = np.flatnonzero(row)
        if not len(passes):
            continue
        begin, end = int(passes[0]), int(passes[-1]) + 1
        wave = np.zeros((n, len(row)))
        white = draw.standard_normal((n, end - begin))
        wave[:, begin:end] = white * (np.sqrt(row) * fade)[begin:end]
        total += np.asarray(np.fft.rfft(wave) * spectrum, dtype=np.complex128)
    return total


def _plateau(source: FiniteSource, region: Attenuation, path: Path) -> float:
    """Displacement at long periods, 1 km away, for a radiation of 1, in m s."""
    velocity_mps = path.velocity_kms * 1e3
    moment = float(source.moments_nm.sum())
    strength = moment / (4.0 * np.pi * region.density_kgm3 * velocity_mps**3 * 1e3)
    return region.impedance * path.phase.amplitude * strength


def _brune(frequency_hz: Floats, corner_hz: float, dynamic_hz: float) -> Complexes:
    """Acceleration of Brune's source, or of one of another corner as strong at short periods."""
    once = (2j * np.pi * corner_hz) * frequency_hz / (dynamic_hz + 1j * frequency_hz)
    spectrum: Complexes = np.square(once)
    return spectrum


def _directions(sight: Sight, region: Attenuation, path: Path) -> list[Floats]:
    """Motion of the surface (up, north, east) under P, or SV and SH, of unit amplitude."""
    weights = path.power / path.power.sum()
    turn = np.radians(sight.away_deg)
    north, east = float((weights * np.cos(turn)).sum()), float((weights * np.sin(turn)).sum())
    size = max(math.hypot(north, east), 1e-9)
    north, east = north / size, east / size
    slowness = np.array((weights * path.rays.slowness_s_km).sum())
    (p_up, p_out), (sv_up, sv_out) = surface_response(
        slowness, region.p.surface_velocity_kms, region.s.surface_velocity_kms
    )
    if len(path.rays.patterns) == 1:
        return [np.array([float(p_up), float(p_out) * north, float(p_out) * east])]
    return [
        np.array([float(sv_up), -float(sv_out) * north, -float(sv_out) * east]),
        np.array([0.0, -_FREE_SURFACE * east, _FREE_SURFACE * north]),
    ]


@cache
def _shape() -> Floats:
    """Power of a direct wave over its length, integral 1, for the kernel."""
    shape = direct_power(np.linspace(0.0, _REACH, _STEPS + 1))
    shape.flags.writeable = False
    return shape
