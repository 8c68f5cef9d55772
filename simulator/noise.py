"""Background noise of a station: between the low and the high noise model, plus the instrument.

Gaussian, with a power spectral density as large as a share of the way from Peterson's (1993)
New Low to his New High Noise Model, in dB. The self-noise of the instrument is added in power.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from eew.tables import load_table

__all__ = ["noise_amplitude", "noise_psd_db", "noise_spectrum"]

Floats = NDArray[np.float64]
Complexes = NDArray[np.complex128]


@cache
def _model(name: str) -> tuple[Floats, Floats]:
    period_s, db = np.transpose(load_table("seismic_noise")[name])
    return np.log10(period_s), db


def noise_psd_db(frequency_hz: Floats, level: float) -> Floats:
    """Power spectral density of ground acceleration.

    Parameters
    ----------
    frequency_hz : numpy.ndarray
        In Hz, >= 0. Above 10 Hz and below 1/600 Hz the nearest value of the models is held.
    level : float
        0 is the low noise model, 1 the high one; straight in dB between them.

    Returns
    -------
    numpy.ndarray
        dB relative to 1 (m/s**2)**2/Hz.
    """
    log_period = -np.log10(np.maximum(frequency_hz, 1e-5))
    low = np.interp(log_period, *_model("low_noise_db"))
    high = np.interp(log_period, *_model("high_noise_db"))
    return low + level * (high - low)


def noise_amplitude(frequency_hz: Floats, level: float, self_noise_psd: float | Floats) -> Floats:
    """Square root of the one-sided density of ground and instrument, m/s**2 per sqrt(Hz).

    ``self_noise_psd`` is in (m/s**2)**2/Hz, for each frequency or for all. The constant part
    (0 Hz) is left out.
    """
    density = 10.0 ** (noise_psd_db(frequency_hz, level) / 10.0) + self_noise_psd
    return np.where(frequency_hz > 0.0, np.sqrt(density), 0.0)


def noise_spectrum(
    amplitude: Floats, samples: int, sampling_rate_hz: float, rng: np.random.Generator
) -> Complexes:
    """Transform of a piece of Gaussian noise with the given density.

    Parameters
    ----------
    amplitude : numpy.ndarray, shape (samples // 2 + 1,)
        From :func:`noise_amplitude`.
    samples : int
        Length in samples of the piece that the inverse transform gives.

    Returns
    -------
    numpy.ndarray of complex, shape (samples // 2 + 1,)
        For :func:`numpy.fft.irfft`, in m/s**2.
    """
    # One-sided density G: E|X_k|**2 = G * N * fs / 2, shared by real and imaginary part.
    pairs = rng.standard_normal((len(amplitude), 2)).view(np.complex128)[:, 0]
    spectrum: Complexes = pairs * (amplitude * np.sqrt(samples * sampling_rate_hz / 4.0))
    return spectrum
