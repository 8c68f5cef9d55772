"""PUBACKs that leave after the burst, joined per connection.

A real phone acknowledges with a processor of its own; here thousands share one, and an
acknowledgement sent between two receipts would delay the second by what it costs, 10 us, which no
phone would see.
"""

from __future__ import annotations

from collections.abc import Callable

from clients.crowd.settings import EngineSettings
from eew.clock import NS_PER_S

__all__ = ["Acknowledgements"]

_ACK = b"\x40\x02"
_MOST_BYTES = 32 * 4  # acknowledge at once before the broker's window closes


class Acknowledgements:
    """What is still to be acknowledged, by device.

    Parameters
    ----------
    now_ns : callable
        Monotonic time.
    send : callable
        Takes device and bytes.
    """

    def __init__(
        self,
        settings: EngineSettings,
        now_ns: Callable[[], int],
        send: Callable[[int, bytes], None],
    ) -> None:
        self._settings, self._now_ns, self._send = settings, now_ns, send
        self._waiting: dict[int, bytes] = {}
        self._first_ns = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, device: int, packet_id: bytes) -> None:
        """Acknowledge a packet after the burst."""
        waiting = self._waiting
        if not waiting:
            self._first_ns = self._now_ns()
        data = waiting.get(device, b"") + _ACK + packet_id
        if len(data) < _MOST_BYTES:
            waiting[device] = data
        else:
            waiting.pop(device, None)
            self._send(device, data)

    def turn(self, now_ns: int, *, quiet: bool) -> None:
        """Send all if the burst is over (``quiet``), or has gone on for too long."""
        waiting, latest_ns = self._waiting, self._settings.ack_latest_s * NS_PER_S
        if waiting and (quiet or now_ns - self._first_ns > latest_ns):
            self._waiting = {}
            for device, data in waiting.items():
                self._send(device, data)

    def forget(self, device: int) -> None:
        """Drop what was to be said on a connection that is no more."""
        self._waiting.pop(device, None)
