"""What still has to leave: bounded, newest state per event, urgent first. No I/O.

A :class:`Parcel` is one submission with all its copies. It leaves from the front in as many pieces
as the broker takes. A newer parcel with the same key takes its place in the queue: what the older
one has not sent yet never leaves. Nor does the newer one leave before the broker has acknowledged
what is under way of the older: else a broker that hangs would find a queue of stale copies in its
socket when it comes back, and the newest state behind them.
"""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from eew.egress.plan import Outgoing

__all__ = ["Outbox", "Parcel", "Piece", "Ticket"]

_MOST_OTHERS = 64  # copies under way that are not urgent: an alert must not queue behind more


class Ticket:
    """How far one submission has come; awaitable until none of it waits any more."""

    def __init__(self, n_waiting: int) -> None:
        self.n_waiting = n_waiting
        self.n_taken = 0
        self.taken_ns: int | None = None
        self.superseded_topics: list[str] = []
        self.n_dropped = 0
        self.n_refused = 0
        self._over = asyncio.Event()
        if n_waiting == 0:
            self._over.set()

    def taken(self, at_ns: int) -> None:
        """Count one copy that the broker has acknowledged, monotonic ns."""
        self.n_taken += 1
        self.taken_ns = at_ns
        self._settle(1)

    def refused(self) -> None:
        """Count one copy that the broker did not want."""
        self.n_refused += 1
        self._settle(1)

    def superseded(self, topic: str) -> None:
        """Note one copy that a newer one replaced before the broker had taken it."""
        self.superseded_topics.append(topic)
        self._settle(1)

    def dropped(self, n: int) -> None:
        """Count copies that were thrown away: expired, or the outbox was full."""
        self.n_dropped += n
        self._settle(n)

    def _settle(self, n: int) -> None:
        self.n_waiting -= n
        if self.n_waiting == 0:
            self._over.set()

    async def over(self) -> None:
        """Wait until every copy has been taken, refused, superseded or dropped."""
        await self._over.wait()


class Parcel:
    """One submission on its way.

    Parameters
    ----------
    ticket : Ticket, optional
        Is told what becomes of each copy.
    expires_ns : int or None
        Monotonic ns from which on it is worthless.
    """

    def __init__(
        self, outgoing: Outgoing, ticket: Ticket | None = None, expires_ns: int | None = None
    ) -> None:
        self.outgoing = outgoing
        self.expires_ns = expires_ns
        self.n_sent = 0  # on this connection, from the front
        self.n_under_way = 0  # of them, without an answer
        self._ticket = ticket
        self._behind: Parcel | None = None
        self._overtaken = False
        self._settled = bytearray(len(outgoing.topics))

    @property
    def n_open(self) -> int:
        """Copies that the broker has not answered yet."""
        return len(self.outgoing.topics) - self.n_sent + self.n_under_way

    @property
    def is_blocked(self) -> bool:
        """Whether an older one with the same key is still under way."""
        return self._behind is not None and self._behind.n_under_way > 0

    def follow(self, before: Parcel) -> None:
        """Take the place of an older one."""
        self._behind = before if before.n_under_way else before._behind

    def give_up(self, *, overtaken: bool) -> int:
        """Send no more of it; return how many copies were still to be sent."""
        self._overtaken = overtaken
        left = len(self.outgoing.topics) - self.n_sent
        self._close(range(self.n_sent, len(self.outgoing.topics)))
        self.n_sent = len(self.outgoing.topics)
        return left

    def lost(self, *, given_up: bool) -> None:
        """Take that the connection is gone: what was under way has to leave again, or never."""
        if given_up:
            self._close(range(len(self.outgoing.topics)))
        self.n_sent = self.n_under_way = 0

    def answered(self, index: int, refused: bool, at_ns: int) -> None:
        """Take the broker's word about one copy."""
        self.n_under_way -= 1
        if self._settled[index]:  # on an earlier connection already
            return
        self._settled[index] = 1
        if self._ticket is not None:
            if refused:
                self._ticket.refused()
            else:
                self._ticket.taken(at_ns)

    def _close(self, indices: range) -> None:
        left = [index for index in indices if not self._settled[index]]
        for index in left:
            self._settled[index] = 1
            if self._ticket is not None and self._overtaken:
                self._ticket.superseded(self.outgoing.topics[index])
        if self._ticket is not None and left and not self._overtaken:
            self._ticket.dropped(len(left))


class Piece(NamedTuple):
    """Copies ``start`` to ``stop`` of a parcel, which are to leave now."""

    parcel: Parcel
    start: int
    stop: int


