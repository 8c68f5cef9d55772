"""How strongly each station has shaken, second by second, for the last minutes.

Peaks since an event's P wave, and peaks of the last few seconds, both come out of it; a peak is
kept under the second of data in which its block of samples ends.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eew.core.history_kernels import peaks_between

__all__ = ["PGA", "PGA_VECTOR", "PGV", "PGV_VECTOR", "ShakingHistory"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

PGA, PGV, PGA_VECTOR, PGV_VECTOR = range(4)  # last axis; m/s**2 and m/s
_SPAN_S = 300  # longer than the life of an event
_NS = 1_000_000_000
_NEVER = -(2**62)


class ShakingHistory:
    """Peaks of all stations.

    Parameters
    ----------
    n_stations : int
        Rows.

    Attributes
    ----------
    largest : numpy.ndarray, shape (n_stations, 4)
        Since the records began.
    end_ns : numpy.ndarray of int64, shape (n_stations,)
        End of the newest block.
    clipped_ns : numpy.ndarray of int64, shape (n_stations,)
        End of the newest block that was clipped.
    """

    def __init__(self, n_stations: int) -> None:
        self.largest: FloatArray = np.zeros((n_stations, 4))
        self.end_ns: IntArray = np.full(n_stations, _NEVER, dtype=np.int64)
        self.clipped_ns: IntArray = np.full(n_stations, _NEVER, dtype=np.int64)
        self._peaks: FloatArray = np.zeros((n_stations, _SPAN_S, 4))
        self._second: IntArray = np.full((n_stations, _SPAN_S), _NEVER, dtype=np.int64)

    def note(
        self, row: int, end_ns: int, peaks: tuple[float, float, float, float], *, clipped: bool
    ) -> None:
        """Take in the peaks of one block of samples that ends at ``end_ns``."""
        second = end_ns // _NS
        at = second % _SPAN_S
        if self._second[row, at] != second:
            self._second[row, at] = second
            self._peaks[row, at] = 0.0
        self._peaks[row, at] = np.maximum(self._peaks[row, at], peaks)
        self.largest[row] = np.maximum(self.largest[row], peaks)
        self.end_ns[row] = end_ns
        if clipped:
            self.clipped_ns[row] = end_ns

    def between(self, from_ns: IntArray | int, until_ns: IntArray | int) -> FloatArray:
        """Largest motion of each station in a span of time, shape (n_stations, 4).

        Parameters
        ----------
        from_ns, until_ns : int or numpy.ndarray of int64, shape (n_stations,)
            One for all, or one for each station. Seconds that lie partly inside count whole.
        """
        peaks = np.empty((self.end_ns.size, 4))
        first, last = (self._seconds(at_ns) for at_ns in (from_ns, until_ns))
        peaks_between(self._peaks, self._second, first, last, peaks)
        return peaks

    def _seconds(self, at_ns: IntArray | int) -> IntArray:
        each = np.broadcast_to(np.asarray(at_ns, dtype=np.int64), self.end_ns.shape)
        return np.ascontiguousarray(each // _NS)
