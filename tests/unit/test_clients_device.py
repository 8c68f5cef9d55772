"""Phones and TVs through the life of an alert: what is on the screen, and what is not told."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from clients.device import Device
from clients.events import (
    CuePlayed,
    DeviceEvent,
    HelpUpdated,
    Ignored,
    Phase,
    PhaseChanged,
    Received,
    Shown,
    ack_for,
)
from clients.locality import SharedEstimator
from clients.phone import Phone
from clients.policy import policy
from clients.presentation import Presentation
from clients.session import Link
from clients.tv import TV
from eew.errors import ConfigError
from eew.ingest.help_pack import build_packs, country_pack, generate_shelters
from eew.messages import help_wire
from eew.messages.control_wire import (
    Heartbeat,
    ServiceStatus,
    encode_ack,
    encode_control,
)
from eew.messages.key_wire import Rotation, encode_rotation, join_statements
from eew.messages.levels import Thresholds
from eew.messages.seal import KeyPair, Keyring, seal
from eew.messages.topics import (
    ack_topic,
    alert_topic,
    area_alert_topic,
    cell_of,
    event_current_topic,
    heartbeat_topic,
    help_country_topic,
    help_topic,
    keys_topic,
    status_topic,
)
from eew.model.alert import AlertMessage, Level, MsgType, ObservedShaking, Status
from eew.model.place import Shelter, Site
from tests.unit.message_cases import KEY, KEYS, ORIGIN_NS, S, keyring, make_message, payload_of

NEAR = (29.91, 102.23)  # 38 km: strong, S 12.3 s after the origin
MIDDLE = (30.0, 102.6)  # 68 km
FAR = (30.0, 103.0)  # 100 km: light, S 29.5 s after the origin
BEYOND = (34.3, 108.9)  # 829 km: nothing


def phone(place: tuple[float, float] = NEAR, **settings: Any) -> Phone:
    values: dict[str, Any] = {
        "language": "en",
        "country": "CN",
        "follow_heartbeat": False,
        "keyring": keyring(),
    }
    return Phone(id="phone-1", lat=place[0], lon=place[1], **(values | settings))


def send(device: Device, message: AlertMessage, at_s: float | None = None) -> list[DeviceEvent]:
    """Deliver a message; by default at the time it was issued."""
    now_ns = message.issued_ns if at_s is None else ORIGIN_NS + round(at_s * S)
    topic = area_alert_topic(device.cell, tree=device.tree)
    return device.receive(topic, payload_of(message), now_ns)


def screen(device: Device, at_s: float) -> Presentation:
    return device.presentation(ORIGIN_NS + round(at_s * S))


def phases(device: Device, *at_s: float) -> list[str]:
    return [screen(device, t).phase.value for t in at_s]


def only(events: list[DeviceEvent], kind: type) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


# ---------------------------------------------------------------- the life of an alert


def test_strong_shaking_goes_from_action_to_shaking_to_help() -> None:
    device = phone()
    events = send(device, make_message())

    assert [type(event) for event in events] == [PhaseChanged, Shown, CuePlayed]
    assert phases(device, 5.9, 6.0, 12.2, 12.4, 30.0, 300.0, 2000.0) == [
        "take_action", "take_action", "take_action", "shaking_now", "shaking_now", "after", "idle",
    ]  # fmt: skip
    first = screen(device, 6.0)
    assert first.headline == "Drop, cover, hold on. Strong shaking expected here."
    assert first.level is Level.TAKE_ACTION
    assert first.intensity_here == "Expected here: China intensity 6, strong"
    assert first.arrival == "Shaking in about 6 s"
    assert first.seconds == 6
    assert first.place == "Quake 38 km to the south"
    assert first.pictogram == "drop_cover_hold_on"
    assert screen(device, 9.0).arrival == "Shaking any moment"
    assert screen(device, 13.0).headline == "Shaking now. Stay down."
    assert screen(device, 13.0).arrival == ""


def test_shaking_seen_nearby_counts_whenever_it_comes() -> None:
    """A second rupture that is no event of its own: the first one's S wave is long past."""
    device = phone(FAR)
    send(device, make_message(magnitude=4.5))
    assert phases(device, 7.0, 200.0) == ["idle", "idle"]

    again = make_message(serial=2, issued_s=150.0, magnitude=4.5)
    seen = ObservedShaking(lat=FAR[0], lon=FAR[1], intensity=7.2)
    again = replace(again, prediction=replace(again.prediction, observed=(seen,)))
    events = send(device, again)

    assert len(only(events, CuePlayed)) == 1
    assert phases(device, 150.0, 155.0, 200.0) == ["shaking_now", "shaking_now", "after"]
    assert screen(device, 151.0).intensity == pytest.approx(7.2)


