"""What a device believes of the messages it gets: sans-I/O, told the time with every call.

It takes each (event, serial) once, only upwards, and never after ``expires_ns``; a withdrawn
event stays withdrawn. It knows whether the service can be heard, and whether its own clock can
be trusted. It does not know where the device is: what a message means *here* is decided in
``clients.incident``.

It will not: wait, retry, subscribe, read a clock, or decide what is shown.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from enum import Enum

from clients.policy import DevicePolicy, policy
from eew.messages.control_wire import Heartbeat
from eew.messages.wire import ReceivedAlert
from eew.model.alert import MsgType

__all__ = ["DeviceSession", "EventState", "Link", "Refusal", "Verdict"]

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
    CLOSED = "closed"  # withdrawn, or final: only a withdrawal may follow a final message


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
        self._heard_ns: int | None = None
        self._service_online = True
        self._future = False
        self._lags: deque[int] = deque(maxlen=max(1, self._rules.clock_heartbeats))

    # ------------------------------------------------------------------ alerts

    def receive(self, alert: ReceivedAlert, now_ns: int) -> Verdict:
        """Take or refuse one message; counts the outcome under its reason."""
        self._heard(now_ns)
        message = alert.message
        tolerance_ns = round(self._rules.clock_tolerance_s * _NS_PER_S)
        # A message from the future is shown all the same: better with a wrong clock than never.
        self._future = message.issued_ns - self.corrected_ns(now_ns) > tolerance_ns
        event = self._events.get(message.event_id)
        refusal = self._judge(alert, event, now_ns)
        if refusal is not None:
            self._counts[refusal.value] += 1
            return Verdict(refusal)
        self._counts["accepted"] += 1
        if event is None:
            self._forget(now_ns)
            event = self._events[message.event_id] = _Event(0, EventState.LIVE, 0)
        event.serial = message.serial
        event.seen.add(message.serial)
        event.expires_ns = message.expires_ns
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
        if event is None:
            return None
        if message.serial < event.serial:
            return Refusal.OLD_SERIAL
        if event.state is EventState.CANCELLED:
            return Refusal.CLOSED
        if event.state is EventState.FINAL and message.msg_type is not MsgType.CANCEL:
            return Refusal.CLOSED
        return None

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
            oldest = min(self._events, key=lambda name: (self._events[name].expires_ns, name))
            if self._events[oldest].expires_ns > self.corrected_ns(now_ns):
                return  # all are live: rather remember too many than fire one again
            del self._events[oldest]

    # ------------------------------------------------------------------ link and clock

    def heartbeat(self, beat: Heartbeat, now_ns: int) -> None:
        """Take a sign of life; a few in a row also measure the device's clock."""
        if not self._follow_heartbeat:
            return
        self._heard(now_ns)
        self._service_online = True
        self._lags.append(now_ns - beat.sent_ns)
        self._future = False

    def service_status(self, *, online: bool, now_ns: int) -> None:
        """Take the service's own word, or its last will."""
        self._service_online = online
        if online:
            self._heard(now_ns)

    def _heard(self, now_ns: int) -> None:
        self._heard_ns = now_ns if self._heard_ns is None else max(self._heard_ns, now_ns)

    def silence_s(self, now_ns: int) -> float:
        """Return how long nothing has been heard, in s; 0 before the first word."""
        if self._heard_ns is None:
            return 0.0
        return max(0.0, (now_ns - self._heard_ns) / _NS_PER_S)

    def link(self, now_ns: int) -> Link:
        """Return whether the service can be heard."""
        if not self._service_online:
            return Link.OFFLINE
        if not self._follow_heartbeat:
            return Link.LIVE
        if self._heard_ns is None:
            return Link.CONNECTING
        silence_s = self.silence_s(now_ns)
        if silence_s > self._rules.offline_s:
            return Link.OFFLINE
        return Link.STALE if silence_s > self._rules.stale_s else Link.LIVE

    @property
    def clock_offset_ns(self) -> int:
        """How far the device's clock is ahead of the service's; 0 while within tolerance.

        The smallest of the last few differences, since a late heartbeat looks like a fast clock.
        """
        if len(self._lags) < self._rules.clock_heartbeats:
            return 0
        least = min(self._lags)
        tolerance_ns = round(self._rules.clock_tolerance_s * _NS_PER_S)
        return least if abs(least) > tolerance_ns else 0

    @property
    def clock_trusted(self) -> bool:
        """False where seconds left cannot be trusted: an uncorrected clock that is wrong."""
        return not self._future

    @property
    def clock_synchronised(self) -> bool:
        """False where people must be told that the device's time is off."""
        return not self._future and self.clock_offset_ns == 0

    def corrected_ns(self, now_ns: int) -> int:
        """Return the service's time for a time of the device."""
        return now_ns - self.clock_offset_ns

    @property
    def counts(self) -> dict[str, int]:
        """How many messages were taken, and refused for which reason, sorted by name."""
        return dict(sorted(self._counts.items()))
