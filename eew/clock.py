"""The one seam through which time enters: nothing else reads a clock (lint rule TID251).

Data time is ``int`` ns since 1970-01-01T00:00:00 UTC. Latencies are differences of *monotonic*
ns of one machine. The detector core takes no clock at all: it is told ``now_ns``.
"""

from __future__ import annotations

import heapq
import time
from itertools import count
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import asyncio  # 4 MB: a process that only reads the time is spared it

NS_PER_S = 1_000_000_000


class Clock(Protocol):
    """Reads the time and waits for it."""

    def utc_ns(self) -> int:
        """Return UTC in ns since the epoch."""
        ...

    def monotonic_ns(self) -> int:
        """Return ns from an arbitrary start that never goes backwards."""
        ...

    async def sleep_until(self, utc_ns: int) -> None:
        """Wait until :meth:`utc_ns` has reached ``utc_ns``."""
        ...


class SystemClock:
    """The clock of the machine."""

    def utc_ns(self) -> int:
        """Return UTC in ns since the epoch."""
        return time.time_ns()

    def monotonic_ns(self) -> int:
        """Return monotonic ns."""
        return time.perf_counter_ns()

    async def sleep_until(self, utc_ns: int) -> None:
        """Sleep until ``utc_ns``; returns at once if it has passed."""
        import asyncio

        await asyncio.sleep(max(0, utc_ns - self.utc_ns()) / NS_PER_S)


class VirtualClock:
    """Time that moves only when :meth:`advance_to` is called.

    Waiters wake in (deadline, registration) order, so two runs with the same input give the
    same order of events. Code that waits on threads or sockets is not covered.
    """

    def __init__(self, start_utc_ns: int) -> None:
        self._start_ns = start_utc_ns
        self._now_ns = start_utc_ns
        self._sequence = count()
        self._waiters: list[tuple[int, int, asyncio.Future[None]]] = []

    def utc_ns(self) -> int:
        """Return the virtual UTC in ns."""
        return self._now_ns

    def monotonic_ns(self) -> int:
        """Return virtual ns since the start."""
        return self._now_ns - self._start_ns

    async def sleep_until(self, utc_ns: int) -> None:
        """Wait until :meth:`advance_to` has passed ``utc_ns``."""
        import asyncio

        if utc_ns <= self._now_ns:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiters, (utc_ns, next(self._sequence), future))
        await future

    async def advance_to(self, utc_ns: int) -> None:
        """Move to ``utc_ns``, waking every waiter due on the way, in order."""
        if utc_ns < self._now_ns:
            raise ValueError(f"time cannot go backwards: {utc_ns} < {self._now_ns}")
        while self._waiters and self._waiters[0][0] <= utc_ns:
            deadline, _, future = heapq.heappop(self._waiters)
            self._now_ns = deadline
            if not future.done():
                future.set_result(None)
            await _settle()
        self._now_ns = utc_ns
        await _settle()


async def _settle(turns: int = 8) -> None:
    """Let woken tasks run before time moves on; bounded, so a busy task shows as a bug."""
    import asyncio

    for _ in range(turns):
        await asyncio.sleep(0)
