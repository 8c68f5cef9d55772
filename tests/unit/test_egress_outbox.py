"""The outbox and the plan: what leaves, in which order, and what is given up."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eew.egress.outbox import Entry, Outbox, Ticket
from eew.egress.plan import AlertPlanner, Outgoing
from eew.messages.topics import area_alert_topic, cells_to_tell
from tests.integration.brokers import alert


def out(name: str, *, urgent: bool = False, payload: bytes = b"x") -> Outgoing:
    return Outgoing(topic=name, payload=payload, key=(name, ""), urgent=urgent)


def names(entries: list[Entry]) -> list[str]:
    return [entry.outgoing.topic for entry in entries]


def test_urgent_messages_leave_first_and_each_kind_in_its_order() -> None:
    box = Outbox(10)
    for outgoing in (out("a"), out("B", urgent=True), out("c"), out("D", urgent=True)):
        box.put(Entry(outgoing))
    first = box.take(10, 0)
    assert names(first) == ["B", "D"]
    for entry in first:
        box.done(entry)
    assert names(box.take(1, 0)) == ["a"]
    assert names(box.take(10, 0)) == ["a", "c"]


def test_a_newer_message_takes_the_place_of_one_that_waits() -> None:
    box, old, new = Outbox(10), Ticket(2), Ticket(1)
    box.put(Entry(out("a"), old))
    box.put(Entry(out("b"), old))
    box.put(Entry(out("a", payload=b"newer"), new))
    assert [entry.outgoing.payload for entry in box.take(10, 0)] == [b"newer", b"x"]
    assert (old.superseded_topics, old.n_waiting) == (["a"], 1)
    assert box.n_superseded == 1


def test_an_acknowledgement_of_the_older_message_does_not_remove_the_newer() -> None:
    box = Outbox(10)
    box.put(Entry(out("a", payload=b"1")))
    (in_flight,) = box.take(1, 0)
    box.put(Entry(out("a", payload=b"2")))
    box.done(in_flight)
    assert [entry.outgoing.payload for entry in box.take(1, 0)] == [b"2"]


def test_what_has_expired_is_thrown_away_and_its_ticket_says_so() -> None:
    box, ticket = Outbox(10), Ticket(2)
    box.put(Entry(out("a"), ticket, expires_ns=100))
    box.put(Entry(out("b"), ticket, expires_ns=101))
    assert names(box.take(10, 100)) == ["b"]
    assert (ticket.n_dropped, ticket.n_waiting, box.n_dropped) == (1, 1, 1)


def test_a_full_outbox_drops_the_oldest_of_the_less_urgent() -> None:
    box = Outbox(3)
    for entry in (out("A", urgent=True), out("b"), out("c"), out("D", urgent=True)):
        box.put(Entry(entry))
    assert names(box.take(9, 0)) == ["A", "D"]
    box.put(Entry(out("E", urgent=True)))
    box.put(Entry(out("F", urgent=True)))
    assert names(box.take(9, 0)) == ["D", "E", "F"]
    assert box.n_dropped == 3


def test_what_is_said_again_never_replaces_what_waits() -> None:
    box = Outbox(10)
    box.put(Entry(out("a", payload=b"newest")))
    box.put_missing([Entry(out("a", payload=b"older")), Entry(out("b"))])
    assert [entry.outgoing.payload for entry in box.take(10, 0)] == [b"newest", b"x"]


async def test_a_ticket_is_over_when_nothing_of_it_waits() -> None:
    await Ticket(0).over()
    ticket = Ticket(3)
    waiting = asyncio.create_task(ticket.over())
    ticket.taken()
    ticket.superseded("a")
    await asyncio.sleep(0)
    assert not waiting.done()
    ticket.dropped()
    await waiting
    assert (ticket.n_taken, ticket.superseded_topics, ticket.n_dropped) == (1, ["a"], 1)


def test_an_outbox_of_no_capacity_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1, was 0"):
        Outbox(0)


@given(
    st.lists(
        st.tuples(st.sampled_from(["put", "send", "take"]), st.integers(0, 5), st.booleans()),
        max_size=60,
    ),
    st.integers(1, 6),
)
def test_every_message_is_accounted_for_and_the_bound_holds(
    steps: list[tuple[str, int, bool]], capacity: int
) -> None:
    box = Outbox(capacity)
    tickets = []
    in_flight: list[Entry] = []
    newest: dict[tuple[str, bool], bytes] = {}
    for number, (what, name, urgent) in enumerate(steps):
        if what == "put":
            ticket = Ticket(1)
            tickets.append(ticket)
            payload = str(number).encode()
            box.put(Entry(out(str(name), urgent=urgent, payload=payload), ticket))
            newest[str(name), urgent] = payload
        elif what == "take":
            in_flight = box.take(3, 0)
        else:
            for entry in in_flight:
                box.done(entry)
            in_flight = []
        assert len(box) <= capacity
    settled = sum(t.n_taken + len(t.superseded_topics) + t.n_dropped for t in tickets)
    assert settled + len(box) == len(tickets)
    # what still waits is the newest of its key
    while batch := box.take(10, 0):
        for entry in batch:
            assert newest[entry.outgoing.topic, entry.outgoing.urgent] == entry.outgoing.payload
            box.done(entry)


# ---------------------------------------------------------------- the plan


def test_the_retained_twin_stands_before_the_live_copies() -> None:
    message = alert()
    plan = AlertPlanner().plan(message, b"payload")
    cells = cells_to_tell(message)
    assert plan.cells == cells
    topics = [outgoing.topic for outgoing in plan.outgoing]
    expected = ["eew/v1/event/ev1/current", "eew/v1/alert"]
    expected += [area_alert_topic(cell) for cell in cells]
    assert topics == expected
    assert {out.retain for out in plan.outgoing if out.topic.endswith("/current")} == {True}
    assert {(out.retain, out.qos) for out in plan.live} == {(False, 1)}
    assert all(out.urgent and out.lifetime_s == 120.0 for out in plan.outgoing)


def test_two_events_keep_a_current_message_each() -> None:
    planner = AlertPlanner()
    first = planner.plan(alert(event_id="a"), b"1")
    second = planner.plan(alert(event_id="b"), b"2")
    assert not {out.key for out in first.current} & {out.key for out in second.current}


def test_emptying_removes_what_was_retained() -> None:
    current = AlertPlanner().plan(alert(), b"1").current[0]
    empty = current.emptied()
    assert (empty.topic, empty.key, empty.payload, empty.retain) == (
        current.topic,
        current.key,
        b"",
        True,
    )
    assert empty.lifetime_s is None
