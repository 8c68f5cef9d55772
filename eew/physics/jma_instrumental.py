"""JMA instrumental intensity from a three-component record (JMA 1996)."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eew.errors import DataError
from eew.physics.motion import CM, floats
from eew.tables import load_table

__all__ = ["jma_filter", "jma_instrumental", "jma_reported"]

Floats = NDArray[np.float64]


def jma_filter(frequency_hz: ArrayLike) -> Floats:
    """Gain of JMA's intensity filter; 0 at 0 Hz."""
    k = _table()
    f = floats(frequency_hz)
    safe = np.where(f > 0.0, f, 1.0)
    period_effect = np.sqrt(1.0 / safe)
    low_cut = np.sqrt(-np.expm1(-((safe / k["low_cut_hz"]) ** 3)))
    y_squared = (safe / k["high_cut_hz"]) ** 2
    high_cut = 1.0 / np.sqrt(np.polynomial.polynomial.polyval(y_squared, k["high_cut"]))
    return np.where(f > 0.0, period_effect * low_cut * high_cut, 0.0)


def jma_instrumental(acceleration_mps2: ArrayLike, sampling_rate_hz: float) -> float:
    """Instrumental intensity of a record.

    Parameters
    ----------
    acceleration_mps2 : array_like, shape (3, n)
        Three components in m/s**2, of the whole event: the filter is applied in the frequency
        domain to the record as it is.
    sampling_rate_hz : float
        > 0.

    Returns
    -------
    float
        Intensity, not rounded (see :func:`jma_reported`); ``-inf`` for a record of zeros.

    Raises
    ------
    DataError
        If the shape is another, samples are not finite, or the record is shorter than 0.3 s.
    """
    k = _table()
    record = floats(acceleration_mps2)
    if record.ndim != 2 or record.shape[0] != 3:
        raise DataError("acceleration_mps2", f"must have shape (3, n), has {record.shape}")
    n_hold = math.floor(k["hold_s"] * sampling_rate_hz)
    if not 1 <= n_hold <= record.shape[1]:
        raise DataError(
            "acceleration_mps2",
            f"{record.shape[1]} samples at {sampling_rate_hz!r} Hz do not hold {k['hold_s']} s",
        )
    if not np.isfinite(record).all():
        raise DataError("acceleration_mps2", "holds samples that are not finite")
    n = record.shape[1]
    spectrum = np.fft.rfft(record / CM, axis=1)
    gain = jma_filter(np.fft.rfftfreq(n, 1.0 / sampling_rate_hz))
    filtered = np.fft.irfft(spectrum * gain, n, axis=1)
    vector = np.sqrt((filtered**2).sum(axis=0))
    held_gal = float(np.partition(vector, n - n_hold)[n - n_hold])
    return 2.0 * math.log10(held_gal) + k["offset"] if held_gal > 0.0 else -math.inf


def jma_reported(intensity: float) -> float:
    """Intensity as JMA prints it: third decimal rounded, second cut off."""
    return math.floor(math.floor(intensity * 100.0 + 0.5) / 10.0) / 10.0


@cache
def _table() -> dict[str, Any]:
    table: dict[str, Any] = load_table("intensity")["jma"]
    return table
