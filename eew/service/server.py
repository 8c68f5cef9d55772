"""An HTTP server on one socket, inside our own event loop and under our own signals."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING

import uvicorn

from eew.errors import TransportError

if TYPE_CHECKING:
    from fastapi import FastAPI

_STOP_S = 2.0  # a client that keeps its connection open must not hold up the end


def listen(bind: str, port: int) -> socket.socket:
    """Take the port, before anything else is started; port 0 takes a free one.

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
        sock.listen(128)
    except OSError as error:
        sock.close()
        reason = (error.strerror or str(error)).lower()
        raise TransportError(
            peer, f"cannot listen: {reason}", hint="another --port, or --port 0 for a free one"
        ) from error
    sock.setblocking(False)
    return sock


def url_of(sock: socket.socket) -> str:
    """Return ``http://host:port`` of a listening socket."""
    host, port = sock.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: the supervisor has the signals."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class HttpServer:
    """Serves ``app`` on ``sock`` until :meth:`stop`."""

    def __init__(self, app: FastAPI, sock: socket.socket) -> None:
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            log_level="warning",
            lifespan="off",
            http="h11",
            ws="none",
            loop="none",
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=int(_STOP_S),
        )
        self._server = _Server(config)
        self._sock = sock

    async def run(self) -> None:
        """Serve; returns after :meth:`stop`. The socket is closed whatever happens."""
        try:
            await self._server.serve(sockets=[self._sock])
        finally:
            self._sock.close()

    async def started(self) -> None:
        """Wait until requests are answered."""
        await self._server.up.wait()

    def stop(self) -> None:
        """Ask :meth:`run` to finish the requests it has and return."""
        self._server.should_exit = True
