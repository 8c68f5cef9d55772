"""One simulated phone or television on a real broker, for whoever wants to watch one.

The device (``clients``) judges and shows, its shell (``clients.subscriber``) connects; here both
get their settings, a clock, and a way to walk, and whoever looks on is told what changed. The
position goes to the device alone: not to the broker, not to the view, not into an error.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from clients.device import Device
from clients.events import DeviceEvent, Ignored, Shown
from clients.phone import Phone
from clients.policy import policy
from clients.presentation import Presentation
from clients.session import Link
from clients.subscriber import Place, Receipt, run_device
from clients.tv import TV
from eew.app.device_brokers import DeviceBrokers
from eew.app.interrupt import StopRequest, stop_on_signals
from eew.app.track import Waypoint
from eew.clock import NS_PER_S, Clock
from eew.entropy import fresh_seed
from eew.errors import ConfigError, ConnectError, TransportError, WireError
from eew.messages.cells import cell_of
from eew.messages.control_wire import decode_heartbeat
from eew.messages.seal import Keyring
from eew.messages.topics import heartbeat_topic
from eew.model.alert import Status
from eew.model.place import Site
from eew.mqtt_link import BrokerAddress, open_link

__all__ = ["KINDS", "ClientOptions", "ClientView", "Summary", "cells_of", "run_client"]

KINDS = ("phone", "tv")
_TICK_S = 0.1
_MOST_OFFSET_S = 10 * 365.25 * 86_400
_PATIENCE_S = 15.0
_NAMES_KM, _NAMES_SMALLEST, _MOST_NAMES = 800.0, 15_000, 400


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientOptions:
    """What a simulated device is, and what befalls it.

    Attributes
    ----------
    at : tuple of float
        Latitude and longitude, degrees; never leaves the device.
    clock_offset_s : float
        How far its clock is ahead of the right time.
    service_time : bool
        Its clock is first set by the service: for a replay that keeps the times of its quake.
    route : tuple of Waypoint
        Where it is carried, and when.
    for_s : float or None
        How long it is on; None until it is stopped.
    """

    kind: str
    at: tuple[float, float]
    language: str
    country: str
    profile: str
    district: str = ""
    tree: Status = Status.EXERCISE
    clock_offset_s: float = 0.0
    service_time: bool = False
    route: tuple[Waypoint, ...] = ()
    for_s: float | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ConfigError("KIND", f"unknown kind {self.kind!r}", hint=" or ".join(KINDS))
        policy().profile(self.profile)
        if not abs(self.clock_offset_s) <= _MOST_OFFSET_S:
            raise ConfigError(
                "--clock-offset", f"must be within ten years, was {self.clock_offset_s:g} s"
            )
        if self.for_s is not None and not 0.0 < self.for_s <= _MOST_OFFSET_S:
            raise ConfigError("--for", f"must be more than 0 s, was {self.for_s:g}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What a device did from start to end.

    ``counts`` are messages: accepted, and refused by reason. ``shown`` counts messages on the
    screen, ``screens`` what was shown altogether.
    """

    counts: dict[str, int]
    shown: int
    screens: int
    connections: int
    failures: int
    moves: int
    cells: int


class ClientView(Protocol):
    """Who looks on."""

    def opened(self, brokers: DeviceBrokers, words: Sequence[str]) -> None:
        """Learn where the device is going to connect, and what else is to be said first."""
        ...

    def waiting(self, words: str) -> None:
        """Hear what the device waits for before it is switched on."""
        ...

    def screen(self, shown: Presentation, link: Link, at_ns: int) -> None:
        """See the screen; called when it has changed, ``at_ns`` by the device's clock."""
        ...

    def link_failed(self, reason: str) -> None:
        """Hear why there is no connection."""
        ...

    def refused(self, event: Ignored) -> None:
        """Hear of a message that the device did not take."""
        ...


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
            offset_ns += await _until_stopped(
                service_lead_ns(
                    brokers(device.cell), keyring, options.tree, view=view, clock=clock
                ),
                stop,
            )
        client = _Client(device, view, lambda: clock.utc_ns() + offset_ns)
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


def cells_of(options: ClientOptions) -> tuple[str, ...]:
    """Return the areas the device will be in, in order; the first is where it begins."""
    way = [options.at, *((point.lat, point.lon) for point in options.route)]
    return tuple(dict.fromkeys(cell_of(*place) for place in way))


def make_device(options: ClientOptions, keyring: Keyring) -> Device:
    """Return the device that the options describe."""
    lat, lon = options.at
    settings: dict[str, Any] = {
        "id": "client",
        "lat": lat,
        "lon": lon,
        "language": options.language,
        "country": options.country,
        "profile": options.profile,
        "gazetteer": _names_near(lat, lon),
        "keyring": keyring,
        "tree": options.tree,
    }
    if options.kind == "tv":
        return TV(district=options.district, **settings)
    return Phone(title=options.district, **settings)


