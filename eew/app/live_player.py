"""Drives the detector with packets as they come, and tells the devices, for as long as it lives.

One task reads the source, one steps the detector. Each step runs in a thread of its own, so that a
long one (a large quake on many stations) holds up neither the reading nor the HTTP answers; what
comes meanwhile is the next step's. A message is handed to the publisher between two steps, which
writes it to the broker's socket then and there; the next step begins when the broker has taken it,
or a moment later (:mod:`eew.app.live_turn`). The answers of the devices are awaited by a task for
each message, so that neither detection nor the next message waits for them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing

from eew.app.data_clock import DataClock
from eew.app.devices import Crowd
from eew.app.inbox import Inbox
from eew.app.live_interpreter import shared_interpreter
from eew.app.live_turn import HandOverTurn
from eew.app.serve_view import ServiceView
from eew.app.taking import EventTaker
from eew.clock import NS_PER_S, Clock
from eew.core.pipeline import CoreEvent, Pipeline
from eew.egress.receipt import PublishReceipt
from eew.errors import PublishError
from eew.ingest.live import LiveNetwork, LiveSource
from eew.interrupt import StopRequest
from eew.model.alert import AlertMessage
from eew.model.event import StationState
from eew.model.waveform import DataProblem, Packet
from eew.service.state import ServiceState

_TICK_NS = NS_PER_S // 2
_PUNCTUAL_NS = NS_PER_S // 5
_GATHER_S = 0.002  # the channels of a station come one by one
_LOOK_NS = NS_PER_S

Say = Callable[[str], None]


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
        self._turn = HandOverTurn(clock)
        self._handed: list[PublishReceipt] = []  # by this step
        self._tasks: asyncio.TaskGroup | None = None
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
            with shared_interpreter():
                async with asyncio.TaskGroup() as tasks:
                    self._tasks = tasks
                    tasks.create_task(self._read(), name="live.read")
                    await self._detect()
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
        events, took_s = await loop.run_in_executor(thread, self._work, packets, now_ns)
        await self.take(events)  # before anything else: messages are what all this is for
        handed, self._handed = self._handed, []
        await self._turn.give(handed)
        self._state.receive_step(now_ns, packets, took_s)
        if not packets:
            self._n_ticks += 1
            if self._n_ticks % 2:
                states, problems = await loop.run_in_executor(thread, self._known, now_ns)
                self._state.receive_states(states)
                self._state.receive_problems(
                    (*self._network.problems, *self._source.health.problems(), *problems)
                )

    def _work(self, packets: Sequence[Packet], now_ns: int) -> tuple[Sequence[CoreEvent], float]:
        """Step the detector; runs in its thread and touches nothing but the detector."""
        start_ns = self._clock.monotonic_ns()
        if packets:
            events = self._pipeline.receive(packets, now_ns)
        else:
            events = self._pipeline.advance(now_ns)
        return events, (self._clock.monotonic_ns() - start_ns) / NS_PER_S

    def _known(self, now_ns: int) -> tuple[Sequence[StationState], Sequence[DataProblem]]:
        """Ask the detector, in its thread, how the stations are."""
        return self._pipeline.station_states(now_ns), self._pipeline.problems()

    # ------------------------------------------------------------------ telling

    async def send(self, message: AlertMessage) -> None:
        """Hand a message over; somebody else waits for what comes of it."""
        assert self._tasks is not None
        receipt = self._devices.submit(message)
        self._handed.append(receipt)
        self._tasks.create_task(
            self._answers(message, receipt), name=f"live.answers.{message.event_id}"
        )

    async def _answers(self, message: AlertMessage, receipt: PublishReceipt) -> None:
        try:
            news = await self._devices.answers(message, receipt, self._stop)
        except PublishError as error:
            # the publisher goes on offering it until it expires or a newer one comes
            self._service.publish_failed(str(error))
            return
        if receipt.is_overtaken:
            self._state.counts["messages_overtaken"] += 1
            return
        self._view.told(message, news)

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
