"""What is done with each word of the detector, in a replay and live alike."""

from __future__ import annotations

from collections.abc import Sequence

from eew.app.devices import Crowd
from eew.app.view import RunView
from eew.core.pipeline import CoreEvent
from eew.interrupt import StopRequest
from eew.model.alert import AlertMessage


class EventTaker:
    """Hands the detector's words to whoever watches, and its messages to the devices.

    Parameters
    ----------
    devices : Crowd
        Already connected; the caller closes them.
    view : RunView
        Is told what happens, as it happens.
    stop : StopRequest
        Breaks off waiting for devices.
    """

    def __init__(self, devices: Crowd, view: RunView, stop: StopRequest) -> None:
        self._devices = devices
        self._view = view
        self._stop = stop

    async def take(self, events: Sequence[CoreEvent]) -> None:
        """Take what one step of the detector gave, in its order."""
        for event in events:
            self.keep(event)
            self._view.happened(event)
            if isinstance(event, AlertMessage):
                await self.send(event)

    def keep(self, event: CoreEvent) -> None:
        """Remember ``event``; here nothing is."""

    async def send(self, message: AlertMessage) -> None:
        """Send a message and wait for the answers of the devices.

        Raises
        ------
        PublishError
            If the broker has not taken it in time.
        """
        self._view.told(message, await self._devices.deliver(message, self._stop))
