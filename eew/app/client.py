"""One simulated phone or television on a real broker, for whoever wants to watch one.

The device (``clients``) judges and shows, its shell (``clients.subscriber``) connects; here both
get their settings, a clock, and a way to walk, and whoever looks on is told what changed. The
position goes to the device alone: not to the broker, not to the view, not into an error.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import numpy as np

from clients.subscriber import Place, run_device
from eew.app.client_device import ClientOptions, make_device
from eew.app.client_watch import ClientView, ClientWatch, Summary
from eew.app.device_brokers import DeviceBrokers
from eew.app.service_time import service_lead_ns
from eew.app.track import Waypoint
from eew.clock import NS_PER_S, Clock
from eew.entropy import fresh_seed
from eew.interrupt import stop_on_signals, unless_stopped
from eew.messages.seal import Keyring

__all__ = ["run_client"]


async def run_client(
    options: ClientOptions,
    brokers: DeviceBrokers,
    keyring: Keyring,
    *,
    view: ClientView,
    clock: Clock,
) -> Summary:
    """Be the device until a signal, or for as long as the options say.

    Raises
    ------
    ConfigError
        If the options do not make a device, or an area on its way has no account.
    ConnectError
        If the last of the brokers is lost while the service's time is waited for.
    """
    device = make_device(options, keyring)
    offset_ns = round(options.clock_offset_s * NS_PER_S)
    with stop_on_signals() as stop:
        if options.service_time:
            leaves = brokers(device.cell)
            lead_ns = await unless_stopped(
                service_lead_ns(leaves, keyring, options.tree, waiting=view.waiting, clock=clock),
                stop,
            )
            if lead_ns is None:
                raise KeyboardInterrupt
            offset_ns += lead_ns
        client = ClientWatch(device, view, lambda: clock.utc_ns() + offset_ns)
        walk: asyncio.Queue[Place] = asyncio.Queue()
        tasks = [
            asyncio.create_task(
                run_device(
                    device,
                    brokers,
                    clock=clock,
                    rng=np.random.default_rng(fresh_seed()),
                    now_ns=client.now_ns,
                    on_receipt=client.on_receipt,
                    on_link=client.on_link,
                    moves=walk,
                ),
                name="client.device",
            ),
            asyncio.create_task(client.look(), name="client.look"),
            asyncio.create_task(_walk(options.route, client.moved, walk), name="client.walk"),
            asyncio.create_task(stop.wait(), name="client.stop"),
        ]
        try:
            await _first_end(tasks, options.for_s)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    return client.summary()


async def _first_end(tasks: Sequence[asyncio.Task[None]], for_s: float | None) -> None:
    """Wait for a wish to stop, for the end of the time, or for a bug, which comes out here."""
    watched = {task for task in tasks if task.get_name() != "client.walk"}
    done, _ = await asyncio.wait(watched, timeout=for_s, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()


async def _walk(
    route: Sequence[Waypoint], moved: Callable[[], None], walk: asyncio.Queue[Place]
) -> None:
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    for point in route:
        await asyncio.sleep(max(0.0, began_s + point.after_s - loop.time()))
        walk.put_nowait((point.lat, point.lon))
        moved()