def test_light_shaking_asks_for_attention_only() -> None:
    device = phone(FAR)
    send(device, make_message())

    assert phases(device, 6.0, 29.0, 30.0, 200.0) == [
        "be_aware", "be_aware", "shaking_now_light", "after",
    ]  # fmt: skip
    assert screen(device, 6.0).headline == "Light shaking expected here. Stay alert."
    assert screen(device, 6.0).intensity_label == "4"


def test_below_the_threshold_nothing_is_shown_and_the_answer_says_received() -> None:
    device = phone(BEYOND)
    events = send(device, make_message())

    (received,) = events
    assert isinstance(received, Received)
    assert (received.reason, received.serial) == ("below_threshold", 1)
    assert phases(device, 6.0, 100.0) == ["idle", "idle"]
    assert screen(device, 6.0).headline == "No alert."


def test_too_near_for_a_warning_says_so_at_once() -> None:
    device = phone()
    send(device, make_message(issued_s=20.0))

    shown = screen(device, 20.0)
    assert shown.phase is Phase.SHAKING_NOW
    assert shown.headline == "Shaking now. Stay down."
    assert any("very close" in note for note in shown.notes)
    on_time = phone()
    send(on_time, make_message())
    assert not any("very close" in note for note in screen(on_time, 20.0).notes)


def test_a_weaker_quake_than_expected_is_not_a_false_alert() -> None:
    device = phone(MIDDLE)
    send(device, make_message(magnitude=7.2))
    events = send(device, make_message(magnitude=6.0, serial=2, issued_s=8.0))

    assert screen(device, 8.0).phase is Phase.WEAKER
    assert screen(device, 8.0).headline == "Weaker shaking than first expected. Stay alert."
    assert only(events, CuePlayed) == []
    assert phases(device, 25.0) == ["shaking_now_light"]


def test_where_nothing_will_be_felt_after_all_the_screen_says_so_and_ends() -> None:
    device = phone(MIDDLE)
    send(device, make_message(magnitude=6.0))
    send(device, make_message(magnitude=4.0, serial=2, issued_s=8.0))

    assert screen(device, 8.0).phase is Phase.WEAKER_NONE
    assert screen(device, 8.0).arrival == ""
    assert "You need not take cover" in screen(device, 8.0).detail
    assert phases(device, 40.0, 69.0) == ["weaker_none", "idle"]


def test_shaking_that_has_begun_is_not_talked_away() -> None:
    device = phone(MIDDLE)
    send(device, make_message(magnitude=6.0))
    send(device, make_message(magnitude=4.0, serial=2, issued_s=25.0))

    assert phases(device, 25.0) == ["shaking_now_light"]


def test_a_false_alert_is_withdrawn_with_words_on_safety() -> None:
    device = phone()
    send(device, make_message())
    events = send(device, make_message(serial=2, msg_type=MsgType.CANCEL, issued_s=9.0))

    shown = screen(device, 9.0)
    assert shown.phase is Phase.CANCELLED
    assert shown.headline == "The earlier alert was wrong. You are safe."
    assert shown.detail.startswith("No shaking is expected.")
    assert (shown.intensity_here, shown.arrival, shown.place) == ("", "", "")
    (cue,) = only(events, CuePlayed)
    assert cue.name == "cancelled"
    assert phases(device, 60.0, 130.0) == ["cancelled", "idle"]


def test_a_withdrawal_of_what_was_never_shown_stays_off_the_screen() -> None:
    device = phone()
    events = send(device, make_message(serial=2, msg_type=MsgType.CANCEL))

    (received,) = events
    assert isinstance(received, Received)
    assert received.reason == "nothing_to_withdraw"
    assert phases(device, 6.0) == ["idle"]


def test_a_lost_service_is_neither_a_false_alert_nor_an_all_clear() -> None:
    device = phone(FAR)
    send(device, make_message(expire_s=15.0))  # runs out before the shaking is due
    now_ns = ORIGIN_NS + 22 * S
    (changed,) = device.advance(now_ns)

    assert isinstance(changed, PhaseChanged)
    assert changed.phase is Phase.VANISHED
    assert screen(device, 22.0).headline == "Contact lost. The alert has run out."
    assert "neither confirmed nor withdrawn" in screen(device, 22.0).detail


