"""Uneven slip on a plane: a random field whose spectrum falls as the square of the wavenumber.

Mai & Beroza (2002), A spatial random field model to characterize complexity in earthquake slip,
https://doi.org/10.1029/2001JB000588; correlation lengths of theirs.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from simulator.attenuation import FiniteConstants

__all__ = ["slip_field"]

Floats = NDArray[np.float64]

_LEAST = 0.05  # of the mean: nothing inside the plane stays whole


def slip_field(
    rows: int,
    columns: int,
    length_km: float,
    width_km: float,
    rules: FiniteConstants,
    draw: np.random.Generator,
) -> Floats:
    """Share of each subfault in the moment.

    Parameters
    ----------
    length_km, width_km : float
        Of a subfault.

    Returns
    -------
    numpy.ndarray, shape (rows, columns)
        Down dip, along strike; positive, sums to 1.
    """
    white = draw.standard_normal((2 * rows, 2 * columns))  # the half used does not wrap round
    a, b = rules.correlation_km
    along_km, down_km = a + b * columns * length_km, a + b * rows * width_km
    k_down = np.fft.fftfreq(2 * rows, width_km)[:, None] * 2.0 * math.pi * down_km
    k_along = np.fft.fftfreq(2 * columns, length_km)[None, :] * 2.0 * math.pi * along_km
    shape = 1.0 / (1.0 + k_along**2 + k_down**2)
    field = np.fft.ifft2(np.fft.fft2(white) * shape).real[:rows, :columns]
    spread = float(field.std())
    if spread > 0.0:
        field = (field - field.mean()) / spread
    slip = np.maximum(1.0 + rules.slip_scatter * field, _LEAST)
    shares: Floats = slip / slip.sum()
    return shares
