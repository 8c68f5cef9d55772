"""Heartbeat, status and a device's answer; and the thresholds both sides share."""

from __future__ import annotations

import json

import pytest

from eew.errors import ConfigError, WireError
from eew.messages.control_wire import (
    Ack,
    Heartbeat,
    ServiceStatus,
    decode_ack,
    decode_heartbeat,
    decode_status,
    encode_control,
)
from eew.messages.levels import Thresholds, default_thresholds
from eew.model.alert import Level


def test_the_small_messages_come_back_as_they_were_sent() -> None:
    beat = Heartbeat(sequence=7, sent_ns=1_662_353_565_000_000_001)
    will = ServiceStatus(service_id="eew.1", online=False)
    online = ServiceStatus(service_id="eew.1", online=True, version="0.1.0", at_ns=5)
    ack = Ack(id="p-1", event_id="ev-1", serial=2, outcome="shown", received_ns=10, shown_ns=12)

    assert decode_heartbeat(encode_control(beat)) == beat
    assert decode_status(encode_control(will)) == will
    assert decode_status(encode_control(online)) == online
    assert decode_ack(encode_control(ack)) == ack


def test_an_answer_has_no_room_for_a_position() -> None:
    ack = Ack(id="p-1", event_id="e", serial=1, outcome="received", received_ns=1, reason="r")

    assert set(json.loads(encode_control(ack))) == {
        "id", "event_id", "serial", "outcome", "received_ns", "reason",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("decode", "payload", "said"),
    [
        (decode_heartbeat, b'{"sequence":-1,"sent_ns":1}', r"heartbeat: sequence: .*was -1"),
        (decode_heartbeat, b'{"sequence":1}', "heartbeat: sent_ns is missing"),
        (decode_heartbeat, b"soon", "heartbeat: not JSON"),
        (decode_status, b'{"service_id":"a/b","online":true}', r"status: service_id: .*'a/b'"),
        (decode_ack, b'{"id":"a","event_id":"e","serial":1,"outcome":"lost","received_ns":1}',
         r"ack: outcome: .*was 'lost'"),
    ],
)  # fmt: skip
def test_a_bad_control_message_is_refused_with_field_and_value(
    decode: object, payload: bytes, said: str
) -> None:
    assert callable(decode)
    with pytest.raises(WireError, match=said):
        decode(payload)


@pytest.mark.parametrize("scale", ["mmi", "csi", "jma"])
def test_levels_rise_with_intensity(scale: str) -> None:
    limits = default_thresholds(scale)
    levels = [limits.level_of(intensity / 10.0) for intensity in range(-10, 121)]

    assert [level.rank for level in levels] == sorted(level.rank for level in levels)
    assert limits.level_of(limits.be_aware) is Level.BE_AWARE
    assert limits.level_of(limits.take_action) is Level.TAKE_ACTION
    assert limits.level_of(float("nan")) is Level.NONE


def test_thresholds_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ConfigError, match="take_action must not be below"):
        Thresholds(scale="mmi", be_aware=5.0, take_action=3.0)
    with pytest.raises(ConfigError, match="finite"):
        Thresholds(scale="mmi", be_aware=float("nan"), take_action=3.0)
    with pytest.raises(ConfigError, match="unknown intensity scale 'richter'"):
        default_thresholds("richter")
