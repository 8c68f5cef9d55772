"""The outbox and the plan: what leaves, in which order, and what is given up."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eew.egress.outbox import Outbox, Parcel, Piece, Ticket
from eew.egress.plan import AlertPlanner, Outgoing
from eew.messages.topics import area_alert_topic, cells_to_tell
from eew.model.alert import MsgType
from tests.integration.brokers import alert


def parcel(
    name: str,
    n: int = 1,
    *,
    urgent: bool = False,
    payload: bytes = b"x",
    expires_ns: int | None = None,
) -> tuple[Parcel, Ticket]:
    topics = (name,) if n == 1 else tuple(f"{name}{i}" for i in range(n))
    out = Outgoing(key=name, topics=topics, payload=payload, urgent=urgent)
    ticket = Ticket(n)
    return Parcel(out, ticket, expires_ns), ticket


def put(box: Outbox, name: str, n: int = 1, **settings: object) -> Ticket:
    made, ticket = parcel(name, n, **settings)  # type: ignore[arg-type]
    box.put(made)
    return ticket


def names(pieces: list[Piece]) -> list[str]:
    return [
        topic
        for piece in pieces
        for topic in piece.parcel.outgoing.topics[piece.start : piece.stop]
    ]


def answer(box: Outbox, pieces: list[Piece], *, refused: bool = False, at_ns: int = 7) -> None:
    for piece in pieces:
        for index in range(piece.start, piece.stop):
            box.answered(piece.parcel, index, refused=refused, at_ns=at_ns)


def test_urgent_messages_leave_first_and_each_kind_in_its_order() -> None:
    box = Outbox(10)
    put(box, "a")
    put(box, "B", urgent=True)
    put(box, "c")
    put(box, "D", urgent=True)
    assert names(box.take(10, 0)) == ["B", "D"]
    assert names(box.take(1, 0)) == ["a"]
    assert names(box.take(10, 0)) == ["c"]
    assert box.take(10, 0) == []
    assert len(box) == 4  # under way, not answered


def test_a_message_leaves_in_as_many_pieces_as_there_is_room_for() -> None:
    box = Outbox(10)
    ticket = put(box, "A", 5, urgent=True)
    first = box.take(2, 0)
    assert names(first) == ["A0", "A1"]
    assert names(box.take(2, 0)) == ["A2", "A3"]
    answer(box, first, at_ns=11)
    assert (ticket.n_taken, ticket.n_waiting, ticket.taken_ns, len(box)) == (2, 3, 11, 3)


def test_a_newer_message_leaves_instead_of_what_the_older_has_not_sent() -> None:
    box = Outbox(20)
    old = put(box, "A", 5, urgent=True, payload=b"1")
    under_way = box.take(2, 0)
    new = put(box, "A", 5, urgent=True, payload=b"2")
    assert (old.superseded_topics, old.n_waiting) == (["A2", "A3", "A4"], 2)
    assert box.n_superseded == 3
    # not before the broker has answered: it may hang, with the older copies in its socket
    put(box, "B", urgent=True)
    assert names(box.take(10, 0)) == ["B"]
    answer(box, under_way)
    assert old.n_taken == 2
    newer = box.take(10, 0)
    assert names(newer) == ["A0", "A1", "A2", "A3", "A4"]
    assert {piece.parcel.outgoing.payload for piece in newer} == {b"2"}
    answer(box, newer)
    assert (new.n_taken, new.n_waiting) == (5, 0)


def test_of_many_updates_while_nothing_is_answered_only_the_newest_leaves() -> None:
    box = Outbox(1000)
    first = put(box, "A", 50, urgent=True, payload=b"0")
    under_way = box.take(1000, 0)
    for number in range(1, 500):
        put(box, "A", 50, urgent=True, payload=b"%d" % number)
        assert box.take(1000, 0) == []
        assert len(box) == 100
    answer(box, under_way)
    (piece,) = box.take(1000, 0)
    assert piece.parcel.outgoing.payload == b"499"
    assert first.n_taken == 50


def test_a_lost_connection_sends_again_what_is_current_and_never_what_is_not() -> None:
    box = Outbox(20)
    old = put(box, "A", 3, urgent=True, payload=b"1")
    box.take(2, 0)
    new = put(box, "A", 3, urgent=True, payload=b"2")
    other, waiting = parcel("b", 2)
    box.put(other)
    box.lost()
    assert (old.n_waiting, sorted(old.superseded_topics)) == (0, ["A0", "A1", "A2"])
    again = box.take(10, 0)
    assert names(again) == ["A0", "A1", "A2"]
    answer(box, again)
    assert new.n_taken == 3
    answer(box, box.take(10, 0))
    assert waiting.n_taken == 2
    assert len(box) == 0


def test_what_was_taken_before_is_said_again_but_counted_once() -> None:
    box = Outbox(20)
    first, ticket = parcel("A", 3, urgent=True)
    box.put(first)
    answer(box, box.take(2, 0))
    assert len(box) == 1
    box.lost()
    box.put_again(first)
    assert len(box) == 3
    answer(box, box.take(10, 0))
    assert (ticket.n_taken, ticket.n_waiting, len(box)) == (3, 0, 0)
    box.put_again(first)  # everything was taken; a broker that has forgotten hears it again
    assert names(box.take(10, 0)) == ["A0", "A1", "A2"]


def test_what_is_said_again_never_replaces_what_waits() -> None:
    box = Outbox(10)
    old, _ = parcel("A", urgent=True, payload=b"old")
    box.put(old)
    put(box, "A", urgent=True, payload=b"new")
    put(box, "B", urgent=True)
    box.lost()
    box.put_again(old)
    assert [piece.parcel.outgoing.payload for piece in box.take(9, 0)] == [b"x", b"new"]


def test_what_has_expired_is_thrown_away_and_its_ticket_says_so() -> None:
    box = Outbox(10)
    over = put(box, "a", 2, expires_ns=100)
    put(box, "b", expires_ns=101)
    assert names(box.take(10, 100)) == ["b"]
    assert (over.n_dropped, over.n_waiting, box.n_dropped) == (2, 0, 2)


def test_a_full_outbox_drops_the_oldest_of_the_less_urgent() -> None:
    box = Outbox(3)
    for name, urgent in (("A", True), ("b", False), ("c", False), ("D", True)):
        put(box, name, urgent=urgent)
    assert len(box) == 3
    put(box, "E", urgent=True)
    put(box, "F", urgent=True)
    assert names(box.take(9, 0)) == ["D", "E", "F"]
    assert box.n_dropped == 3


def test_help_packs_under_way_leave_room_for_an_alert() -> None:
    box = Outbox(1000)
    for number in range(500):
        put(box, f"help{number}")
    assert len(names(box.take(1000, 0))) == 64
    assert box.take(1000, 0) == []
    put(box, "A", 100, urgent=True)
    assert len(names(box.take(1000, 0))) == 100


def test_a_refused_copy_is_not_offered_again() -> None:
    box = Outbox(10)
    ticket = put(box, "A", 2, urgent=True)
    answer(box, box.take(9, 0), refused=True)
    assert (ticket.n_refused, ticket.n_waiting, ticket.taken_ns) == (2, 0, None)
    assert (box.n_refused, len(box), box.take(9, 0)) == (2, 0, [])


async def test_a_ticket_is_over_when_nothing_of_it_waits() -> None:
    await Ticket(0).over()
    ticket = Ticket(3)
    waiting = asyncio.create_task(ticket.over())
    ticket.taken(5)
    ticket.superseded("a")
    await asyncio.sleep(0)
    assert not waiting.done()
    ticket.dropped(1)
    await waiting
    assert (ticket.n_taken, ticket.superseded_topics, ticket.n_dropped) == (1, ["a"], 1)


def test_an_outbox_of_no_capacity_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1, was 0"):
        Outbox(0)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["put", "take", "answer", "lose"]),
            st.integers(0, 3),
            st.integers(1, 5),
            st.booleans(),
        ),
        max_size=60,
    ),
    st.integers(5, 12),
)
def test_every_copy_is_accounted_for_and_the_newest_of_each_key_leaves_last(
    steps: list[tuple[str, int, int, bool]], capacity: int
) -> None:
    box = Outbox(capacity)
    tickets: list[Ticket] = []
    under_way: list[Piece] = []
    newest: dict[tuple[str, bool], int] = {}
    sent: dict[tuple[str, bool], int] = {}
    for number, (what, name, n, urgent) in enumerate(steps):
        if what == "put":
            tickets.append(put(box, str(name), n, urgent=urgent, payload=b"%d" % number))
            newest[str(name), urgent] = number
        elif what == "take":
            for piece in box.take(n, 0):
                out = piece.parcel.outgoing
                key = (out.key, out.urgent)
                assert int(out.payload) >= sent.get(key, 0)  # never an older one after a newer
                sent[key] = int(out.payload)
                under_way.append(piece)
        elif what == "answer" and under_way:
            answer(box, [under_way.pop(0)])
        elif what == "lose":
            box.lost()
            under_way.clear()
        assert len(box) <= capacity + 5 + sum(p.stop - p.start for p in under_way)
        assert len(box) >= sum(p.stop - p.start for p in under_way)
    answer(box, under_way)
    while pieces := box.take(100, 0):
        for piece in pieces:
            out = piece.parcel.outgoing
            assert newest[out.key, out.urgent] == int(out.payload)
        answer(box, pieces)
    assert len(box) == 0
    assert [ticket.n_waiting for ticket in tickets] == [0] * len(tickets)
    for ticket in tickets:
        assert ticket.n_taken + len(ticket.superseded_topics) + ticket.n_dropped >= 1


# ---------------------------------------------------------------- the plan


def test_the_retained_twin_stands_before_the_live_copies() -> None:
    message = alert()
    plan = AlertPlanner().plan(message, b"payload")
    cells = cells_to_tell(message)
    assert plan.current == ("eew/v1/event/ev1/current",)
    assert plan.live[0] == "eew/v1/alert"
    assert sorted(plan.live[1:]) == sorted(area_alert_topic(cell) for cell in cells)
    assert plan.topics == plan.current + plan.live
    assert plan.urgent
    assert plan.lifetime_s == 120.0


def test_a_cell_told_once_is_told_to_the_end_and_comes_last_where_it_is_safe() -> None:
    planner = AlertPlanner()
    wide = planner.plan(alert(1, radius_km=400.0, magnitude=7.8), b"1")
    narrow = alert(2, radius_km=40.0, magnitude=5.5)
    affected = {area_alert_topic(cell) for cell in cells_to_tell(narrow)}
    second = planner.plan(narrow, b"2")
    assert sorted(second.live) == sorted(wide.live)
    n = len(affected)
    assert 0 < n < len(wide.live) - 1
    assert set(second.live[1 : n + 1]) == affected
    cancel = planner.plan(alert(3, msg_type=MsgType.CANCEL), b"3")
    assert sorted(cancel.live) == sorted(wide.live)
    # the last message of an event ends the memory of it
    assert len(planner.plan(alert(1, radius_km=40.0, magnitude=5.5), b"4").live) == n + 1


def test_two_events_keep_a_current_message_each() -> None:
    planner = AlertPlanner()
    first = planner.plan(alert(event_id="a"), b"1")
    second = planner.plan(alert(event_id="b"), b"2")
    assert first.key != second.key
    assert not set(first.current) & set(second.current)


def test_emptying_removes_what_was_retained() -> None:
    plan = AlertPlanner().plan(alert(), b"1")
    empty = plan.emptied()
    assert (empty.topics, empty.key, empty.payload) == (plan.current, plan.key, b"")
    assert empty.n_retained == 1
    assert empty.lifetime_s is None