def test_an_alert_that_runs_out_during_the_shaking_still_leads_to_help() -> None:
    device = phone()
    send(device, make_message(expire_s=15.0))
    device.advance(ORIGIN_NS + 22 * S)

    assert phases(device, 22.0, 200.0) == ["shaking_now", "after"]


def test_a_final_message_is_trusted_after_it_has_expired() -> None:
    device = phone(FAR)
    send(device, make_message(expire_s=15.0, msg_type=MsgType.FINAL))
    device.advance(ORIGIN_NS + 22 * S)

    assert phases(device, 22.0, 31.0) == ["be_aware", "shaking_now_light"]


def test_a_level_just_below_its_threshold_is_held_against_flicker() -> None:
    device = phone(MIDDLE)
    shown = []
    for serial, magnitude in enumerate((6.4, 6.3, 6.4, 6.1), start=1):
        events = send(device, make_message(magnitude=magnitude, serial=serial))
        estimate = device.estimate_of("ev-1")
        assert estimate is not None
        shown.append((estimate.level.value, device.level.value, len(only(events, CuePlayed))))

    assert shown == [
        ("take_action", "take_action", 1),
        ("be_aware", "take_action", 0),  # 4.9: held
        ("take_action", "take_action", 0),
        ("be_aware", "be_aware", 0),
    ]


# ---------------------------------------------------------------- sound


def test_sound_is_for_a_new_event_or_a_higher_level_only() -> None:
    device = phone(MIDDLE)
    cues = []
    for serial, magnitude in enumerate((6.0, 6.05, 7.2, 7.3, 6.0, 7.2), start=1):
        events = send(device, make_message(magnitude=magnitude, serial=serial))
        cues.append([cue.name for cue in only(events, CuePlayed)])

    assert cues == [["be_aware"], [], ["take_action"], [], [], ["take_action"]]


def test_sound_and_caption_follow_the_level_here_not_the_magnitude() -> None:
    strong, weak = phone(NEAR), phone(FAR)
    send(strong, make_message(magnitude=6.8))
    send(weak, make_message(magnitude=6.8))

    assert screen(strong, 6.0).sound == "rising_three"
    assert screen(strong, 6.0).caption == "(loud rising tone, three times)"
    assert screen(weak, 6.0).sound == "soft_double"
    assert screen(weak, 6.0 + policy().cue_s).sound == ""
    assert screen(weak, 6.0 + policy().cue_s).caption == ""


def test_no_cue_pulses_more_than_three_times_a_second() -> None:
    for cue in policy().cues.values():
        pulses = [
            on + off for on, off in zip(cue.haptics_ms, (*cue.haptics_ms[1:], 0), strict=True)
        ]
        assert all(length > 333 for length in pulses[:-1:2])


def test_profiles_change_words_sound_and_seconds() -> None:
    wheelchair, deaf, night, plain = (
        phone(profile=name) for name in ("wheelchair", "deaf", "night", "plain")
    )
    for device in (wheelchair, deaf, night, plain):
        send(device, make_message())

    assert screen(wheelchair, 6.0).headline.startswith("Lock, cover, hold on.")
    assert screen(wheelchair, 6.0).pictogram == "lock_cover_hold_on"
    assert screen(deaf, 6.0).sound == ""
    assert len(screen(deaf, 6.0).haptics_ms) > len(screen(night, 6.0).haptics_ms)
    assert screen(deaf, 6.0).caption != ""
    assert screen(night, 6.0).sound == "rising_three"  # this one interrupts
    assert (screen(plain, 6.0).arrival, screen(plain, 6.0).seconds) == ("", None)
    quiet = phone(FAR, profile="night")
    send(quiet, make_message())
    assert (screen(quiet, 6.0).sound, screen(quiet, 6.0).haptics_ms) == ("", ())
    with pytest.raises(ConfigError, match="unknown profile"):
        phone(profile="loud")


# ---------------------------------------------------------------- order and rubbish


def test_the_same_message_by_two_topics_is_shown_once() -> None:
    device = phone()
    payload = payload_of(make_message())
    answers: list[DeviceEvent] = []
    for topic in (
        area_alert_topic(device.cell),
        alert_topic(),
        event_current_topic("ev-1"),
    ):
        answers += device.receive(topic, payload, ORIGIN_NS + 6 * S)

    assert len(only(answers, Shown)) == 1
    assert [event.reason for event in only(answers, Ignored)] == ["duplicate"] * 2
    assert device.counts == {"accepted": 1, "duplicate": 2, "vanished": 0}


