"""From a socket to the CONNECT: the connection stands, TLS is agreed, the device says its name."""

from __future__ import annotations

import os
import socket
import ssl

from clients.crowd.connections import (
    CONNECTING,
    GREETING,
    READABLE,
    SECURING,
    WRITABLE,
    Connections,
)
from clients.crowd.handshake import ConnectPacket
from clients.crowd.sockets import SocketFactory

__all__ = ["Opening"]


class Opening:
    """Opens connections, step by step as epoll reports them; every step may raise OSError.

    Parameters
    ----------
    tls : bool
        Whether the connections are to be secured.
    """

    def __init__(
        self,
        connections: Connections,
        sockets: SocketFactory,
        packet: ConnectPacket,
        *,
        tls: bool,
    ) -> None:
        self._connections, self._sockets, self._packet = connections, sockets, packet
        self._tls = tls

    def begin(self, device: int) -> None:
        """Begin to connect a device."""
        self._connections.open(device, self._sockets.connect(device))

    def go_on(self, device: int) -> bool:
        """Do the next step; False where the device is further than that."""
        phase = self._connections.phase[device]
        if phase == CONNECTING:
            self._connected(device)
        elif phase == SECURING:
            self._secure(device)
        else:
            return False
        return True

    def _connected(self, device: int) -> None:
        made = self._connections.of(device)
        code = made.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise OSError(code, os.strerror(code))
        if self._tls:
            self._connections.replace(device, self._sockets.secure(made, device))
            self._connections.phase[device] = SECURING
            self._secure(device)
        else:
            self._greet(device)

    def _secure(self, device: int) -> None:
        made = self._connections.of(device)
        assert isinstance(made, ssl.SSLSocket)
        try:
            made.do_handshake()
        except ssl.SSLWantReadError:
            self._connections.watch(device, READABLE)
        except ssl.SSLWantWriteError:
            self._connections.watch(device, WRITABLE)
        else:
            self._greet(device)

    def _greet(self, device: int) -> None:
        self._connections.phase[device] = GREETING
        self._connections.watch(device, READABLE)
        self._connections.send(device, self._packet.of(device))
