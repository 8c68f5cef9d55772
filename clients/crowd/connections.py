"""The table of connections: one socket for each device, watched by one epoll.

It opens, sends and closes; what the bytes mean is not its business. State is kept in arrays by
device and by file number: an object for each of tens of thousands would cost memory and time.
"""

from __future__ import annotations

import select
import socket
from array import array
from collections.abc import Callable

__all__ = [
    "CONNECTING",
    "GONE",
    "GREETING",
    "JOINING",
    "OFF",
    "READABLE",
    "SECURING",
    "UP",
    "WRITABLE",
    "Connections",
]

READABLE = select.EPOLLIN
WRITABLE = select.EPOLLOUT
GONE = select.EPOLLHUP | select.EPOLLERR

# where a connection stands
OFF, CONNECTING, SECURING, GREETING, JOINING, UP = range(6)


class Connections:
    """The sockets of so many devices.

    Parameters
    ----------
    on_lost : callable
        Told of device and reason when a socket fails while it is written to.

    Attributes
    ----------
    epoll : select.epoll
        Watches all of them.
    phase : bytearray
        By device: where its connection stands.
    socket, device : list, array
        By file number; for the loop that reads.
    deaf : bytearray
        By device: its radio is off, and nothing is read.
    n_up : int
        How many are connected and subscribed.
    """

    def __init__(self, n: int, on_lost: Callable[[int, str], None]) -> None:
        self._on_lost = on_lost
        self.epoll = select.epoll()
        self.phase = bytearray(n)
        self.deaf = bytearray(n)
        self.socket: list[socket.socket | None] = []
        self.device = array("i")
        self.n_up = 0
        self._fd = array("i", [-1]) * n
        self._unsent: dict[int, bytes] = {}  # what the socket did not take, rarely

    def of(self, device: int) -> socket.socket:
        """Return the socket of a device that has one."""
        made = self.socket[self._fd[device]]
        assert made is not None
        return made

    def owns(self, device: int, fd: int) -> bool:
        """Tell whether a file number is still that of a device."""
        return self._fd[device] == fd

    def open(self, device: int, made: socket.socket) -> None:
        """Take a socket that is connecting."""
        fd = made.fileno()
        while fd >= len(self.socket):
            self.socket.append(None)
            self.device.append(-1)
        self.socket[fd], self.device[fd], self._fd[device] = made, device, fd
        self.phase[device] = CONNECTING
        self.epoll.register(fd, WRITABLE)

    def replace(self, device: int, made: socket.socket) -> None:
        """Take the socket with TLS round the one that was opened: it has its file number."""
        self.socket[self._fd[device]] = made

    def watch(self, device: int, mask: int) -> None:
        """Wait for other things on a connection."""
        self.epoll.modify(self._fd[device], mask)

    def rise(self, device: int) -> None:
        """Note that a device is connected and subscribed."""
        self.phase[device] = UP
        self.n_up += 1
        if self.deaf[device]:
            self.watch(device, 0)

    def set_radio(self, device: int, *, on: bool) -> None:
        """Stop or go on reading."""
        self.deaf[device] = not on
        if self.phase[device] == UP:
            self.watch(device, READABLE if on else 0)

    def send(self, device: int, data: bytes) -> None:
        """Send, or keep what the socket does not take until it can be written to."""
        fd = self._fd[device]
        if fd < 0:
            return
        made = self.socket[fd]
        assert made is not None
        waiting = device in self._unsent
        if waiting:
            data = self._unsent.pop(device) + data
        try:
            sent = made.send(data) if data else 0
        except BlockingIOError:
            sent = 0
        except OSError as error:
            self._on_lost(device, error.strerror or str(error))
            return
        if sent < len(data):
            self._unsent[device] = data[sent:]
            self.epoll.modify(fd, READABLE | WRITABLE)
        elif waiting:
            self.epoll.modify(fd, 0 if self.deaf[device] else READABLE)

    def say(self, device: int, data: bytes) -> None:
        """Send to a device that is subscribed; nothing happens where there is nothing to say."""
        if data and self.phase[device] == UP:
            self.send(device, data)

    def close(self, device: int) -> bool:
        """Close the connection of a device; False where there was none."""
        fd = self._fd[device]
        if fd < 0:
            return False
        if self.phase[device] == UP:
            self.n_up -= 1
        made = self.socket[fd]
        assert made is not None
        self.epoll.unregister(fd)
        made.close()
        self.socket[fd], self.device[fd], self._fd[device] = None, -1, -1
        self.phase[device] = OFF
        self._unsent.pop(device, None)
        return True
