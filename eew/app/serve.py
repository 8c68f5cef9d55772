"""What ``eew serve`` does: the chain as a service, fed by a replay or by a live source.

With a replay it goes on when that has ended; with a live source for as long as it is left alone.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial

from eew import __version__
from eew.app.crowd import open_crowd
from eew.app.devices import Crowd
from eew.app.live_chain import live_chain
from eew.app.live_source import LiveOptions, open_source
from eew.app.options import RunOptions
from eew.app.player import ReplayPlayer
from eew.app.run import run_info, run_places
from eew.app.serve_view import ServiceView
from eew.app.session import check_broker
from eew.app.source import event_name, load_source
from eew.clock import NS_PER_S, Clock
from eew.core.config import DetectorConfig
from eew.errors import ConfigError, PublishError
from eew.interrupt import StopRequest, stop_on_signals
from eew.model.alert import AlertMessage
from eew.model.waveform import Recording
from eew.report.result import RunInfo
from eew.service.api import create_app
from eew.service.observed import ObservedPipeline
from eew.service.server import HttpServer, listen, url_of
from eew.service.state import ServiceInfo, ServiceState
from eew.service.supervisor import supervise

Say = Callable[[str], None]
_LOOK_EVERY_S = 1.0
_LEAD_NS = NS_PER_S  # between the call and the first sample of a quake that happens now


def serve_replay(
    event: str,
    options: RunOptions,
    *,
    bind: str,
    port: int,
    now: bool = False,
    once: bool,
    say: Say,
    clock: Clock,
) -> None:
    """Serve a replay of ``event`` over HTTP and MQTT until a signal, or with ``once`` to its end.

    Event, broker and port are checked in this order before anything is started.

    Parameters
    ----------
    now : bool
        As if the quake happened now, so that devices with a right clock take the alerts; only at
        the speed of time.

    Raises
    ------
    ConfigError
        If event, broker or options cannot be used.
    TransportError
        If the port is taken, or the broker is not there.
    DataError
        If the data cannot be used.
    """
    if now and options.speed != 1.0:
        raise ConfigError("--now", f"goes with --speed 1 only, was {options.speed:g}")
    name = event_name(event)
    check_broker(options.broker)
    info = ServiceInfo(
        service_id=f"{name}-{options.seed}",
        version=__version__,
        source=f"replay {name}",
        speed=options.speed,
        status=options.status.value,
    )
    chain = partial(_chain, event, options, now=now, once=once, say=say, clock=clock)
    _run(info, chain, bind=bind, port=port, once=once, say=say, clock=clock)


def serve_live(
    url: str,
    options: RunOptions,
    live: LiveOptions,
    *,
    bind: str,
    port: int,
    say: Say,
    clock: Clock,
) -> None:
    """Serve what comes from the live source at ``url`` until a signal.

    Raises
    ------
    ConfigError
        If source, broker or options cannot be used, or the stations are not known.
    TransportError
        If the port is taken, or source or broker are not there at the start.
    DataError
        If there is no usable station.
    """
    source = open_source(url, live, clock)
    check_broker(options.broker)
    info = ServiceInfo(
        service_id=f"{re.sub(r'[^A-Za-z0-9.]+', '-', source.name)}-{options.seed}",
        version=__version__,
        source=f"live {source.name}",
        speed=1.0,
        status=options.status.value,
    )
    chain = partial(live_chain, source, options, say=say, clock=clock)
    _run(info, chain, bind=bind, port=port, once=False, say=say, clock=clock)


def _run(
    info: ServiceInfo,
    chain: Callable[[ServiceState], Awaitable[None]],
    *,
    bind: str,
    port: int,
    once: bool,
    say: Say,
    clock: Clock,
) -> None:
    """Take the port, then run API and chain until a signal."""
    with listen(bind, port) as sock:
        state = ServiceState(info, clock)
        server = HttpServer(create_app(state), sock)
        on_ready = partial(_announce, url_of(sock), bind, say)
        ended = asyncio.run(_serve(state, server, partial(chain, state), on_ready, once=once))
        say(f"ended: {ended}")


async def _serve(
    state: ServiceState,
    server: HttpServer,
    chain: Callable[[], Awaitable[None]],
    on_ready: Callable[[], None],
    *,
    once: bool,
) -> str:
    with stop_on_signals() as stop:
        await supervise(state, server, chain, stop, on_ready=on_ready, once=once)
    return stop.reason


def _announce(url: str, bind: str, say: Say) -> None:
    say(f"SIMULATION: status on {url}/api/v1/status, ready when {url}/readyz says so")
    if bind not in ("127.0.0.1", "localhost", "::1"):
        say(f"anyone who reaches {bind} can read it: there is no password")


async def _chain(
    event: str,
    options: RunOptions,
    state: ServiceState,
    *,
    now: bool,
    once: bool,
    say: Say,
    clock: Clock,
) -> None:
    """Read, open broker and devices, play; then keep broker and devices open."""
    state.source_is("starting", "reading the data")
    # in a thread: computing a quake takes seconds, and the API has to answer meanwhile
    source = await asyncio.to_thread(load_source, event, seed=options.seed)
    options = options.with_script(source.script, source.zero)
    recording = source.recording
    places = run_places(recording, options, source.sites, source.languages)
    config = DetectorConfig.load().with_status(options.status)
    view = ServiceView(state, places.targets, clock)
    async with open_crowd(
        places,
        options,
        run_id=state.info.service_id,
        clock=clock,
        by_clock=now,
        progress=view.connecting,
    ) as crowd:
        view.opened(crowd, len(places.devices))
        if now:
            by_ns = clock.utc_ns() + _LEAD_NS - recording.start_ns
            recording = recording.moved(by_ns)
            options = replace(options, zero=source.zero.moved(by_ns))
        info = run_info(recording.name, options, broker=crowd.broker, complete=False, config=config)
        player = _ServedPlayer(
            recording,
            options,
            info,
            state=state,
            devices=crowd,
            view=view,
            clock=clock,
            config=config,
            now=now,
        )
        await player.run()
        state.source_is("ended", "the replay has ended")
        say(
            f"the replay has ended: {len(player.found.messages)} messages, "
            f"{len(crowd.told)} times somebody was told"
        )
        if once:
            return
        say("still serving; Ctrl-C ends")
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            view.look()


class _ServedPlayer(ReplayPlayer):
    """A player whose detector has a meter on it, and that outlives a bad minute of its broker."""

    def __init__(
        self,
        recording: Recording,
        options: RunOptions,
        info: RunInfo,
        *,
        state: ServiceState,
        devices: Crowd,
        view: ServiceView,
        clock: Clock,
        config: DetectorConfig,
        now: bool,
    ) -> None:
        super().__init__(
            recording,
            options,
            info,
            devices=devices,
            view=view,
            clock=clock,
            stop=StopRequest(),  # a service is stopped by cancelling its task
            config=config,
        )
        self._service = view
        self._now = now
        self.pipeline = ObservedPipeline(
            recording.stations,
            config,
            state=state,
            clock=clock,
            found=recording.problems,
            gnss=recording.gnss,
        )

    def _began_utc_ns(self) -> int:
        return self.schedule.start_ns if self._now else super()._began_utc_ns()

    async def send(self, message: AlertMessage) -> None:
        """Send ``message``; what a broker does not take in time shows in the state."""
        try:
            await super().send(message)
        except PublishError as error:
            # The publisher goes on offering it until it expires or a newer one takes its place.
            self._service.publish_failed(str(error))
