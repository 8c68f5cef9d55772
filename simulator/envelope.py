"""How the energy of a phase is spread over time: the direct wave, and the coda behind it."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["coda_window", "direct_window"]

Floats = NDArray[np.float64]

# Saragoni & Hart (1974) with the shape Boore (2003) uses: the window is highest at EPSILON of
# its length and has fallen to ETA of that at its end, which is twice the nominal length.
_EPSILON, _ETA, _STRETCH = 0.2, 0.05, 2.0
_POWER = -_EPSILON * math.log(_ETA) / (1.0 + _EPSILON * (math.log(_EPSILON) - 1.0))


def direct_window(since_onset_s: Floats, length_s: float, sampling_rate_hz: float) -> Floats:
    """Window of the direct wave; its squares sum to 1 over all time.

    Grows as a power of time from the onset, so that a source that lasts ten seconds has shown
    little of itself after one; falls off exponentially. Zero before the onset.

    Parameters
    ----------
    since_onset_s : numpy.ndarray, shape (n,)
        Time of each sample after the onset.
    length_s : float
        Nominal length of the wave, > 0.
    """
    stretch_s = _STRETCH * length_s
    share = np.maximum(since_onset_s, 0.0) / stretch_s
    decay = _POWER / _EPSILON
    power = 2.0 * _POWER + 1.0
    energy_s = stretch_s * math.gamma(power) / (2.0 * decay) ** power
    window: Floats = share**_POWER * np.exp(-decay * share)
    return window / math.sqrt(energy_s * sampling_rate_hz)


def coda_window(
    since_onset_s: Floats, length_s: float, decay_s: float, sampling_rate_hz: float
) -> Floats:
    """Window of the scattered wave; its squares sum to 1 over all time.

    Rises with the direct wave, then falls to 1/e of its amplitude every ``decay_s``.
    """
    since = np.maximum(since_onset_s, 0.0)
    rise, fall = 2.0 / length_s, 1.0 / decay_s
    energy_s = 0.5 / fall - 2.0 / (rise + 2.0 * fall) + 0.5 / (rise + fall)
    window: Floats = -np.expm1(-rise * since) * np.exp(-fall * since)
    return window / math.sqrt(energy_s * sampling_rate_hz)
