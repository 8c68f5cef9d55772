"""A far, large quake: a long wave train that crosses the network faster than any local P.

Nothing of it is of use to people nearby, and a detector that takes it for a local quake alerts a
whole country for nothing. Recorded ones are few and fixed; here the speed and size are free.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eew.clock import NS_PER_S
from eew.model.waveform import Channel, Recording
from eew.physics.geo import azimuth_deg, epicentral_distance_km
from simulator.faults import edited
from simulator.nuisance import ground_counts
from simulator.seeds import rng

__all__ = ["WaveTrain", "teleseism"]

Floats = NDArray[np.float64]

_RATE_HZ = 20.0  # the train is made once for all stations; it holds nothing above a few Hz
_T_STAR_S = 0.8  # loss in the mantle: exp(-pi f t*)
_SURFACE_KMS = 3.5  # as the P waves of the computed quakes
_SHARED = 0.9  # of the amplitude is the same at all stations, the rest is scattered at each


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveTrain:
    """Far P waves.

    Attributes
    ----------
    apparent_velocity_kms : float
        Speed along the surface: 8 km/s from 1,500 km away, 24 km/s from 10,000 km.
    backazimuth_deg : float
        Where they come from, seen from the network.
    peak_displacement_m : float
        Largest vertical displacement; 0.1 to 1 mm for an M8.
    corner_hz : float
        Corner frequency of the source: 0.05 Hz is an M7.5, 0.02 Hz an M8.3.
    rise_s, fall_s : float
        How the train swells, and falls to 1/e.
    """

    apparent_velocity_kms: float
    backazimuth_deg: float
    peak_displacement_m: float
    corner_hz: float = 0.04
    rise_s: float = 8.0
    fall_s: float = 40.0


def teleseism(recording: Recording, train: WaveTrain, *, at_ns: int, seed: int) -> Recording:
    """Add a plane wave that reaches the middle of the network at ``at_ns`` (UTC ns).

    Parameters
    ----------
    seed : int
        Of the run; draws the wave's shape.
    """
    last_s = (recording.end_ns - at_ns) / NS_PER_S
    long_s = 2.0 * max(train.fall_s * 5.0, last_s + 120.0)
    shared = _wave(train, long_s, rng(seed, "teleseism"))
    lats = np.array([station.lat for station in recording.stations])
    lons = np.array([station.lon for station in recording.stations])
    lat, lon = float(lats.mean()), float(lons.mean())
    for station, distance_km, azimuth in zip(
        recording.stations,
        epicentral_distance_km(lat, lon, lats, lons),
        np.radians(azimuth_deg(lat, lon, lats, lons)),
        strict=True,
    ):
        towards_source = np.cos(azimuth - np.radians(train.backazimuth_deg))
        late_s = -float(distance_km * towards_source) / train.apparent_velocity_kms
        own = _wave(train, long_s, rng(seed, "teleseism", station.code))
        wave = _SHARED * shared + (1.0 - _SHARED) * own
        recording = edited(recording, [station.code], at_ns, _Arrival(train, wave, late_s))
    return recording


@dataclass(frozen=True, slots=True, eq=False)
class _Arrival:
    """The wave (m/s**2 along the ray) as one station feels it."""

    train: WaveTrain
    wave: Floats
    late_s: float

    def __call__(self, channel: Channel, since_s: Floats, counts: Floats) -> Floats:
        times_s = np.arange(len(self.wave)) / _RATE_HZ
        along = np.interp(since_s - self.late_s, times_s, self.wave, left=0.0, right=0.0)
        sine = min(_SURFACE_KMS / self.train.apparent_velocity_kms, 1.0)
        away = np.radians(self.train.backazimuth_deg + 180.0)
        direction = (np.sqrt(1.0 - sine**2), sine * np.cos(away), sine * np.sin(away))
        share = direction[channel.component.value]
        return counts + ground_counts(channel, along * share)


def _wave(train: WaveTrain, long_s: float, draw: np.random.Generator) -> Floats:
    """Acceleration at 20 Hz: noise with the spectrum of a far quake, swelling and fading."""
    n = round(long_s * _RATE_HZ)
    times_s = np.arange(n) / _RATE_HZ
    window = -np.expm1(-times_s / train.rise_s) * np.exp(-times_s / train.fall_s)
    spectrum = np.fft.rfft(draw.standard_normal(n) * window)
    frequency_hz = np.fft.rfftfreq(n, 1.0 / _RATE_HZ)
    # causal (minimum phase for the source), so that nothing comes before the wave
    source = 1.0 / (1.0 + 1j * frequency_hz / train.corner_hz) ** 2
    rise = (1j * frequency_hz / (0.25 * train.corner_hz + 1j * frequency_hz)) ** 2
    loss = np.exp(-np.pi * frequency_hz * _T_STAR_S)
    spectrum *= source * rise * loss
    displacement = np.fft.irfft(spectrum, n)
    scale = train.peak_displacement_m / np.abs(displacement).max()
    omega = 2.0 * np.pi * frequency_hz
    acceleration: Floats = np.fft.irfft(-(omega**2) * spectrum, n) * scale
    return acceleration
