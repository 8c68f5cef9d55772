"""What one client has asked for: stations, streams, where to begin, a window of time."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.seedlink.patterns import StreamPattern
from simulator.seedlink.ring import Entry, RecordRing, StreamState

__all__ = ["Request", "Selection", "Start", "in_window"]

_V3_BITS = 24


@dataclass(frozen=True, slots=True)
class Start:
    """Where the records begin.

    Attributes
    ----------
    seq : int or None
        Number of the first record wanted; None for the next to come.
    from_oldest : bool
        From the oldest record there is, instead.
    after_ns : int or None
        Time of the last record the client has: used where ``seq`` is no longer in the ring.
    begin_ns, end_ns : int or None
        Only records that end after ``begin_ns`` and start before ``end_ns``.
    """

    seq: int | None = None
    from_oldest: bool = False
    after_ns: int | None = None
    begin_ns: int | None = None
    end_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """One ``STATION`` with its selectors; ``station`` is a pattern over ``NET_STA``."""

    station: str
    selectors: tuple[StreamPattern, ...]
    start: Start

    def wants(self, stream: StreamState) -> bool:
        """Tell whether a stream of a matching station is selected."""
        positive = [one for one in self.selectors if not one.is_negative]
        if positive and not any(one.matches(stream.stream_id) for one in positive):
            return False
        negative = (one for one in self.selectors if one.is_negative)
        return not any(one.matches(stream.stream_id) for one in negative)


@dataclass(frozen=True, slots=True)
class Selection:
    """All requests of a client, complete.

    Attributes
    ----------
    version : int
        3 or 4: which frames are sent.
    requests : tuple of Request
        The first whose station matches decides about a stream.
    is_dialup : bool
        Whether the transfer ends with what is there.
    """

    version: int
    requests: tuple[Request, ...]
    is_dialup: bool = False

    def begin_seqs(self, ring: RecordRing) -> tuple[int, ...]:
        """Return the number at which each request begins, as the ring is now."""
        return tuple(self._begin_seq(request.start, ring) for request in self.requests)

    def _begin_seq(self, start: Start, ring: RecordRing) -> int:
        if start.from_oldest:
            return ring.begin_seq
        if start.seq is None:
            return ring.begin_seq if self.is_dialup else ring.next_seq
        bits = _V3_BITS if self.version == 3 else 64
        place = ring.place_of(start.seq, bits=bits)
        if place is not None:
            return place
        if start.after_ns is not None:
            return ring.first_after(start.after_ns)
        # Overwritten long ago, or given by an earlier run of the server: either way all that is
        # in the ring is new to this client.
        return ring.begin_seq


def in_window(entry: Entry, start: Start) -> bool:
    """Tell whether a record touches the window of time."""
    if start.begin_ns is not None and entry.end_ns <= start.begin_ns:
        return False
    return start.end_ns is None or entry.start_ns < start.end_ns
