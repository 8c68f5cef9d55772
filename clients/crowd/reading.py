"""Bytes that are not exactly one known PUBLISH: several packets, or the part of one."""

from __future__ import annotations

from clients.crowd.acknowledging import Acknowledgements
from clients.crowd.deliveries import Deliveries
from clients.crowd.frames import NOTHING, FrameBook
from eew.mqtt_packets import Frame

__all__ = ["Reader"]


class Reader:
    """Takes what was published to the deliveries, and gives back what else there was.

    Attributes
    ----------
    rest : dict
        Device -> the beginning of a packet whose end has not come, rarely.
    """

    def __init__(self, book: FrameBook, deliveries: Deliveries, acks: Acknowledgements) -> None:
        self._book, self._deliveries, self._acks = book, deliveries, acks
        self.rest: dict[int, bytes] = {}

    def take(self, device: int, chunk: bytes, at_ns: int) -> list[tuple[Frame, bytes]]:
        """Take bytes received at a monotonic time; return the other packets, with their bodies.

        Raises
        ------
        WireError
            If it is not MQTT.
        """
        whole = self.rest.pop(device, b"") + chunk
        published, control, used = self._book.read(whole)
        if used < len(whole):
            self.rest[device] = whole[used:]
        for code, packet_id in published:
            if code != NOTHING:
                self._deliveries.add(device, code, at_ns)
            if packet_id:
                self._acks.add(device, packet_id)
        return control

    def forget(self, device: int) -> None:
        """Drop what came on a connection that is no more."""
        self.rest.pop(device, None)
