"""The fleet of ``--broker none``: no sockets, no tasks, no measured time; the same every run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from clients.events import DeviceEvent, ack_for
from clients.fleet import BaseFleet
from clients.subscriber import Device

__all__ = ["LocalFleet"]


class LocalFleet(BaseFleet):
    """Devices that are handed their messages: those on topics they subscribe to, in order.

    Give :meth:`deliver` to a :class:`eew.egress.local.LocalPublisher`.

    Parameters
    ----------
    now_ns : callable
        Data time.
    """

    def __init__(
        self,
        devices: Sequence[Device],
        *,
        now_ns: Callable[[], int],
        on_events: Callable[[Device, Sequence[DeviceEvent], int], None] | None = None,
    ) -> None:
        super().__init__(devices, on_events=on_events)
        self._now_ns = now_ns

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        return None

    async def start(self, *, progress: Callable[[int, int], None] | None = None) -> None:
        """Do nothing: every device can be reached from the beginning."""
        if progress is not None:
            progress(len(self._devices), len(self._devices))

    async def stop(self) -> None:
        """Do nothing."""

    def deliver(self, topic: str, payload: bytes) -> None:
        """Hand a message to the devices that subscribe to its topic."""
        if not payload:
            return
        data_ns = self._now_ns()
        for device_id in self.listeners([topic]):
            device = self._devices[device_id]
            events = device.receive(topic, payload, data_ns)
            acks = [ack for event in events if (ack := ack_for(device_id, event)) is not None]
            self._take(device, events, acks, (0, 0), data_ns)
