"""The publisher's connection without a network: windows, identifiers, answers in any pieces."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eew import mqtt_packets as mqtt
from eew.clock import NS_PER_S, VirtualClock
from eew.egress import link as link_module
from eew.egress.link import PublisherLink
from eew.egress.outbox import Parcel, Piece
from eew.egress.plan import Outgoing
from eew.errors import ConnectError, PublishError
from eew.mqtt_link import BrokerAddress


class Wire:
    """Stands in for a socket."""

    def __init__(self) -> None:
        self.written = b""
        self.n_writes = 0
        self.n_waiting = 0
        self.n_aborts = 0
        self.n_pauses = 0

    def write(self, data: bytes) -> None:
        self.written += data
        self.n_writes += 1

    def get_write_buffer_size(self) -> int:
        return self.n_waiting

    def pause_reading(self) -> None:
        self.n_pauses += 1

    def resume_reading(self) -> None:
        self.n_pauses -= 1

    def is_closing(self) -> bool:
        return self.n_aborts > 0

    def abort(self) -> None:
        self.n_aborts += 1

    def frames(self) -> list[mqtt.Published]:
        found, at = [], 0
        while (frame := mqtt.next_frame(self.written, at)) is not None:
            body = self.written[frame.start : frame.end]
            found.append(mqtt.parse_publish(frame.first, body, version=mqtt.MQTT_5))
            at = frame.end
        assert at == len(self.written)
        return found


class Case:
    """A link on a wire, and what it told its publisher."""

    def __init__(self, receive_maximum: int = 2000) -> None:
        self.clock = VirtualClock(0)
        self.answers: list[tuple[int, bool]] = []
        self.n_room = 0
        address = BrokerAddress(kind="x", host="h", port=1, receive_maximum=receive_maximum)
        self.link = PublisherLink(
            address, self.clock, on_answered=self._answered, on_room=self._room
        )
        self.wire = Wire()
        self.link._transport = cast(asyncio.Transport, self.wire)

    def _answered(self, parcel: Parcel, index: int, refused: bool, at_ns: int) -> None:
        self.answers.append((index, refused))

    def _room(self) -> None:
        self.n_room += 1

    def send(self, n: int, *, n_retained: int = 1, start: int = 0) -> None:
        topics = tuple(f"t/{index}" for index in range(start + n))
        parcel = Parcel(Outgoing(key="k", topics=topics, payload=b"{}", n_retained=n_retained))
        self.link.send([Piece(parcel, start, start + n)], lambda _: 60)


@contextmanager
def running_loop() -> Iterator[None]:
    """For futures outside a coroutine."""
    loop = asyncio.new_event_loop()
    asyncio._set_running_loop(loop)
    try:
        yield
    finally:
        asyncio._set_running_loop(None)
        loop.close()


async def test_many_copies_leave_in_one_write_with_their_own_identifiers() -> None:
    case = Case()
    case.send(500)
    frames = case.wire.frames()
    assert case.wire.n_writes == 1
    assert [frame.topic for frame in frames] == [b"t/%d" % index for index in range(500)]
    assert [frame.packet_id for frame in frames] == list(range(1, 501))
    assert [frame.retain for frame in frames] == [True] + [False] * 499
    assert {(frame.payload, frame.qos, frame.expiry_s) for frame in frames} == {(b"{}", 1, 60)}
    assert case.link.room == 1500


async def test_a_piece_from_the_middle_is_not_retained() -> None:
    case = Case()
    case.send(3, start=2)
    assert [(f.topic, f.retain) for f in case.wire.frames()] == [
        (b"t/2", False), (b"t/3", False), (b"t/4", False),
    ]  # fmt: skip


async def test_an_identifier_is_not_used_twice_at_a_time_when_they_begin_again() -> None:
    case = Case(receive_maximum=65_535)
    case.send(3)
    case.link._last_id = 65_534
    case.send(3)
    assert [frame.packet_id for frame in case.wire.frames()] == [1, 2, 3, 65_535, 4, 5]


@given(st.lists(st.integers(1, 40), max_size=30), st.integers(1, 100))
def test_answers_count_once_however_they_are_cut(cuts: list[int], n: int) -> None:
    with running_loop():
        case = Case()
        case.send(n)
        # all the forms a PUBACK has: bare, with a reason, with properties; a PINGRESP between
        data = b"".join(
            [
                mqtt.puback(1 + index)
                if index % 3 == 0
                else b"\x40\x03" + (1 + index).to_bytes(2, "big") + b"\x10"
                if index % 3 == 1
                else b"\xd0\x00\x40\x04" + (1 + index).to_bytes(2, "big") + b"\x87\x00"
                for index in range(n)
            ]
        )
        at = 0
        for cut in [*cuts, len(data)]:
            case.link.data_received(data[at : at + cut])
            at += cut
        assert case.answers == [(index, index % 3 == 2) for index in range(n)]
        assert case.link.room == 2000
        case.link.data_received(mqtt.puback(1))  # one more answer to the same
        assert len(case.answers) == n


async def test_while_much_is_under_way_answers_are_read_together() -> None:
    case = Case()
    case.send(200)
    case.link.data_received(mqtt.puback(1))
    assert case.wire.n_pauses == 1
    await asyncio.sleep(0.02)
    assert case.wire.n_pauses == 0
    case.link.data_received(b"".join(mqtt.puback(i) for i in range(2, 150)))
    assert case.wire.n_pauses == 0
    assert case.n_room == 2


async def test_silence_is_asked_about_and_then_ends_the_connection() -> None:
    case = Case()
    await case.clock.advance_to(4 * NS_PER_S)
    case.link.watch()
    assert case.wire.written == b""
    await case.clock.advance_to(6 * NS_PER_S)
    case.link.watch()
    assert case.wire.written == mqtt.pingreq()
    case.link.data_received(b"\xd0\x00")
    await case.clock.advance_to(12 * NS_PER_S)
    case.link.watch()
    assert case.wire.n_aborts == 0
    await case.clock.advance_to(18 * NS_PER_S)
    case.link.watch()
    assert case.wire.n_aborts == 1
    with pytest.raises(PublishError, match="no answer for 5 s"):
        await case.link.until_lost()


async def test_a_slow_broker_is_not_lost_while_it_answers_something() -> None:
    case = Case()
    case.send(10)
    for packet_id in range(1, 11):
        await case.clock.advance_to(packet_id * 4 * NS_PER_S)
        case.link.data_received(mqtt.puback(packet_id))
        case.link.watch()
    assert case.wire.n_aborts == 0


async def test_what_is_worth_nothing_later_is_left_out_where_it_would_have_to_wait() -> None:
    case = Case()
    case.wire.n_waiting = 1
    case.link.send_passing("beat", b"{}", mqtt.Properties())
    assert case.wire.written == b""
    case.wire.n_waiting = 0
    case.link.send_passing("beat", b"{}", mqtt.Properties())
    assert case.wire.frames()[0].qos == 0


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\xe0\x01\x8b", "is shutting down"),
        (b"\x30\x03\x00\x01a", "subscribed to nothing"),
        (b"\x90\xff\xff\xff\xff\x01", "malformed packet length"),
        (b"\x90\xff\xff\x7f" + b"x" * 70_000, "what no publisher asks for"),
    ],
)
async def test_a_broker_that_says_goodbye_or_nonsense_ends_the_connection(
    data: bytes, why: str
) -> None:
    case = Case()
    case.link.data_received(data)
    assert case.link.room == 0
    with pytest.raises(PublishError, match=why):
        await case.link.until_lost()


async def test_the_window_is_the_brokers_but_within_reason() -> None:
    for said, room in ((b"\x20\x06\x00\x00\x03\x21\x00\x14", 20), (b"\x20\x03\x00\x00\x00", 4096)):
        case = Case()
        greeting = asyncio.create_task(case.link.greet(None))
        await asyncio.sleep(0)
        case.link.data_received(said)
        await greeting
        assert case.link.room == room
    assert link_module._MOST_UNDER_WAY == 4096


async def test_a_refusal_is_said_in_words() -> None:
    case = Case()
    greeting = asyncio.create_task(case.link.greet(None))
    await asyncio.sleep(0)
    case.link.data_received(b"\x20\x03\x00\x87\x00")
    with pytest.raises(ConnectError, match="refused: not authorised"):
        await greeting
