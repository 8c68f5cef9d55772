"""Who was told what, and how long it took: the bookkeeping of a fleet. No I/O but waiting.

An *answer* is a device that has taken note of a message (serial of an event), whether it showed
it or had reason not to. *Lost*: expected and no answer. *Late*: an answer after the wait for it
was over. *Duplicate*: one device showing the same serial twice. *Repeat*: a further copy that
the device rightly kept from the screen.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one device did with one message.

    Attributes
    ----------
    received_ns, shown_ns : int
        Monotonic ns of this process; ``shown_ns`` is None where it was not shown.
    data_ns : int
        The device's data time at the receipt.
    outcome : str
        ``shown``, ``received`` or ``ignored``.
    """

    device_id: str
    received_ns: int
    shown_ns: int | None
    data_ns: int
    outcome: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerReport:
    """The result of waiting for the answers to one message."""

    event_id: str
    serial: int
    answers: Mapping[str, Answer]
    missing: tuple[str, ...]
    sent_ns: int | None

    @property
    def n_shown(self) -> int:
        """How many put it on their screen."""
        return sum(answer.shown_ns is not None for answer in self.answers.values())

    def latencies_ns(self) -> dict[str, int]:
        """Return hand-over to receipt per device; empty where the hand-over is not known.

        Devices share one process: the receipt of each includes what the event loop did for the
        others before.
        """
        if self.sent_ns is None:
            return {}
        return {name: one.received_ns - self.sent_ns for name, one in self.answers.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverySummary:
    """Counts over all messages; ``latencies_ns`` in order of device within each message."""

    n_devices: int
    expected: int
    delivered: int
    lost: int
    duplicates: int
    late: int
    repeats: int
    latencies_ns: tuple[int, ...]


@dataclass(slots=True)
class _Message:
    """All that is known about one message."""

    answers: dict[str, Answer] = field(default_factory=dict)
    expected: dict[str, None] = field(default_factory=dict)  # a set with an order
    sent_ns: int | None = None
    waiting: set[str] = field(default_factory=set)
    done: asyncio.Event = field(default_factory=asyncio.Event)
    over: bool = False  # nobody waits any more


class AnswerBook:
    """Takes the answers of many devices and lets one caller wait for them."""

    def __init__(self) -> None:
        self._messages: dict[tuple[str, int], _Message] = {}
        self._failure: BaseException | None = None
        self._duplicates = 0
        self._late = 0
        self._repeats = 0

    def sent(self, event_id: str, serial: int, sent_ns: int) -> None:
        """Note when a message was handed over (monotonic ns of this process)."""
        self._message(event_id, serial).sent_ns = sent_ns

    def answered(self, event_id: str, serial: int, answer: Answer) -> None:
        """Note an answer; a second one of the same device is counted, not kept."""
        message = self._message(event_id, serial)
        before = message.answers.get(answer.device_id)
        if before is None:
            message.answers[answer.device_id] = answer
            self._late += message.over and answer.device_id in message.expected
        elif before.shown_ns is not None and answer.shown_ns is not None:
            self._duplicates += 1
        elif answer.shown_ns is not None:  # noted before, shown only now
            shown = replace(before, shown_ns=answer.shown_ns, outcome=answer.outcome, reason="")
            message.answers[answer.device_id] = shown
        else:
            self._repeats += 1
        message.waiting.discard(answer.device_id)
        if not message.waiting:
            message.done.set()

    def fail(self, error: BaseException) -> None:
        """End all waiting: a device has a bug, and those who wait are to hear of it."""
        self._failure = error
        for message in self._messages.values():
            message.done.set()

    async def wait(
        self, event_id: str, serial: int, expected: Collection[str], timeout_s: float
    ) -> AnswerReport:
        """Wait until every expected device has answered, or ``timeout_s`` have gone."""
        message = self._message(event_id, serial)
        message.expected.update(dict.fromkeys(expected))
        message.waiting = {name for name in message.expected if name not in message.answers}
        message.over = False
        if message.waiting and self._failure is None:
            message.done.clear()
            with contextlib.suppress(TimeoutError):  # the report names who is missing
                async with asyncio.timeout(timeout_s):
                    await message.done.wait()
        message.over = True
        if self._failure is not None:
            raise self._failure
        return AnswerReport(
            event_id=event_id,
            serial=serial,
            answers=dict(sorted(message.answers.items())),
            missing=tuple(name for name in message.expected if name not in message.answers),
            sent_ns=message.sent_ns,
        )

    def summary(self, n_devices: int) -> DeliverySummary:
        """Return the counts so far; an answer that came late is not lost."""
        expected = delivered = 0
        latencies: list[int] = []
        for message in self._messages.values():
            expected += len(message.expected)
            delivered += sum(name in message.answers for name in message.expected)
            if message.sent_ns is not None:
                latencies += [
                    message.answers[name].received_ns - message.sent_ns
                    for name in message.expected
                    if name in message.answers
                ]
        return DeliverySummary(
            n_devices=n_devices,
            expected=expected,
            delivered=delivered,
            lost=expected - delivered,
            duplicates=self._duplicates,
            late=self._late,
            repeats=self._repeats,
            latencies_ns=tuple(latencies),
        )

    def _message(self, event_id: str, serial: int) -> _Message:
        return self._messages.setdefault((event_id, serial), _Message())
