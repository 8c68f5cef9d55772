"""What the running chain has reported so far; the HTTP routes read it, nothing else does.

Everything happens on one event loop: the chain calls the methods here, a route reads between two
of those calls, so there is no lock. Memory is bounded: the oldest closed event goes first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from eew.clock import NS_PER_S, Clock
from eew.model.alert import AlertMessage, MsgType
from eew.model.event import (
    EventClosed,
    Pick,
    PickRejected,
    Solution,
    StationState,
)
from eew.model.feed import FeedReport
from eew.model.waveform import DataProblem, Packet, Station
from eew.service.metrics import SOURCE_STATES, Metrics

CoreEvent = Pick | PickRejected | Solution | AlertMessage | EventClosed

MAX_EVENTS = 500
MAX_MESSAGES = 200  # of one event; an event has some ten


@dataclass(slots=True)
class PartState:
    """Whether one part of the service can do its work, and if not, why."""

    ready: bool
    reason: str


@dataclass(slots=True)
class EventRecord:
    """One event as the detector sees it: its newest solution and all its messages."""

    event_id: str
    first_ns: int
    updated_ns: int
    solution: Solution | None = None
    messages: list[AlertMessage] = field(default_factory=list)
    closed: EventClosed | None = None

    @property
    def state(self) -> str:
        """``candidate`` (nobody told yet), ``open``, ``final``, ``cancelled`` or ``dropped``."""
        if self.messages:
            last = self.messages[-1].msg_type
            if last is MsgType.CANCEL:
                return "cancelled"
            return "final" if last is MsgType.FINAL or self.closed is not None else "open"
        return "dropped" if self.closed is not None else "candidate"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceInfo:
    """What does not change while the service runs. No field holds a secret."""

    service_id: str
    version: str
    source: str  # "replay luding-2022"
    speed: float
    status: str  # "exercise" or "test"


@dataclass(slots=True)
class BrokerInfo:
    """Where devices connect; no address where they are in the process without a broker."""

    kind: str
    host: str | None = None
    port: int | None = None


class ServiceState:
    """Receives what the chain says and keeps what the routes show."""

    PARTS = ("broker", "source", "pipeline")

    def __init__(self, info: ServiceInfo, clock: Clock) -> None:
        self.info = info
        self.metrics = Metrics(info.version)
        self.parts = {name: PartState(False, "not started yet") for name in self.PARTS}
        self.source_state = "starting"
        self.broker: BrokerInfo | None = None
        self.data_time_ns: int | None = None
        self.data_start_ns: int | None = None
        self.data_offset_s: float | None = None  # against the wall clock; None in a replay
        self.feed: FeedReport | None = None  # None in a replay
        self.stations: dict[str, Station] = {}
        self.station_states: dict[str, StationState] = {}
        self.events: dict[str, EventRecord] = {}
        self.counts: Counter[str] = Counter()
        self.problems: Counter[str] = Counter()
        self.devices = 0
        self.told: Counter[str] = Counter()
        self._clock = clock
        self._started_ns = clock.monotonic_ns()
        self.started_utc_ns = clock.utc_ns()

    # ------------------------------------------------------------ life
    @property
    def uptime_s(self) -> float:
        """Time since the service started, s (monotonic)."""
        return (self._clock.monotonic_ns() - self._started_ns) / NS_PER_S

    def part(self, name: str, *, ready: bool, reason: str) -> None:
        """Say whether part ``name`` can do its work; ``reason`` is shown either way."""
        if name not in self.parts:
            raise ValueError(f"unknown part {name!r}, there are {', '.join(self.PARTS)}")
        self.parts[name] = PartState(ready, reason)

    def not_ready(self) -> list[str]:
        """Return one line per part that is not ready; empty when the service is."""
        return [f"{name}: {part.reason}" for name, part in self.parts.items() if not part.ready]

    def source_is(self, state: str, reason: str) -> None:
        """Set the state of the source; one that has ended still counts as ready."""
        if state not in SOURCE_STATES:
            raise ValueError(f"unknown state {state!r}, there are {', '.join(SOURCE_STATES)}")
        self.source_state = state
        self.metrics.set_source_state(state)
        self.part("source", ready=state in ("running", "ended"), reason=reason)

    def broker_is(self, broker: BrokerInfo | None, reason: str) -> None:
        """Set where devices connect; None while there is no broker."""
        self.broker = broker
        self.part("broker", ready=broker is not None, reason=reason)

    # ------------------------------------------------------------ data
    def receive_feed(self, report: FeedReport) -> None:
        """Take how a live source is now."""
        self.feed = report
        self.metrics.feed.receive(report)

    def receive_offset(self, offset_s: float) -> None:
        """Take how far data time is from the wall clock, s."""
        self.data_offset_s = offset_s
        self.metrics.feed.data_offset_s.set(offset_s)

    @property
    def now_utc_ns(self) -> int:
        """The wall clock, UTC ns."""
        return self._clock.utc_ns()

    def receive_stations(self, stations: Iterable[Station]) -> None:
        """Take the stations the detector uses."""
        self.stations = {station.code: station for station in stations}

    def receive_states(self, states: Iterable[StationState]) -> None:
        """Take what the detector now thinks of each station."""
        self.station_states = {state.station: state for state in states}
        by_state = Counter(state.state for state in self.station_states.values())
        self.metrics.stations.clear()
        for name, count in sorted(by_state.items()):
            self.metrics.stations.labels(name).set(count)

    def receive_step(self, now_ns: int, packets: Sequence[Packet], decision_s: float) -> None:
        """Take one round: the data time, its packets, and what the detector took over them."""
        if self.data_start_ns is None:
            self.data_start_ns = now_ns
        self.data_time_ns = now_ns
        self.counts["packets"] += len(packets)
        self.metrics.packets.inc(len(packets))
        for packet in packets:
            delay_s = (now_ns - packet.end_ns) / NS_PER_S
            self.metrics.packet_delay_s.labels(packet.stream_id.network).observe(delay_s)
        if packets:
            self.metrics.decision_s.observe(decision_s)

    def receive_problems(self, problems: Iterable[DataProblem]) -> None:
        """Take all problems found so far; what is new since the last call is counted."""
        totals: Counter[str] = Counter()
        for problem in problems:
            totals[problem.kind] += problem.count
        new = totals - self.problems
        self.metrics.gaps.inc(new["gap"])
        self.metrics.dropped.inc(new["late"])
        self.problems = totals

    def receive(self, event: CoreEvent) -> None:
        """Take one word of the detector."""
        match event:
            case Pick():
                self.counts["picks"] += 1
                self.metrics.picks.labels(event.phase.value).inc()
                self.metrics.pick_latency_s.observe((event.known_ns - event.time_ns) / NS_PER_S)
            case PickRejected():
                self.counts["picks_rejected"] += 1
                self.metrics.picks_rejected.inc()
            case Solution():
                self.counts["solutions"] += 1
                self._record(event.event_id, event.at_ns).solution = event
            case AlertMessage():
                self.counts["messages"] += 1
                self.metrics.messages.labels(event.msg_type.value).inc()
                messages = self._record(event.event_id, event.issued_ns).messages
                messages.append(event)
                del messages[:-MAX_MESSAGES]
            case EventClosed():
                self._close(event)

    def _close(self, event: EventClosed) -> None:
        """Mark an event as ended; a lone pick's first guess that nobody confirmed goes at once."""
        record = self.events.get(event.event_id)
        if record is None:
            return  # it never had a magnitude: nothing was said of it
        solution = record.solution
        if not record.messages and solution is not None and solution.n_stations < 2:
            del self.events[event.event_id]
            return
        record.updated_ns = max(record.updated_ns, event.at_ns)
        record.closed = event

    def _record(self, event_id: str, at_ns: int) -> EventRecord:
        record = self.events.get(event_id)
        if record is None:
            record = self.events[event_id] = EventRecord(event_id, at_ns, at_ns)
            self._forget_oldest()
        record.updated_ns = max(record.updated_ns, at_ns)
        return record

    def _forget_oldest(self) -> None:
        while len(self.events) > MAX_EVENTS:
            closed = (key for key, record in self.events.items() if record.closed is not None)
            del self.events[next(closed, next(iter(self.events)))]

    # ------------------------------------------------------------ delivery
    def receive_devices(self, connected: int) -> None:
        """Take the number of devices connected now."""
        self.devices = connected
        self.metrics.clients.set(connected)

    def receive_published(self, publish_s: float) -> None:
        """Take how long handing a message to the broker took (measured)."""
        self.counts["published"] += 1
        self.metrics.publish_s.observe(publish_s)

    def receive_publish_failure(self, reason: str) -> None:
        """Take that the broker has not taken a message in time; it may still do so later."""
        self.counts["publish_failures"] += 1
        self.metrics.publish_failures.inc()
        self.part("broker", ready=False, reason=reason)

    def receive_delivered(self, delivery_s: float) -> None:
        """Take the time from publish to one device (measured)."""
        self.counts["delivered"] += 1
        self.metrics.delivery_s.observe(delivery_s)

    def receive_told(self, kind: str, lead_time_s: float | None) -> None:
        """Take that a device of ``kind`` first showed an alert, and the time left until S."""
        self.told[kind] += 1
        if lead_time_s is not None:
            self.metrics.lead_time_s.observe(lead_time_s)
