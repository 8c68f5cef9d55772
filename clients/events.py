"""What a device has to say about what it was given. None of these says where the device is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from eew.messages.control_wire import Ack
from eew.model.alert import Level

__all__ = [
    "CuePlayed",
    "DeviceEvent",
    "HelpUpdated",
    "Ignored",
    "Moved",
    "Phase",
    "PhaseChanged",
    "Received",
    "Shown",
    "ack_for",
]


class Phase(Enum):
    """What a screen is about."""

    IDLE = "idle"
    TAKE_ACTION = "take_action"
    BE_AWARE = "be_aware"
    WEAKER = "weaker"  # lowered to be_aware
    WEAKER_NONE = "weaker_none"  # lowered to nothing that is felt here
    SHAKING_NOW = "shaking_now"
    SHAKING_NOW_LIGHT = "shaking_now_light"
    AFTER = "after"
    CANCELLED = "cancelled"
    VANISHED = "vanished"  # expired without a last word


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A message is on the screen."""

    event_id: str
    serial: int
    level: Level
    phase: Phase
    received_ns: int
    at_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A message was taken and is not on the screen.

    ``reason``: ``below_threshold`` here, ``other_event`` (a worse one rules the screen) or
    ``nothing_to_withdraw`` (a cancel of what was never shown).
    """

    event_id: str
    serial: int
    level: Level
    reason: str
    at_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored:
    """Something was refused; ``event_id`` is empty where it was no readable alert."""

    topic: str
    reason: str
    at_ns: int
    event_id: str = ""
    serial: int = 0
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HelpUpdated:
    """A help pack was taken in."""

    area: str
    version: int
    n_shelters: int
    at_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseChanged:
    """The screen is about something else now; ``event_id`` is empty when idle."""

    phase: Phase
    event_id: str
    at_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CuePlayed:
    """A sound and vibration began: a new event, a higher level, or a withdrawal."""

    name: str
    sound: str  # empty where the profile is silent
    haptics_ms: tuple[int, ...]
    event_id: str
    at_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What follows from being somewhere else: topics to join, then to leave, and what is shown."""

    join: tuple[str, ...]
    leave: tuple[str, ...]
    events: tuple[DeviceEvent, ...]


DeviceEvent = Shown | Received | Ignored | HelpUpdated | PhaseChanged | CuePlayed


def ack_for(device_id: str, event: DeviceEvent) -> Ack | None:
    """Return the answer a device publishes for an event; None where it has nothing to say.

    Only times, identity and outcome: neither position nor level, which would tell how near the
    device is.
    """
    match event:
        case Shown():
            return Ack(
                id=device_id,
                event_id=event.event_id,
                serial=event.serial,
                outcome="shown",
                received_ns=event.received_ns,
                shown_ns=event.at_ns,
            )
        case Received():
            return Ack(
                id=device_id,
                event_id=event.event_id,
                serial=event.serial,
                outcome="received",
                received_ns=event.at_ns,
                reason="not_shown",
            )
        case Ignored() if event.event_id:
            return Ack(
                id=device_id,
                event_id=event.event_id,
                serial=event.serial,
                outcome="ignored",
                received_ns=event.at_ns,
                reason=event.reason,
            )
        case _:
            return None
