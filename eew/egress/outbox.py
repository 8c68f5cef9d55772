"""What still has to leave: bounded, newest state per topic and event, urgent first. No I/O."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

from eew.egress.plan import Outgoing


class Ticket:
    """How far one submission has come; awaitable until none of it waits any more."""

    def __init__(self, n_waiting: int) -> None:
        self.n_waiting = n_waiting
        self.n_taken = 0
        self.superseded_topics: list[str] = []
        self.n_dropped = 0
        self._over = asyncio.Event()
        if n_waiting == 0:
            self._over.set()

    def taken(self) -> None:
        """Count one message that the broker has acknowledged."""
        self.n_taken += 1
        self._settle()

    def superseded(self, topic: str) -> None:
        """Note one message that a newer one replaced before the broker had taken it."""
        self.superseded_topics.append(topic)
        self._settle()

    def dropped(self) -> None:
        """Count one message that was thrown away: expired, or the outbox was full."""
        self.n_dropped += 1
        self._settle()

    def _settle(self) -> None:
        self.n_waiting -= 1
        if self.n_waiting == 0:
            self._over.set()

    async def over(self) -> None:
        """Wait until every message has been taken, superseded or dropped."""
        await self._over.wait()


@dataclass(eq=False, slots=True)
class Entry:
    """One message that waits, with the time it is worthless from (monotonic ns)."""

    outgoing: Outgoing
    ticket: Ticket | None = None
    expires_ns: int | None = field(default=None)


class Outbox:
    """Messages on their way to the broker.

    Parameters
    ----------
    capacity : int
        Most messages that may wait. Beyond it the oldest go, the less urgent before the urgent.
    """

    def __init__(self, capacity: int) -> None:
        if capacity < 1:
            raise ValueError(f"capacity must be at least 1, was {capacity}")
        self._capacity = capacity
        self._urgent: dict[tuple[str, str], Entry] = {}
        self._other: dict[tuple[str, str], Entry] = {}
        self.n_superseded = 0
        self.n_dropped = 0

    def __len__(self) -> int:
        return len(self._urgent) + len(self._other)

    def put(self, entry: Entry) -> None:
        """Add a message; one with the same key that still waits is replaced, in its place."""
        queue = self._queue_of(entry)
        before = queue.get(entry.outgoing.key)
        if before is not None:
            self.n_superseded += 1
            if before.ticket is not None:
                before.ticket.superseded(before.outgoing.topic)
        elif len(self) >= self._capacity:
            self._drop(next(iter((self._other or self._urgent).values())))
        queue[entry.outgoing.key] = entry

    def put_missing(self, entries: Iterable[Entry]) -> None:
        """Add those for whose key nothing waits yet: what waits is never older."""
        for entry in entries:
            if entry.outgoing.key not in self._queue_of(entry):
                self.put(entry)

    def take(self, n: int, now_ns: int) -> list[Entry]:
        """Return up to ``n`` messages to send next; they stay until :meth:`done`.

        Urgent ones first, never mixed with others. Expired ones are thrown away.
        """
        for queue in (self._urgent, self._other):
            batch: list[Entry] = []
            expired: list[Entry] = []
            for entry in queue.values():
                old = entry.expires_ns is not None and entry.expires_ns <= now_ns
                (expired if old else batch).append(entry)
                if len(batch) == n:
                    break
            for entry in expired:
                self._drop(entry)
            if batch:
                return batch
        return []

    def done(self, entry: Entry) -> None:
        """Forget ``entry``, which the broker has taken, unless a newer one took its place."""
        queue = self._queue_of(entry)
        if queue.get(entry.outgoing.key) is entry:
            del queue[entry.outgoing.key]
            if entry.ticket is not None:
                entry.ticket.taken()

    def _drop(self, entry: Entry) -> None:
        del self._queue_of(entry)[entry.outgoing.key]
        self.n_dropped += 1
        if entry.ticket is not None:
            entry.ticket.dropped()

    def _queue_of(self, entry: Entry) -> dict[tuple[str, str], Entry]:
        return self._urgent if entry.outgoing.urgent else self._other
