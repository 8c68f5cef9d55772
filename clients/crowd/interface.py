"""What the network side of a crowd needs of its devices' logic: no I/O, no clock, no sockets."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from clients.presentation import Presentation

__all__ = ["DeviceLogic", "Filters"]

Filters = tuple[tuple[str, int], ...]
"""Topic filters, each with its QoS."""


class DeviceLogic(Protocol):
    """Many devices at once, by number. Times are UTC of this machine, ns.

    A device adds the offset of its own clock itself.
    """

    @property
    def n(self) -> int:
        """How many devices there are."""
        ...

    @property
    def counts(self) -> dict[str, int]:
        """Messages taken, shown, and refused by reason."""
        ...

    def subscriptions(self, device: int) -> Filters:
        """Return what a device wants to hear."""
        ...

    def intern(self, topic: bytes, payload: bytes) -> int:
        """Read and verify a message, once for all devices; return its number."""
        ...

    def receive(
        self, device: NDArray[np.int32], message: NDArray[np.int32], at_ns: NDArray[np.int64]
    ) -> NDArray[np.int8]:
        """Take deliveries in the order of their arrival; return an ``Outcome`` for each."""
        ...

    def move(self, device: int, lat: float, lon: float, at_ns: int) -> tuple[list[str], list[str]]:
        """Take a device elsewhere; return the topics to leave and those to join."""
        ...

    def advance(self, at_ns: int) -> None:
        """Let time pass."""
        ...

    def presentation(self, device: int, at_ns: int) -> Presentation:
        """Return what is on the screen of one device."""
        ...
