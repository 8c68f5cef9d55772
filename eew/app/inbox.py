"""Packets that have come and were not looked at yet: bounded, the oldest give way."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from eew.model.waveform import Packet

CAPACITY = 50_000  # three quarters of a minute of 1,000 records/s


class Inbox:
    """A queue whose reader takes everything that is there.

    Parameters
    ----------
    capacity : int
        Most packets that wait.
    on_overflow : callable
        Told of each packet that was thrown away because there were too many.
    """

    def __init__(self, on_overflow: Callable[[Packet], None], *, capacity: int = CAPACITY) -> None:
        self._packets: deque[tuple[Packet, int]] = deque()
        self._on_overflow = on_overflow
        self._capacity = capacity
        self._came = asyncio.Event()
        self._is_closed = False

    def __len__(self) -> int:
        return len(self._packets)

    @property
    def is_over(self) -> bool:
        """Whether nothing is left and nothing more will come."""
        return self._is_closed and not self._packets

    def put(self, packet: Packet, arrival_ns: int) -> None:
        """Add a packet with its arrival, UTC ns; an old one is worth less than a new one."""
        self._packets.append((packet, arrival_ns))
        if len(self._packets) > self._capacity:
            self._on_overflow(self._packets.popleft()[0])
        self._came.set()

    def close(self) -> None:
        """Say that nothing more will come."""
        self._is_closed = True
        self._came.set()

    async def wait(self, most_s: float) -> None:
        """Wait until there is a packet, or the end, but not longer than ``most_s``."""
        if self._packets or self._is_closed:
            return
        try:
            async with asyncio.timeout(max(0.0, most_s)):
                await self._came.wait()
        except TimeoutError:
            return

    def take(self, arrived_by_ns: int | None = None) -> list[Packet]:
        """Return all packets, or those that had come by then, in the order of their coming."""
        packets = []
        while self._packets and (arrived_by_ns is None or self._packets[0][1] <= arrived_by_ns):
            packets.append(self._packets.popleft()[0])
        if not self._packets and not self._is_closed:
            self._came.clear()
        return packets