def test_a_message_that_arrives_after_its_time_never_fires() -> None:
    device = phone()
    (ignored,) = send(device, make_message(), at_s=186.0)

    assert isinstance(ignored, Ignored)
    assert ignored.reason == "expired"
    assert phases(device, 186.0) == ["idle"]


@pytest.mark.parametrize(
    ("topic", "payload", "reason"),
    [
        ("eew/v1/alert", b"{}", "unsigned"),
        ("eew/v1/alert", b"\xff\x00", "unsigned"),
        ("eew/v1/alert", seal(b'{"schema":"eew.alert/2"}', KEY), "unreadable"),
        ("eew/v1/heartbeat", b"now", "unsigned"),
        ("eew/v1/heartbeat", seal(b'{"sequence":1}', KEY), "unreadable"),
        ("eew/v1/drill/heartbeat", b"now", "other_tree"),
        ("some/other/topic", b"{}", "unreadable"),
        (ack_topic("phone-2"), b"{}", "not_for_devices"),
        ("eew/v1/status/eew", b"{" + b" " * 4096 + b"}", "oversize"),
    ],
)
def test_rubbish_is_ignored_with_a_reason_and_never_raises(
    topic: str, payload: bytes, reason: str
) -> None:
    device = phone()
    (ignored,) = device.receive(topic, payload, ORIGIN_NS)

    assert isinstance(ignored, Ignored)
    assert ignored.reason == reason
    assert ack_for("phone-1", ignored) is None
    assert device.counts[reason] == 1


def test_a_retained_message_being_removed_says_nothing() -> None:
    device = phone()

    assert device.receive(event_current_topic("ev-1"), b"", ORIGIN_NS) == []


def test_a_shaking_model_of_a_newer_version_is_ignored_by_name() -> None:
    document = json.loads(payload_of(make_message()))
    document["model"] = "csi/model_of_2031"
    device = phone()
    topic = area_alert_topic(device.cell)
    del document["key"], document["sig"]
    newer = seal(json.dumps(document).encode(), KEY)
    (ignored,) = device.receive(topic, newer, ORIGIN_NS + 6 * S)

    assert isinstance(ignored, Ignored)
    assert ignored.reason == "unknown_model"
    assert "model_of_2031" in ignored.detail


# ---------------------------------------------------------------- several events


def test_the_worst_of_several_events_rules_the_screen() -> None:
    device = phone(MIDDLE)
    send(device, make_message(event_id="small", magnitude=6.0))
    events = send(device, make_message(event_id="large", magnitude=7.2))

    assert screen(device, 6.0).event_id == "large"
    assert screen(device, 6.0).notes[0] != screen(device, 6.0).notes[-1]
    assert "Other alerts at the same time: 1." in screen(device, 6.0).notes
    assert [cue.name for cue in only(events, CuePlayed)] == ["take_action"]

    update = send(device, make_message(event_id="small", magnitude=6.1, serial=2))
    (received,) = only(update, Received)
    assert received.reason == "other_event"
    assert only(update, CuePlayed) == []


def test_when_the_worst_is_withdrawn_the_other_one_comes_up() -> None:
    device = phone(MIDDLE)
    send(device, make_message(event_id="small", magnitude=6.0))
    send(device, make_message(event_id="large", magnitude=7.2))
    later = make_message(event_id="small", magnitude=6.05, serial=2, issued_s=7.0)
    send(device, later)
    cancel = make_message(
        event_id="large", magnitude=7.2, serial=2, msg_type=MsgType.CANCEL, issued_s=9.0
    )
    events = send(device, cancel)

    assert screen(device, 9.0).event_id == "small"
    (shown,) = only(events, Shown)
    assert (shown.event_id, shown.serial) == ("small", 2)
    (received,) = only(events, Received)
    assert (received.event_id, received.serial) == ("large", 2)


def test_a_new_alert_outranks_the_help_after_an_earlier_quake() -> None:
    device = phone(MIDDLE)
    send(device, make_message(magnitude=6.6))
    device.advance(ORIGIN_NS + 200 * S)
    assert phases(device, 200.0) == ["after"]
    aftershock = make_message(
        event_id="ev-2", magnitude=6.0, origin_ns=ORIGIN_NS + 200 * S, issued_s=6.0
    )
    send(device, aftershock)

    assert screen(device, 206.0).event_id == "ev-2"
    assert screen(device, 206.0).phase is Phase.BE_AWARE


# ---------------------------------------------------------------- help


