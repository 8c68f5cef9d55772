"""Cut recorded segments into the packets a station would have sent.

A station closes a packet every ``packet_s`` on all its channels at once. The grid of these
moments is anchored at the start of the recording plus a phase of the station's own, because real
stations do not cut in unison.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from eew.clock import NS_PER_S
from eew.errors import ConfigError
from eew.model.waveform import Packet, Segment

__all__ = ["MAX_PACKET_S", "MIN_PACKET_S", "PacketGroup", "check_packet_s", "cut_station"]

MIN_PACKET_S = 0.1  # shorter ones would hold 2 samples at 20 Hz
MAX_PACKET_S = 10.0  # longer ones are no early warning
# A sample this much before a cut counts as being at it: the arithmetic is that exact, and a
# sample on the cut belongs to the next packet whatever the rounding.
_EDGE_SAMPLES = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class PacketGroup:
    """What all channels of a station send for one interval of its grid.

    Attributes
    ----------
    end_ns : int
        UTC just after the last sample of the group: none of it can be sent earlier.
    packets : tuple of Packet
        Sorted by stream and start; more than one per stream where there is a gap inside.
    """

    end_ns: int
    packets: tuple[Packet, ...]


def check_packet_s(packet_s: float) -> int:
    """Return a packet length in ns.

    Raises
    ------
    ConfigError
        Outside 0.1 to 10 s.
    """
    if not MIN_PACKET_S <= packet_s <= MAX_PACKET_S:  # also refuses NaN
        raise ConfigError(
            "packet_s", f"must be {MIN_PACKET_S:g} to {MAX_PACKET_S:g} s, was {packet_s!r}"
        )
    return round(packet_s * NS_PER_S)


def cut_station(
    segments: Sequence[Segment], *, anchor_ns: int, packet_ns: int
) -> Iterator[PacketGroup]:
    """Cut the segments of one station at ``anchor_ns + k * packet_ns``, in time order.

    Every sample comes out once, as a view of the segment (no copy). Packets are made one group
    at a time, so a long recording does not fill the memory.

    Parameters
    ----------
    segments : sequence of Segment
        Of one station, one sampling rate; in any order.
    anchor_ns : int
        A moment at which packets end, UTC ns; may lie after the first sample.
    packet_ns : int
        Packet length in ns, > 0.
    """
    cuts = [_Cuts(segment, anchor_ns, packet_ns) for segment in segments if len(segment.samples)]
    waiting = sorted(cuts, key=lambda cut: cut.first, reverse=True)
    active: list[_Cuts] = []
    interval = waiting[-1].first if waiting else 0
    while waiting or active:
        if not active:
            interval = max(interval, waiting[-1].first)  # jump over a gap
        if waiting and waiting[-1].first <= interval:
            while waiting and waiting[-1].first <= interval:
                active.append(waiting.pop())
            active.sort(key=lambda cut: (cut.segment.stream_id, cut.segment.start_ns))
        packets = [packet for cut in active if (packet := cut.packet(interval)) is not None]
        if packets:
            yield PacketGroup(max(packet.end_ns for packet in packets), tuple(packets))
        if any(cut.last <= interval for cut in active):
            active = [cut for cut in active if cut.last > interval]
        interval += 1


class _Cuts:
    """Sample numbers at which one segment is cut, for the grid intervals that it touches."""

    __slots__ = ("edges", "first", "last", "segment", "starts_ns")

    def __init__(self, segment: Segment, anchor_ns: int, packet_ns: int) -> None:
        self.segment = segment
        rate_hz, n = segment.sampling_rate_hz, len(segment.samples)
        self.first = (segment.start_ns - anchor_ns) // packet_ns
        self.last = (segment.end_ns - anchor_ns) // packet_ns
        # first sample of every interval: the first one at or after the interval's beginning
        begin_ns = anchor_ns + self.first * packet_ns - segment.start_ns
        offsets_ns = begin_ns + packet_ns * np.arange(self.last - self.first + 2, dtype=np.int64)
        edges = np.ceil(offsets_ns * (rate_hz / NS_PER_S) - _EDGE_SAMPLES).astype(np.int64)
        self.edges: list[int] = np.clip(edges, 0, n).tolist()
        times_ns = np.rint(np.array(self.edges, dtype=np.float64) * (NS_PER_S / rate_hz))
        self.starts_ns: list[int] = (times_ns.astype(np.int64) + segment.start_ns).tolist()

    def packet(self, interval: int) -> Packet | None:
        """Return the packet of one interval; None where the segment has no sample in it."""
        place = interval - self.first
        begin, end = self.edges[place], self.edges[place + 1]
        if begin == end:
            return None
        segment = self.segment
        return Packet(
            stream_id=segment.stream_id,
            start_ns=self.starts_ns[place],
            sampling_rate_hz=segment.sampling_rate_hz,
            samples=segment.samples[begin:end],
        )
