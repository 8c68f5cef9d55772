"""The feeder keeps the time, and the command's options are checked first."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import numpy as np
import pytest

from eew.app.seedlink import SeedLinkOptions
from eew.clock import SystemClock, VirtualClock
from eew.errors import ConfigError
from eew.model.waveform import Packet, StreamId
from simulator.schedule import Step
from simulator.seedlink import RecordEncoder, RecordRing, SeedLinkServer, feed
from simulator.seedlink.feed import shift_to

T0_NS = 1_662_364_372_000_000_000
NOW_NS = T0_NS + 10**17
HNZ = StreamId.parse("XX.S0000.00.HNZ")


def step(second: float) -> Step:
    now_ns = T0_NS + round(second * 1e9)
    packet = Packet(
        stream_id=HNZ,
        start_ns=now_ns - 10**9,
        sampling_rate_hz=100.0,
        samples=np.arange(100, dtype=np.int32),
    )
    return Step(now_ns, (packet,))


def closed_server(clock: SystemClock | VirtualClock, **more: object) -> SeedLinkServer:
    return SeedLinkServer(RecordRing(100), RecordEncoder(), clock=clock, **more)  # type: ignore[arg-type]


async def fed(speed: float, *steps: Step) -> tuple[list[float], SeedLinkServer]:
    """Return when each step came, in s of the clock."""
    clock = VirtualClock(NOW_NS)
    server = closed_server(clock)
    came: list[float] = []
    feeding = asyncio.create_task(
        feed(
            server,
            steps,
            clock=clock,
            start_ns=T0_NS,
            shift_ns=NOW_NS - T0_NS,
            speed=speed,
            on_step=lambda _now_ns: came.append((clock.utc_ns() - NOW_NS) / 1e9),
        )
    )
    for _ in range(10):
        await asyncio.sleep(0)  # it reads the clock before that moves
    for tick in range(1, 101):
        await clock.advance_to(NOW_NS + tick * 100_000_000)
    await feeding
    return came, server


@pytest.mark.parametrize(("speed", "expected"), [(1.0, [1.0, 1.5, 8.0]), (2.0, [0.5, 0.75, 4.0])])
async def test_records_come_at_their_time_of_arrival(speed: float, expected: list[float]) -> None:
    came, server = await fed(speed, step(1.0), Step(T0_NS, ()), step(1.5), step(8.0))
    assert came == pytest.approx(expected)
    ring = server.ring
    assert ring.is_complete
    starts = [entry.start_ns - NOW_NS for entry in ring.between(1, ring.next_seq)]
    assert starts == [0, 500_000_000, 7_000_000_000]  # moved, and not stretched by the speed


async def test_without_clients_speed_0_waits_for_nothing() -> None:
    came, server = await fed(0.0, step(1.0), step(100.0))
    assert came == pytest.approx([0.0, 0.0])
    assert len(server.ring) == 2


@pytest.mark.parametrize("speed", [-1.0, float("inf"), float("nan")])
async def test_speeds_that_cannot_be_played(speed: float) -> None:
    with pytest.raises(ConfigError, match="speed"):
        await feed(closed_server(SystemClock()), [], clock=SystemClock(), start_ns=0, speed=speed)


def test_the_shift_is_whole_seconds_and_never_into_the_past() -> None:
    shift_ns = shift_to(NOW_NS + 123_456_789, T0_NS + 987_654)
    assert shift_ns % 1_000_000_000 == 0
    assert 0 <= T0_NS + 987_654 + shift_ns - (NOW_NS + 123_456_789) < 1_000_000_000


def test_what_no_record_can_hold_is_left_out_and_counted() -> None:
    words: list[str] = []
    server = closed_server(SystemClock(), say=words.append)
    good = step(1.0).packets[0]
    bad = replace(good, stream_id=StreamId("XX", "TOOLONGSTATION", "00", "HNZ"))
    server.put([bad, good, bad])
    assert server.counters.packets_left_out == 2
    assert server.counters.records_in == len(server.ring) == 1
    assert len(words) == 1
    assert "TOOLONGSTATION" in words[0]


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("times", "never", "--time: must be now or original"),
        ("wait_for_clients", -1, "--wait-for-clients"),
        ("stall_s", 0.0, "--stall"),
        ("record_bytes", 500, "--record-bytes: must be 512, 256 or 128, was 500"),
        ("ring", 0, "--ring"),
    ],
)
def test_options_are_named_when_wrong(field: str, value: object, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        SeedLinkOptions(**{field: value})  # type: ignore[arg-type]
