"""What several clients want alike is filtered and joined once, then written to each of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from simulator.seedlink.patterns import matches
from simulator.seedlink.ring import RecordRing, StreamState
from simulator.seedlink.selection import Request, Selection, Start, in_window

__all__ = ["Batch", "Group", "Groups"]


@dataclass(frozen=True, slots=True)
class Batch:
    """Frames of one piece of the ring, joined."""

    data: bytes
    n_records: int


_NOTHING = Batch(b"", 0)


class Group:
    """Clients with the same version, stations, selectors and windows.

    They may stand at different places of the ring; those who follow live stand at the same.
    """

    def __init__(self, selection: Selection, ring: RecordRing) -> None:
        self._selection = selection
        self._ring = ring
        self._routes: dict[StreamState, tuple[int, Request] | None] = {}
        # clients name hundreds of stations one by one: those are looked up, not searched
        stations = [request.station for request in selection.requests]
        self._named = {name: place for place, name in reversed(list(enumerate(stations)))}
        self._patterns = [
            (place, name) for place, name in enumerate(stations) if "*" in name or "?" in name
        ]
        self._last: tuple[int, int, Batch] = (-1, -1, _NOTHING)

    def batch(self, begin_seq: int, end_seq: int, begin_seqs: tuple[int, ...]) -> Batch:
        """Return what is wanted of the records from ``begin_seq`` up to without ``end_seq``.

        Parameters
        ----------
        begin_seqs : tuple of int
            The first number wanted, for each request of this client.
        """
        if begin_seq < max(begin_seqs):  # still catching up, in a way of its own
            return self._join(begin_seq, end_seq, begin_seqs)
        if self._last[:2] != (begin_seq, end_seq):
            self._last = (begin_seq, end_seq, self._join(begin_seq, end_seq, None))
        return self._last[2]

    def is_over(self) -> bool:
        """Tell whether every window has an end and all streams wanted have come past it."""
        if any(request.start.end_ns is None for request in self._selection.requests):
            return False
        for stream in self._ring.streams.values():
            route = self._route(stream)
            end_ns = None if route is None else route[1].start.end_ns
            if end_ns is None or self._ring.is_complete:
                continue
            if stream.last_start_ns is None or stream.last_start_ns < end_ns:
                return False
        return True

    def _join(self, begin_seq: int, end_seq: int, begin_seqs: tuple[int, ...] | None) -> Batch:
        is_v3 = self._selection.version == 3
        frames: list[bytes] = []
        for entry in self._ring.between(begin_seq, end_seq):
            route = self._route(entry.stream)
            if route is None:
                continue
            number, request = route
            if begin_seqs is not None and entry.seq < begin_seqs[number]:
                continue
            if in_window(entry, request.start):
                frames.append(entry.frame_v3 if is_v3 else entry.frame_v4)
        return Batch(b"".join(frames), len(frames))

    def _route(self, stream: StreamState) -> tuple[int, Request] | None:
        try:
            return self._routes[stream]
        except KeyError:
            route = self._routes[stream] = self._find_route(stream)
            return route

    def _find_route(self, stream: StreamState) -> tuple[int, Request] | None:
        """Return number and request of the first station that matches, if it wants the stream."""
        number = self._named.get(stream.station_id)
        for place, pattern in self._patterns:
            if number is not None and number < place:
                break
            if matches(pattern, stream.station_id):
                number = place
                break
        if number is None:
            return None
        request = self._selection.requests[number]
        return (number, request) if request.wants(stream) else None


class Groups:
    """All groups that have members."""

    def __init__(self, ring: RecordRing) -> None:
        self._ring = ring
        self._groups: dict[tuple[int, tuple[Request, ...]], tuple[Group, int]] = {}

    def join(self, selection: Selection) -> Group:
        """Return the group of a client, a new one if it is the first."""
        key = _key(selection)
        group, members = self._groups.get(key) or (Group(selection, self._ring), 0)
        self._groups[key] = (group, members + 1)
        return group

    def leave(self, selection: Selection) -> None:
        """Forget a client; with the last of them the group goes."""
        key = _key(selection)
        group, members = self._groups[key]
        if members == 1:
            del self._groups[key]
        else:
            self._groups[key] = (group, members - 1)


def _key(selection: Selection) -> tuple[int, tuple[Request, ...]]:
    """Return what makes two selections alike: all but where they begin."""
    requests = tuple(
        replace(one, start=Start(begin_ns=one.start.begin_ns, end_ns=one.start.end_ns))
        for one in selection.requests
    )
    return selection.version, requests