def packs_for(place: tuple[float, float]) -> list[bytes]:
    site = Site(name="Luding", lat=place[0], lon=place[1], country="CN")
    shelters = generate_shelters(site, 8, np.random.default_rng(7))
    return [help_wire.encode(pack, signer=KEY) for pack in build_packs(shelters, "CN", version=5)]


def give_help(device: Device, version: int = 5, name: str = "Middle School") -> list[DeviceEvent]:
    shelter = Shelter(id="1", name=name, lat=NEAR[0] + 0.009, lon=NEAR[1], address="1 Main St")
    (pack,) = [p for p in build_packs([shelter], "CN", version=version) if p.area == device.cell]
    return device.receive(help_topic(device.cell), help_wire.encode(pack, signer=KEY), ORIGIN_NS)


def test_help_is_on_the_device_from_the_first_second_and_leads_after_the_shaking() -> None:
    device = phone()
    (updated,) = give_help(device)
    assert isinstance(updated, HelpUpdated)
    send(device, make_message())

    for at_s, first in ((6.0, False), (13.0, False), (200.0, True)):
        shown = screen(device, at_s)
        assert shown.help.shelter_line == "Nearest shelter: Middle School"
        assert shown.help.shelter_way == "1.0 km to the north"
        assert shown.help.shelter_address == "1 Main St"
        assert shown.help.emergency == "Emergency: 119"
        assert shown.help.medical == "Medical: 120"
        assert shown.help.information == "Earthquake hotline: 12322"
        assert len(shown.help.rescue) == 3
        assert shown.help_first is first


def test_without_a_pack_the_device_still_alerts_and_knows_the_national_numbers() -> None:
    device = phone(country="JP", language="ja")
    send(device, make_message())

    shown = screen(device, 6.0)
    assert shown.phase is Phase.TAKE_ACTION
    assert shown.help.emergency == "緊急：119"
    assert shown.help.information == "災害用伝言ダイヤル：171"
    assert shown.help.shelter_line == ""
    assert shown.help.no_shelter == "近くの避難所の情報がありません。広い場所へ。"
    assert screen(phone(country=""), 0.0).help.emergency == "Emergency: 112"


def test_generated_shelters_are_called_generated_on_the_screen() -> None:
    device = phone()
    for payload in packs_for(NEAR):
        device.receive(help_topic(device.cell), payload, ORIGIN_NS)

    assert screen(device, 0.0).help.generated == "generated for this simulation"
    assert "(generated)" in screen(device, 0.0).help.shelter_line


def test_a_help_pack_is_only_replaced_by_a_newer_one() -> None:
    device = phone()
    give_help(device, version=5)
    (same,) = give_help(device, version=5)
    (older,) = give_help(device, version=4, name="Old School")
    assert isinstance(same, Ignored)
    assert isinstance(older, Ignored)
    assert (same.reason, older.reason) == ("duplicate", "old_help_pack")
    assert screen(device, 0.0).help.shelter_name == "Middle School"
    give_help(device, version=6, name="New School")
    assert screen(device, 0.0).help.shelter_name == "New School"


def test_the_pack_of_the_country_brings_numbers_and_that_of_the_cell_goes_before() -> None:
    device = phone()
    country = replace(country_pack("CN", version=9), rescue={"en": "One line"})
    device.receive(help_country_topic("CN"), help_wire.encode(country, signer=KEY), ORIGIN_NS)
    assert screen(device, 0.0).help.rescue == ("One line",)
    give_help(device)
    assert len(screen(device, 0.0).help.rescue) == 3
    other = help_wire.encode(country_pack("JP", version=9), signer=KEY)
    (ignored,) = device.receive(help_country_topic("JP"), other, ORIGIN_NS)
    assert isinstance(ignored, Ignored)
    assert ignored.reason == "other_area"


# ---------------------------------------------------------------- contact and clock


def test_lost_contact_and_a_wrong_clock_are_said_on_the_screen() -> None:
    device = phone(FAR, follow_heartbeat=True)
    beat = encode_control(Heartbeat(sequence=1, sent_ns=ORIGIN_NS), signer=KEY)
    device.receive(heartbeat_topic(), beat, ORIGIN_NS)
    assert screen(device, 3.0).notes == ()
    assert screen(device, 8.5).notes == ("No contact for 8 s.",)
    assert device.link(ORIGIN_NS + 100 * S) is Link.OFFLINE
    last = ServiceStatus(service_id="eew", online=False, at_ns=ORIGIN_NS)
    will = encode_control(last, signer=KEY)
    device.receive(status_topic("eew"), will, ORIGIN_NS + 3 * S)
    assert screen(device, 3.0).notes == ("The alert service is offline.",)


