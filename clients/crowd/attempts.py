"""Who connects next, and when: at a bounded rate, so many at once, and again by backoff."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Iterator

import numpy as np

from clients.backoff import wait_s
from clients.crowd.connections import OFF
from clients.crowd.settings import EngineSettings
from eew.clock import NS_PER_S

__all__ = ["Attempts"]

_BURST_S = 0.02  # the allowance that may be saved up, as time


class Attempts:
    """The attempts of devices to connect.

    Parameters
    ----------
    phase : bytearray
        Where each device stands (``connections``); read, never written.
    rng : numpy.random.Generator
        Draws the jitter of the backoff.
    now_ns : callable
        Monotonic time.
    """

    def __init__(
        self,
        phase: bytearray,
        settings: EngineSettings,
        rng: np.random.Generator,
        now_ns: Callable[[], int],
    ) -> None:
        self._phase, self._settings, self._rng, self._now_ns = phase, settings, rng, now_ns
        self._wanted = bytearray(b"\1" * len(phase))  # 0: switched off, does not come back
        self._failures = bytearray(len(phase))  # in a row
        self._queue: deque[int] = deque()  # to be connected next
        self._retry: list[tuple[int, int]] = []  # heap of (due, device)
        self._in_flight: dict[int, int] = {}  # device -> begun, in order
        self._allowance, self._allowed_ns = 0.0, now_ns()

    @property
    def n_in_flight(self) -> int:
        """How many devices are between CONNECT and SUBACK."""
        return len(self._in_flight)

    def want(self, device: int) -> None:
        """Let a device connect as soon as it may, and come back whenever it is lost."""
        self._wanted[device] = 1
        self._enqueue(device)

    def give_up(self, device: int) -> None:
        """Let a device stay away."""
        self._wanted[device] = 0

    def due(self) -> Iterator[int]:
        """Yield devices that may begin now; the owner tells of each by :meth:`begin` or a loss."""
        if not self._queue:
            return
        now_ns, per_s = self._now_ns(), self._settings.connects_per_s
        earned = per_s * (now_ns - self._allowed_ns) / NS_PER_S
        self._allowance = min(per_s * _BURST_S, self._allowance + earned)
        self._allowed_ns = now_ns
        while self._queue and self._allowance >= 1.0 and self._has_room():
            device = self._queue.popleft()
            if self._phase[device] == OFF and self._wanted[device]:
                self._allowance -= 1.0
                yield device

    def begin(self, device: int) -> None:
        """Note that a device is connecting."""
        self._in_flight[device] = self._now_ns()

    def succeed(self, device: int) -> None:
        """Note that a device is subscribed."""
        self.end(device)
        self._failures[device] = 0

    def end(self, device: int) -> None:
        """Note that a device is not connecting any more, however it ended."""
        self._in_flight.pop(device, None)

    def again(self, device: int) -> bool:
        """Let a device that failed or was lost come back after a while; False where unwanted."""
        if not self._wanted[device]:
            return False
        wait_ns = round(wait_s(self._failures[device], float(self._rng.random())) * NS_PER_S)
        self._failures[device] = min(255, self._failures[device] + 1)
        heapq.heappush(self._retry, (self._now_ns() + wait_ns, device))
        return True

    def revive(self, now_ns: int) -> None:
        """Queue the devices whose backoff is over."""
        while self._retry and self._retry[0][0] <= now_ns:
            device = heapq.heappop(self._retry)[1]
            if self._wanted[device]:
                self._enqueue(device)

    def overdue(self, now_ns: int) -> Iterator[int]:
        """Yield devices that had no answer for too long; each must be lost before the next."""
        limit_ns = self._settings.connect_timeout_s * NS_PER_S
        while self._in_flight:
            device, begun_ns = next(iter(self._in_flight.items()))
            if now_ns - begun_ns < limit_ns:
                break
            yield device

    def patience_s(self, timeout_s: float, now_ns: int) -> float:
        """Return how long may be waited, at most ``timeout_s``, before something is due here."""
        if self._queue and self._has_room():
            timeout_s = min(timeout_s, 0.002)  # waits for its allowance
        if self._retry:
            timeout_s = min(timeout_s, (self._retry[0][0] - now_ns) / NS_PER_S)
        return timeout_s

    def _enqueue(self, device: int) -> None:
        if self._phase[device] == OFF:
            self._queue.append(device)

    def _has_room(self) -> bool:
        return len(self._in_flight) < self._settings.most_connecting
