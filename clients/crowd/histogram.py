"""Latencies of millions of deliveries in a few kilobytes, to three significant digits.

A log-linear histogram: below 2,048 us every microsecond has a bucket of its own, above that every
doubling has 1,024, so that a value is known to 1 part in 1,024. Histograms of processes are added
up. The layout is that of HdrHistogram (G. Tene, https://hdrhistogram.org), in whole microseconds.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Histogram"]

_HALF_BITS = 10
_HALF = 1 << _HALF_BITS  # buckets for each doubling
_LONGEST_US = 3_600_000_000  # one hour; more is counted as one hour


class Histogram:
    """Counts of durations, in us.

    Examples
    --------
    >>> seen = Histogram()
    >>> seen.add_ns([1_000_000, 2_000_000, 3_000_000])
    >>> seen.quantile_ms(0.5)
    2.0
    """

    def __init__(self) -> None:
        # As far as the longest that was counted: with all 24 doublings each takes 200 kB.
        self._counts: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self._least_us = _LONGEST_US
        self._most_us = 0

    def add_ns(self, durations_ns: ArrayLike) -> None:
        """Count durations in ns; a negative one (clocks that differ) counts as 0."""
        values = np.asarray(durations_ns, dtype=np.int64) // 1000
        if not values.size:
            return
        values = np.clip(values, 0, _LONGEST_US)
        self._least_us = min(self._least_us, int(values.min()))
        self._most_us = max(self._most_us, int(values.max()))
        found, times = np.unique(_bucket(values), return_counts=True)
        self._make_room(int(found[-1]))
        self._counts[found] += times

    def merge(self, other: Histogram) -> None:
        """Add the counts of another histogram."""
        self._make_room(other._counts.size - 1)
        self._counts[: other._counts.size] += other._counts
        self._least_us = min(self._least_us, other._least_us)
        self._most_us = max(self._most_us, other._most_us)

    def _make_room(self, bucket: int) -> None:
        missing = (bucket // _HALF + 1) * _HALF - self._counts.size
        if missing > 0:
            self._counts = np.concatenate((self._counts, np.zeros(missing, dtype=np.int64)))

    @property
    def n(self) -> int:
        """How many were counted."""
        return int(self._counts.sum())

    def quantile_ms(self, share: float) -> float | None:
        """Return the smallest duration that ``share`` of all do not exceed, ms; None if empty.

        At most 1 part in 1,024 above the exact value, never below, and never above the maximum.
        """
        n = self.n
        if not n:
            return None
        rank = max(1, int(np.ceil(share * n - 1e-9)))
        bucket = int(np.searchsorted(np.cumsum(self._counts), rank))
        return float(min(_highest_us(bucket), self._most_us)) / 1000.0

    @property
    def max_ms(self) -> float | None:
        """The longest, ms; None if empty."""
        return self._most_us / 1000.0 if self.n else None

    def summary(self) -> dict[str, float | None]:
        """Return p50, p90, p99 and max, in ms."""
        return {
            "p50_ms": self.quantile_ms(0.5),
            "p90_ms": self.quantile_ms(0.9),
            "p99_ms": self.quantile_ms(0.99),
            "max_ms": self.max_ms,
        }

    def to_json(self) -> dict[str, Any]:
        """Return what :meth:`from_json` takes: only buckets in which there is something."""
        filled = np.flatnonzero(self._counts)
        return {
            "unit": "us",
            "min": self._least_us if filled.size else None,
            "max": self._most_us if filled.size else None,
            "buckets": [[int(low), int(count)] for low, count in self._rows(filled)],
        }

    def _rows(self, filled: NDArray[np.intp]) -> zip[tuple[Any, Any]]:
        return zip([_highest_us(int(b)) for b in filled], self._counts[filled], strict=True)

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        """Return the histogram that :meth:`to_json` wrote."""
        made = cls()
        if document["buckets"]:
            values, counts = np.array(document["buckets"], dtype=np.int64).T
            buckets = _bucket(values)
            made._make_room(int(buckets.max()))
            made._counts[buckets] = counts
            made._least_us, made._most_us = document["min"], document["max"]
        return made


def _bucket(values_us: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the bucket of each value; ``frexp`` is exact for whole numbers below 2**53."""
    exponent = np.frexp(values_us.astype(np.float64))[1].astype(np.int64)  # bit length
    shift = np.maximum(exponent - _HALF_BITS - 1, 0)
    buckets: NDArray[np.int64] = shift * _HALF + (values_us >> shift)
    return buckets


def _highest_us(bucket: int) -> int:
    """Return the largest value of a bucket."""
    if bucket < 2 * _HALF:
        return bucket
    shift = bucket // _HALF - 1
    low = bucket - shift * _HALF
    return ((low + 1) << shift) - 1
