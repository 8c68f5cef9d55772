"""The low-pass of a digitiser before its samples: causal, so that nothing moves before the wave.

A filter of minimum phase has the least delay that its gain allows. The zero-phase filters of many
recorders ring before a sharp onset, and a picker would pick that.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["low_pass", "low_pass_taps", "minimum_phase_response"]

Floats = NDArray[np.float64]

_TAPS = 64  # what is left behind them is below 1e-4 for the filters of instruments.toml
_DESIGN = 4096  # samples in which the response is worked out, long against the taps
_LEAST = 1e-6  # -120 dB: a gain of 0 has no logarithm


def minimum_phase_response(gain: Floats) -> Floats:
    """Impulse response of the causal filter of least delay with a given gain.

    Parameters
    ----------
    gain : numpy.ndarray, shape (n // 2 + 1,)
        From 0 to the Nyquist frequency in equal steps, > 0.

    Returns
    -------
    numpy.ndarray, shape (n,)
        By folding the part of the cepstrum before time zero onto the part after it (Oppenheim &
        Schafer, Discrete-time signal processing).
    """
    cepstrum = np.fft.irfft(np.log(np.maximum(gain, _LEAST)))
    half = len(cepstrum) // 2
    cepstrum[1:half] *= 2.0
    cepstrum[half + 1 :] = 0.0
    response: Floats = np.fft.irfft(np.exp(np.fft.rfft(cepstrum)))
    return response


@cache
def low_pass_taps(band_share: float, order: float, integrated: bool = False) -> tuple[float, ...]:
    """Coefficients of a low-pass, by the share of the Nyquist frequency where it is at -3 dB.

    Parameters
    ----------
    order : float
        Gain is ``1 / sqrt(1 + (f / corner)**(2 order))``.
    integrated : bool
        Make up for what summing by trapezoids loses, up to the corner.
    """
    share = np.linspace(0.0, 1.0, _DESIGN // 2 + 1)
    gain = 1.0 / np.sqrt(1.0 + (share / band_share) ** (2.0 * order))
    if integrated:
        half = 0.5 * np.pi * np.minimum(share[1:], band_share)
        gain[1:] *= np.tan(half) / half
    taps = minimum_phase_response(gain)[:_TAPS]
    return tuple((taps * (gain[0] / taps.sum())).tolist())  # a constant passes as it is


def low_pass(trace: Floats, taps: tuple[float, ...]) -> Floats:
    """Filter the last axis; before its first sample the trace is taken as constant."""
    from scipy.signal import lfilter  # half a second, not for every command

    before = np.repeat(trace[..., :1], len(taps), axis=-1)
    filtered: Floats = lfilter(taps, [1.0], np.concatenate((before, trace), axis=-1), axis=-1)
    return filtered[..., len(taps) :]
