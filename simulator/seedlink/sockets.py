"""The port, taken before anything else."""

from __future__ import annotations

import ipaddress
import socket

from eew.errors import TransportError

__all__ = ["listen"]


def listen(bind: str, port: int) -> socket.socket:
    """Take a port without answering on it yet; port 0 takes a free one.

    Raises
    ------
    TransportError
        If the port is in use, or the address is not one of this machine.
    """
    peer = f"{bind}:{port}"
    try:
        address = ipaddress.ip_address("127.0.0.1" if bind == "localhost" else bind)
    except ValueError:
        raise TransportError(
            peer, "the address to bind to is no IP address", hint="for example 127.0.0.1 or ::1"
        ) from None
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((str(address), port))
    except OSError as error:
        sock.close()
        reason = (error.strerror or str(error)).lower()
        raise TransportError(
            peer, f"cannot listen: {reason}", hint="another --port, or --port 0 for a free one"
        ) from error
    sock.setblocking(False)
    return sock
