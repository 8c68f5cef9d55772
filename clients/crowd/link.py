"""Whether each device hears the service, and whether its own clock can be trusted: on arrays.

The second half of ``clients.session.DeviceSession``; any change there must be made here.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clients.crowd.clock import CrowdClock
from clients.crowd.slots import NEVER, Ints, Rows
from clients.policy import DevicePolicy
from clients.session import Link, link_state, silence_s

__all__ = ["CrowdLink"]

_LAST_NS = 2**62
_UNKNOWN = np.uint64(0)


class CrowdLink:
    """Signs of life of ``n`` devices; times are each device's own, ns."""

    def __init__(self, n: int, rules: DevicePolicy, *, follow_heartbeat: bool) -> None:
        self._n = n
        self._rules = rules
        self._follow = follow_heartbeat
        self.clock = CrowdClock(n, rules)
        self._heard_ns = np.full(n, NEVER, dtype=np.int64)
        self._offline = np.zeros(n, dtype=np.bool_)
        self._future = np.zeros(n, dtype=np.bool_)
        # Of each service, by name: time and kind of its last word as one number, 0 for none.
        self._status: dict[str, NDArray[np.uint64]] = {}

    def heard(self, rows: Rows, now_ns: Ints) -> None:
        """Note a sign of life."""
        self._heard_ns[rows] = np.maximum(self._heard_ns[rows], now_ns)

    def note_future(self, rows: Rows, issued_ns: int, service_ns: Ints) -> None:
        """Note whether a message comes from the future: the clock cannot be right then."""
        self._future[rows] = service_ns < issued_ns - self.clock.tolerance_ns

    def heartbeat(self, rows: Rows, sent_ns: int, now_ns: Ints) -> int:
        """Take a sign of life, which also measures the clocks; returns for how many it is old."""
        if not self._follow:
            return 0
        newer = self.clock.beat(rows, sent_ns, now_ns)
        taken = rows[newer]
        self.heard(taken, now_ns[newer])
        self._offline[taken] = False
        self._future[taken] = False
        return len(rows) - len(taken)

    def status(
        self, rows: Rows, service_id: str, now_ns: Ints, *, online: bool, at_ns: int | None
    ) -> int:
        """Take a service's own word, or its last will; returns for how many it is old."""
        if at_ns is None:
            return len(rows)
        rank = np.uint64(2 * min(at_ns, _LAST_NS) + (not online) + 1)
        words = self._status.get(service_id)
        if words is None:
            words = np.zeros(self._n, dtype=np.uint64)
        before = words[rows]
        newer = before < rank
        taken = rows[newer]
        if len(taken):
            self._make_room(rows[newer & (before == _UNKNOWN)])
            self._status[service_id] = words
            words[taken] = rank
            self._offline[taken] = not online
            if online:
                self.heard(taken, now_ns[newer])
        return int(np.count_nonzero(before > rank))

    def _make_room(self, rows: Rows) -> None:
        """Forget the oldest word where a device knows as many services as it may."""
        if len(self._status) < self._rules.max_events or not len(rows):
            return
        names = sorted(self._status)
        words = np.stack([self._status[name][rows] for name in names])
        full = (words != _UNKNOWN).sum(axis=0) >= self._rules.max_events
        words[words == _UNKNOWN] = np.iinfo(np.uint64).max
        oldest = words.argmin(axis=0)  # the first of equals: by name
        for place, name in enumerate(names):
            self._status[name][rows[full & (oldest == place)]] = _UNKNOWN

    def trusted(self, device: int) -> bool:
        """Tell whether seconds left can be trusted."""
        return not (self._future[device] or self.clock.is_hopeless(device))

    def synchronised(self, device: int) -> bool:
        """Tell whether the device's time is right; people must be told where it is not."""
        return self.trusted(device) and not self.clock.is_off(device)

    def state(self, device: int, now_ns: int) -> tuple[Link, float]:
        """Return whether a device can hear the service, and how long nothing was heard, s."""
        heard_ns = int(self._heard_ns[device])
        heard = None if heard_ns == NEVER else heard_ns
        link = link_state(
            heard,
            now_ns,
            self._rules,
            offline=bool(self._offline[device]) and not self.clock.beats_go_on(device, now_ns),
            follow_heartbeat=self._follow,
        )
        return link, silence_s(heard, now_ns)

    @property
    def nbytes(self) -> int:
        """Memory of the arrays."""
        own = self._heard_ns.nbytes + self._offline.nbytes + self._future.nbytes
        return own + self.clock.nbytes + sum(words.nbytes for words in self._status.values())
