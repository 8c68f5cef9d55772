"""The bounded store that all clients read from, each with a cursor of its own."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Set
from dataclasses import dataclass, field
from typing import NamedTuple

from eew.errors import ConfigError
from eew.model.waveform import StreamId
from simulator.seedlink import frames
from simulator.seedlink.patterns import station_id, stream_id
from simulator.seedlink.records import Record

__all__ = ["LARGEST_RING", "Entry", "RecordRing", "StreamState"]

_V3_NUMBERS = 2**24
LARGEST_RING = _V3_NUMBERS // 2  # so that 24 bits name one record, without doubt


class Entry(NamedTuple):
    """A record with its sequence number, ready for the wire in both versions."""

    seq: int
    stream: StreamState
    start_ns: int
    end_ns: int
    n_samples: int
    frame_v3: bytes
    frame_v4: bytes


@dataclass(slots=True, eq=False)
class StreamState:
    """A stream with its records in the ring, oldest first."""

    id: StreamId
    station_id: str
    stream_id: str
    seqs: deque[int] = field(default_factory=deque)
    last_start_ns: int | None = None


_Slot = tuple[int, int, int, bytes, bytes]  # the fields of an Entry from start_ns on


class RecordRing:
    """Records in the order of their arrival; the oldest give way to new ones.

    The ring outlives the server that reads from it: a server that is closed and opened again on
    the same ring goes on with the same sequence numbers.

    Parameters
    ----------
    capacity : int
        Records that are kept, 1 to 8,388,608 (half of what 24 bits can number).
    streams : iterable of StreamId
        What will come; more may be added by :meth:`append`.
    first_seq : int
        Sequence number of the first record, >= 1.

    Attributes
    ----------
    begin_seq, next_seq : int
        Number of the oldest record in the ring, and of the one that will come next.
    is_complete : bool
        Whether nothing more will come.
    listeners : list of callable
        Called by :meth:`changed`; a server that is open has its own here.
    """

    def __init__(
        self, capacity: int, streams: Iterable[StreamId] = (), *, first_seq: int = 1
    ) -> None:
        if not 1 <= capacity <= LARGEST_RING:
            raise ConfigError("ring", f"must be 1 to {LARGEST_RING} records, was {capacity!r}")
        if first_seq < 1:
            raise ConfigError("first_seq", f"must be >= 1, was {first_seq!r}")
        self.capacity = capacity
        self.begin_seq = self.next_seq = first_seq
        self.is_complete = False
        self.listeners: list[Callable[[], None]] = []
        self.streams: dict[StreamId, StreamState] = {}
        self._station_ids: set[str] = set()
        self._first_seq = first_seq
        # Circles, once they are full. The garbage collector need not follow tuples of numbers and
        # bytes; with an object per record it would stop the server for 17 ms at a time.
        self._slots: list[_Slot] = []
        self._slot_streams: list[StreamState] = []
        for stream in streams:
            self._state(stream)

    def __len__(self) -> int:
        return len(self._slots)

    def append(self, record: Record) -> int:
        """Take a record in; return its number, the next one."""
        state = self._state(record.stream)
        seq = self.next_seq
        slot = (
            record.start_ns,
            record.end_ns,
            record.n_samples,
            frames.data_v3(seq, record.mseed2),
            frames.data_v4(seq, state.station_id, record.mseed3),
        )
        if len(self._slots) < self.capacity:
            self._slots.append(slot)
            self._slot_streams.append(state)
        else:
            place = self._place(seq)
            self._slot_streams[place].seqs.popleft()
            self._slots[place], self._slot_streams[place] = slot, state
            self.begin_seq += 1
        state.seqs.append(seq)
        state.last_start_ns = max(record.start_ns, state.last_start_ns or record.start_ns)
        self.next_seq += 1
        return seq

    def changed(self, *, is_complete: bool = False) -> None:
        """Tell the servers that records have been added, or that these were the last."""
        self.is_complete |= is_complete
        for listener in self.listeners:
            listener()

    def between(self, begin_seq: int, end_seq: int) -> Iterator[Entry]:
        """Give the records from ``begin_seq`` up to but without ``end_seq``.

        Both have to be within the ring.
        """
        for seq in range(begin_seq, end_seq):
            yield self.entry(seq)

    def entry(self, seq: int) -> Entry:
        """Return the record with a number that is in the ring."""
        place = self._place(seq)
        return Entry(seq, self._slot_streams[place], *self._slots[place])

    def place_of(self, seq: int, *, bits: int = 64) -> int | None:
        """Return the full number that a client means; None if the ring does not reach there.

        Parameters
        ----------
        seq : int
            Number of the record that the client wants first; may be the one to come next.
        bits : int
            24 where the client knows only the last 24 bits.
        """
        if bits == 64:
            return seq if self.begin_seq <= seq <= self.next_seq else None
        full = self.begin_seq + (seq - self.begin_seq) % _V3_NUMBERS
        return full if full <= self.next_seq else None

    def first_after(self, time_ns: int) -> int:
        """Return the number of the first record that ends after ``time_ns``; the next if none."""
        entries = self.between(self.begin_seq, self.next_seq)
        return next((entry.seq for entry in entries if entry.end_ns > time_ns), self.next_seq)

    def station_ids(self) -> Set[str]:
        """``NET_STA`` of all stations."""
        return self._station_ids

    def _place(self, seq: int) -> int:
        return (seq - self._first_seq) % self.capacity

    def _state(self, stream: StreamId) -> StreamState:
        state = self.streams.get(stream)
        if state is None:
            state = StreamState(stream, station_id(stream), stream_id(stream))
            self.streams[stream] = state
            self._station_ids.add(state.station_id)
        return state
