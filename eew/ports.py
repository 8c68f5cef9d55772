"""The port of a server, taken before anything else: one in use is said before work is done."""

from __future__ import annotations

import ipaddress
import socket

from eew.errors import TransportError

__all__ = ["address_of", "take_port"]


def take_port(bind: str, port: int, *, backlog: int | None = None) -> socket.socket:
    """Take a TCP port; port 0 takes a free one.

    Parameters
    ----------
    bind : str
        IP address, or ``localhost``.
    backlog : int, optional
        So many connections may wait from now on until they are accepted; without it nobody can
        connect before the socket is listened on.

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
        if backlog is not None:
            sock.listen(backlog)
    except OSError as error:
        sock.close()
        reason = (error.strerror or str(error)).lower()
        raise TransportError(
            peer, f"cannot listen: {reason}", hint="another --port, or --port 0 for a free one"
        ) from error
    sock.setblocking(False)
    return sock


def address_of(sock: socket.socket) -> str:
    """Return ``host:port`` of a socket as it stands in a URL."""
    host, port = sock.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
