"""What the crowd's figures need of a message: when it was sent, and its name for receipts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eew.errors import WireError
from eew.messages import wire
from eew.messages.topics import TopicKind, parse_topic

__all__ = ["MessageLog", "Named"]

_ALERTS = (TopicKind.ALERT, TopicKind.AREA_ALERT, TopicKind.EVENT_CURRENT)
_REMEMBERED = 1024


@dataclass(frozen=True, slots=True)
class Named:
    """An alert's name, and when the service sent it, ns UTC."""

    event_id: str
    serial: int
    sent_ns: int


class MessageLog:
    """Stands before the logic's ``intern`` and notes what passes.

    Parameters
    ----------
    intern : callable
        Of the logic.
    """

    def __init__(self, intern: Callable[[bytes, bytes], int]) -> None:
        self._intern = intern
        self._names: list[Named | None] = []
        self._sent_ns = np.zeros(0, dtype=np.int64)
        self._read: dict[bytes, Named | None] = {}

    def intern(self, topic: bytes, payload: bytes) -> int:
        """Return the logic's number for a message."""
        number = self._intern(topic, payload)
        if number >= len(self._names):
            more = number + 1 - len(self._names)
            self._names += [None] * more
            self._sent_ns = np.concatenate((self._sent_ns, np.zeros(more, dtype=np.int64)))
        named = self._named(payload) if _is_alert(topic) else None
        self._names[number] = named
        self._sent_ns[number] = named.sent_ns if named is not None else 0
        return number

    def name(self, number: int) -> Named | None:
        """Return what a message is called; None where it is no alert."""
        return self._names[number]

    def sent_ns(self, numbers: NDArray[np.int32]) -> NDArray[np.int64]:
        """Return when messages were sent, ns UTC; 0 where they are no alerts."""
        return self._sent_ns[numbers]

    def _named(self, payload: bytes) -> Named | None:
        if payload in self._read:
            return self._read[payload]
        try:
            alert = wire.decode(payload)
            named = Named(alert.message.event_id, alert.message.serial, alert.sent_ns)
        except WireError:
            named = None
        if len(self._read) >= _REMEMBERED:
            self._read.clear()
        self._read[payload] = named
        return named


def _is_alert(topic: bytes) -> bool:
    try:
        return parse_topic(topic.decode()).kind in _ALERTS
    except (UnicodeDecodeError, WireError):
        return False
