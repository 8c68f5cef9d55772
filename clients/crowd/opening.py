"""From a socket to the CONNECT: the connection stands, TLS is agreed, the device says its name."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, cast

from clients.crowd.connections import (
    CONNECTING,
    GREETING,
    READABLE,
    SECURING,
    Connections,
)
from clients.crowd.handshake import ConnectPacket
from clients.crowd.sockets import SocketFactory

if TYPE_CHECKING:
    from clients.crowd.secured import SecuredSocket

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
            self._agree(device, cast("SecuredSocket", self._connections.of(device)))
        else:
            return False
        return True

    def _connected(self, device: int) -> None:
        made = self._connections.of(device)
        code = made.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise OSError(code, os.strerror(code))
        if self._tls:
            secured = self._sockets.secure(made, device)
            self._connections.replace(device, secured)
            self._connections.phase[device] = SECURING
            self._agree(device, secured)
        else:
            self._greet(device)

    def _agree(self, device: int, secured: SecuredSocket) -> None:
        wanted = secured.agree()
        if wanted:
            self._connections.watch(device, wanted)
        else:
            self._greet(device)

    def _greet(self, device: int) -> None:
        self._connections.phase[device] = GREETING
        self._connections.watch(device, READABLE)
        self._connections.send(device, self._packet.of(device))
