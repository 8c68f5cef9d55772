"""A crowd and the same devices as objects, side by side: every delivery goes to both."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from clients.crowd.logic import CrowdLogic
from clients.crowd.outcome import Outcome
from clients.crowd.places import CrowdPlaces, Labels
from clients.device import Device
from clients.events import DeviceEvent, Ignored, Received, Shown
from clients.locality import SharedEstimator
from clients.phone import Phone
from clients.policy import DevicePolicy
from clients.tv import TV
from eew.messages.seal import Keyring, PublicKey
from eew.model.alert import Status
from eew.model.place import Site
from tests.unit.message_cases import KEYS

GAZETTEER = (Site(name="Luding", lat=29.91, lon=102.23), Site(name="Xi'an", lat=34.3, lon=108.9))


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One device, as both sides are told of it."""

    lat: float
    lon: float
    kind: str = "phone"
    vs30_mps: float | None = None
    language: str = "en"
    country: str = "CN"
    profile: str = "default"
    title: str = ""
    clock_offset_ns: int = 0
    tree: Status = Status.EXERCISE


@dataclass(slots=True)
class Twins:
    """Both sides, and what was delivered to the objects but not yet to the arrays."""

    people: tuple[Person, ...]
    follow_heartbeat: bool = True
    rules: DevicePolicy | None = None
    keys: tuple[PublicKey, ...] = tuple(pair.public for pair in KEYS.values())
    estimator: SharedEstimator | None = None  # of the objects, for a crowd of them
    devices: list[Device] = field(init=False)
    logic: CrowdLogic = field(init=False)
    _keyring: Keyring = field(init=False)  # shared by the objects, as the rows share theirs
    _waiting: list[tuple[int, int, int]] = field(default_factory=list)
    _expected: list[Outcome] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._keyring = Keyring(self.keys)
        self.devices = [self._device(i, one) for i, one in enumerate(self.people)]
        self.logic = CrowdLogic(
            places_of(self.people),
            Keyring(self.keys),
            gazetteer=GAZETTEER,
            rules=self.rules,
            follow_heartbeat=self.follow_heartbeat,
        )

    def _device(self, number: int, one: Person) -> Device:
        common: dict[str, Any] = {
            "id": f"crowd-{number}",
            "lat": one.lat,
            "lon": one.lon,
            "language": one.language,
            "country": one.country,
            "profile": one.profile,
            "vs30_mps": one.vs30_mps,
            "gazetteer": GAZETTEER,
            "follow_heartbeat": self.follow_heartbeat,
            "keyring": self._keyring,
            "tree": one.tree,
            "estimator": self.estimator,
        }
        return TV(district=one.title, **common) if one.kind == "tv" else Phone(**common)

    def deliver(self, number: int, topic: str, payload: bytes, at_ns: int) -> None:
        """Give a message to a device now, and to its row at the next :meth:`flush`."""
        now_ns = at_ns + self.people[number].clock_offset_ns
        self.devices[number].advance(now_ns)  # what a screen does by itself is no answer
        taken = self.devices[number].counts["accepted"]
        events = self.devices[number].receive(topic, payload, now_ns)
        outcome = outcome_of(events)
        if self.devices[number].counts["accepted"] > taken and outcome is Outcome.OTHER:
            outcome = Outcome.SHOWN  # long ago, and forgotten: a device says so once only
        self._expected.append(outcome)
        self._waiting.append((number, self.logic.intern(topic.encode(), payload), at_ns))

    def flush(self) -> None:
        """Hand the rows what waits, in one call; both sides must say the same."""
        if not self._waiting:
            return
        rows = np.array(self._waiting, dtype=np.int64)
        outcomes = self.logic.receive(
            rows[:, 0].astype(np.int32), rows[:, 1].astype(np.int32), rows[:, 2]
        )
        assert [Outcome(code) for code in outcomes.tolist()] == self._expected
        self._waiting.clear()
        self._expected.clear()

    def move(self, number: int, lat: float, lon: float, at_ns: int) -> None:
        """Take a device elsewhere on both sides."""
        self.flush()
        now_ns = at_ns + self.people[number].clock_offset_ns
        moved = self.devices[number].move(lat, lon, now_ns)
        leave, join = self.logic.move(number, lat, lon, at_ns)
        assert (tuple(leave), tuple(join)) == (moved.leave, moved.join)
        filters = [topic for topic, _ in self.logic.subscriptions(number)]
        assert filters == self.devices[number].subscriptions()

    def advance(self, at_ns: int) -> None:
        """Let time pass on both sides."""
        self.flush()
        for device, one in zip(self.devices, self.people, strict=True):
            device.advance(at_ns + one.clock_offset_ns)
        self.logic.advance(at_ns)

    def compare(self, at_ns: int, *, every: int = 1) -> None:
        """The screens of each, or of every so many, must be the same, and so must the counts."""
        self.flush()
        for number in range(0, len(self.people), every):
            device, one = self.devices[number], self.people[number]
            expected = device.presentation(at_ns + one.clock_offset_ns)
            assert self.logic.presentation(number, at_ns) == expected
        counts = self.logic.counts
        for name in {name for device in self.devices for name in device.counts}:
            expected_count = sum(device.counts.get(name, 0) for device in self.devices)
            assert counts.get(name, 0) == expected_count, name


def places_of(people: tuple[Person, ...]) -> CrowdPlaces:
    """Return people as a struct of arrays."""
    vs30 = [np.nan if one.vs30_mps is None else one.vs30_mps for one in people]
    return CrowdPlaces(
        kind=Labels.of([one.kind for one in people]),
        lat=np.array([one.lat for one in people]),
        lon=np.array([one.lon for one in people]),
        vs30_mps=np.array(vs30),
        language=Labels.of([one.language for one in people]),
        country=Labels.of([one.country for one in people]),
        profile=Labels.of([one.profile for one in people]),
        title=Labels.of([one.title for one in people]),
        clock_offset_ns=np.array([one.clock_offset_ns for one in people], dtype=np.int64),
        tree=Labels.of([one.tree.value for one in people]),
    )


def outcome_of(events: list[DeviceEvent]) -> Outcome:
    """Return what a device's events say about the delivery that caused them."""
    answers = [one for one in events if isinstance(one, Shown | Received | Ignored)]
    if not answers:
        return Outcome.OTHER
    match answers[-1]:
        case Shown():
            return Outcome.SHOWN
        case Received():
            return Outcome.RECEIVED
        case Ignored(event_id="", reason="duplicate"):  # a help pack it has already
            return Outcome.OTHER
        case Ignored(topic=topic, reason=reason) if _is_statement(topic, reason):
            return Outcome.OTHER
        case Ignored(reason=reason):
            return _REFUSALS.get(reason, Outcome.OTHER)


def _is_statement(topic: str, reason: str) -> bool:
    """Tell whether what was refused is one line among those that hand keys on."""
    return topic.endswith("/keys") and reason != "other_tree"


_REFUSALS = {code.label: code for code in Outcome if code is not Outcome.OTHER} | {
    "oversize": Outcome.UNREADABLE,
    "other_tree": Outcome.WRONG_TREE,
    "wrong_status": Outcome.WRONG_TREE,
    "key_expired": Outcome.UNKNOWN_KEY,
    "key_not_yet_valid": Outcome.UNKNOWN_KEY,
}
