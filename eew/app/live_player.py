"""Drives the detector with packets as they come, and tells the devices, for as long as it lives.

Three tasks: one reads the source, one steps the detector, one delivers messages. Each step runs in
a thread of its own, so that a long one (a large quake on many stations) holds up neither the
reading nor the HTTP answers; what comes meanwhile is the next step's. A broker that hangs holds up
deliveries only. Of several messages of one event that wait for delivery only the newest is sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass

from eew.app.data_clock import DataClock
from eew.app.devices import Crowd
from eew.app.inbox import Inbox
from eew.app.interrupt import StopRequest
from eew.app.serve_view import ServiceView
from eew.app.taking import EventTaker
from eew.clock import NS_PER_S, Clock
from eew.core.pipeline import CoreEvent, Pipeline
from eew.errors import PublishError
from eew.ingest.live import LiveNetwork, LiveSource
from eew.model.alert import AlertMessage
from eew.model.event import StationState
from eew.model.waveform import DataProblem, Packet
from eew.service.state import ServiceState

_TICK_NS = NS_PER_S // 2
_PUNCTUAL_NS = NS_PER_S // 5
_GATHER_S = 0.002  # the channels of a station come one by one
_LOOK_NS = NS_PER_S

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class _Step:
    """What one step of the detector gave, and once a second what it knows."""

    now_ns: int
    packets: Sequence[Packet]
    events: Sequence[CoreEvent]
    took_s: float
    states: Sequence[StationState] | None = None
    problems: Sequence[DataProblem] = ()


class LivePlayer(EventTaker):
    """Runs until it is cancelled, or the source is over.

    Parameters
    ----------
    source : LiveSource
        Opened; the caller closes it.
    network : LiveNetwork
        What opening it gave.
    pipeline : Pipeline
        The detector for the stations of ``network``.
    """

    def __init__(
        self,
        source: LiveSource,
        network: LiveNetwork,
        pipeline: Pipeline,
        *,
        devices: Crowd,
        view: ServiceView,
        state: ServiceState,
        clock: Clock,
        say: Say,
    ) -> None:
        super().__init__(devices, view, StopRequest())  # stopped by cancelling
        self._source = source
        self._network = network
        self._pipeline = pipeline
        self._service = view
        self._state = state
        self._clock = clock
        self._say = say
        self._data_clock = DataClock(clock)
        self._inbox = Inbox(self._overflowed)
        self._waiting: dict[str, AlertMessage] = {}  # by event, oldest first
        self._to_tell = asyncio.Event()
        self._looked_ns: int | None = None
        self._n_ticks = 0

    async def run(self) -> None:
        """Read, detect, tell.

        Raises
        ------
        TransportError
            If the source gives up; what one task raises ends the others.
        """
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._read(), name="live.read")
                telling = tasks.create_task(self._tell(), name="live.tell")
                await self._detect()
                telling.cancel()
        except BaseExceptionGroup as group:
            raise group.exceptions[0] from None

    # ------------------------------------------------------------------ reading

    async def _read(self) -> None:
        async with aclosing(self._source.packets()) as packets:
            async for packet, arrival_ns in packets:
                self._data_clock.hear(packet, arrival_ns)
                self._inbox.put(packet, arrival_ns)
        self._inbox.close()

    def _overflowed(self, packet: Packet) -> None:
        self._source.health.set_aside(
            "overflow", str(packet.stream_id), "came faster than the detector could take it"
        )

    # ------------------------------------------------------------------ the detector

    async def _detect(self) -> None:
        with ThreadPoolExecutor(1, "detector") as thread:
            tick_ns = await self._first_tick_ns()
            while not self._inbox.is_over:
                until_s = (self._data_clock.wall_ns(tick_ns) - self._clock.utc_ns()) / NS_PER_S
                await self._inbox.wait(until_s)
                await asyncio.sleep(_GATHER_S)
                now_ns = self._data_clock.now_ns()
                if now_ns >= tick_ns:
                    # a tick has its nominal time: else an update that is due 1 s after the last
                    # would miss it by the jitter of that one, and come half a second later
                    at_ns = tick_ns if now_ns - tick_ns < _PUNCTUAL_NS else now_ns
                    # and sees what had come by then or was on its way, however late this is
                    due_ns = self._data_clock.wall_ns(at_ns) + round(_GATHER_S * NS_PER_S)
                    if packets := self._inbox.take(due_ns):
                        await self._step(thread, packets, at_ns)
                    await self._step(thread, (), at_ns)
                    self._devices.advance(at_ns)
                    tick_ns += _TICK_NS * (1 + (now_ns - tick_ns) // _TICK_NS)
                if packets := self._inbox.take():
                    await self._step(thread, packets, now_ns)
                self._look()
            await self.take(self._pipeline.finish(self._data_clock.now_ns()))

    async def _first_tick_ns(self) -> int:
        """Wait for data and their time; ticks are counted from the first sample, as in a replay."""
        while not self._data_clock.is_settled():
            self._look()
            await asyncio.sleep(_GATHER_S if self._data_clock.lead_s is not None else 0.05)
            if self._inbox.is_over:
                raise RuntimeError(f"{self._source.name} was over before it began")
        offset_s = self._data_clock.offset_s
        assert offset_s is not None
        self._state.receive_offset(offset_s)
        if offset_s:
            words = "behind" if offset_s < 0 else "ahead of"
            self._say(
                f"the data are {abs(offset_s):.1f} s {words} the wall clock: a server that "
                "replays; the service goes by data time"
            )
        first_ns = self._data_clock.first_sample_ns or 0
        now_ns = self._data_clock.now_ns()
        return first_ns + _TICK_NS * max(1, -((first_ns - now_ns) // _TICK_NS))

    async def _step(
        self, thread: ThreadPoolExecutor, packets: Sequence[Packet], now_ns: int
    ) -> None:
        loop = asyncio.get_running_loop()
        with_states = not packets and self._n_ticks % 2 == 0
        self._n_ticks += not packets
        step = await loop.run_in_executor(thread, self._work, packets, now_ns, with_states)
        self._state.receive_step(step.now_ns, step.packets, step.took_s)
        if step.states is not None:
            self._state.receive_states(step.states)
            self._state.receive_problems(
                (*self._network.problems, *self._source.health.problems(), *step.problems)
            )
        await self.take(step.events)

    def _work(self, packets: Sequence[Packet], now_ns: int, with_states: bool) -> _Step:
        """Step the detector; runs in its thread and touches nothing but the detector."""
        start_ns = self._clock.monotonic_ns()
        if packets:
            events = self._pipeline.receive(packets, now_ns)
        else:
            events = self._pipeline.advance(now_ns)
        took_s = (self._clock.monotonic_ns() - start_ns) / NS_PER_S
        if not with_states:
            return _Step(now_ns, packets, events, took_s)
        states, problems = self._pipeline.station_states(now_ns), self._pipeline.problems()
        return _Step(now_ns, packets, events, took_s, states, problems)

    # ------------------------------------------------------------------ telling

    async def send(self, message: AlertMessage) -> None:
        """Put a message into the queue; one that waits there for the same event is outdated."""
        if self._waiting.pop(message.event_id, None) is not None:
            self._state.counts["messages_overtaken"] += 1
        self._waiting[message.event_id] = message
        self._to_tell.set()

    async def _tell(self) -> None:
        while True:
            await self._to_tell.wait()
            self._to_tell.clear()
            while self._waiting:
                message = self._waiting.pop(next(iter(self._waiting)))
                try:
                    await super().send(message)
                except PublishError as error:
                    # the publisher goes on offering it until it expires or a newer one comes
                    self._service.publish_failed(str(error))

    # ------------------------------------------------------------------ watching

    def _look(self) -> None:
        """Once a second: who has gone silent, how the source is, whether devices are there."""
        now_ns = self._clock.utc_ns()
        if self._looked_ns is not None and 0 <= now_ns - self._looked_ns < _LOOK_NS:
            return
        self._looked_ns = now_ns
        self._source.health.watch(now_ns)
        self._service.feeds(self._source.health.report(), self._data_clock.waits_for)
        self._service.look()
