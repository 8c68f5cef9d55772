"""The crowd's logic: one quake on two thousand devices, keys, masses of messages, moves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from clients.crowd.logic import CrowdLogic
from clients.crowd.outcome import Outcome
from clients.crowd.places import CrowdPlaces, Labels
from clients.events import Phase
from clients.locality import SharedEstimator
from clients.policy import policy
from clients.text import languages
from eew.errors import ConfigError
from eew.messages.key_wire import Rotation, encode_rotation
from eew.messages.seal import KeyPair, Keyring, seal
from eew.messages.topics import (
    alert_topic,
    area_alert_topic,
    cell_of,
    event_current_filter,
    heartbeat_topic,
    help_topic,
    keys_topic,
)
from eew.model.alert import AlertMessage, MsgType, ObservedShaking, Status
from tests.unit.crowd_cases import Person, Twins, places_of
from tests.unit.message_cases import KEY, KEYS, LUDING, ORIGIN_NS, S, make_message, payload_of

NEAR, MIDDLE = (29.91, 102.23), (30.0, 102.6)
LINE = (29.59, 102.08, 29.62, 101.6)
# Of the replay of luding-2022: s after the origin, magnitude, is it a lower bound, rupture, and
# correction.
LUDING_MESSAGES = (
    (4.35, 4.5, True, None, 0.0),
    (5.5, 5.09, False, None, 0.0),
    (7.5, 5.94, True, None, 0.0),
    (9.5, 6.11, True, None, 0.0),
    (12.5, 6.5, True, None, -0.23),
    (15.5, 6.68, False, None, -0.1),
    (18.5, 6.82, False, LINE, -0.1),
    (25.5, 6.79, False, LINE, 0.06),
    (36.5, 6.69, False, LINE, 0.3),
    (75.5, 6.79, False, LINE, 0.19),
)
N = 2_000


def luding(serial: int) -> AlertMessage:
    """Return one message as the replay has it."""
    issued_s, magnitude, lower_bound, line, correction = LUDING_MESSAGES[serial - 1]
    last = serial == len(LUDING_MESSAGES)
    message = make_message(
        serial=serial, issued_s=issued_s, magnitude=magnitude, lower_bound=lower_bound,
        depth_km=15.1, h_sigma_km=3.1, msg_type=MsgType.FINAL if last else None,
    )  # fmt: skip
    observed = (ObservedShaking(lat=29.6, lon=102.0, intensity=7.0 + serial / 10),)
    prediction = replace(
        message.prediction, line=line, correction=correction, observed=observed if line else ()
    )
    return replace(message, prediction=prediction)


def people(n: int) -> tuple[Person, ...]:
    """Return devices of every sort, from the epicentre to 400 km."""
    rng = np.random.default_rng(5)
    radius_deg, angle = 4.0 * rng.uniform(size=n) ** 2, rng.uniform(0.0, 2.0 * np.pi, n)
    words, profiles = languages(), tuple(policy().profiles)
    return tuple(
        Person(
            lat=LUDING[0] + float(radius_deg[i] * np.cos(angle[i])),
            lon=LUDING[1] + float(radius_deg[i] * np.sin(angle[i])),
            kind="tv" if i % 7 == 0 else "phone",
            title=f"District {i}" if i % 7 == 0 else "",
            vs30_mps=None if i % 3 else float(rng.uniform(180.0, 900.0)),
            language=words[i % len(words)],
            profile=profiles[i % len(profiles)],
            country=("CN", "US", "JP", "")[i % 4],
            clock_offset_ns=round(float(rng.normal(scale=1.0)) * S),
        )
        for i in range(n)
    )


def phone(place: tuple[float, float] = NEAR) -> CrowdLogic:
    return crowd([Person(lat=place[0], lon=place[1])])


def crowd(of: list[Person]) -> CrowdLogic:
    return CrowdLogic(places_of(tuple(of)), Keyring(pair.public for pair in KEYS.values()))


def give(
    logic: CrowdLogic, devices: list[int], messages: list[bytes], at_s: float, *, topic: str = ""
) -> list[Outcome]:
    """Deliver each message to each device, in one call, and return the outcomes."""
    name = (topic or alert_topic()).encode()
    numbers = [logic.intern(name, payload) for payload in messages]
    device = np.tile(np.array(devices, dtype=np.int32), len(numbers))
    message = np.repeat(np.array(numbers, dtype=np.int32), len(devices))
    at_ns = np.full(len(device), ORIGIN_NS + round(at_s * S), dtype=np.int64)
    return [Outcome(code) for code in logic.receive(device, message, at_ns).tolist()]


# ---------------------------------------------------------------- equal to single devices


@pytest.mark.slow
def test_a_quake_on_two_thousand_devices_is_what_it_is_on_each_of_them() -> None:
    twins = Twins(people(N), estimator=SharedEstimator(), follow_heartbeat=False)
    rng = np.random.default_rng(9)
    for serial in range(1, len(LUDING_MESSAGES) + 1):
        message = luding(serial)
        payload = payload_of(message)
        for number in rng.permutation(N).tolist():
            late_ns = 50_000_000 + 37 * number
            twins.deliver(number, alert_topic(), payload, message.issued_ns + late_ns)
        twins.compare(message.issued_ns + S // 2, every=53)
    for after_s in (100.0, 400.0, 1200.0):
        twins.advance(ORIGIN_NS + round(after_s * S))
        twins.compare(ORIGIN_NS + round(after_s * S), every=53)
    shown = twins.logic.counts["shown"]
    assert 0.1 * N < shown < twins.logic.counts["accepted"] == N * len(LUDING_MESSAGES)


def test_a_crowd_listens_to_what_its_devices_listen_to() -> None:
    twins = Twins((*people(3), replace(people(1)[0], tree=Status.DRILL)))
    for number, device in enumerate(twins.devices):
        filters = twins.logic.subscriptions(number)
        assert [topic for topic, _ in filters] == device.subscriptions()
        assert [topic for topic, qos in filters if not qos] == [heartbeat_topic(tree=device.tree)]


# ---------------------------------------------------------------- calls


def test_a_device_may_occur_several_times_in_a_call_and_order_counts() -> None:
    logic = crowd([Person(lat=NEAR[0], lon=NEAR[1]), Person(lat=MIDDLE[0], lon=MIDDLE[1])])
    first, second = (payload_of(make_message(serial=k, issued_s=6.0)) for k in (1, 2))
    assert give(logic, [0, 1], [first, first, second, first], 7.0) == [
        Outcome.SHOWN, Outcome.SHOWN, Outcome.DUPLICATE, Outcome.DUPLICATE,
        Outcome.SHOWN, Outcome.SHOWN, Outcome.DUPLICATE, Outcome.DUPLICATE,
    ]  # fmt: skip
    third, fourth = (payload_of(make_message(serial=k, issued_s=6.0)) for k in (3, 4))
    assert give(logic, [1], [fourth, third], 8.0) == [Outcome.SHOWN, Outcome.OLD_SERIAL]


def test_a_call_without_deliveries_is_nothing() -> None:
    nothing = np.array([], dtype=np.int32)
    assert len(phone().receive(nothing, nothing, nothing.astype(np.int64))) == 0


def test_other_events_and_places_are_told_apart() -> None:
    logic = crowd([Person(lat=NEAR[0], lon=NEAR[1]), Person(lat=34.3, lon=108.9)])
    strong = payload_of(make_message(event_id="ev-1"))
    light = payload_of(make_message(event_id="ev-2", magnitude=4.8))
    assert give(logic, [0, 1], [strong, light], 6.0) == [
        Outcome.SHOWN, Outcome.RECEIVED, Outcome.RECEIVED, Outcome.RECEIVED,
    ]  # fmt: skip
    assert logic.presentation(0, ORIGIN_NS + 7 * S).event_id == "ev-1"
    assert logic.presentation(1, ORIGIN_NS + 7 * S).phase is Phase.IDLE


# ---------------------------------------------------------------- trust


def test_what_is_not_signed_by_a_trusted_key_is_refused_with_its_reason() -> None:
    logic = phone()
    good = payload_of(make_message())
    body = good[: good.index(b',"key"')] + b"}"
    stranger = KeyPair("stranger", Status.EXERCISE, bytes(32))
    bad = [body, seal(body, stranger), good.replace(b"ev-1", b"ev-9"), b"{}"]
    assert give(logic, [0], bad, 6.0) == [
        Outcome.UNSIGNED, Outcome.UNKNOWN_KEY, Outcome.BAD_SIGNATURE, Outcome.UNSIGNED,
    ]  # fmt: skip
    other_key = payload_of(make_message(), signer=KEY)
    assert give(logic, [0], [other_key], 6.0, topic=alert_topic(tree=Status.DRILL)) == [
        Outcome.WRONG_TREE
    ]
    assert give(logic, [0], [seal(b'{"schema":1}', KEY)], 6.0) == [Outcome.UNREADABLE]
    assert logic.counts == {
        "bad_signature": 1, "other_tree": 1, "unknown_key": 1, "unreadable": 1, "unsigned": 2,
    }  # fmt: skip
    assert logic.presentation(0, ORIGIN_NS + 6 * S).phase is Phase.IDLE


def test_without_keys_nobody_is_believed() -> None:
    logic = CrowdLogic(places_of((Person(lat=NEAR[0], lon=NEAR[1]),)))
    assert give(logic, [0], [payload_of(make_message())], 6.0) == [Outcome.UNKNOWN_KEY]


def test_what_was_refused_is_believed_once_its_key_has_been_handed_on() -> None:
    following = KeyPair("following", Status.EXERCISE, bytes([3] * 32))
    logic = phone()
    payload = payload_of(make_message(), signer=following)
    assert give(logic, [0], [payload], 6.0) == [Outcome.UNKNOWN_KEY]
    rotation = Rotation(key=following.public, previous_until_ns=ORIGIN_NS + 60 * S)
    statement = encode_rotation(rotation, signer=KEY)
    assert give(logic, [0], [statement], 6.5, topic=keys_topic()) == [Outcome.OTHER]
    assert give(logic, [0], [payload], 7.0) == [Outcome.SHOWN]
    old = payload_of(make_message(event_id="ev-2", issued_s=50.0))
    assert give(logic, [0], [old], 61.0) == [Outcome.UNKNOWN_KEY]  # its own key is over now
    assert logic.counts["key_expired"] == 1


# ---------------------------------------------------------------- masses


def test_a_flood_of_forgeries_takes_no_room_and_pushes_nothing_out() -> None:
    logic = phone()
    give(logic, [0], [payload_of(make_message())], 6.0)
    before = logic.presentation(0, ORIGIN_NS + 8 * S)
    for start in range(0, 5_000, 500):
        flood = [b'{"forged":%d}' % k for k in range(start, start + 500)]
        assert set(give(logic, [0], flood, 7.0)) == {Outcome.UNSIGNED}
    assert max(logic.intern(b"x", b"%d" % k) for k in range(3_000)) < 3_000
    assert logic.presentation(0, ORIGIN_NS + 8 * S) == before
    assert give(logic, [0], [payload_of(make_message())], 8.0) == [Outcome.DUPLICATE]


def test_two_live_events_take_less_than_two_and_a_half_kibibytes_per_device() -> None:
    logic = crowd([Person(lat=NEAR[0], lon=NEAR[1])] * 500)
    everybody = list(range(500))
    for serial in range(1, 9):
        both = [make_message(event_id=name, serial=serial) for name in ("ev-1", "ev-2")]
        give(logic, everybody, [payload_of(one) for one in both], 6.0 + serial / 10)
    assert logic.nbytes / 500 < 2560


def test_events_that_are_over_give_their_room_back() -> None:
    rules = replace(policy(), max_events=2)
    logic = CrowdLogic(places_of((Person(lat=NEAR[0], lon=NEAR[1]),)), Keyring([KEY.public]),
                       rules=rules)  # fmt: skip
    sizes = []
    for k in range(8):
        begin_s = 5_000.0 * k
        origin_ns = ORIGIN_NS + round(begin_s * S)
        message = make_message(event_id=f"ev-{k}", origin_ns=origin_ns)
        assert give(logic, [0], [payload_of(message)], begin_s + 6.0) == [Outcome.SHOWN]
        sizes.append(logic.nbytes)
    assert max(sizes[2:]) == max(sizes[4:]) == sizes[-1]
    assert len(logic.incidents(0)) == 2


# ---------------------------------------------------------------- places


def test_moving_to_another_cell_changes_what_is_listened_to() -> None:
    logic = phone((34.3, 108.9))
    away, here = cell_of(34.3, 108.9), cell_of(*NEAR)
    assert logic.move(0, 34.301, 108.9, ORIGIN_NS) == ([], [])
    leave, join = logic.move(0, *NEAR, ORIGIN_NS)
    assert leave == [area_alert_topic(away), help_topic(away)]
    assert join == [area_alert_topic(here), help_topic(here), event_current_filter()]
    assert area_alert_topic(here) in [topic for topic, _ in logic.subscriptions(0)]


def test_a_phone_carried_towards_the_quake_is_told() -> None:
    logic = phone((34.3, 108.9))
    payload = payload_of(make_message())
    assert give(logic, [0], [payload], 6.0) == [Outcome.RECEIVED]
    logic.move(0, *NEAR, ORIGIN_NS + 8 * S)
    assert logic.presentation(0, ORIGIN_NS + 8 * S).phase is Phase.TAKE_ACTION
    assert logic.presentation(0, ORIGIN_NS + 8 * S).sound == "rising_three"


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [
        ("lat", np.zeros(3), "one per device expected (1), was 3"),
        ("kind", Labels.of(["radio"]), "must be one of phone, tv, was 'radio'"),
        ("tree", Labels.of(["actual"]), "no such tree: 'actual'"),
    ],
)
def test_columns_that_do_not_fit_are_refused(column: str, value: Any, says: str) -> None:
    places: CrowdPlaces = places_of((Person(lat=0.0, lon=0.0),))
    with pytest.raises(ConfigError) as caught:
        replace(places, **{column: value})
    assert says in str(caught.value)
    assert f"crowd.{column}" in str(caught.value)


def test_an_unknown_profile_is_refused_before_anything_begins() -> None:
    with pytest.raises(ConfigError, match="unknown profile 'loud'"):
        crowd([Person(lat=0.0, lon=0.0, profile="loud")])
