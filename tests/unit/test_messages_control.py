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
    encode_ack,
    encode_control,
)
from eew.messages.levels import Thresholds, default_thresholds
from eew.messages.seal import Keyring, SealError
from eew.model.alert import Level, Status
from tests.unit.message_cases import KEY


def test_the_small_messages_come_back_as_they_were_sent() -> None:
    beat = Heartbeat(sequence=7, sent_ns=1_662_353_565_000_000_001)
    will = ServiceStatus(service_id="eew.1", online=False)
    online = ServiceStatus(service_id="eew.1", online=True, version="0.1.0", at_ns=5)
    ack = Ack(id="p-1", event_id="ev-1", serial=2, outcome="shown", received_ns=10, shown_ns=12)

    assert decode_heartbeat(encode_control(beat, signer=KEY)) == beat
    assert decode_status(encode_control(will, signer=KEY)) == will
    assert decode_status(encode_control(online, signer=KEY)) == online
    assert decode_ack(encode_ack(ack)) == ack


def test_the_service_signs_and_a_device_does_not() -> None:
    ring = Keyring([KEY.public])
    beat = encode_control(Heartbeat(sequence=7, sent_ns=5), signer=KEY)
    ack = Ack(id="p-1", event_id="ev-1", serial=2, outcome="shown", received_ns=10, shown_ns=12)

    ring.verify(beat, Status.EXERCISE)
    with pytest.raises(SealError):
        ring.verify(encode_ack(ack), Status.EXERCISE)
    assert encode_control(Heartbeat(sequence=7, sent_ns=5), signer=None) == (
        b'{"schema":"eew.heartbeat/1","sequence":7,"sent_ns":5}'
    )


def test_an_answer_is_small_and_has_no_room_for_a_position() -> None:
    ack = Ack(id="p-1", event_id="e", serial=1, outcome="received", received_ns=1, reason="r")

    assert set(json.loads(encode_ack(ack))) == {
        "schema", "id", "event_id", "serial", "outcome", "received_ns", "reason",
    }  # fmt: skip
    assert len(encode_ack(ack)) < 120


@pytest.mark.parametrize(
    ("decode", "payload", "said"),
    [
        (decode_heartbeat, b'{"schema":"eew.heartbeat/1","sequence":-1,"sent_ns":1}',
         r"heartbeat: sequence: .*was -1"),
        (decode_heartbeat, b'{"schema":"eew.heartbeat/1","sequence":1}',
         r"heartbeat: sent_ns is missing"),
        (decode_heartbeat, b'{"sequence":1,"sent_ns":1}', r"heartbeat: schema is missing"),
        (decode_heartbeat, b'{"schema":"eew.heartbeat/2"}',
         r"heartbeat: schema: .*was 'eew.heartbeat/2'"),
        (decode_heartbeat, b'{"schema":"eew.status/1","service_id":"a","online":true}',
         r"heartbeat: schema must be eew.heartbeat/1, was 'eew.status/1'"),
        (decode_heartbeat, b"soon", r"heartbeat: not JSON"),
        (decode_status, b'{"schema":"eew.status/1","service_id":"a/b","online":true}',
         r"status: service_id: .*'a/b'"),
        (decode_ack, b'{"schema":"eew.ack/1","id":"a","event_id":"e","serial":1,"outcome":"lost"}',
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
