"""Passing vehicles and machines: bursts of narrow-band noise, by a Poisson rate that has a day."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from eew.clock import NS_PER_S
from simulator.site_class import Burst, SiteClass

__all__ = ["burst_rate_per_s", "urban_bursts"]

Floats = NDArray[np.float64]

_DEG_PER_HOUR = 15.0
_HOURS = 24
_HOUR_S = 3600.0
# A Gaussian falls to a hundredth at 3.03 of its standard deviations.
_LENGTHS_IN_SIGMA = 2.0 * math.sqrt(2.0 * math.log(100.0))
_LONGEST_S = 120.0  # nothing drawn is longer: a burst may have begun before the record


def burst_rate_per_s(site: SiteClass, shape: Burst, time_ns: int, lon: float) -> float:
    """Rate of bursts at a moment: the class's mean times the share of the local solar hour.

    Parameters
    ----------
    time_ns : int
        UTC, ns.
    lon : float
        Degrees east.
    """
    hour = (time_ns / NS_PER_S / _HOUR_S + lon / _DEG_PER_HOUR) % _HOURS
    return site.bursts_per_hour * shape.by_hour[int(hour) % _HOURS] / _HOUR_S


def urban_bursts(
    site: SiteClass,
    shape: Burst,
    *,
    rate_per_s: float,
    samples: int,
    sampling_rate_hz: float,
    rng: np.random.Generator,
) -> Floats:
    """Acceleration of all bursts heard in a record.

    Each is Gaussian noise of its band under a Gaussian envelope, the same source on three
    components with shares of their own.

    Parameters
    ----------
    rate_per_s : float
        From :func:`burst_rate_per_s`; held over the record.

    Returns
    -------
    numpy.ndarray, shape (3, samples)
        m/s**2.
    """
    total = np.zeros((3, samples))
    length_s = samples / sampling_rate_hz
    count = rng.poisson(rate_per_s * (length_s + _LONGEST_S))
    for _ in range(count):
        centre_s = rng.uniform(-0.5 * _LONGEST_S, length_s + 0.5 * _LONGEST_S)
        duration_s = shape.duration_s * 10.0 ** (shape.duration_sigma_log10 * rng.standard_normal())
        peak_mps2 = site.burst_peak_mps2 * 10.0 ** (shape.peak_sigma_log10 * rng.standard_normal())
        centre_hz = math.exp(rng.uniform(*np.log(shape.centre_hz)))
        shares = rng.uniform(0.3, 1.0, 3)
        own = np.random.Generator(np.random.PCG64(int(rng.integers(2**63))))
        half = 0.5 * min(duration_s, _LONGEST_S)
        first = max(0, math.floor((centre_s - half) * sampling_rate_hz))
        last = min(samples, math.ceil((centre_s + half) * sampling_rate_hz))
        if last <= first:
            continue
        since_s = np.arange(first, last) / sampling_rate_hz - centre_s
        envelope = np.exp(-0.5 * (since_s * _LENGTHS_IN_SIGMA / (2.0 * half)) ** 2)
        band = _band_noise(centre_hz, shape.bandwidth_octaves, last - first, sampling_rate_hz, own)
        wave = band * envelope
        largest = float(np.abs(wave).max())
        if largest > 0.0:  # a band above the Nyquist frequency leaves nothing
            # a burst that is cut off by the record's end has its peak where it is highest
            scale = peak_mps2 * float(envelope.max()) / largest
            total[:, first:last] += scale * shares[:, None] * wave
    return total


def _band_noise(
    centre_hz: float,
    octaves: float,
    samples: int,
    sampling_rate_hz: float,
    rng: np.random.Generator,
) -> Floats:
    """Noise within a band that is even on the logarithm of frequency."""
    size = 1 << max(1, math.ceil(math.log2(samples)))
    frequency_hz = np.fft.rfftfreq(size, 1.0 / sampling_rate_hz)
    away = np.log2(np.maximum(frequency_hz, 1e-3) / centre_hz) / (0.5 * octaves)
    spectrum = rng.standard_normal((len(frequency_hz), 2)).view(np.complex128)[:, 0]
    noise: Floats = np.fft.irfft(spectrum * np.exp(-0.5 * away**2), size)
    return noise[:samples]
