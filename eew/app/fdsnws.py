"""What ``eew fdsnws`` does: quakes as an FDSN data centre would give them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from eew.app.source import event_name, load_source
from eew.ingest.fdsn_holdings import FdsnHoldings
from eew.interrupt import stop_on_signals
from eew.service.fdsnws import create_fdsnws
from eew.service.server import HttpServer, listen, url_of
from simulator.scenario import known_names

__all__ = ["holdings_of", "serve_fdsnws"]

Say = Callable[[str], None]


def holdings_of(events: Sequence[str], *, seed: int) -> FdsnHoldings:
    """Read folders as they are, compute everything else.

    Raises
    ------
    ConfigError
        If there is no such event or folder.
    DataError
        If a folder cannot be read.
    """
    for event in events:
        event_name(event)  # an unknown one is said before another is computed
    holdings = FdsnHoldings()
    for event in events:
        if event not in known_names() and Path(event).is_dir():
            holdings.add_folder(Path(event))
        else:
            holdings.add_recording(load_source(event, seed=seed).recording)
    return holdings


def serve_fdsnws(events: Sequence[str], *, bind: str, port: int, seed: int, say: Say) -> None:
    """Serve ``events`` until a signal.

    Raises
    ------
    ConfigError
        If there is no such event.
    DataError
        If data cannot be read.
    TransportError
        If the port is taken.
    """
    for event in events:
        event_name(event)
    with listen(bind, port) as sock:
        holdings = holdings_of(events, seed=seed)
        server = HttpServer(create_fdsnws(holdings, title=", ".join(events)), sock)
        say(
            f"SIMULATION  {holdings.n_stations} stations and {holdings.n_events} events on "
            f"{url_of(sock)}/fdsnws/ (dataselect, station, event)"
        )
        say(f"ended: {asyncio.run(_until_stopped(server))}")


async def _until_stopped(server: HttpServer) -> str:
    with stop_on_signals() as stop:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(server.run(), name="fdsnws.api")
            await server.started()
            await stop.wait()
            server.stop()
    return stop.reason