def test_with_a_slow_clock_the_alert_is_shown_without_seconds() -> None:
    device = phone(FAR)
    send(device, make_message(), at_s=1.0)  # issued at 6 s: from the future

    shown = screen(device, 1.0)
    assert shown.phase is Phase.BE_AWARE
    assert (shown.arrival, shown.seconds) == ("Shaking any moment", None)
    assert any("Time not synchronised" in note for note in shown.notes)


def test_a_clock_ten_minutes_fast_still_gets_the_alert_in_time() -> None:
    device = phone(FAR, follow_heartbeat=True)
    for number in range(3):
        beat = Heartbeat(sequence=number, sent_ns=ORIGIN_NS + number * S)
        device.receive(
            heartbeat_topic(), encode_control(beat, signer=KEY), ORIGIN_NS + (600 + number) * S
        )
    send(device, make_message(), at_s=606.0)

    shown = screen(device, 606.0)
    assert shown.phase is Phase.BE_AWARE
    assert shown.seconds == 23  # S at 29.5 s, service time 6 s
    assert any("Time not synchronised" in note for note in shown.notes)


# ---------------------------------------------------------------- keys


def test_keys_are_followed_from_one_to_the_next_and_the_old_one_ends() -> None:
    keys = Keyring([KEY.public])
    device = phone(keyring=keys)
    topic, area = keys_topic(), area_alert_topic(device.cell)
    second, third = (
        KeyPair(name, Status.EXERCISE, bytes([n]) * 32) for n, name in ((2, "ex-2"), (3, "ex-3"))
    )
    over_ns = ORIGIN_NS + 60 * S
    statements = [
        encode_rotation(Rotation(key=second.public, previous_until_ns=over_ns), KEY),
        encode_rotation(Rotation(key=third.public, previous_until_ns=over_ns), second),
    ]
    assert device.receive(topic, join_statements(statements), ORIGIN_NS) == []
    assert device.receive(topic, join_statements(statements), ORIGIN_NS) == []  # read again
    assert [key.key_id for key in keys.keys] == sorted([KEY.key_id, "ex-2", "ex-3"])

    newest = payload_of(make_message(), signer=third)
    assert only(device.receive(area, newest, ORIGIN_NS + 6 * S), Shown)
    late = payload_of(make_message(serial=2, issued_s=61.0))  # by the first key, which is over
    (ignored,) = only(device.receive(area, late, ORIGIN_NS + 61 * S), Ignored)
    assert ignored.reason == "key_expired"
    again = join_statements(statements)
    refused = only(device.receive(topic, again, ORIGIN_NS + 62 * S), Ignored)
    assert [one.reason for one in refused] == ["key_expired", "key_expired"]


def test_a_name_that_is_taken_cannot_be_given_to_another_key() -> None:
    keys = keyring()
    device = phone(keyring=keys)
    other = KeyPair(KEYS[Status.DRILL].key_id, Status.EXERCISE, bytes(32)).public
    statement = encode_rotation(Rotation(key=other, previous_until_ns=ORIGIN_NS + S), KEY)
    (ignored,) = device.receive(keys_topic(), statement, ORIGIN_NS)
    assert isinstance(ignored, Ignored)
    assert ignored.reason == "key_conflict"
    assert keys.get(KEY.key_id) == KEY.public  # a statement refused changes nothing


def test_a_key_that_does_not_count_yet_is_refused_only_where_the_time_is_known() -> None:
    coming = KeyPair("ex-2", Status.EXERCISE, bytes(32), from_ns=ORIGIN_NS + 60 * S)
    payload = payload_of(make_message(), signer=coming)
    unsure, sure = (
        phone(keyring=Keyring([KEY.public, coming.public]), follow_heartbeat=follows)
        for follows in (False, True)
    )
    for number in range(3):
        sent_ns = ORIGIN_NS + (3 + number) * S
        beat = encode_control(Heartbeat(sequence=number, sent_ns=sent_ns), signer=KEY)
        assert sure.receive(heartbeat_topic(), beat, sent_ns) == []
    area = area_alert_topic(sure.cell)
    assert only(unsure.receive(area, payload, ORIGIN_NS + 6 * S), Shown)
    (ignored,) = sure.receive(area, payload, ORIGIN_NS + 6 * S)
    assert isinstance(ignored, Ignored)
    assert ignored.reason == "key_not_yet_valid"


