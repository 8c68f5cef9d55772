"""A feed of packets for one assembler, and what came out of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eew.core.assemble import Block, StationAssembler
from eew.model.waveform import Packet, Station
from tests.unit.core_cases import NS, START_NS, Floats, config, packets_of

Arrival = tuple[int, Packet]


@dataclass(slots=True, eq=False)
class Given:
    """The blocks of an assembler put together.

    ``time_ns`` holds the time of each frame by the assembler's own word: the last restart plus
    the samples since.
    """

    frames: Floats
    filled: NDArray[np.uint8]
    time_ns: NDArray[np.int64]
    restarts_ns: list[int]
    problems: dict[str, int]

    def index(self, rate_hz: float) -> NDArray[np.int64]:
        """Sample number of each frame, counted from START_NS."""
        return np.round((self.time_ns - START_NS) * rate_hz / NS).astype(np.int64)


def make_assembler(station: Station) -> StationAssembler:
    processing = config().processing
    return StationAssembler(
        station,
        reorder_s=processing.reorder_s,
        bridge_s=processing.bridge_s,
        lag_s=processing.lag_s,
    )


def feed(
    assembler: StationAssembler, arrivals: Iterable[Arrival], *, until_s: float = 5.0
) -> Given:
    """Hand in packets in order of arrival, those of one instant together, then let time pass."""
    ordered = sorted(arrivals, key=lambda a: a[0])
    blocks: list[Block] = []
    for at, (now_ns, packet) in enumerate(ordered):
        assembler.receive(packet, now_ns)
        if at + 1 == len(ordered) or ordered[at + 1][0] > now_ns:
            blocks += assembler.take(now_ns)
    last_ns = ordered[-1][0]
    for tick in range(1, round(2 * until_s) + 1):
        blocks += assembler.take(last_ns + tick * NS // 2)
    return put_together(assembler, blocks)


def put_together(assembler: StationAssembler, blocks: list[Block]) -> Given:
    times: list[NDArray[np.int64]] = []
    restarts_ns: list[int] = []
    count = 0
    for block in blocks:
        if block.restart_ns is not None:
            restarts_ns.append(block.restart_ns)
            count = 0
        n = block.frames.shape[1]
        steps = np.round(np.arange(count, count + n) * NS / assembler.rate_hz).astype(np.int64)
        times.append(restarts_ns[-1] + steps)
        count += n
    return Given(
        frames=np.concatenate([np.empty((3, 0)), *(b.frames for b in blocks)], axis=1),
        filled=np.concatenate([np.empty(0, dtype=np.uint8), *(b.filled for b in blocks)]),
        time_ns=np.concatenate([np.empty(0, dtype=np.int64), *times]),
        restarts_ns=restarts_ns,
        problems=dict(assembler.problems),
    )


def numbered(n: int) -> Floats:
    """Counts that tell their place: component c at sample i is i + c / 4."""
    made: Floats = np.arange(n, dtype=np.float64) + np.array([[0.0], [0.25], [0.5]])
    return made


def in_order(packets: list[Packet], *, delay_ns: int = 0) -> list[Arrival]:
    return [(p.end_ns + delay_ns, p) for p in packets]


def every(station: Station, seconds: float, packet_s: float = 0.5) -> list[Packet]:
    """Packets of equal length with numbered samples, all channels alike, in order."""
    rate_hz = station.channels[0].sampling_rate_hz
    n = round(seconds * rate_hz)
    step = round(packet_s * rate_hz)
    cuts = [list(range(step, n, step)) for _ in station.channels]
    return packets_of(station, numbered(n), cuts)
