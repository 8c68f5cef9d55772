"""Packets against the examples and limits of the standard, and against themselves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eew import mqtt_packets as mqtt
from eew.errors import WireError

VERSIONS = (mqtt.MQTT_3_1_1, mqtt.MQTT_5)


def body_of(packet: bytes) -> bytes:
    frame = mqtt.next_frame(packet)
    assert frame is not None
    assert frame.end == len(packet)
    return packet[frame.start : frame.end]


def test_connect_is_what_the_standard_says_byte_by_byte() -> None:
    # MQTT 3.1.1, figure 3.6: protocol name, level 4, flags, keep alive; then the client id
    packet = mqtt.connect("ab", version=4, keepalive_s=10)
    assert packet == b"\x10\x0e\x00\x04MQTT\x04\x02\x00\x0a\x00\x02ab"


def test_connect_with_everything_has_the_flags_and_the_order_of_the_standard() -> None:
    packet = mqtt.connect("c", username="u", password="p", will=("w", b"x"), receive_maximum=9)
    assert packet[9] == 0x80 | 0x40 | 0x20 | 0x08 | 0x04 | 0x02
    assert packet[12:21] == b"\x08\x11\x00\x00\x00\x00\x21\x00\x09"
    assert packet[21:] == b"\x00\x01c\x00\x00\x01w\x00\x01x\x00\x01u\x00\x01p"


@pytest.mark.parametrize("n", [0, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152])
def test_every_size_of_length_is_read_as_written(n: int) -> None:
    packet = mqtt.publish("t", b"x" * n, version=4)
    published = mqtt.parse_publish(packet[0], body_of(packet), version=4)
    assert len(published.payload) == n


@pytest.mark.parametrize("version", VERSIONS)
@given(
    topic=st.text(min_size=1, max_size=40),
    payload=st.binary(max_size=300),
    qos=st.integers(0, 1),
    retain=st.booleans(),
    expiry=st.none() | st.integers(0, 2**32 - 1),
    user=st.lists(st.tuples(st.text(max_size=9), st.text(max_size=9)), max_size=3),
)
def test_what_is_published_is_read_as_written(
    version: int,
    topic: str,
    payload: bytes,
    qos: int,
    retain: bool,
    expiry: int | None,
    user: list[tuple[str, str]],
) -> None:
    properties = mqtt.Properties(expiry_s=expiry, content_type="application/json", user=(*user,))
    packet = mqtt.publish(
        topic,
        payload,
        version=version,
        qos=qos,
        retain=retain,
        packet_id=77 * qos,
        properties=properties,
    )
    read = mqtt.parse_publish(packet[0], body_of(packet), version=version)
    assert (read.topic.decode(), read.payload) == (topic, payload)
    assert (read.qos, read.retain, read.packet_id) == (qos, retain, 77 * qos)
    if version == mqtt.MQTT_5:
        assert (read.expiry_s, read.content_type) == (expiry, "application/json")
        assert read.user == tuple(user)


@given(
    data=st.binary(max_size=60), first=st.integers(0x30, 0x3F), version=st.sampled_from(VERSIONS)
)
def test_whatever_comes_is_read_or_refused(data: bytes, first: int, version: int) -> None:
    for read in (
        lambda: mqtt.parse_publish(first, data, version=version),
        lambda: mqtt.parse_connack(data, version=version),
        lambda: mqtt.parse_suback(data, version=version),
        lambda: mqtt.next_frame(data or b"\x30"),
    ):
        try:
            read()
        except WireError:
            continue


def test_a_packet_that_is_not_all_there_is_waited_for() -> None:
    packet = mqtt.publish("topic", b"payload", version=5, qos=1, packet_id=3)
    assert all(mqtt.next_frame(packet[:n]) is None for n in range(len(packet)))
    two = mqtt.next_frame(packet * 2, len(packet))
    assert two is not None
    assert (two.kind, two.end) == (mqtt.PUBLISH, 2 * len(packet))


def test_acknowledgements_name_the_packet_and_the_refusal() -> None:
    assert body_of(mqtt.puback(0x1234)) == b"\x12\x34"
    assert mqtt.parse_suback(b"\x00\x07\x00\x01\x87", version=5) == (7, (1, 0x87))
    assert mqtt.parse_suback(b"\x00\x07\x01\x80", version=4) == (7, (1, 0x80))
    assert mqtt.parse_connack(b"\x00\x00\x03\x21\x00\x14", version=5).receive_maximum == 20
    assert mqtt.parse_connack(b"\x01\x05", version=4) == mqtt.Connack(True, 5)


def test_qos_1_wants_a_packet_identifier() -> None:
    with pytest.raises(ValueError, match="packet identifier 0"):
        mqtt.publish("t", b"", version=4, qos=1)


# ---------------------------------------------------------------- many copies at once


@given(
    st.lists(st.text(min_size=1, max_size=60), max_size=20),
    st.binary(max_size=400),
    st.booleans(),
    st.sampled_from([mqtt.MQTT_5, mqtt.MQTT_3_1_1]),
)
def test_many_copies_are_the_packets_one_by_one(
    topics: list[str], payload: bytes, retain: bool, version: int
) -> None:
    properties = mqtt.Properties(expiry_s=7, content_type="a/b", user=(("k", "v"),))
    ids = list(range(65_535 - len(topics), 65_535))
    one_by_one = [
        mqtt.publish(
            topic,
            payload,
            version=version,
            qos=1,
            retain=retain,
            packet_id=packet_id,
            properties=properties,
        )
        for topic, packet_id in zip(topics, ids, strict=True)
    ]
    joined = mqtt.publish_copies(
        topics, payload, ids, version=version, retain=retain, properties=properties
    )
    assert joined == b"".join(one_by_one)


@pytest.mark.parametrize("ids", [[0, 1], [65_535, 65_536], [1]])
def test_copies_need_an_identifier_each(ids: list[int]) -> None:
    with pytest.raises(ValueError, match=r"packet identifiers|shorter|argument"):
        mqtt.publish_copies(["a", "b"], b"", ids, version=mqtt.MQTT_5)