class Outbox:
    """Parcels on their way to the broker.

    Parameters
    ----------
    capacity : int
        Most copies that may wait. Beyond it the oldest parcels go, the less urgent before the
        urgent; the newest stays in any case.
    """

    def __init__(self, capacity: int) -> None:
        if capacity < 1:
            raise ValueError(f"capacity must be at least 1, was {capacity}")
        self._capacity = capacity
        self._urgent: dict[str, Parcel] = {}
        self._other: dict[str, Parcel] = {}
        self._leaving: dict[int, Parcel] = {}  # given up, but some copies are under way; by id()
        self._n_open = 0
        self._n_others_under_way = 0
        self.n_superseded = 0
        self.n_dropped = 0
        self.n_refused = 0

    def __len__(self) -> int:
        return self._n_open

    def put(self, parcel: Parcel) -> None:
        """Add a parcel; one with the same key is overtaken, and gives its place in the queue."""
        queue, key = self._queue_of(parcel), parcel.outgoing.key
        before = queue.get(key)
        if before is not None:
            parcel.follow(before)
            self.n_superseded += self._give_up(before, overtaken=True)
        while self._n_open + parcel.n_open > self._capacity:
            oldest = next(
                (
                    one
                    for one in (*self._other.values(), *self._urgent.values())
                    if one is not before
                ),
                None,
            )
            if oldest is None:
                break
            self._drop(oldest)
        queue[key] = parcel
        self._n_open += parcel.n_open

    def put_again(self, parcel: Parcel) -> None:
        """Add, as the last of its kind, a parcel that a new connection has to send once more."""
        waiting = self._queue_of(parcel).pop(parcel.outgoing.key, None)
        if waiting is None:
            parcel.lost(given_up=False)
        elif waiting is not parcel:  # a newer one: what waits is never older
            parcel = waiting
        if waiting is not None:
            self._n_open -= waiting.n_open
        self.put(parcel)

    def take(self, n: int, now_ns: int) -> list[Piece]:
        """Return up to ``n`` copies to send now; they count as under way.

        Urgent ones first, never mixed with others. Expired ones are thrown away.
        """
        pieces = self._take(self._urgent, n, now_ns)
        if not pieces:
            n_others = min(n, _MOST_OTHERS - self._n_others_under_way)
            pieces = self._take(self._other, n_others, now_ns)
            self._n_others_under_way += sum(piece.stop - piece.start for piece in pieces)
        return pieces

    def _take(self, queue: dict[str, Parcel], n: int, now_ns: int) -> list[Piece]:
        pieces: list[Piece] = []
        expired: list[Parcel] = []
        for parcel in queue.values():
            if n <= 0:
                break
            if parcel.expires_ns is not None and parcel.expires_ns <= now_ns:
                expired.append(parcel)
                continue
            start, stop = parcel.n_sent, min(len(parcel.outgoing.topics), parcel.n_sent + n)
            if start < stop and not parcel.is_blocked:
                parcel.n_sent = stop
                parcel.n_under_way += stop - start
                n -= stop - start
                pieces.append(Piece(parcel, start, stop))
        for parcel in expired:
            self._drop(parcel)
        return pieces

    def answered(self, parcel: Parcel, index: int, *, refused: bool, at_ns: int) -> None:
        """Take that the broker has acknowledged, or refused, one copy."""
        self._n_open -= 1
        self.n_refused += refused
        if not parcel.outgoing.urgent:
            self._n_others_under_way -= 1
        parcel.answered(index, refused, at_ns)
        self._end_if_over(parcel)

    def lost(self) -> None:
        """Take that the connection is gone: nothing is under way any more."""
        for parcel in self._leaving.values():
            self._n_open -= parcel.n_open
            parcel.lost(given_up=True)
        self._leaving.clear()
        for queue in (self._urgent, self._other):
            for parcel in queue.values():
                self._n_open -= parcel.n_open
                parcel.lost(given_up=False)
                self._n_open += parcel.n_open
        self._n_others_under_way = 0

    def _end_if_over(self, parcel: Parcel) -> None:
        if parcel.n_open == 0:
            self._leaving.pop(id(parcel), None)
            queue, key = self._queue_of(parcel), parcel.outgoing.key
            if queue.get(key) is parcel:
                del queue[key]

    def _drop(self, parcel: Parcel) -> None:
        del self._queue_of(parcel)[parcel.outgoing.key]
        self.n_dropped += self._give_up(parcel, overtaken=False)

    def _give_up(self, parcel: Parcel, *, overtaken: bool) -> int:
        left = parcel.give_up(overtaken=overtaken)
        self._n_open -= left
        if parcel.n_under_way:
            self._leaving[id(parcel)] = parcel
        return left

    def _queue_of(self, parcel: Parcel) -> dict[str, Parcel]:
        return self._urgent if parcel.outgoing.urgent else self._other
