"""What each device knows of the service's time, from signed heartbeats: on arrays.

``clients.service_clock.ServiceClock`` for many devices at once; any change there must be made here.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clients.crowd.slots import NEVER, Ints, Rows
from clients.policy import DevicePolicy

__all__ = ["CrowdClock"]

_NS_PER_S = 1_000_000_000
Flags = NDArray[np.bool_]


class CrowdClock:
    """The offsets of ``n`` clocks; times are each device's own unless said otherwise, ns."""

    def __init__(self, n: int, rules: DevicePolicy) -> None:
        self.tolerance_ns = round(rules.clock_tolerance_s * _NS_PER_S)
        self._span_ns = round(rules.clock_span_s * _NS_PER_S)
        self._most_ns = round(rules.clock_most_back_s * _NS_PER_S)
        self._fresh_ns = round(rules.offline_s * _NS_PER_S)
        self._n_kept = max(1, rules.clock_heartbeats)
        self._bunch_ns = self._span_ns // self._n_kept
        self._beat_ns = np.full((self._n_kept, n), NEVER, dtype=np.int64)  # when it was taken
        self._lag_ns = np.full((self._n_kept, n), np.iinfo(np.int64).max, dtype=np.int64)
        self._next = np.zeros(n, dtype=np.uint8)  # place of the oldest
        self._measured = np.zeros(n, dtype=np.bool_)
        self._hopeless = np.zeros(n, dtype=np.bool_)
        self._offset_ns = np.zeros(n, dtype=np.int64)
        # The service's time is at least this; by a tolerance below the newest heartbeat.
        self._least_ns = np.full(n, NEVER, dtype=np.int64)
        self._heard_ns = np.full(n, NEVER, dtype=np.int64)

    def beat(self, rows: Rows, sent_ns: int, now_ns: Ints) -> Flags:
        """Take a heartbeat; False where it is not newer than one before, and changes nothing."""
        least_ns = sent_ns - self.tolerance_ns
        newer: Flags = self._least_ns[rows] < least_ns
        if not newer.all():
            rows, now_ns = rows[newer], now_ns[newer]
        self._least_ns[rows] = least_ns
        self._heard_ns[rows] = now_ns
        oldest = self._next[rows]
        last = (oldest + (self._n_kept - 1)) % self._n_kept
        began_ns, least_lag_ns = self._beat_ns[last, rows], self._lag_ns[last, rows]
        is_bunch = (began_ns <= now_ns) & (began_ns > now_ns - self._bunch_ns)
        place = np.where(is_bunch, last, oldest)
        began_ns = np.where(is_bunch, began_ns, now_ns)
        self._beat_ns[place, rows] = began_ns
        lag_ns = now_ns - sent_ns
        self._lag_ns[place, rows] = np.where(is_bunch, np.minimum(least_lag_ns, lag_ns), lag_ns)
        oldest = (place + 1) % self._n_kept
        self._next[rows] = oldest
        first_ns = self._beat_ns[oldest, rows]
        full = first_ns != NEVER
        measured = full & (began_ns - np.where(full, first_ns, began_ns) >= self._span_ns)
        lag_ns = self._lag_ns[:, rows].min(axis=0)
        behind = lag_ns < -self.tolerance_ns
        ahead = measured & (lag_ns > self.tolerance_ns) & (lag_ns <= self._most_ns)
        self._measured[rows] = measured
        self._hopeless[rows] = measured & (lag_ns > self._most_ns)
        self._offset_ns[rows] = np.where(behind | ahead, lag_ns, 0)
        return newer

    def corrected_ns(self, rows: Rows, now_ns: Ints) -> Ints:
        """Return the service's times for times of the devices."""
        corrected: Ints = np.maximum(now_ns - self._offset_ns[rows], self._least_ns[rows])
        return corrected

    def is_known(self, rows: Rows, now_ns: Ints) -> Flags:
        """Tell which devices know the service's time: measured, put right, and not long ago."""
        heard_ns = self._heard_ns[rows]
        fresh = (heard_ns <= now_ns) & (heard_ns >= now_ns - self._fresh_ns)
        known: Flags = self._measured[rows] & ~self._hopeless[rows] & fresh
        return known

    def beats_go_on(self, device: int, now_ns: int) -> bool:
        """Tell whether a device hears the service's heart beat."""
        heard_ns = int(self._heard_ns[device])
        return heard_ns != NEVER and now_ns - heard_ns <= self.tolerance_ns

    def is_hopeless(self, device: int) -> bool:
        """Tell whether a clock is ahead by more than is ever put right."""
        return bool(self._hopeless[device])

    def is_off(self, device: int) -> bool:
        """Tell whether a clock is corrected."""
        return bool(self._offset_ns[device])

    @property
    def nbytes(self) -> int:
        """Memory of the arrays."""
        return sum(array.nbytes for array in vars(self).values() if isinstance(array, np.ndarray))
