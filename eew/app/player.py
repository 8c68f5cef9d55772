"""Plays a recording to the detector and its messages to the devices, in data time.

The data times of a run depend on the recording, the options and the seed alone. At each alert
message virtual time stands still until every connected device has answered (or 5 s have gone);
what that took is measured and, where a broker is in between, added to the data time at which
places were told. So a broker's milliseconds count as milliseconds at any replay speed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from eew.app.arriving import arriving_steps, make_schedule
from eew.app.devices import Crowd
from eew.app.latency import ModelledStages
from eew.app.options import RunOptions
from eew.app.run_keys import run_keys
from eew.app.taking import EventTaker
from eew.app.view import RunView
from eew.clock import NS_PER_S, Clock
from eew.core.config import DetectorConfig
from eew.core.pipeline import CoreEvent, Pipeline
from eew.interrupt import StopRequest, unless_stopped
from eew.messages import wire
from eew.model.alert import AlertMessage
from eew.model.event import EventClosed, Pick, PickRejected, Solution
from eew.model.waveform import Packet, Recording
from eew.report.result import RunInfo

_YIELD_EVERY_NS = 50_000_000  # of wall time: so often the loop may serve signals and sockets
_PROGRESS_EVERY_S = 1.0  # of data time


@dataclass(slots=True)
class Collected:
    """What a run has produced so far, in order."""

    picks: list[Pick] = field(default_factory=list)
    rejected: list[PickRejected] = field(default_factory=list)
    solutions: list[Solution] = field(default_factory=list)
    messages: list[AlertMessage] = field(default_factory=list)
    payloads: list[bytes] = field(default_factory=list)
    closed: list[EventClosed] = field(default_factory=list)


class ReplayPlayer(EventTaker):
    """Drives one replay; :meth:`run` may be called once.

    Parameters
    ----------
    devices : Crowd
        Already connected; the caller closes them.
    view : RunView
        Is told what happens, as it happens.
    stop : StopRequest
        Ends the run at the next step of data; what there is by then stays valid.
    arrivals : sequence of (int, tuple of Packet)
        Packets with recorded times of arrival, to be played instead of cutting the recording.
    """

    def __init__(
        self,
        recording: Recording,
        options: RunOptions,
        info: RunInfo,
        *,
        devices: Crowd,
        view: RunView,
        clock: Clock,
        stop: StopRequest,
        config: DetectorConfig,
        arrivals: Sequence[tuple[int, tuple[Packet, ...]]] = (),
    ) -> None:
        super().__init__(devices, view, stop)
        self._recording = recording
        self._options = options
        self._info = info
        self._clock = clock
        self._signer = run_keys(options).signer
        self.pipeline = Pipeline(recording.stations, config, gnss=recording.gnss)
        self.schedule = make_schedule(recording, options, arrivals)
        self.found = Collected()
        self.modelled = ModelledStages()
        self.compute_s: list[float] = []
        self.encode_s: list[float] = []
        self.complete = False
        self.now_ns = self.schedule.start_ns
        self.replay_s = 0.0

    async def run(self) -> None:
        """Play all data, then let the detector give its last words."""
        truth = self._recording.truth
        self._view.begin(
            self._info, self._recording, None if truth is None else truth.origin_time_ns
        )
        began_ns = served_ns = self._clock.monotonic_ns()
        began_utc_ns = self._began_utc_ns()
        end_ns = self.schedule.until_ns or self._recording.end_ns
        total_s = (end_ns - self.schedule.start_ns) / NS_PER_S
        reported_s = -_PROGRESS_EVERY_S
        for step in arriving_steps(self.schedule, self._recording, self._options):
            if self._options.speed > 0.0:
                after_ns = round((step.now_ns - self.schedule.start_ns) / self._options.speed)
                await self._sleep_until(began_utc_ns + after_ns)
            elif self._clock.monotonic_ns() - served_ns > _YIELD_EVERY_NS:
                await asyncio.sleep(0)
                served_ns = self._clock.monotonic_ns()
            if self._stop.is_asked:
                break
            self.now_ns = step.now_ns
            done_s = (step.now_ns - self.schedule.start_ns) / NS_PER_S
            if done_s - reported_s >= _PROGRESS_EVERY_S:
                reported_s = done_s
                self._view.progress(done_s, total_s)
            await self._step(step.packets, step.now_ns)
        else:
            await self.take(self.pipeline.finish(self.now_ns))
            self.complete = not self._stop.is_asked
        self.replay_s = (self._clock.monotonic_ns() - began_ns) / NS_PER_S

    def _began_utc_ns(self) -> int:
        """Return the wall clock's time that the start of the data stands for, with a speed."""
        return self._clock.utc_ns()

    @property
    def is_cut(self) -> bool:
        """Whether the run ended before the data did: stopped, or by ``until_s``."""
        return not self.complete or self.schedule.until_ns is not None

    async def _step(self, packets: Sequence[Packet], now_ns: int) -> None:
        start_ns = self._clock.monotonic_ns()
        if packets:
            events = self.pipeline.receive(packets, now_ns)
        else:
            events = self.pipeline.advance(now_ns)
        self.compute_s.append((self._clock.monotonic_ns() - start_ns) / NS_PER_S)
        if packets:
            self.modelled.packets(packets, now_ns)
        if events:
            await self.take(events)
        if not packets:
            self._devices.advance(now_ns)

    def keep(self, event: CoreEvent) -> None:
        """Collect everything for the result."""
        match event:
            case Pick():
                self.found.picks.append(event)
                self.modelled.pick(event)
            case PickRejected():
                self.found.rejected.append(event)
            case Solution():
                self.found.solutions.append(event)
            case EventClosed():
                self.found.closed.append(event)
            case AlertMessage():
                self.found.messages.append(event)
                self.modelled.message(event)

    async def send(self, message: AlertMessage) -> None:
        """Keep the message's bytes, then send it."""
        start_ns = self._clock.monotonic_ns()
        payload = wire.encode(
            message,
            run_id=self._info.run_id,
            seed=self._options.seed,
            sent_ns=message.issued_ns,
            signer=self._signer,
        )
        self.encode_s.append((self._clock.monotonic_ns() - start_ns) / NS_PER_S)
        self.found.payloads.append(payload)
        await super().send(message)

    async def _sleep_until(self, utc_ns: int) -> None:
        """Wait for the wall clock, or for the wish to stop."""
        await unless_stopped(self._clock.sleep_until(utc_ns), self._stop)
