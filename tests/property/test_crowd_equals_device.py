"""A crowd in arrays says what the same devices say as objects, delivery by delivery.

Whatever comes, in whatever order and however it is bundled: the outcome of each delivery and the
screens between them are the same.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import clients.device
from clients.policy import policy
from eew.ingest.help_pack import country_pack, generate_shelters
from eew.messages import help_wire
from eew.messages.control_wire import Heartbeat, ServiceStatus, encode_control
from eew.messages.key_wire import Rotation, encode_rotation, join_statements
from eew.messages.seal import KeyPair, seal
from eew.messages.topics import (
    alert_topic,
    area_alert_topic,
    cell_of,
    event_current_topic,
    heartbeat_topic,
    help_area_topic,
    keys_topic,
    status_topic,
)
from eew.model.alert import MsgType, ObservedShaking, Status
from eew.model.place import HelpPack, Site
from tests.unit.crowd_cases import Person, Twins
from tests.unit.message_cases import KEY, KEYS, ORIGIN_NS, S, make_message, payload_of

NEAR, MIDDLE, FAR, BEYOND = (29.91, 102.23), (30.0, 102.6), (30.0, 103.0), (34.3, 108.9)
PEOPLE = (
    Person(lat=NEAR[0], lon=NEAR[1]),
    Person(lat=MIDDLE[0], lon=MIDDLE[1], kind="tv", title="Ya'an", language="zh"),
    Person(lat=MIDDLE[0], lon=MIDDLE[1] + 0.02, profile="night", vs30_mps=250.0),
    Person(lat=FAR[0], lon=FAR[1], profile="deaf", language="es", country="US"),
    Person(lat=FAR[0], lon=FAR[1] - 0.1, profile="plain", clock_offset_ns=7 * S),
    Person(lat=BEYOND[0], lon=BEYOND[1], profile="wheelchair", clock_offset_ns=-40 * S),
    Person(lat=29.6, lon=102.09, kind="tv", language="de", clock_offset_ns=-S),
    Person(lat=30.2, lon=102.8, country="", clock_offset_ns=3600 * S),
    Person(lat=29.7, lon=102.3, clock_offset_ns=400 * S, tree=Status.TEST),
)
EVENTS = ("ev-b", "ev-a", "ev-c")
MAGNITUDES = (6.8, 7.4, 6.0, 5.0, 4.2)
QUAKES = ((29.59, 102.08), (30.05, 103.1))
FLAWED = (
    "garbage", "empty", "no_model", "ack", "bad_topic", "unsigned", "stranger", "changed", "moved",
    "long", "other_service",
)  # fmt: skip
STRANGER = KeyPair("stranger", Status.EXERCISE, bytes(range(32)))
# Keys of the exercise that count for some minutes only, and one that is handed on to.
END_NS = ORIGIN_NS + 400 * S
SHORT = KeyPair("short", Status.EXERCISE, bytes(32), from_ns=ORIGIN_NS + 110 * S, until_ns=END_NS)
NEXT = KeyPair("next", Status.EXERCISE, bytes([1] * 32), from_ns=ORIGIN_NS + 150 * S)
SIGNERS = (KEY, KEY, KEY, SHORT, NEXT)
TRUSTED = (*(pair.public for pair in KEYS.values()), SHORT.public)
PLACES = (NEAR, MIDDLE, (30.001, 102.601), FAR, BEYOND)


@cache
def alert_payload(
    event: str,
    serial: int,
    kind: MsgType,
    magnitude: float,
    quake: int,
    issued_s: int,
    extra: int,
    signer: int = 0,
) -> bytes:
    lat, lon = QUAKES[quake]
    test = extra == 2
    message = make_message(
        event_id=event, serial=serial, magnitude=magnitude, lat=lat, lon=lon, msg_type=kind,
        issued_s=issued_s, expire_s=40.0 if test else 60.0, lower_bound=extra == 1,
        time_sigma_s=6.0 if test else 0.8, status=Status.TEST if test else Status.EXERCISE,
    )  # fmt: skip
    if extra == 3:
        seen = ObservedShaking(lat=FAR[0], lon=FAR[1], intensity=6.5)
        message = replace(message, prediction=replace(message.prediction, observed=(seen,)))
    # The origin follows the issue, so that shaking may be before or behind at any time.
    origin_ns = ORIGIN_NS + (issued_s - 6) * S
    message = replace(message, origin=replace(message.origin, time_ns=origin_ns))
    return payload_of(message, signer=KEYS[Status.TEST] if test else SIGNERS[signer])


@cache
def help_payload(area: str, version: int) -> bytes:
    if area.startswith("country:"):
        return help_wire.encode(country_pack(area[-2:], version=version), signer=KEY)
    site = Site(name="Town", lat=MIDDLE[0], lon=MIDDLE[1], population=200_000, country="CN")
    shelters = generate_shelters(site, 3 + version, np.random.default_rng(version))
    pack = HelpPack(
        area=area, version=version, country="CN", contacts=(), rescue={"en": "Knock on pipes."},
        shelters=shelters, source="made up", generated=True,
    )  # fmt: skip
    return help_wire.encode(pack, signer=KEY)


WHO = st.lists(st.integers(0, len(PEOPLE) - 1), min_size=1, max_size=len(PEOPLE) + 2)
ALL = st.just(list(range(len(PEOPLE))))
KINDS = st.sampled_from([MsgType.UPDATE] * 6 + [MsgType.ALERT, MsgType.FINAL, MsgType.CANCEL])
ALERTS = st.tuples(
    st.just("alert"),
    st.tuples(
        st.sampled_from(EVENTS),
        st.sampled_from([1, 2, 2, 3, 3, 4, 5, 70]),
        KINDS,
        st.sampled_from(MAGNITUDES),
        st.sampled_from([0, 0, 0, 1]),
        st.sampled_from([0, 0, 0, -1, -2, -4, -8, -30, -59, 5]),  # age: issued_s - now, in s
        st.sampled_from([0, 0, 0, 1, 2, 3]),
        st.sampled_from([0, 0, 0, 0, 1, 2, 3, 4]),
    ),
    ALL | WHO,
)
STEPS = st.one_of(
    ALERTS,
    ALERTS,
    ALERTS,
    st.tuples(st.just("wait"), st.sampled_from([0.3, 1.0, 2.0, 5.0, 9.0, 40.0, 70.0, 950.0]), WHO),
    st.tuples(
        st.just("beats"),
        st.tuples(st.integers(1, 4), st.sampled_from([0, 0, 0, 5, 1000])),
        ALL | WHO,
    ),
    st.tuples(st.just("move"), st.sampled_from(PLACES), WHO),
    st.tuples(st.just("keys"), st.booleans(), ALL | WHO),
    st.tuples(
        st.just("status"),
        st.tuples(st.booleans(), st.sampled_from(["svc", "svc-2"]), st.sampled_from([0, 5, None])),
        WHO,
    ),
    st.tuples(
        st.just("help"),
        st.tuples(st.sampled_from(["cell", "cell", "country:CN", "country:US"]), st.integers(1, 3)),
        ALL | WHO,
    ),
    st.tuples(st.just("flawed"), st.sampled_from(FLAWED), WHO),
    st.tuples(st.just("look"), st.none(), WHO),
)


class Story:
    """Carries the steps out on both sides."""

    def __init__(self, twins: Twins) -> None:
        self.twins = twins
        self.at_ns = ORIGIN_NS + 100 * S

    def tell(self, steps: list[tuple[str, Any, list[int]]]) -> None:
        for name, what, who in steps:
            getattr(self, f"do_{name}")(what, who)
        self.twins.compare(self.at_ns)

    def give(self, who: list[int], topic: str, payload: bytes) -> None:
        for number in who:
            self.at_ns += 1_000_003
            self.twins.deliver(number, topic, payload, self.at_ns)

    def do_alert(self, what: tuple[Any, ...], who: list[int]) -> None:
        event, serial, kind, magnitude, quake, age_s, extra, signer = what
        issued_s = (self.at_ns - ORIGIN_NS) // S + age_s
        payload = alert_payload(event, serial, kind, magnitude, quake, issued_s, extra, signer)
        tree = Status.TEST if extra == 2 else Status.EXERCISE
        topics = (
            area_alert_topic(cell_of(*NEAR), tree=tree),
            event_current_topic(event, tree=tree),
            alert_topic(tree=tree),
        )
        self.give(who, topics[serial % 3], payload)

    def do_wait(self, seconds: float, who: list[int]) -> None:
        self.at_ns += round(seconds * S)
        if len(who) % 2:
            self.twins.advance(self.at_ns)

    def do_beats(self, what: tuple[int, int], who: list[int]) -> None:
        count, late_s = what
        for _ in range(count):
            self.at_ns += S
            beat = Heartbeat(sequence=1, sent_ns=self.at_ns - 20_000_000 - late_s * S)
            self.give(who, heartbeat_topic(), encode_control(beat, signer=KEY))

    def do_status(self, what: tuple[bool, str, int | None], who: list[int]) -> None:
        online, name, age_s = what
        at_ns = None if age_s is None else self.at_ns - age_s * S
        status = ServiceStatus(service_id=name, online=online, at_ns=at_ns)
        self.give(who, status_topic(name), encode_control(status, signer=KEY))

    def do_move(self, place: tuple[float, float], who: list[int]) -> None:
        self.at_ns += S
        self.twins.move(who[0], *place, self.at_ns)

    def do_keys(self, whole: bool, who: list[int]) -> None:
        follows = Rotation(key=NEXT.public, previous_until_ns=END_NS)
        lines = [encode_rotation(follows, signer=SHORT)]
        if whole:
            lines += [b"{}", seal(b'{"schema":"eew.rotation/1"}', KEY)]
        for number in who:  # what one is told the others know: before and after the rest
            self.twins.flush()
            self.give([number], keys_topic(), join_statements(lines))
        self.twins.flush()

    def do_help(self, what: tuple[str, int], who: list[int]) -> None:
        area = cell_of(*MIDDLE) if what[0] == "cell" else what[0]
        self.give(who, help_area_topic(area), help_payload(area, what[1]))

    def do_flawed(self, flaw: str, who: list[int]) -> None:
        issued_s = (self.at_ns - ORIGIN_NS) // S
        topic = alert_topic()
        payload = alert_payload("ev-a", 9, MsgType.UPDATE, 6.8, 0, issued_s, 0)
        body = payload[: payload.index(b',"key"')] + b"}"
        match flaw:
            case "garbage":
                payload = seal(b'{"schema":"eew.alert/2"}', KEY)
            case "empty":
                payload = b""
            case "no_model":
                payload = seal(body.replace(b"qinghai_tibet", b"of_tomorrow"), KEY)
            case "ack":
                topic = "eew/v1/client/x/ack"
            case "bad_topic":
                topic = "eew/v9/alert"
            case "unsigned":
                payload = body
            case "stranger":
                payload = seal(body, STRANGER)
            case "changed":
                payload = payload.replace(b"ev-a", b"ev-c")
            case "moved":
                topic = alert_topic(tree=Status.TEST)
            case "long":
                payload = body[:-1] + b" " * 20_000 + b"}"
            case _:
                word = ServiceStatus(service_id="svc", online=False, at_ns=self.at_ns)
                topic, payload = status_topic("svc-2"), encode_control(word, signer=KEY)
        self.give(who, topic, payload)

    def do_look(self, _: None, who: list[int]) -> None:
        self.twins.compare(self.at_ns)


@settings(max_examples=60)
@given(steps=st.lists(STEPS, min_size=3, max_size=16), follow=st.booleans())
def test_crowd_and_devices_say_the_same(
    steps: list[tuple[str, Any, list[int]]], follow: bool
) -> None:
    Story(Twins(PEOPLE, follow_heartbeat=follow, keys=TRUSTED)).tell(steps)


@pytest.mark.slow
@settings(max_examples=150)
@given(steps=st.lists(STEPS, min_size=10, max_size=40), follow=st.booleans())
def test_crowd_and_devices_say_the_same_for_long(
    steps: list[tuple[str, Any, list[int]]], follow: bool
) -> None:
    Story(Twins(PEOPLE, follow_heartbeat=follow, keys=TRUSTED)).tell(steps)


@pytest.mark.slow
@settings(max_examples=40)
@given(steps=st.lists(ALERTS | STEPS, min_size=8, max_size=24))
def test_with_little_memory_the_same_events_are_forgotten(
    steps: list[tuple[str, Any, list[int]]],
) -> None:
    rules = replace(policy(), max_events=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clients.device, "policy", lambda: rules)
        Story(Twins(PEOPLE, rules=rules, keys=TRUSTED)).tell(steps)


def test_what_was_forgotten_does_not_come_back_when_the_clock_is_put_back() -> None:
    rules = replace(policy(), max_events=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clients.device, "policy", lambda: rules)
        twins = Twins((replace(PEOPLE[0], clock_offset_ns=500 * S),), rules=rules)
    begin_ns = ORIGIN_NS + 500 * S  # the device's time

    def deliver(payload: bytes, at_s: int, topic: str) -> None:
        twins.deliver(0, topic, payload, ORIGIN_NS + at_s * S)

    first, second = (
        payload_of(make_message(event_id=name, origin_ns=begin_ns + late_s * S, expire_s=60.0))
        for name, late_s in (("ev-1", 0), ("ev-2", 100))
    )
    deliver(first, 7, alert_topic())
    deliver(second, 107, alert_topic())  # the first is over and forgotten now
    for at_s in range(110, 114):
        beat = Heartbeat(sequence=at_s, sent_ns=ORIGIN_NS + at_s * S)
        deliver(encode_control(beat, signer=KEY), at_s, heartbeat_topic())
    deliver(first, 180, alert_topic())  # by the time that was heard it is not over
    twins.compare(ORIGIN_NS + 180 * S)
    assert twins.logic.counts["expired"] == 1
    assert twins.logic.counts["accepted"] == 2
