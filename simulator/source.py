"""Size and corner frequency of a source, and filters that do not act before their time.

Brune (1970), as used by Boore (2003), https://doi.org/10.1007/PL00012553, with one change: all
factors are causal (minimum phase). With the usual zero-phase factors the long periods of a
magnitude 7 would come more than a second early, and a picker would pick that.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["corner_frequency_hz", "minimum_phase", "moment_nm"]

Floats = NDArray[np.float64]
Complexes = NDArray[np.complex128]

_BRUNE_SI = 0.49  # Brune (1970): fc = 0.49 beta (stress drop / moment)**(1/3), all SI
_PA_PER_BAR = 1e5
_LOG_FLOOR = -60.0  # a loss beyond e**-60 is nothing, and its logarithm must stay finite


def moment_nm(magnitude: float) -> float:
    """Seismic moment in N m of a moment magnitude (Hanks & Kanamori 1979)."""
    return float(10.0 ** (1.5 * magnitude + 9.05))


def corner_frequency_hz(magnitude: float, stress_drop_bar: float, beta_kms: float) -> float:
    """Corner frequency of S after Brune; M 6 with 100 bar at 3.5 km/s gives 0.356 Hz."""
    strain = stress_drop_bar * _PA_PER_BAR / moment_nm(magnitude)
    return float(_BRUNE_SI * beta_kms * 1e3 * strain ** (1.0 / 3.0))


def minimum_phase(log_amplitude: Floats) -> Complexes:
    """Give an amplitude spectrum the phase of the causal filter with the least delay.

    By the cepstrum: the part of it before time zero is folded onto the part after.

    Parameters
    ----------
    log_amplitude : numpy.ndarray, shape (n,)
        Natural logarithms at all frequencies of a real transform of even length.
    """
    cepstrum = np.fft.irfft(np.maximum(log_amplitude, _LOG_FLOOR))
    half = len(cepstrum) // 2
    cepstrum[1:half] *= 2.0
    cepstrum[half + 1 :] = 0.0
    phased: Complexes = np.exp(np.fft.rfft(cepstrum))
    return phased
