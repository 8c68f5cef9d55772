"""An HTTP server on one socket, inside our own event loop and under our own signals."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING

import uvicorn

from eew.ports import address_of, take_port

if TYPE_CHECKING:
    from fastapi import FastAPI

_BACKLOG = 128
_STOP_S = 2.0  # a client that keeps its connection open must not hold up the end


def listen(bind: str, port: int) -> socket.socket:
    """Take the port, before anything else is started; whoever connects waits until it is served.

    Raises
    ------
    TransportError
        If the port is in use, or the address is not one of this machine.
    """
    return take_port(bind, port, backlog=_BACKLOG)


def url_of(sock: socket.socket) -> str:
    """Return ``http://host:port`` of a listening socket."""
    return f"http://{address_of(sock)}"


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
