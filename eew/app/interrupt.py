"""Ctrl-C in mid-run: the first asks for an orderly end, the second means now."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from typing import TypeVar

_EXIT_NOW = 130
_T = TypeVar("_T")


class StopRequest:
    """The wish to end a run early; wakes whoever waits for it."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self.signal_name = ""

    @property
    def is_asked(self) -> bool:
        """Whether somebody has asked."""
        return self._event.is_set()

    def ask(self, signal_name: str = "") -> None:
        """Ask for the end of the run."""
        self.signal_name = self.signal_name or signal_name
        self._event.set()

    async def wait(self) -> None:
        """Wait until somebody asks."""
        await self._event.wait()


@contextmanager
def stop_on_signals() -> Iterator[StopRequest]:
    """Turn SIGINT and SIGTERM into a :class:`StopRequest` while the loop runs.

    A second signal leaves the process at once; a private broker sees by itself that we are gone.
    """
    loop = asyncio.get_running_loop()
    stop = StopRequest()

    def on_signal(number: signal.Signals) -> None:
        if stop.is_asked:
            os._exit(_EXIT_NOW)
        stop.ask(number.name)

    numbers = (signal.SIGINT, signal.SIGTERM)
    for number in numbers:
        loop.add_signal_handler(number, on_signal, number)
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
