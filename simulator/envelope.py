"""How the energy of the direct wave from a subfault is spread over time."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["direct_power"]

Floats = NDArray[np.float64]

# Saragoni & Hart (1974) with the shape Boore (2003) uses: the window is highest at EPSILON of
# its length and has fallen to ETA of that at its end, which is twice the nominal length.
_EPSILON, _ETA, _STRETCH = 0.2, 0.05, 2.0
_POWER = -_EPSILON * math.log(_ETA) / (1.0 + _EPSILON * (math.log(_EPSILON) - 1.0))


def direct_power(lengths: Floats) -> Floats:
    """Power of the direct wave over its nominal lengths since the onset; its integral is 1.

    Grows as a power of time from the onset, so that a source that lasts ten seconds has shown
    little of itself after one; falls off exponentially. Zero before the onset.
    """
    share = np.maximum(lengths, 0.0) / _STRETCH
    decay = _POWER / _EPSILON
    power = 2.0 * _POWER + 1.0
    energy = _STRETCH * math.gamma(power) / (2.0 * decay) ** power
    result: Floats = share ** (2.0 * _POWER) * np.exp(-2.0 * decay * share) / energy
    return result
