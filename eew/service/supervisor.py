"""The one task group of the service: what starts when, what stops when, and what a signal does.

Start: the port is taken (before anything else), the API answers (``/readyz`` says 503), then the
chain: broker, devices, source; then the service is ready. Stop is the reverse: the chain is asked
to end and closes source, devices and broker on its way out, then the API goes. Each step has its
own time. The first SIGINT or SIGTERM asks for this; the second means now.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable

from eew.errors import EewError
from eew.interrupt import StopRequest
from eew.service.server import HttpServer
from eew.service.state import ServiceState

CHAIN_STOP_S = 15.0  # publisher, devices and broker have timeouts of their own below this


async def supervise(
    state: ServiceState,
    server: HttpServer,
    chain: Callable[[], Awaitable[None]],
    stop: StopRequest,
    *,
    on_ready: Callable[[], None] = lambda: None,
    once: bool = False,
    chain_stop_s: float = CHAIN_STOP_S,
) -> None:
    """Run the API and ``chain`` until ``stop``, or with ``once`` until the chain has ended.

    Parameters
    ----------
    chain : callable
        Runs the chain; sets its parts in ``state``. When cancelled it must close what it opened.
    on_ready : callable
        Called once the API answers.
    chain_stop_s : float
        How long the chain may take to close.

    Raises
    ------
    EewError
        Whatever made the chain fail; the API has been stopped in good order by then.
    """
    failure: list[BaseException] = []

    async def run_chain() -> None:
        try:
            await chain()
        except EewError as error:
            state.source_is("failed", str(error))
            failure.append(error)
            stop.ask(f"the chain failed: {error}")
        except Exception as error:  # noqa: BLE001  # reported, then raised again after the stop
            state.source_is("failed", f"{type(error).__name__}: {error}")
            failure.append(error)
            stop.ask(f"the chain failed: {error}")
        else:
            if once:
                stop.ask("the replay has ended")

    async with asyncio.TaskGroup() as tasks:
        api = tasks.create_task(server.run(), name="service.api")
        try:
            await server.started()
            on_ready()
            work = tasks.create_task(run_chain(), name="service.chain")
            await stop.wait()
            await _end(work, state, chain_stop_s)
        finally:
            server.stop()
        await api
    if failure:
        raise failure[0]


async def _end(work: asyncio.Task[None], state: ServiceState, within_s: float) -> None:
    """Cancel the chain if it still runs, and wait for it to have closed."""
    if work.done():
        return
    state.source_is("stopped", "the service is stopping")
    work.cancel("the service is stopping")
    _, late = await asyncio.wait({work}, timeout=within_s)
    if late:
        # A second cancellation breaks off the closing that hangs; what it held dies with us.
        sys.stderr.write(f"the chain did not close within {within_s:g} s: breaking off\n")
        work.cancel("closing took too long")
        await asyncio.wait({work}, timeout=1.0)
