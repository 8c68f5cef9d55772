"""Pings: each device tells its broker that it is there, and learns whether the broker is."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from clients.crowd.connections import Connections
from clients.crowd.settings import EngineSettings
from eew.clock import NS_PER_S

__all__ = ["Keepalive"]

_PING = b"\xc0\x00"
_NEVER = np.iinfo(np.int64).max


class Keepalive:
    """When each device pings next, and which wait for an answer.

    Parameters
    ----------
    rng : numpy.random.Generator
        Spreads the pings.
    on_lost : callable
        Told of device and reason when the broker does not answer.
    """

    def __init__(
        self,
        connections: Connections,
        settings: EngineSettings,
        rng: np.random.Generator,
        on_lost: Callable[[int, str], None],
    ) -> None:
        self._connections, self._settings = connections, settings
        self._rng, self._on_lost = rng, on_lost
        n = len(connections.phase)
        self._due_ns = np.full(n, _NEVER, dtype=np.int64)
        self._unanswered = bytearray(n)  # a ping is out
        self._next_look_ns = 0

    def begin(self, device: int, now_ns: int) -> None:
        """Begin to ping for a device that is connected."""
        self._due_ns[device] = now_ns + int(self._draw_ns(1)[0])

    def answered(self, device: int) -> None:
        """Note a PINGRESP."""
        self._unanswered[device] = 0

    def end(self, device: int) -> None:
        """Stop for a device whose connection is no more."""
        self._unanswered[device] = 0
        self._due_ns[device] = _NEVER

    def turn(self, now_ns: int) -> None:
        """Ping what is due, once a second."""
        if now_ns < self._next_look_ns:
            return
        self._next_look_ns = now_ns + NS_PER_S
        due = np.flatnonzero(self._due_ns <= now_ns)
        for device in due.tolist():
            if self._connections.deaf[device]:
                continue
            if self._unanswered[device]:
                self._on_lost(device, "the broker does not answer a ping")
                continue
            self._unanswered[device] = 1
            self._connections.send(device, _PING)
        still = due[self._due_ns[due] <= now_ns]
        self._due_ns[still] = now_ns + self._draw_ns(still.size)

    def _draw_ns(self, n: int) -> NDArray[np.int64]:
        """Draw when to ping next: spread over a quarter of the interval."""
        share = 0.5 + 0.25 * self._rng.random(n)
        return (share * self._settings.keepalive_s * NS_PER_S).astype(np.int64)
