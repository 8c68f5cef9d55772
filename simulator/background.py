"""What a station records when nothing happens: ground noise, its neighbourhood, its own noise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.fft import next_fast_len

from simulator.bursts import burst_rate_per_s, urban_bursts
from simulator.instrument import Instrument
from simulator.noise import noise_amplitude, noise_spectrum
from simulator.seeds import rng
from simulator.site_class import burst_shape, site_class

__all__ = ["background", "noise_level"]

Floats = NDArray[np.float64]


def noise_level(class_name: str, seed: int, code: str) -> float:
    """Draw the share between the noise models at which a station of a class stands, 0 to 1."""
    chosen = site_class(class_name)
    away = float(rng(seed, "site-class", code).uniform(-1.0, 1.0))
    return min(max(chosen.level + chosen.spread * away, 0.0), 1.0)


def background(
    instrument: Instrument,
    *,
    seed: int,
    code: str,
    level: float,
    class_name: str,
    samples: int,
    sampling_rate_hz: float,
    start_ns: int,
    lon: float,
) -> Floats:
    """Noise of ground and instrument on three components.

    Parameters
    ----------
    seed, code : int, str
        Of the run, of the station (``NET.STA``): chance is drawn from streams of their own.
    level : float
        Share between the noise models where ``class_name`` is empty.
    class_name : str
        Table of ``site_classes.toml``: draws the level and adds bursts.
    start_ns, lon : int, float
        Beginning of the record (UTC) and longitude: bursts follow the local day.

    Returns
    -------
    numpy.ndarray, shape (3, samples)
        Up, north, east in m/s**2; the instrument's noise as the ground motion it looks like.
    """
    if class_name:
        level = noise_level(class_name, seed, code)
    length = next_fast_len(samples, real=True)
    frequency_hz = np.arange(length // 2 + 1, dtype=np.float64) * (sampling_rate_hz / length)
    floor = noise_amplitude(frequency_hz, level, instrument.self_noise_psd(frequency_hz))
    draw = rng(seed, "noise", code)
    spectra = [noise_spectrum(floor, length, sampling_rate_hz, draw) for _ in range(3)]
    noise: Floats = np.fft.irfft(np.array(spectra), length)[:, :samples]
    if class_name:
        site, shape = site_class(class_name), burst_shape()
        noise += urban_bursts(
            site,
            shape,
            rate_per_s=burst_rate_per_s(site, shape, start_ns, lon),
            samples=samples,
            sampling_rate_hz=sampling_rate_hz,
            rng=rng(seed, "bursts", code),
        )
    return noise
