"""When what arrives at the detector: an event heap over packets and ticks.

Events are ordered by ``(time_ns, priority, sequence)``. Nothing here waits: how fast the steps
are taken is up to the caller, and the steps are the same at any speed.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Literal

from eew.clock import NS_PER_S
from eew.errors import ConfigError
from eew.model.waveform import Packet, Recording, Segment
from simulator.link import LinkDelay
from simulator.packets import PacketGroup, check_packet_s, cut_station
from simulator.seeds import rng

__all__ = ["Schedule", "Step", "check_tick_s", "zero_and_end_ns"]

_PACKETS, _TICK = 0, 1  # at one instant data come before the passing of time


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """Something happens at data time ``now_ns``: packets arrive, or (no packets) a tick."""

    now_ns: int
    packets: tuple[Packet, ...]


def check_tick_s(tick_s: float) -> int:
    """Return an interval of ticks in ns.

    Raises
    ------
    ConfigError
        If it is not > 0.
    """
    if not tick_s > 0.0:
        raise ConfigError("tick_s", f"must be > 0, was {tick_s!r}")
    return max(1, round(tick_s * NS_PER_S))


def zero_and_end_ns(
    recording: Recording, start_ns: int, until_s: float | None
) -> tuple[int, int | None]:
    """Return what ``until_s`` counts from, and the last data time that is played; UTC ns.

    Raises
    ------
    ConfigError
        If the end comes before ``start_ns``, where the data begin.
    """
    truth = recording.truth
    zero_ns = start_ns if truth is None else truth.origin_time_ns
    if until_s is None:
        return zero_ns, None
    until_ns = zero_ns + round(until_s * NS_PER_S)
    if until_ns <= start_ns:
        first_s = (start_ns - zero_ns) / NS_PER_S
        raise ConfigError("until_s", f"the data begin at {first_s:.1f} s, was {until_s!r}")
    return zero_ns, until_ns


class Schedule:
    """The order in which a recording reaches the detector.

    All channels of a station that are cut at the same instant arrive together, at packet end plus
    the station's link delay. What arrives at exactly the same time is one step. Ticks come every
    ``tick_s`` from the start of the recording until everything has arrived. A schedule can be
    iterated any number of times and always gives the same steps.

    Parameters
    ----------
    packet_s : float
        Packet length, 0.1 to 10 s.
    link : LinkDelay, optional
        Delays; by default log-normal with a median of 0.3 s from ``seed``.
    tick_s : float
        Interval of ticks in s, > 0.
    until_s : float, optional
        Last data time that is played, in s after :attr:`zero_ns`: after the true origin where
        there is one, else after the start of the recording.
    seed : int
        The run's seed, for the phases of the packets (and for the default link).
    phase : {"station", "aligned"}
        Whether each station has its own, seeded, moments of cutting, or all cut in unison with
        the start of the recording.

    Attributes
    ----------
    start_ns, zero_ns : int
        Start of the recording, and the zero of ``until_s``; UTC ns.
    until_ns : int or None
        Last data time that is played; None for all of it.

    Raises
    ------
    ConfigError
        If a parameter is out of range, or ``until_s`` ends before the recording starts.
    """

    def __init__(
        self,
        recording: Recording,
        packet_s: float = 0.5,
        link: LinkDelay | None = None,
        tick_s: float = 0.5,
        until_s: float | None = None,
        *,
        seed: int = 0,
        phase: Literal["station", "aligned"] = "station",
    ) -> None:
        self._tick_ns = check_tick_s(tick_s)
        self._packet_ns = check_packet_s(packet_s)
        self._link = LinkDelay(seed=seed) if link is None else link
        self._seed = seed
        self._phase = phase
        self._stations = [station.code for station in recording.stations]
        self._segments: dict[str, list[Segment]] = {code: [] for code in self._stations}
        for segment in recording.segments:
            self._segments[segment.stream_id.station_code].append(segment)
        # a receiver has a link of its own, also where it stands beside a seismometer
        self._stations += [_receiver(station.code) for station in recording.gnss]
        self._segments |= {_receiver(station.code): [] for station in recording.gnss}
        for segment in recording.gnss_segments:
            self._segments[_receiver(segment.stream_id.station_code)].append(segment)
        self.start_ns = recording.start_ns
        self.zero_ns, self.until_ns = zero_and_end_ns(recording, self.start_ns, until_s)

    def delay_ns(self, station: str) -> int:
        """Return the link delay of a station in ns."""
        return self._link.delay_ns(station)

    def __iter__(self) -> Iterator[Step]:
        sequence = count()
        heap: list[tuple[int, int, int, _Source | None, tuple[Packet, ...]]] = []

        def push(source: _Source, not_before_ns: int) -> None:
            group = next(source.groups, None)
            if group is not None:
                # channels of one station may differ by the rounding to whole ns
                time_ns = max(group.end_ns + source.delay_ns, not_before_ns)
                heapq.heappush(heap, (time_ns, _PACKETS, next(sequence), source, group.packets))

        for code in self._stations:
            groups = cut_station(
                self._segments[code], anchor_ns=self._anchor_ns(code), packet_ns=self._packet_ns
            )
            push(_Source(groups, self.delay_ns(code)), self.start_ns)
        heapq.heappush(heap, (self.start_ns + self._tick_ns, _TICK, next(sequence), None, ()))
        while heap:
            now_ns, _, _, source, packets = heapq.heappop(heap)
            if self.until_ns is not None and now_ns > self.until_ns:
                return
            if source is None:
                yield Step(now_ns, ())
                if heap:  # nothing more to come: this was the last tick
                    later_ns = now_ns + self._tick_ns
                    heapq.heappush(heap, (later_ns, _TICK, next(sequence), None, ()))
                continue
            push(source, now_ns)
            while heap and heap[0][:2] == (now_ns, _PACKETS):
                _, _, _, other, more = heapq.heappop(heap)
                packets += more
                if other is not None:
                    push(other, now_ns)
            yield Step(now_ns, packets)

    def _anchor_ns(self, station: str) -> int:
        if self._phase == "aligned":
            return self.start_ns
        phase = rng(self._seed, "packet-phase", station).integers(self._packet_ns)
        return self.start_ns + int(phase)


def _receiver(code: str) -> str:
    return f"{code} gnss"


@dataclass(frozen=True, slots=True)
class _Source:
    """The packets of a station that are still to come."""

    groups: Iterator[PacketGroup]
    delay_ns: int
