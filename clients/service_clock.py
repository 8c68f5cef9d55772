"""What a device knows of the service's time, from signed heartbeats alone.

A signed heartbeat proves one thing: the service's time was ``sent_ns`` when it was written, so it
is at least that now. It proves nothing about how long it was on the way, or in a recording. Hence
the two directions are not alike. A clock that is *behind* is put forward by a single heartbeat,
which nobody can make early. A clock that is *ahead* is put back only by several that agree, heard
over longer than the time between two, and not by more than a limit: whoever replays a recorded
service next to the living one is contradicted by it before that, and whoever has silenced the
living one gains at most the limit. Heartbeats only count upwards, so the time a device goes by
never falls behind what it has been told. Heartbeats that arrive in a bunch, after a gap in the
network or a flood, count as one: otherwise they would push out those that prove the time.
"""

from __future__ import annotations

from collections import deque

from clients.policy import DevicePolicy

__all__ = ["ServiceClock"]

_NS_PER_S = 1_000_000_000


class ServiceClock:
    """The offset of one device's clock; times are the device's unless said otherwise, ns."""

    def __init__(self, rules: DevicePolicy) -> None:
        self._tolerance_ns = round(rules.clock_tolerance_s * _NS_PER_S)
        self._span_ns = round(rules.clock_span_s * _NS_PER_S)
        self._most_ns = round(rules.clock_most_back_s * _NS_PER_S)
        self._fresh_ns = round(rules.offline_s * _NS_PER_S)
        self._beats: deque[tuple[int, int]] = deque(maxlen=max(1, rules.clock_heartbeats))
        self._bunch_ns = self._span_ns // max(1, rules.clock_heartbeats)
        self._newest_sent_ns: int | None = None
        self._heard_ns: int | None = None

    def beat(self, sent_ns: int, now_ns: int) -> bool:
        """Take a heartbeat; False where it is not newer than one before, and changes nothing."""
        if self._newest_sent_ns is not None and sent_ns <= self._newest_sent_ns:
            return False
        self._newest_sent_ns = sent_ns
        self._heard_ns = now_ns
        lag_ns = now_ns - sent_ns
        if self._beats and 0 <= now_ns - self._beats[-1][0] < self._bunch_ns:
            began_ns, least_ns = self._beats[-1]
            self._beats[-1] = (began_ns, min(least_ns, lag_ns))
        else:
            self._beats.append((now_ns, lag_ns))
        return True

    @property
    def heard_ns(self) -> int | None:
        """When the last heartbeat was taken; None before the first."""
        return self._heard_ns

    @property
    def _measured(self) -> bool:
        """True where enough heartbeats have come over a long enough time."""
        beats = self._beats
        return len(beats) == beats.maxlen and beats[-1][0] - beats[0][0] >= self._span_ns

    @property
    def _lag_ns(self) -> int:
        """The smallest of the last few differences: a late heartbeat looks like a fast clock."""
        return min((lag_ns for _, lag_ns in self._beats), default=0)

    @property
    def offset_ns(self) -> int:
        """How far the device's clock is ahead of the service's; 0 while within tolerance."""
        lag_ns = self._lag_ns
        if lag_ns < -self._tolerance_ns:
            return lag_ns
        if self._measured and self._tolerance_ns < lag_ns <= self._most_ns:
            return lag_ns
        return 0

    @property
    def is_hopeless(self) -> bool:
        """True where the clock is ahead of the service by more than is ever put right."""
        return self._measured and self._lag_ns > self._most_ns

    def is_known(self, now_ns: int) -> bool:
        """Tell whether the service's time is known: measured, put right, and not long ago."""
        heard_ns = self.heard_ns
        if heard_ns is None or not self._measured or self.is_hopeless:
            return False
        return 0 <= now_ns - heard_ns <= self._fresh_ns

    def corrected_ns(self, now_ns: int) -> int:
        """Return the service's time for a time of the device."""
        corrected_ns = now_ns - self.offset_ns
        if self._newest_sent_ns is None:
            return corrected_ns
        return max(corrected_ns, self._newest_sent_ns - self._tolerance_ns)
