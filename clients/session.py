"""What a device believes of the messages it gets: sans-I/O, told the time with every call.

It takes each (event, serial) once, only upwards, and never after ``expires_ns``; a withdrawn
event stays withdrawn. It knows whether the service can be heard, and whether its own clock can
be trusted (``clients.service_clock``). It does not know where the device is: what a message means
*here* is decided in ``clients.incident``. It is only told what is signed (``clients.trust``);
what it refuses changes nothing but a counter, so that a replay is no sign of life either.

It will not: wait, retry, subscribe, read a clock, check a signature, or decide what is shown.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import Enum

from clients.policy import DevicePolicy, policy
from clients.service_clock import ServiceClock
from eew.messages.control_wire import Heartbeat
from eew.messages.wire import ReceivedAlert
from eew.model.alert import MsgType

__all__ = [
    "DeviceSession",
    "EventState",
    "Link",
    "Refusal",
    "Verdict",
    "link_state",
    "silence_s",
]

_NS_PER_S = 1_000_000_000


class Link(Enum):
    """Whether the service can be heard."""

    CONNECTING = "connecting"
    LIVE = "live"
    STALE = "stale"
    OFFLINE = "offline"


class Refusal(Enum):
    """Why a message was not taken."""

    DUPLICATE = "duplicate"
    OLD_SERIAL = "old_serial"
    EXPIRED = "expired"
    FUTURE = "future"  # by a clock that is known to be right
    CLOSED = "closed"  # withdrawn, or final: only a withdrawal may follow a final message
    OLD_HEARTBEAT = "old_heartbeat"
    OLD_STATUS = "old_status"


class EventState(Enum):
    """Where an event stands for this device."""

    LIVE = "live"
    FINAL = "final"  # complete, still counts until its shaking is over
    CANCELLED = "cancelled"  # the service said: it was wrong
    VANISHED = "vanished"  # expired without a last word


@dataclass(frozen=True, slots=True)
class Verdict:
    """Taken (``refusal`` None) or not."""

    refusal: Refusal | None

    @property
    def accepted(self) -> bool:
        """True where the message is now the newest of its event."""
        return self.refusal is None


@dataclass(slots=True)
class _Event:
    serial: int
    state: EventState
    expires_ns: int
    remember_until_ns: int = 0  # the latest expiry of all its messages taken
    seen: set[int] = field(default_factory=set)


class DeviceSession:
    """Order, duplicates, expiry, withdrawal, staleness and clock of one device.

    Parameters
    ----------
    follow_heartbeat : bool
        False where no heartbeat is to be expected (no broker, or a replay faster than real
        time): the link then counts as live and the clock is not measured.
    """

    def __init__(self, *, follow_heartbeat: bool = True, rules: DevicePolicy | None = None) -> None:
        self._rules = rules or policy()
        self._follow_heartbeat = follow_heartbeat
        self._events: dict[str, _Event] = {}
        self._counts: Counter[str] = Counter()
        self._tolerance_ns = round(self._rules.clock_tolerance_s * _NS_PER_S)
        self._clock = ServiceClock(self._rules)
        self._heard_ns: int | None = None
        self._status: dict[str, tuple[int, int]] = {}  # service -> time, 1 where it said offline
        self._offline = False
        self._future = False
        self._forgotten_ns = 0  # no event that was forgotten expires later than this

    # ------------------------------------------------------------------ alerts

    def receive(self, alert: ReceivedAlert, now_ns: int) -> Verdict:
        """Take or refuse one message; counts the outcome under its reason."""
        message = alert.message
        event = self._events.get(message.event_id)
        refusal = self._judge(alert, event, now_ns)
        if refusal is not None:
            self._counts[refusal.value] += 1
            return Verdict(refusal)
        self._counts["accepted"] += 1
        self._heard(now_ns)
        # With a clock that is not known to be right it is shown all the same, and the clock
        # called wrong: nobody but the service can sign, and better so than never.
        self._future = self._ahead_ns(alert, now_ns) > self._tolerance_ns
        if event is None:
            self._forget(now_ns)
            event = self._events[message.event_id] = _Event(0, EventState.LIVE, 0)
        event.serial = message.serial
        event.seen.add(message.serial)
        event.expires_ns = message.expires_ns
        event.remember_until_ns = max(event.remember_until_ns, message.expires_ns)
        event.state = {
            MsgType.CANCEL: EventState.CANCELLED,
            MsgType.FINAL: EventState.FINAL,
        }.get(message.msg_type, EventState.LIVE)
        return Verdict(None)

    def _judge(self, alert: ReceivedAlert, event: _Event | None, now_ns: int) -> Refusal | None:
        message = alert.message
        if event is not None and message.serial in event.seen:
            return Refusal.DUPLICATE
        if message.expires_ns <= self.corrected_ns(now_ns):
            return Refusal.EXPIRED
        if self.clock_known(now_ns) and self._ahead_ns(alert, now_ns) > self._tolerance_ns:
            return Refusal.FUTURE
        if event is None:
            # it may have been taken and forgotten, and the clock put back since
            return Refusal.EXPIRED if message.expires_ns <= self._forgotten_ns else None
        if message.serial < event.serial:
            return Refusal.OLD_SERIAL
        if event.state is EventState.CANCELLED:
            return Refusal.CLOSED
        if event.state is EventState.FINAL and message.msg_type is not MsgType.CANCEL:
            return Refusal.CLOSED
        return None

    def _ahead_ns(self, alert: ReceivedAlert, now_ns: int) -> int:
        return alert.message.issued_ns - self.corrected_ns(now_ns)

    def advance(self, now_ns: int) -> list[str]:
        """Let time pass; return the events that vanished: expired without a last word."""
        vanished = []
        for event_id, event in self._events.items():
            if event.state is EventState.LIVE and event.expires_ns <= self.corrected_ns(now_ns):
                event.state = EventState.VANISHED
                self._counts["vanished"] += 1
                vanished.append(event_id)
        return vanished

    def state_of(self, event_id: str) -> EventState | None:
        """Return where an event stands, or None where it is unknown here."""
        event = self._events.get(event_id)
        return event.state if event is not None else None

    def serial_of(self, event_id: str) -> int:
        """Return the newest serial taken; 0 where the event is unknown here."""
        event = self._events.get(event_id)
        return event.serial if event is not None else 0

    def _forget(self, now_ns: int) -> None:
        """Keep memory bounded: drop expired events, whose messages stay refused all the same."""
        while len(self._events) >= self._rules.max_events:
            until_ns, oldest = min((e.remember_until_ns, name) for name, e in self._events.items())
            if until_ns > self.corrected_ns(now_ns):
                return  # all are live: rather remember too many than fire one again
            self._forgotten_ns = max(self._forgotten_ns, until_ns)
            del self._events[oldest]

    # ------------------------------------------------------------------ link and clock

    def heartbeat(self, beat: Heartbeat, now_ns: int) -> Refusal | None:
        """Take a sign of life, which also measures the device's clock.

        Only ``sent_ns`` counts: the sequence begins again with the service.
        """
        if not self._follow_heartbeat:
            return None
        if not self._clock.beat(beat.sent_ns, now_ns):
            self._counts[Refusal.OLD_HEARTBEAT.value] += 1
            return Refusal.OLD_HEARTBEAT
        self._heard(now_ns)
        self._offline = False
        self._future = False
        return None

    def service_status(
        self, service_id: str, *, online: bool, at_ns: int | None, now_ns: int
    ) -> Refusal | None:
        """Take the service's own word, or its last will.

        A will is written when the connection begins and carries that time, as the word that the
        service is online does: a later connection makes both of them old.
        """
        rank = None if at_ns is None else (at_ns, int(not online))
        before = self._status.get(service_id)
        if rank is None or (before is not None and rank < before):
            self._counts[Refusal.OLD_STATUS.value] += 1
            return Refusal.OLD_STATUS
        self._offline = not online
        if rank == before:
            return None  # read again on joining: no sign of life
        if before is None and len(self._status) >= self._rules.max_events:
            del self._status[min(self._status, key=lambda name: (self._status[name], name))]
        self._status[service_id] = rank
        if online:
            self._heard(now_ns)
        return None

    def _heard(self, now_ns: int) -> None:
        self._heard_ns = now_ns if self._heard_ns is None else max(self._heard_ns, now_ns)

    def silence_s(self, now_ns: int) -> float:
        """Return how long nothing has been heard, in s; 0 before the first word."""
        return silence_s(self._heard_ns, now_ns)

    def link(self, now_ns: int) -> Link:
        """Return whether the service can be heard."""
        return link_state(
            self._heard_ns,
            now_ns,
            self._rules,
            offline=self._offline and not self._beats_go_on(now_ns),
            follow_heartbeat=self._follow_heartbeat,
        )

    def _beats_go_on(self, now_ns: int) -> bool:
        """Tell whether the service's heart beats: whoever replays its last will is not believed."""
        heard_ns = self._clock.heard_ns
        return heard_ns is not None and now_ns - heard_ns <= self._tolerance_ns

    @property
    def clock_offset_ns(self) -> int:
        """How far the device's clock is ahead of the service's; 0 while within tolerance."""
        return self._clock.offset_ns

    def clock_known(self, now_ns: int) -> bool:
        """Tell whether the service's time is known by heartbeats, not only by the own clock."""
        return self._clock.is_known(now_ns)

    @property
    def clock_trusted(self) -> bool:
        """False where seconds left cannot be trusted: an uncorrected clock that is wrong."""
        return not (self._future or self._clock.is_hopeless)

    @property
    def clock_synchronised(self) -> bool:
        """False where people must be told that the device's time is off."""
        return self.clock_trusted and self.clock_offset_ns == 0

    def corrected_ns(self, now_ns: int) -> int:
        """Return the service's time for a time of the device."""
        return self._clock.corrected_ns(now_ns)

    @property
    def counts(self) -> dict[str, int]:
        """How many messages were taken, and refused for which reason, sorted by name."""
        return dict(sorted(self._counts.items()))


def silence_s(heard_ns: int | None, now_ns: int) -> float:
    """Return how long nothing has been heard, in s; 0 before the first word."""
    return 0.0 if heard_ns is None else max(0.0, (now_ns - heard_ns) / _NS_PER_S)


def link_state(
    heard_ns: int | None,
    now_ns: int,
    rules: DevicePolicy,
    *,
    offline: bool,
    follow_heartbeat: bool,
) -> Link:
    """Return whether the service can be heard, by when it was heard last and its own word."""
    if offline:
        return Link.OFFLINE
    if not follow_heartbeat:
        return Link.LIVE
    if heard_ns is None:
        return Link.CONNECTING
    quiet_s = silence_s(heard_ns, now_ns)
    if quiet_s > rules.offline_s:
        return Link.OFFLINE
    return Link.STALE if quiet_s > rules.stale_s else Link.LIVE
