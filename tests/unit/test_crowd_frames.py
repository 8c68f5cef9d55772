"""Bytes of a connection become message codes, the same for every way they are cut."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from clients.crowd.frames import NOTHING, UNKNOWN, FrameBook
from eew import mqtt_packets as mqtt

TOPIC = "eew/v1/area/84f05b1ffffffff/alert"


class Interned:
    """Numbers in the order of first coming, and how often it was asked."""

    def __init__(self) -> None:
        self.seen: dict[tuple[bytes, bytes], int] = {}
        self.asked = 0

    def __call__(self, topic: bytes, payload: bytes) -> int:
        self.asked += 1
        return self.seen.setdefault((topic, payload), len(self.seen))


def frame(payload: bytes, *, qos: int = 1, packet_id: int = 1, retain: bool = False) -> bytes:
    return mqtt.publish(
        TOPIC,
        payload,
        version=mqtt.MQTT_5,
        qos=qos,
        packet_id=packet_id if qos else 0,
        retain=retain,
        properties=mqtt.Properties(expiry_s=90, content_type="application/json"),
    )


def test_a_frame_that_was_read_is_found_by_its_bytes_whatever_its_packet_identifier() -> None:
    interned = Interned()
    book = FrameBook(interned, mqtt.MQTT_5)
    assert book.find(frame(b"one"))[0] == UNKNOWN
    assert book.read(frame(b"one"))[0] == [(0, b"\0\1")]
    assert book.find(frame(b"one", packet_id=777)) == (0, (777).to_bytes(2, "big"))
    assert book.find(frame(b"two", packet_id=777))[0] == UNKNOWN
    assert interned.asked == 1


def test_what_was_retained_and_what_comes_live_have_codes_of_their_own() -> None:
    book = FrameBook(Interned(), mqtt.MQTT_5)
    (live, _), (kept, _) = book.read(frame(b"one") + frame(b"one", retain=True))[0]
    assert (live >> 1, kept >> 1) == (0, 0)
    assert (live & 1, kept & 1) == (0, 1)


def test_a_retained_message_taken_back_is_nothing() -> None:
    assert FrameBook(Interned(), mqtt.MQTT_5).read(frame(b""))[0] == [(NOTHING, b"\0\1")]


def test_no_beginning_of_a_packet_is_taken_for_a_whole_one() -> None:
    book = FrameBook(Interned(), mqtt.MQTT_5)
    whole = frame(b"x" * 300)
    book.read(whole)
    for n in range(1, len(whole)):
        assert book.find(whole[:n])[0] == UNKNOWN
        assert book.read(whole[:n]) == ([], [], 0)
    assert book.find(whole + whole)[0] == UNKNOWN


def test_forgetting_frames_asks_for_their_number_again() -> None:
    interned = Interned()
    book = FrameBook(interned, mqtt.MQTT_5)
    for n in range(1000):
        book.read(frame(b"%d" % n))
    assert len(book) <= 256
    assert book.read(frame(b"3"))[0] == [(3 << 1, b"\0\1")]
    assert interned.asked == 1001


@given(
    messages=st.lists(
        st.tuples(st.binary(min_size=1, max_size=300), st.sampled_from((0, 1)), st.booleans()),
        min_size=1,
        max_size=8,
    ),
    cuts=st.lists(st.integers(0, 3000), max_size=6),
)
def test_any_cut_of_the_stream_gives_the_same_messages(
    messages: list[tuple[bytes, int, bool]], cuts: list[int]
) -> None:
    stream = b"".join(
        frame(payload, qos=qos, packet_id=n + 1, retain=retain)
        for n, (payload, qos, retain) in enumerate(messages)
    )
    stream += mqtt.puback(9)
    whole = FrameBook(Interned(), mqtt.MQTT_5)
    expected = whole.read(stream)
    assert expected[2] == len(stream)
    assert len(expected[1]) == 1
    pieces = FrameBook(Interned(), mqtt.MQTT_5)
    edges = sorted({0, len(stream), *(min(cut, len(stream)) for cut in cuts)})
    found, rest = [], b""
    for start, end in pairwise(edges):
        rest += stream[start:end]
        published, _, used = pieces.read(rest)
        found += published
        rest = rest[used:]
    assert found == expected[0]