def test_the_status_of_another_service_is_not_taken() -> None:
    device = phone(follow_heartbeat=True)
    word = ServiceStatus(service_id="other", online=False, at_ns=ORIGIN_NS)
    (ignored,) = device.receive(status_topic("eew"), encode_control(word, signer=KEY), ORIGIN_NS)
    assert isinstance(ignored, Ignored)
    assert ignored.reason == "wrong_topic"
    assert device.link(ORIGIN_NS) is Link.CONNECTING


# ---------------------------------------------------------------- on the way


@pytest.mark.parametrize("shared", [False, True])
def test_a_phone_carried_towards_a_quake_calls_to_action(shared: bool) -> None:
    estimator = SharedEstimator() if shared else None
    device = phone(BEYOND, estimator=estimator)
    other = phone(NEAR, estimator=estimator)
    for one in (device, other):
        send(one, make_message())
    assert phases(device, 6.0) == ["idle"]

    moved = device.move(*NEAR, ORIGIN_NS + 7 * S)

    assert only(list(moved.events), CuePlayed)[0].name == "take_action"
    assert only(list(moved.events), Shown)[0].level is Level.TAKE_ACTION
    assert device.estimate_of("ev-1") == other.estimate_of("ev-1")
    assert screen(device, 7.0).seconds == 5
    assert (set(moved.join), set(moved.leave)) == (
        {area_alert_topic(other.cell), help_topic(other.cell), "eew/v1/event/+/current"},
        {area_alert_topic(cell_of(*BEYOND)), help_topic(cell_of(*BEYOND))},
    )
    assert device.subscriptions() == other.subscriptions()


def test_within_a_cell_nothing_leaves_the_device_and_the_estimate_is_new() -> None:
    device = phone(NEAR)
    send(device, make_message())
    give_help(device)
    before = device.estimate_of("ev-1")
    was = screen(device, 7.0).help.shelter_distance_km
    moved = device.move(NEAR[0] + 0.01, NEAR[1], ORIGIN_NS + 7 * S)

    assert (moved.join, moved.leave) == ((), ())
    assert device.estimate_of("ev-1") != before
    assert screen(device, 7.0).help.shelter_distance_km != was
    assert device.help_facts().shelter is not None


def test_help_of_the_cell_that_was_left_is_let_go() -> None:
    device = phone(NEAR)
    give_help(device)
    device.move(*BEYOND, ORIGIN_NS)
    assert device.help_facts().shelter is None
    device.move(*NEAR, ORIGIN_NS)
    assert only(give_help(device), HelpUpdated)
    assert device.help_facts().shelter is not None


# ---------------------------------------------------------------- privacy


def test_only_a_coarse_cell_is_in_the_subscriptions() -> None:
    device = phone()

    topics = device.subscriptions()
    assert area_alert_topic(cell_of(*NEAR)) in topics
    assert help_country_topic("CN") in topics
    elsewhere = phone((NEAR[0] + 0.01, NEAR[1] + 0.01))
    assert elsewhere.subscriptions() == topics


def test_nothing_a_device_says_depends_on_where_in_its_cell_it_is() -> None:
    answers = []
    for place in (NEAR, (NEAR[0] + 0.02, NEAR[1] - 0.03)):
        device = phone(place)
        give_help(device)
        events = send(device, make_message())
        events += send(device, make_message())
        acks = [ack_for("phone-1", event) for event in events]
        answers.append([encode_ack(ack) for ack in acks if ack is not None])

    assert answers[0] == answers[1]
    assert len(answers[0]) == 2


def test_no_event_of_a_device_has_a_field_for_a_position() -> None:
    for kind in (Shown, Received, Ignored, HelpUpdated, PhaseChanged, CuePlayed):
        names = {field.name for field in dataclasses.fields(kind)}
        assert not names & {"lat", "lon", "distance_km", "azimuth_deg", "intensity", "cell"}


def test_the_answer_to_a_message_does_not_tell_how_strong_it_is_here() -> None:
    below = send(phone(BEYOND), make_message())[0]
    ack = ack_for("phone-1", below)

    assert ack is not None
    assert (ack.outcome, ack.reason) == ("received", "not_shown")


# ---------------------------------------------------------------- variants


def test_a_tv_shows_a_strip_first_and_then_the_panel() -> None:
    tv = TV(
        id="tv-1",
        district="Luding",
        lat=MIDDLE[0],
        lon=MIDDLE[1],
        language="zh",
        country="CN",
        follow_heartbeat=False,
        keyring=keyring(),
    )
    assert screen(tv, 0.0).layout == "panel"
    send(tv, make_message(magnitude=6.0))
    assert [screen(tv, t).layout for t in (6.0, 8.9, 9.1)] == ["strip", "strip", "panel"]
    send(tv, make_message(magnitude=6.05, serial=2, issued_s=10.0))
    assert screen(tv, 10.0).layout == "panel"  # nothing higher
    send(tv, make_message(magnitude=7.2, serial=3, issued_s=11.0))
    assert screen(tv, 11.0).layout == "strip"
    assert screen(tv, 11.0).title == "Luding"
    assert screen(tv, 11.0).haptics_ms == ()
    assert screen(tv, 11.0).lang == "zh"


