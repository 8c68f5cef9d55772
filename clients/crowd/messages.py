"""Every distinct message once: checked, decoded and numbered, for all devices that get it.

A payload that comes to ten thousand devices is verified and read a single time; what is left per
delivery is a number. The table is bounded: numbers nobody holds any more are given out again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from clients.crowd.outcome import Outcome
from clients.trust import Distrust, Trust
from eew.errors import WireError
from eew.messages import help_wire, wire
from eew.messages.control_wire import decode_heartbeat, decode_status
from eew.messages.seal import Keyring, key_of
from eew.messages.topics import ParsedTopic, TopicKind, parse_topic
from eew.messages.wire import ReceivedAlert
from eew.model.alert import Status

__all__ = [
    "Alert",
    "Beat",
    "Body",
    "Help",
    "Keys",
    "Message",
    "MessageTable",
    "Nothing",
    "Refused",
    "Word",
]

_REMEMBERED = 1024  # messages that nobody holds
_LONG_AGO_NS = -(2**62)  # before any key ends: whether one counts is judged at each delivery
_ALERTS = (TopicKind.ALERT, TopicKind.EVENT_CURRENT, TopicKind.AREA_ALERT)
_PACKS = (TopicKind.HELP_CELL, TopicKind.HELP_COUNTRY)
_BEFORE_THE_TREE = ("unreadable", "not_for_devices", "oversize")
_BY_NEW_KEYS = ("unknown_key", "bad_signature")  # may be believed when a key is handed on
# Reasons without an outcome of their own go with the nearest; the counters keep them apart.
_OUTCOMES = {
    "oversize": Outcome.UNREADABLE,
    "other_tree": Outcome.WRONG_TREE,
    "wrong_status": Outcome.WRONG_TREE,
    "key_expired": Outcome.UNKNOWN_KEY,
    "key_not_yet_valid": Outcome.UNKNOWN_KEY,
} | {one.label: one for one in Outcome}


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert as it was read."""

    alert: ReceivedAlert


@dataclass(frozen=True, slots=True)
class Beat:
    """A heartbeat: the service's time."""

    sent_ns: int


@dataclass(frozen=True, slots=True)
class Word:
    """A service's own word that it is there, or its last will."""

    service_id: str
    online: bool
    at_ns: int | None


@dataclass(frozen=True, slots=True)
class Help:
    """A help pack; its bytes are kept, and read again when somebody looks at a screen."""

    area: str
    version: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Keys:
    """Statements by which keys are handed on; each is judged on its own."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing a device may use; ``reason`` is the name of a counter, as a device has it."""

    reason: str

    @property
    def outcome(self) -> Outcome:
        """What it counts as."""
        return _OUTCOMES.get(self.reason, Outcome.OTHER)


@dataclass(frozen=True, slots=True)
class Nothing:
    """An empty retained message: the one before is removed."""


_Sort = tuple[object, ...]
Body = Alert | Beat | Word | Help | Keys | Refused | Nothing


@dataclass(frozen=True, slots=True)
class Message:
    """What came on a topic.

    Attributes
    ----------
    tree : Status or None
        Of the topic; None where a device does not look at it.
    key_id : str
        Whose signature it bears; empty where that does not matter.
    topic : bytes
        Where it came, of what may be believed when a key is handed on; empty of the rest.
    """

    body: Body
    tree: Status | None = None
    key_id: str = ""
    topic: bytes = b""


