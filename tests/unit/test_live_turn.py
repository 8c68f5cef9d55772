"""Waiting for a hand-over: while the broker is quick, and no longer than said."""

from __future__ import annotations

import asyncio
import gc
import sys

import pytest

from eew.app.live_interpreter import shared_interpreter
from eew.app.live_turn import HandOverTurn
from eew.clock import SystemClock
from eew.egress.outbox import Ticket
from eew.egress.receipt import PublishReceipt

CLOCK = SystemClock()
MOST_S = 0.05


def receipt(copies: int = 2) -> PublishReceipt:
    return PublishReceipt(
        event_id="ev",
        serial=1,
        topics=("a", "b")[:copies],
        payload=b"x",
        sent_ns=CLOCK.monotonic_ns(),
        ticket=Ticket(copies),
    )


def taken(one: PublishReceipt) -> None:
    while one.ticket.n_waiting:
        one.ticket.taken(CLOCK.monotonic_ns())


async def waited_s(turn: HandOverTurn, *receipts: PublishReceipt, taken_after_s: float) -> float:
    """Give a turn to receipts that are taken after a time; return how long it took."""
    loop = asyncio.get_running_loop()
    for one in receipts:
        loop.call_later(taken_after_s, taken, one)
    began_s = loop.time()
    await turn.give(receipts)
    return loop.time() - began_s


async def test_it_ends_when_the_broker_has_taken_the_last_copy_of_the_last_message() -> None:
    turn = HandOverTurn(CLOCK, most_s=5.0)
    first, second = receipt(), receipt()
    asyncio.get_running_loop().call_later(0.02, taken, first)

    assert 0.029 <= await waited_s(turn, second, first, taken_after_s=0.03) < 1.0
    assert not first.ticket.n_waiting
    assert not second.ticket.n_waiting


async def test_nothing_handed_over_is_not_waited_for() -> None:
    assert await waited_s(HandOverTurn(CLOCK, most_s=5.0), taken_after_s=1.0) < 1.0


async def test_a_dead_broker_costs_the_detector_one_wait_and_no_more() -> None:
    turn = HandOverTurn(CLOCK, most_s=MOST_S)

    waits_s = [await waited_s(turn, receipt(), taken_after_s=60.0) for _ in range(20)]

    assert waits_s[0] >= MOST_S * 0.98
    assert sum(waits_s[1:]) < MOST_S  # nobody waits: 19 of them would be 0.95 s


async def test_a_broker_that_has_come_back_is_waited_for_once_it_has_taken_one_in_time() -> None:
    turn = HandOverTurn(CLOCK, most_s=MOST_S)
    dead, late, good = receipt(), receipt(), receipt()
    await waited_s(turn, dead, taken_after_s=60.0)

    await waited_s(turn, late, taken_after_s=60.0)  # nobody waits
    await asyncio.sleep(2.0 * MOST_S)
    taken(late)
    await waited_s(turn, good, taken_after_s=60.0)  # nor here: it took the last one late
    taken(good)

    assert await waited_s(turn, receipt(), taken_after_s=0.02) >= 0.019


@pytest.mark.parametrize("what", ["overtaken", "dropped", "refused"])
async def test_a_message_that_was_given_up_is_no_answer(what: str) -> None:
    turn = HandOverTurn(CLOCK, most_s=MOST_S)
    lost = receipt(1)
    if what == "overtaken":
        lost.ticket.superseded("a")
    elif what == "dropped":
        lost.ticket.dropped(1)
    else:
        lost.ticket.refused()
    await turn.give([lost])

    assert await waited_s(turn, receipt(), taken_after_s=60.0) < MOST_S / 2.0


async def test_where_nothing_is_to_be_taken_nobody_waits() -> None:
    turn = HandOverTurn(CLOCK, most_s=5.0)
    for _ in range(3):
        assert await waited_s(turn, receipt(0), taken_after_s=60.0) < 1.0


async def test_a_run_that_is_cancelled_does_not_wait() -> None:
    turn = HandOverTurn(CLOCK, most_s=60.0)
    task = asyncio.create_task(turn.give([receipt()]))
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


def test_the_interpreter_is_left_as_it_was() -> None:
    before_s, frozen = sys.getswitchinterval(), gc.get_freeze_count()

    def fail() -> None:
        with shared_interpreter():
            assert sys.getswitchinterval() == pytest.approx(0.0005)
            assert gc.get_freeze_count() > 1_000
            raise KeyError

    with pytest.raises(KeyError):
        fail()

    assert sys.getswitchinterval() == before_s
    assert gc.get_freeze_count() <= frozen