@pytest.mark.parametrize(
    ("language", "headline"),
    [
        ("en", "Drop, cover, hold on. Strong shaking expected here."),
        ("zh", "伏地、遮挡、手抓牢。此处将有强烈晃动。"),
        ("ja", "まず低く、頭を守り、動かない。強い揺れが来ます。"),
        ("es", "Agáchese, cúbrase y sujétese. Temblor fuerte aquí."),
        ("tr", "Çök, kapan, tutun. Burada güçlü sarsıntı bekleniyor."),
        ("fi", "Drop, cover, hold on. Strong shaking expected here."),
    ],
)
def test_the_action_comes_first_in_every_language(language: str, headline: str) -> None:
    device = phone(language=language)
    send(device, make_message())

    assert screen(device, 6.0).headline == headline


def test_every_screen_is_marked_as_a_simulation_and_as_drill_or_test() -> None:
    drill, test = phone(), phone(tree=Status.TEST)
    send(drill, make_message())
    send(test, make_message(status=Status.TEST))

    assert screen(phone(), 0.0).simulation_mark == "SIMULATION - not a real alert"
    assert screen(drill, 6.0).simulation_mark == "DRILL | SIMULATION - not a real alert"
    assert screen(test, 6.0).simulation_mark == "TEST | SIMULATION - not a real alert"
    assert "This is a drill. Practise what the screen says." in screen(drill, 6.0).notes
    assert "This is a test. Nothing needs to be done." in screen(test, 6.0).notes


def test_places_are_named_where_they_are_known() -> None:
    device = phone(FAR, gazetteer=(Site(name="Luding", lat=29.91, lon=102.23),))
    send(device, make_message())
    abroad = phone(FAR, gazetteer=(Site(name="Xian", lat=34.3, lon=108.9),), country="US")
    send(abroad, make_message())
    on_top = phone((29.6, 102.09))
    send(on_top, make_message())

    assert screen(device, 6.0).place == "Quake near Luding, 100 km to the south-west"
    assert screen(abroad, 6.0).place == "Quake 62 mi to the south-west"
    assert screen(on_top, 6.0).place == "The quake is right here"


def test_japanese_classes_have_their_own_names() -> None:
    device = phone((32.8, 130.7), language="ja", country="JP")
    send(device, make_message(model="si_midorikawa", lat=32.75, lon=131.2, magnitude=7.0))

    shown = screen(device, 6.0)
    assert shown.intensity_scale == "jma"
    assert shown.intensity_here == "ここの予想：震度5弱、強い"
    assert shown.level is Level.TAKE_ACTION


def test_a_lower_bound_is_said_to_be_one() -> None:
    device = phone()
    send(device, make_message(lower_bound=True))

    assert "The quake may still be growing." in screen(device, 6.0).notes


def test_own_thresholds_hold_for_their_scale_only() -> None:
    deaf_to_all = Thresholds(scale="csi", be_aware=11.0, take_action=11.5)
    device = phone(thresholds=deaf_to_all)
    send(device, make_message())
    abroad = phone(thresholds=deaf_to_all)
    send(abroad, make_message(model="bssa14"))

    assert screen(device, 6.0).phase is Phase.IDLE
    assert screen(abroad, 6.0).phase is Phase.TAKE_ACTION


def test_a_shared_estimator_changes_nothing_on_the_screen() -> None:
    shared = SharedEstimator()
    for place in (NEAR, FAR, BEYOND):
        alone, together = phone(place), phone(place, estimator=shared)
        assert send(alone, make_message()) == send(together, make_message())
        assert screen(alone, 8.0) == screen(together, 8.0)


def test_looking_often_changes_nothing() -> None:
    watched, left = phone(FAR), phone(FAR)
    for device in (watched, left):
        send(device, make_message())
    for tenth in range(60, 1000):
        screen(watched, tenth / 10.0)
        watched.advance(ORIGIN_NS + tenth * S // 10)
    left.advance(ORIGIN_NS + 999 * S // 10)

    assert screen(watched, 100.0) == screen(left, 100.0)
