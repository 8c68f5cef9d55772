"""Between a device, its shell and whoever looks on: what is told, what is counted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from clients.device import Device
from clients.events import DeviceEvent, Ignored, Shown
from clients.presentation import Presentation
from clients.session import Link
from clients.subscriber import Receipt
from eew.app.device_brokers import DeviceBrokers
from eew.errors import TransportError

__all__ = ["ClientView", "ClientWatch", "Summary"]

_TICK_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What a device did from start to end.

    ``counts`` are messages: accepted, and refused by reason. ``shown`` counts messages on the
    screen, ``screens`` what was shown altogether.
    """

    counts: dict[str, int]
    shown: int
    screens: int
    connections: int
    failures: int
    moves: int
    cells: int


class ClientView(Protocol):
    """Who looks on."""

    def opened(self, brokers: DeviceBrokers, words: Sequence[str]) -> None:
        """Learn where the device is going to connect, and what else is to be said first."""
        ...

    def waiting(self, words: str) -> None:
        """Hear what the device waits for before it is switched on."""
        ...

    def screen(self, shown: Presentation, link: Link, at_ns: int) -> None:
        """See the screen; called when it has changed, ``at_ns`` by the device's clock."""
        ...

    def link_failed(self, reason: str) -> None:
        """Hear why there is no connection."""
        ...

    def refused(self, event: Ignored) -> None:
        """Hear of a message that the device did not take."""
        ...


class ClientWatch:
    """Keeps what has to be kept between the device, its shell and whoever looks on."""

    def __init__(self, device: Device, view: ClientView, now_ns: Callable[[], int]) -> None:
        self._device = device
        self._view = view
        self.now_ns = now_ns
        self._last: tuple[Presentation, Link] | None = None
        self._shown = 0
        self._screens = 0
        self._connections = 0
        self._failures = 0
        self._moves = 0
        self._cells = {device.cell}
        self._reason = ""

    def on_receipt(self, receipt: Receipt) -> None:
        """Take what the device did with a message, or with a move."""
        self._take(receipt.events)
        self._cells.add(self._device.cell)
        self._show()

    def on_link(self, failure: TransportError | None) -> None:
        """Take what became of the connection; the same reason again is not told again."""
        if failure is None:
            self._connections += 1
            self._reason = ""
            return
        self._failures += 1
        if failure.problem != self._reason:
            self._reason = failure.problem
            self._view.link_failed(str(failure))

    def moved(self) -> None:
        """Count a step of the way."""
        self._moves += 1

    async def look(self) -> None:
        """Let time pass on the screen."""
        while True:
            self._take(self._device.advance(self.now_ns()))
            self._show()
            await asyncio.sleep(_TICK_S)

    def _take(self, events: Sequence[DeviceEvent]) -> None:
        for event in events:
            if isinstance(event, Shown):
                self._shown += 1
            elif isinstance(event, Ignored):
                self._view.refused(event)

    def _show(self) -> None:
        now_ns = self.now_ns()
        now = (self._device.presentation(now_ns), self._device.link(now_ns))
        if now != self._last:
            self._last = now
            self._screens += 1
            self._view.screen(*now, now_ns)

    def summary(self) -> Summary:
        """Return the counts."""
        return Summary(
            counts=self._device.counts,
            shown=self._shown,
            screens=self._screens,
            connections=self._connections,
            failures=self._failures,
            moves=self._moves,
            cells=len(self._cells),
        )
