"""Numba kernel of the shaking history: peaks between two seconds, station by station."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eew.core.jit import entry

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@entry
def peaks_between(
    peaks: FloatArray, seconds: IntArray, first: IntArray, last: IntArray, out: FloatArray
) -> None:
    """Fill ``out`` (n, 4) with the largest peaks of the seconds ``first`` to ``last`` (n,).

    Parameters
    ----------
    peaks : (n, span, 4) ring of peaks; the place of a second is its remainder by the span.
    seconds : (n, span) which second a place holds.
    """
    n, span, _ = peaks.shape
    for i in range(n):
        for c in range(4):
            out[i, c] = 0.0
        # no more than one turn of the ring, the newest one
        for second in range(max(first[i], last[i] - span + 1), last[i] + 1):
            at = second % span
            if seconds[i, at] == second:
                for c in range(4):
                    out[i, c] = max(out[i, c], peaks[i, at, c])
