"""Plays the steps of a schedule into a server, each at its moment of arrival."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from eew.clock import NS_PER_S, Clock
from eew.errors import ConfigError
from simulator.schedule import Step
from simulator.seedlink.server import SeedLinkServer

__all__ = ["check_speed", "feed", "shift_to"]

_YIELD_EVERY_NS = 200_000


def check_speed(speed: float) -> float:
    """Return a speed that can be played.

    Raises
    ------
    ConfigError
        If it is negative or no number.
    """
    if not 0.0 <= speed < float("inf"):
        raise ConfigError("speed", f"must be >= 0, was {speed!r}")
    return speed


async def feed(
    server: SeedLinkServer,
    steps: Iterable[Step],
    *,
    clock: Clock,
    start_ns: int,
    begins_ns: int | None = None,
    shift_ns: int = 0,
    speed: float = 1.0,
    on_step: Callable[[int], None] = lambda _now_ns: None,
) -> None:
    """Put the packets of each step into the server when they would arrive.

    Parameters
    ----------
    start_ns : int
        Data time at which it begins; steps before it come at once.
    begins_ns : int, optional
        When that is on the clock; None for now.
    shift_ns : int
        Added to the times of all records.
    speed : float
        1 for real time; 0 for as fast as the slowest client reads.
    on_step : callable
        Is told the data time of each step with packets.
    """
    check_speed(speed)
    began_ns = clock.utc_ns() if begins_ns is None else begins_ns
    slept_ns = clock.monotonic_ns()
    for step in steps:
        if not step.packets:
            continue
        if speed > 0.0:
            due_ns = began_ns + round((step.now_ns - start_ns) / speed)
            # What is late goes together, for as long as a round over the clients takes: so half of
            # the time is theirs at worst, and with few of them nothing waits.
            together_ns = max(_YIELD_EVERY_NS, server.round_ns)
            is_late = clock.utc_ns() >= due_ns
            if not is_late or clock.monotonic_ns() - slept_ns > together_ns:
                await clock.sleep_until(due_ns)
                slept_ns = clock.monotonic_ns()
        server.put(step.packets, shift_ns=shift_ns)
        on_step(step.now_ns)
        if speed == 0.0:
            await server.drained()
            await asyncio.sleep(0)
    server.complete()


def shift_to(now_ns: int, start_ns: int) -> int:
    """Return what moves ``start_ns`` to now or less than 1 s later, in whole seconds.

    What a detector does at whole and half seconds of data time it then does at the same samples
    as in a replay; and the rounding to microseconds in MiniSEED 2 is that of the original.
    """
    return -((start_ns - now_ns) // NS_PER_S) * NS_PER_S
