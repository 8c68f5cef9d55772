"""What goes wrong between a station and the detector: streams of steps in, streams of steps out.

Every function takes the steps of a :class:`simulator.schedule.Schedule` (or of another function
here) and gives the steps as the detector would then see them, in order of time. Packets of one
station that are cut at the same instant travel as one message. Ticks are never moved.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import count

import numpy as np

from eew.clock import NS_PER_S
from eew.errors import ConfigError
from eew.model.waveform import Packet
from simulator.schedule import Step
from simulator.seeds import rng

__all__ = [
    "Hit",
    "backlog",
    "clock_drift",
    "clock_offset",
    "duplicates",
    "gone",
    "jittered",
    "packet_loss",
    "reordered",
]

Packets = tuple[Packet, ...]
# station and the moment it would arrive -> the moments it does arrive, none if it is lost
Arrivals = Callable[[str, int], tuple[int, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """Whom a fault of the link hits, and when.

    Attributes
    ----------
    stations : collection of str or None
        Codes ``NET.STA``; None: all.
    from_ns, until_ns : int or None
        Begin (included) and end (not) in time of arrival, UTC ns; None: no bound.
    """

    stations: Collection[str] | None = None
    from_ns: int | None = None
    until_ns: int | None = None

    def includes(self, station: str, now_ns: int) -> bool:
        """Tell whether a message of ``station`` that is due at ``now_ns`` is hit."""
        return (
            (self.stations is None or station in self.stations)
            and (self.from_ns is None or now_ns >= self.from_ns)
            and (self.until_ns is None or now_ns < self.until_ns)
        )


ALWAYS = Hit()


def backlog(
    steps: Iterable[Step], stations: Collection[str], *, from_ns: int, until_ns: int
) -> Iterator[Step]:
    """Hold back what some stations send during an outage and deliver it all when that ends."""
    hit = Hit(stations=stations, from_ns=from_ns, until_ns=until_ns)

    def arrivals(station: str, now_ns: int) -> tuple[int, ...]:
        return (until_ns if hit.includes(station, now_ns) else now_ns,)

    return _rearranged(steps, arrivals)


def gone(
    steps: Iterable[Step],
    stations: Collection[str],
    *,
    from_ns: int,
    until_ns: int | None = None,
) -> Iterator[Step]:
    """Deliver nothing of some stations for a while or for good: a cut cable, a lost centre."""
    hit = Hit(stations=stations, from_ns=from_ns, until_ns=until_ns)

    def arrivals(station: str, now_ns: int) -> tuple[int, ...]:
        return () if hit.includes(station, now_ns) else (now_ns,)

    return _rearranged(steps, arrivals)


def jittered(steps: Iterable[Step], *, most_s: float, seed: int) -> Iterator[Step]:
    """Let every message be late by up to ``most_s``; those of one station keep their order."""
    chance = _PerStation(seed, "jitter")
    last_ns: dict[str, int] = {}

    def arrivals(station: str, now_ns: int) -> tuple[int, ...]:
        late_ns = round(float(chance(station).uniform(0.0, most_s)) * NS_PER_S)
        at_ns = max(now_ns + late_ns, last_ns.get(station, now_ns))
        last_ns[station] = at_ns
        return (at_ns,)

    return _rearranged(steps, arrivals)


def packet_loss(
    steps: Iterable[Step], *, share: float, seed: int, hit: Hit = ALWAYS
) -> Iterator[Step]:
    """Lose a share (0 to 1) of all messages for good, each by chance."""
    _check_share(share)
    chance = _PerStation(seed, "loss")

    def arrivals(station: str, now_ns: int) -> tuple[int, ...]:
        if not hit.includes(station, now_ns):
            return (now_ns,)
        return () if chance(station).uniform() < share else (now_ns,)

    return _rearranged(steps, arrivals)


def reordered(
    steps: Iterable[Step], *, share: float, most_s: float, seed: int, hit: Hit = ALWAYS
) -> Iterator[Step]:
    """Let a share of all messages be late by up to ``most_s``, so that later ones overtake."""
    _check_share(share)
    chance = _PerStation(seed, "reorder")

    def arrivals(station: str, now_ns: int) -> tuple[int, ...]:
        if not hit.includes(station, now_ns):
            return (now_ns,)
        luck, late_s = chance(station).uniform(size=2) * (1.0, most_s)
        return (now_ns + round(late_s * NS_PER_S) if luck < share else now_ns,)

    return _rearranged(steps, arrivals)


def duplicates(
    steps: Iterable[Step], *, share: float, most_s: float, seed: int, hit: Hit = ALWAYS
) -> Iterator[Step]:
    """Deliver a share of all messages a second time, up to ``most_s`` later."""
    _check_share(share)
    chance = _PerStation(seed, "duplicate")

    def arrivals(station: str, now_ns: int) -> tuple[int, ...]:
        if not hit.includes(station, now_ns):
            return (now_ns,)
        luck, late_s = chance(station).uniform(size=2) * (1.0, most_s)
        again_ns = now_ns + round(late_s * NS_PER_S)
        return (now_ns, again_ns) if luck < share else (now_ns,)

    return _rearranged(steps, arrivals)


def clock_offset(
    steps: Iterable[Step],
    stations: Collection[str],
    *,
    offset_s: float,
    from_ns: int | None = None,
) -> Iterator[Step]:
    """Let the clocks of some stations be wrong: stamps move by ``offset_s``, arrivals do not."""
    offset_ns = round(offset_s * NS_PER_S)
    hit = Hit(stations=stations, from_ns=from_ns)
    return _restamped(steps, hit, lambda packet: offset_ns)


def clock_drift(
    steps: Iterable[Step],
    stations: Collection[str],
    *,
    drift_ppm: float,
    from_ns: int | None = None,
) -> Iterator[Step]:
    """Let the clocks of some stations run fast (stamps later) or slow, more and more.

    Parameters
    ----------
    drift_ppm : float
        Microseconds gained for each second since ``from_ns``.
    from_ns : int or None
        When the clock lost its reference, UTC ns; None: at its first packet. Until then it is
        right. A packet is stamped by its first sample; its sampling rate is the nominal one.
    """
    lost_ns: dict[str, int] = {}

    def off_ns(packet: Packet) -> int:
        since = lost_ns.setdefault(
            packet.stream_id.station_code, packet.start_ns if from_ns is None else from_ns
        )
        return round(max(packet.start_ns - since, 0) * drift_ppm * 1e-6)

    return _restamped(steps, Hit(stations=stations), off_ns)


# ---------------------------------------------------------------- parts
def _restamped(steps: Iterable[Step], hit: Hit, off_ns: Callable[[Packet], int]) -> Iterator[Step]:
    """Move the stamps of what is hit."""
    for step in steps:
        packets = tuple(
            replace(packet, start_ns=packet.start_ns + off_ns(packet))
            if hit.includes(packet.stream_id.station_code, step.now_ns)
            else packet
            for packet in step.packets
        )
        yield Step(step.now_ns, packets)


def _rearranged(steps: Iterable[Step], arrivals: Arrivals) -> Iterator[Step]:
    """Send every message at the moments that ``arrivals`` says, not earlier than it came."""
    sequence = count()
    held: list[tuple[int, int, Packets]] = []
    for step in steps:
        yield from _due(held, step.now_ns - 1)
        packets: list[Packet] = []
        messages: dict[str, list[Packet]] = {}
        for packet in step.packets:
            messages.setdefault(packet.stream_id.station_code, []).append(packet)
        for station, message in messages.items():
            for at_ns in arrivals(station, step.now_ns):
                if at_ns <= step.now_ns:
                    packets += message
                else:
                    heapq.heappush(held, (at_ns, next(sequence), tuple(message)))
        if step.packets:
            for late in _due(held, step.now_ns):
                packets += late.packets
            if packets:
                yield Step(step.now_ns, tuple(packets))
        else:
            yield from _due(held, step.now_ns)  # data come before the passing of time
            yield step
    yield from _due(held, None)


def _due(held: list[tuple[int, int, Packets]], until_ns: int | None) -> Iterator[Step]:
    """Take out what is due, one step per moment."""
    while held and (until_ns is None or held[0][0] <= until_ns):
        at_ns = held[0][0]
        packets: list[Packet] = []
        while held and held[0][0] == at_ns:
            packets += heapq.heappop(held)[2]
        yield Step(at_ns, tuple(packets))


class _PerStation:
    """A generator for each station, so that one station's luck does not change another's."""

    def __init__(self, seed: int, purpose: str) -> None:
        self._seed, self._purpose = seed, purpose
        self._made: dict[str, np.random.Generator] = {}

    def __call__(self, station: str) -> np.random.Generator:
        if station not in self._made:
            self._made[station] = rng(self._seed, self._purpose, station)
        return self._made[station]


def _check_share(share: float) -> None:
    if not 0.0 <= share <= 1.0:  # also refuses NaN
        raise ConfigError("share", f"must be 0 to 1, was {share!r}")