class MessageTable:
    """Numbers for messages, and messages for numbers.

    Parameters
    ----------
    keyring : Keyring
        Whose signatures count.
    held : callable
        Returns the numbers that must stay; asked when the table is full.
    """

    def __init__(self, keyring: Keyring, held: Callable[[], set[int]]) -> None:
        self._trust = {tree: Trust(keyring, tree) for tree in Status}
        self._held = held
        self._numbers: OrderedDict[tuple[_Sort, bytes], int] = OrderedDict()
        self._messages: list[Message] = []
        self._free: list[int] = []
        self._limit = _REMEMBERED

    def number_of(self, topic: bytes, payload: bytes) -> int:
        """Return the number of a message, new or known.

        It is good until ``_REMEMBERED // 2`` others have been asked for, and as long as a device
        holds the message.
        """
        parsed = _parsed(topic)
        key = (_sort(parsed), payload)
        number = self._numbers.get(key)
        if number is not None:
            self._numbers.move_to_end(key)
            return number
        message = self._read(topic, parsed, payload)
        if len(self._numbers) >= self._limit:
            self._make_room()
        if self._free:
            number = self._free.pop()
            self._messages[number] = message
        else:
            number = len(self._messages)
            self._messages.append(message)
        self._numbers[key] = number
        return number

    def __getitem__(self, number: int) -> Message:
        return self._messages[number]

    def alert(self, number: int) -> ReceivedAlert:
        """Return the alert of a number that is held."""
        body = self._messages[number].body
        if not isinstance(body, Alert):
            raise KeyError(number)
        return body.alert

    def trust(self, tree: Status) -> Trust:
        """Return whom the devices of a tree believe."""
        return self._trust[tree]

    def keys_changed(self) -> None:
        """Judge anew what was not believed; it keeps its number."""
        for (_, payload), number in self._numbers.items():
            topic = self._messages[number].topic
            if topic:
                self._messages[number] = self._read(topic, _parsed(topic), payload)

    def _read(self, topic: bytes, parsed: ParsedTopic | None, payload: bytes) -> Message:
        if not payload:
            return Message(Nothing())
        if parsed is None:
            return Message(Refused("unreadable"))
        tree = parsed.tree
        try:
            self._trust[tree].admit(topic.decode(), payload, _LONG_AGO_NS, known=False)
        except Distrust as doubt:
            return Message(
                Refused(doubt.reason),
                None if doubt.reason in _BEFORE_THE_TREE else tree,
                topic=topic if doubt.reason in _BY_NEW_KEYS else b"",
            )
        except WireError:  # a help pack that cannot be inflated
            return Message(Refused("unreadable"), tree)
        if parsed.kind is TopicKind.KEYS:
            return Message(Keys(payload), tree)
        signed = help_wire.inflated(payload) if parsed.kind in _PACKS else payload
        try:
            body = _decoded(parsed, payload)
        except WireError:
            body = Refused("unreadable")
        return Message(body, tree, key_of(signed))

    def _make_room(self) -> None:
        """Let half of those nobody holds go, oldest first."""
        held = self._held()
        idle = [key for key, number in self._numbers.items() if number not in held]
        for key in idle[: max(1, len(idle) // 2)]:
            number = self._numbers.pop(key)
            self._messages[number] = Message(Nothing())
            self._free.append(number)
        self._limit = len(held) + _REMEMBERED


def _parsed(topic: bytes) -> ParsedTopic | None:
    try:
        return parse_topic(topic.decode())
    except (UnicodeDecodeError, WireError):
        return None


def _sort(parsed: ParsedTopic | None) -> _Sort:
    """Return what of a topic matters for what its payload means to a device."""
    if parsed is None:
        return ()
    if parsed.kind in _ALERTS:
        return (TopicKind.ALERT, parsed.tree)
    return (parsed.kind, parsed.tree, parsed.key if parsed.kind is TopicKind.STATUS else "")


def _decoded(parsed: ParsedTopic, payload: bytes) -> Body:
    match parsed.kind:
        case TopicKind.HELP_CELL | TopicKind.HELP_COUNTRY:
            pack = help_wire.decode(payload)
            return Help(pack.area, pack.version, payload)
        case TopicKind.HEARTBEAT:
            return Beat(decode_heartbeat(payload).sent_ns)
        case TopicKind.STATUS:
            status = decode_status(payload)
            if status.service_id != parsed.key:
                return Refused("wrong_topic")
            return Word(status.service_id, status.online, status.at_ns)
        case _:
            alert = wire.decode(payload)
            return Alert(alert) if alert.message.status is parsed.tree else Refused("wrong_status")
