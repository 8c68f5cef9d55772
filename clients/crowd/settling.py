"""How devices that have joined come, step by step, to what they listen to for good.

What was to be read on joining is left again; then, at a bounded rate, follows what is not urgent;
and after a few beats of the heartbeat its topic is left (see ``handshake.Join`` for why).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from clients.crowd.handshake import Join
from clients.crowd.settings import EngineSettings
from eew.clock import NS_PER_S

__all__ = ["Settling"]

_MOST_STEPS = 50  # caught up with at once after a pause


class Settling:
    """Devices on their way from joined to settled.

    Parameters
    ----------
    say : callable
        Takes device and bytes; a device that is not there any more says nothing.
    """

    def __init__(
        self, join: Join, settings: EngineSettings, say: Callable[[int, bytes], None]
    ) -> None:
        self._join, self._settings, self._say = join, settings, say
        # (due, device), in order
        self._leave_current: deque[tuple[int, int]] = deque()
        self._leave_current_again: deque[tuple[int, int]] = deque()
        self._leave_beat: deque[tuple[int, int]] = deque()
        self._rest: deque[int] = deque()  # to subscribe to what is not urgent
        self._settled_ns = 0

    @property
    def n_waiting(self) -> int:
        """How many devices do not listen to everything yet."""
        return len(self._leave_current) + len(self._rest)

    @property
    def n_checking_clocks(self) -> int:
        """How many devices listen to the heartbeat for a few beats more."""
        return len(self._leave_beat)

    def begin(self, device: int, now_ns: int) -> None:
        """Take a device that is subscribed to what is urgent."""
        due_ns = now_ns + round(self._settings.current_s * NS_PER_S)
        self._leave_current.append((due_ns, device))

    def begin_again(self, device: int, now_ns: int) -> None:
        """Take a device that has come into another area, and reads there what is going on."""
        due_ns = now_ns + round(self._settings.current_s * NS_PER_S)
        self._leave_current_again.append((due_ns, device))

    def turn(self, now_ns: int, *, joining: bool) -> None:
        """Do the steps that are due; what is not urgent waits while others are ``joining``."""
        settings, join = self._settings, self._join
        while self._leave_current and self._leave_current[0][0] <= now_ns:
            device = self._leave_current.popleft()[1]
            self._say(device, join.leave_current(device))
            self._rest.append(device)
        while self._leave_current_again and self._leave_current_again[0][0] <= now_ns:
            device = self._leave_current_again.popleft()[1]
            self._say(device, join.leave_current_again(device))
        while self._leave_beat and self._leave_beat[0][0] <= now_ns:
            device = self._leave_beat.popleft()[1]
            self._say(device, join.leave_heartbeat(device))
        step_ns = round(NS_PER_S / settings.settle_per_s)
        self._settled_ns = max(self._settled_ns, now_ns - _MOST_STEPS * step_ns)
        while self._rest and self._settled_ns < now_ns and not joining:
            device = self._rest.popleft()
            self._settled_ns += step_ns
            self._say(device, join.rest(device))
            self._leave_beat.append((now_ns + round(settings.beats_s * NS_PER_S), device))

    def patience_s(self, timeout_s: float, now_ns: int) -> float:
        """Return how long may be waited, at most ``timeout_s``, before something is due here."""
        for waiting in (self._leave_current, self._leave_current_again, self._leave_beat):
            if waiting:
                timeout_s = min(timeout_s, (waiting[0][0] - now_ns) / NS_PER_S)
        return min(timeout_s, 0.01) if self._rest else timeout_s
