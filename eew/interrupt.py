"""The wish to stop: the first Ctrl-C asks for an orderly end, the second means now."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from typing import TypeVar

__all__ = ["StopRequest", "stop_on_signals", "unless_stopped"]

_EXIT_NOW = 130
_T = TypeVar("_T")


class StopRequest:
    """The wish to end early, from a signal or from code; wakes whoever waits for it."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self.reason = ""

    @property
    def is_asked(self) -> bool:
        """Whether somebody has asked."""
        return self._event.is_set()

    def ask(self, reason: str = "") -> None:
        """Ask for an orderly end; the first reason stays."""
        self.reason = self.reason or reason
        self._event.set()

    async def wait(self) -> None:
        """Wait until somebody asks."""
        await self._event.wait()


@contextmanager
def stop_on_signals() -> Iterator[StopRequest]:
    """Turn the first SIGINT or SIGTERM into a :class:`StopRequest` while the loop runs.

    The second one leaves the process at once, with no clean-up in Python: whoever asks twice has
    a reason. A private broker notices by itself that we are gone.
    """
    loop = asyncio.get_running_loop()
    stop = StopRequest()

    def on_signal(name: str) -> None:
        if stop.is_asked:
            sys.stderr.write(f"{name} again: leaving now\n")
            sys.stderr.flush()
            os._exit(_EXIT_NOW)
        stop.ask(name)

    numbers = (signal.SIGINT, signal.SIGTERM)
    for number in numbers:
        loop.add_signal_handler(number, on_signal, number.name)
    try:
        yield stop
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


async def unless_stopped(work: Awaitable[_T], stop: StopRequest) -> _T | None:
    """Wait for ``work``, but not longer than until somebody asks to stop; then return None."""
    working, stopping = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        for task in (working, stopping):
            task.cancel()
        await asyncio.gather(working, stopping, return_exceptions=True)
