"""What became of one delivery on one device, as a small number: the crowd counts in arrays."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["Outcome", "taken"]


class Outcome(IntEnum):
    """The codes; all between ``DUPLICATE`` and ``UNREADABLE`` are refusals."""

    SHOWN = 0
    RECEIVED = 1  # taken, and not on the screen: below the threshold here, or a worse event rules
    DUPLICATE = 2
    OLD_SERIAL = 3
    EXPIRED = 4
    CLOSED = 5
    UNSIGNED = 6
    UNKNOWN_KEY = 7
    WRONG_TREE = 8
    BAD_SIGNATURE = 9
    FUTURE = 10
    UNREADABLE = 11
    OTHER = 12  # no alert: heartbeat, status, help pack, key statement

    @property
    def label(self) -> str:
        """The name used in counters and tables."""
        return self.name.lower()


def taken(code: int) -> bool:
    """Tell whether a delivery was an alert that the device took."""
    return code <= Outcome.RECEIVED