def _names_near(lat: float, lon: float) -> tuple[Site, ...]:
    """Return the larger towns by which a screen may say where a quake was."""
    from simulator.population import places

    near = places(_NAMES_SMALLEST).near(lat, lon, _NAMES_KM)
    rows = zip(near.name, near.lat, near.lon, strict=True)
    return tuple(
        Site(name=str(name), lat=float(at_lat), lon=float(at_lon))
        for name, at_lat, at_lon in list(rows)[:_MOST_NAMES]
    )


async def service_lead_ns(
    leaves: Sequence[BrokerAddress],
    keyring: Keyring,
    tree: Status,
    *,
    view: ClientView,
    clock: Clock,
) -> int:
    """Wait for a signed heartbeat; return how far the service's time is ahead of ours, ns.

    Raises
    ------
    ConnectError
        If the last of the brokers is lost.
    """
    view.waiting("waits for the first heartbeat of the service, to set its clock by")
    loop = asyncio.get_running_loop()
    worried = loop.call_later(
        _PATIENCE_S,
        view.waiting,
        "no heartbeat it trusts so far: does eew serve run there, with this seed or these keys, "
        "in this tree?",
    )
    try:
        for address in leaves[:-1]:
            with contextlib.suppress(ConnectError):
                return await _lead_at(address, keyring, tree, clock)
        return await _lead_at(leaves[-1], keyring, tree, clock)
    finally:
        worried.cancel()


async def _lead_at(address: BrokerAddress, keyring: Keyring, tree: Status, clock: Clock) -> int:
    beat = heartbeat_topic(tree=tree)
    async with open_link(address) as link:
        await link.subscribe({beat: 0})
        async for topic, payload in link.messages():
            with contextlib.suppress(WireError):
                keyring.verify(payload, tree)
                # 0: a replay that has not begun
                if topic == beat and (sent_ns := decode_heartbeat(payload).sent_ns) > 0:
                    return sent_ns - clock.utc_ns()
    raise AssertionError("messages() ends with ConnectError only")


async def _until_stopped(work: Any, stop: StopRequest) -> int:
    """Wait for a time difference; a wish to stop meanwhile is an interruption."""
    asking, stopping = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({asking, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not asking.done():
            raise KeyboardInterrupt
        return int(asking.result())
    finally:
        for task in (asking, stopping):
            task.cancel()
        await asyncio.gather(asking, stopping, return_exceptions=True)


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


class _Client:
    """Keeps what has to be kept between the device, its shell and whoever looks on."""

    def __init__(self, device: Device, view: ClientView, now_ns: Callable[[], int]) -> None:
        self._device = device
        self._view = view
        self.now_ns = now_ns
        self._last: tuple[Presentation, Link] | None = None
        self._shown = 0
        self._screens = 0
        self._connections = 0
        self._failures = 0
        self._moves = 0
        self._cells = {device.cell}
        self._reason = ""

    def on_receipt(self, receipt: Receipt) -> None:
        """Take what the device did with a message, or with a move."""
        self._take(receipt.events)
        self._cells.add(self._device.cell)
        self._show()

    def on_link(self, failure: TransportError | None) -> None:
        """Take what became of the connection; the same reason again is not told again."""
        if failure is None:
            self._connections += 1
            self._reason = ""
            return
        self._failures += 1
        if failure.problem != self._reason:
            self._reason = failure.problem
            self._view.link_failed(str(failure))

    def moved(self) -> None:
        """Count a step of the way."""
        self._moves += 1

    async def look(self) -> None:
        """Let time pass on the screen."""
        while True:
            self._take(self._device.advance(self.now_ns()))
            self._show()
            await asyncio.sleep(_TICK_S)

    def _take(self, events: Sequence[DeviceEvent]) -> None:
        for event in events:
            if isinstance(event, Shown):
                self._shown += 1
            elif isinstance(event, Ignored):
                self._view.refused(event)

    def _show(self) -> None:
        now_ns = self.now_ns()
        now = (self._device.presentation(now_ns), self._device.link(now_ns))
        if now != self._last:
            self._last = now
            self._screens += 1
            self._view.screen(*now, now_ns)

    def summary(self) -> Summary:
        """Return the counts."""
        return Summary(
            counts=self._device.counts,
            shown=self._shown,
            screens=self._screens,
            connections=self._connections,
            failures=self._failures,
            moves=self._moves,
            cells=len(self._cells),
        )
