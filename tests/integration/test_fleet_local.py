"""The fleet without a broker, and the book of answers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from clients.answers import Answer, AnswerBook
from clients.events import DeviceEvent, HelpUpdated, Shown
from clients.fleet import matches
from clients.local_fleet import LocalFleet
from clients.phone import Phone
from clients.subscriber import Device
from clients.tv import TV
from eew.app.development_key import development_key
from eew.egress.local import LocalPublisher
from eew.messages.seal import Keyring
from eew.messages.topics import area_alert_topic, cell_of
from eew.model.alert import MsgType
from tests.integration.brokers import EPICENTRE, NOW_NS, alert, pack_of

LAT, LON = EPICENTRE


def devices() -> list[Device]:
    usual: dict[str, Any] = {
        "country": "CN",
        "follow_heartbeat": False,
        "keyring": Keyring(development_key(seed).public for seed in (1, 3)),
    }
    return [
        Phone(id="here", lat=LAT, lon=LON + 0.05, **usual),
        Phone(id="beijing", lat=39.9, lon=116.4, **usual),
        TV(district="Luding", id="tv", lat=LAT, lon=LON, **usual),
    ]


async def one_run() -> list[tuple[str, int, str]]:
    """Return everything that the devices of one small run did."""
    log: list[tuple[str, int, str]] = []

    def note(device: Device, events: Sequence[DeviceEvent], data_ns: int) -> None:
        log.extend((device.id, data_ns, repr(event)) for event in events)

    now_ns = NOW_NS
    fleet = LocalFleet(devices(), now_ns=lambda: now_ns, on_events=note)
    publisher = LocalPublisher(fleet.deliver, run_id="run", seed=1, signer=development_key(1))
    async with fleet, publisher:
        await publisher.publish_help(pack_of("country:CN", version=10**12))
        for serial, kind in enumerate([MsgType.ALERT, MsgType.UPDATE, MsgType.CANCEL], start=1):
            message = alert(serial, msg_type=kind, issued_ns=now_ns)
            receipt = await publisher.publish_alert(message)
            fleet.sent(receipt.event_id, receipt.serial, receipt.sent_ns)
            expected = fleet.listeners(receipt.topics)
            assert expected == ("here", "tv")
            report = await fleet.wait_answers("ev1", serial, expected)
            assert report.missing == ()
            assert set(report.latencies_ns().values()) == {0}
            now_ns += 2 * 10**9
            fleet.advance(now_ns)
    summary = fleet.summary()
    assert (summary.n_devices, summary.expected, summary.delivered) == (3, 6, 6)
    assert (summary.lost, summary.duplicates, summary.repeats, summary.late) == (0, 0, 0, 0)
    assert set(summary.latencies_ns) == {0}
    return log


async def test_without_a_broker_devices_are_told_and_two_runs_are_equal() -> None:
    first, second = await one_run(), await one_run()
    assert first == second
    assert {name for name, _, event in first if event.startswith("Shown")} == {"here", "tv"}
    helped = {name for name, _, event in first if event.startswith("HelpUpdated")}
    assert helped == {"here", "tv", "beijing"}


async def test_without_a_broker_nothing_is_left_running() -> None:
    before = asyncio.all_tasks()
    await one_run()
    assert asyncio.all_tasks() == before


async def test_payloads_are_those_of_the_broker_and_the_same_each_time() -> None:
    got: list[tuple[str, bytes]] = []
    for _ in range(2):
        publisher = LocalPublisher(
            lambda topic, data: got.append((topic, data)),
            run_id="r",
            seed=3,
            signer=development_key(3),
        )
        publisher.submit(alert())
    half = len(got) // 2
    assert got[:half] == got[half:]
    assert got[0][0] == "eew/v1/alert"
    assert (area_alert_topic(cell_of(LAT, LON)), got[0][1]) in got
    assert not [topic for topic, _ in got if topic.endswith("/current")]


async def test_a_retained_message_being_removed_is_no_message() -> None:
    fleet = LocalFleet(devices(), now_ns=lambda: NOW_NS)
    fleet.deliver(area_alert_topic(cell_of(LAT, LON)), b"")
    assert fleet.summary().expected == 0


def test_events_are_told_to_whoever_asks() -> None:
    seen: list[DeviceEvent] = []
    fleet = LocalFleet(
        devices(), now_ns=lambda: NOW_NS, on_events=lambda _d, events, _t: seen.extend(events)
    )
    publisher = LocalPublisher(fleet.deliver, run_id="r", seed=3, signer=development_key(3))
    publisher.submit(alert())
    assert sum(isinstance(event, Shown) for event in seen) == 2
    assert not any(isinstance(event, HelpUpdated) for event in seen)


@pytest.mark.parametrize(
    ("topic_filter", "topic", "expected"),
    [
        ("a/b", "a/b", True),
        ("a/b", "a/b/c", False),
        ("a/b/c", "a/b", False),
        ("a/+", "a/b", True),
        ("a/+", "a/b/c", False),
        ("+/b", "a/b", True),
        ("a/#", "a/b/c", True),
        ("a/#", "a", True),  # the standard counts the parent in
        ("#", "a/b", True),
        ("a/+/c", "a/b/c", True),
        ("a/+/c", "a/b/d", False),
    ],
)
def test_filters_match_as_the_standard_says(topic_filter: str, topic: str, expected: bool) -> None:
    assert matches(topic_filter, topic) is expected


# ---------------------------------------------------------------- the book of answers


def answer(name: str, *, at_ns: int = 10, shown: bool = True) -> Answer:
    return Answer(
        device_id=name,
        received_ns=at_ns,
        shown_ns=at_ns + 1 if shown else None,
        data_ns=0,
        outcome="shown" if shown else "received",
        reason="" if shown else "below_threshold",
    )


async def test_waiting_ends_with_the_last_answer() -> None:
    book = AnswerBook()
    book.sent("e", 1, 4)
    book.answered("e", 1, answer("a"))
    waiting = asyncio.create_task(book.wait("e", 1, ["a", "b"], 5.0))
    await asyncio.sleep(0)
    assert not waiting.done()
    book.answered("e", 1, answer("other"))
    await asyncio.sleep(0)
    assert not waiting.done()
    book.answered("e", 1, answer("b", shown=False))
    report = await waiting
    assert report.missing == ()
    assert report.n_shown == 2  # a and other
    assert report.latencies_ns() == {"a": 6, "b": 6, "other": 6}


async def test_who_does_not_answer_is_missing_and_a_late_answer_is_not_lost() -> None:
    book = AnswerBook()
    report = await book.wait("e", 1, ["a", "b"], 0.01)
    assert report.missing == ("a", "b")
    assert report.latencies_ns() == {}
    book.answered("e", 1, answer("b"))
    summary = book.summary(2)
    assert (summary.expected, summary.delivered, summary.lost, summary.late) == (2, 1, 1, 1)


def test_showing_the_same_serial_twice_is_a_duplicate_and_a_second_copy_is_not() -> None:
    book = AnswerBook()
    book.answered("e", 1, answer("a"))
    book.answered("e", 1, answer("a", shown=False))
    assert (book.summary(1).duplicates, book.summary(1).repeats) == (0, 1)
    book.answered("e", 1, answer("a"))
    assert (book.summary(1).duplicates, book.summary(1).repeats) == (1, 1)
    book.answered("e", 2, answer("a"))
    assert book.summary(1).duplicates == 1


async def test_a_message_shown_later_keeps_the_time_of_its_receipt() -> None:
    book = AnswerBook()
    book.sent("e", 1, 0)
    book.answered("e", 1, answer("a", at_ns=10, shown=False))
    book.answered("e", 1, answer("a", at_ns=500))
    report = await book.wait("e", 1, ["a"], 1.0)
    assert (report.answers["a"].received_ns, report.answers["a"].shown_ns) == (10, 501)
    assert (book.summary(1).duplicates, book.summary(1).repeats) == (0, 0)


async def test_a_failure_reaches_those_who_wait_and_those_who_will() -> None:
    book = AnswerBook()
    waiting = asyncio.create_task(book.wait("e", 1, ["a"], 5.0))
    await asyncio.sleep(0)
    book.fail(ZeroDivisionError("a bug"))
    with pytest.raises(ZeroDivisionError):
        await waiting
    with pytest.raises(ZeroDivisionError):
        await book.wait("e", 2, ["a"], 5.0)
