"""A small recording, and real clients that read it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from pymseed import sourceid2nslc
from seedlink_client import AsyncSeedLink
from seedlink_client.protocol import Protocol, SeedLinkPacket

from eew.clock import SystemClock
from eew.model.waveform import (
    Channel,
    Component,
    Recording,
    Segment,
    SensorKind,
    Station,
    StreamId,
)
from simulator.link import LinkDelay
from simulator.schedule import Schedule
from simulator.seedlink import RecordEncoder, RecordRing, SeedLinkServer, ServerLimits, feed

T0_NS = 1_662_364_372_000_000_000
SECONDS = 8
SHIFT_NS = 1_000_000_000 * 86_400
Samples = NDArray[np.int32] | NDArray[np.float64]


def recording(n_stations: int = 3) -> Recording:
    """``n_stations`` accelerometers of three components at 100 Hz and one receiver at 1 Hz."""
    rng = np.random.default_rng(3)
    stations, segments = [], []
    for number in range(n_stations):
        code = f"XX.S{number:04d}"
        channels = []
        for component, name in zip(Component, ("HNZ", "HNN", "HNE"), strict=True):
            stream = StreamId.parse(f"{code}.00.{name}")
            channels.append(_channel(stream, component, SensorKind.ACCELERATION, 100.0))
            samples = rng.integers(-(2**20), 2**20, SECONDS * 100).astype(np.int32)
            segments.append(_segment(stream, 100.0, samples))
        stations.append(_station(code, 20.0 + number, channels))
    gnss_stream = StreamId.parse("XX.GNSS..LXZ")
    channel = _channel(gnss_stream, Component.VERTICAL, SensorKind.DISPLACEMENT, 1.0)
    gnss_segment = _segment(gnss_stream, 1.0, rng.normal(0.0, 0.01, SECONDS))
    return Recording(
        name="test",
        stations=tuple(stations),
        segments=tuple(segments),
        truth=None,
        problems=(),
        input_sha256={},
        gnss=(_station("XX.GNSS", 10.0, [channel]),),
        gnss_segments=(gnss_segment,),
    )


def _channel(stream: StreamId, component: Component, kind: SensorKind, rate_hz: float) -> Channel:
    return Channel(
        stream_id=stream,
        component=component,
        kind=kind,
        sensitivity=1000.0,
        sampling_rate_hz=rate_hz,
    )


def _station(code: str, lat: float, channels: list[Channel]) -> Station:
    return Station(code=code, lat=lat, lon=100.0, elevation_m=0.0, channels=tuple(channels))


def _segment(stream: StreamId, rate_hz: float, samples: Samples) -> Segment:
    return Segment(stream_id=stream, start_ns=T0_NS, sampling_rate_hz=rate_hz, samples=samples)


def schedule(played: Recording) -> Schedule:
    return Schedule(played, packet_s=0.5, link=LinkDelay(seed=1), seed=1)


def new_ring(played: Recording, capacity: int = 10_000, first_seq: int = 1) -> RecordRing:
    streams = [segment.stream_id for segment in (*played.segments, *played.gnss_segments)]
    return RecordRing(capacity, streams, first_seq=first_seq)


@asynccontextmanager
async def serving(
    ring: RecordRing,
    *,
    record_bytes: int = 512,
    port: int = 0,
    inventory: bytes | None = None,
    limits: ServerLimits | None = None,
    say: Callable[[str], None] = lambda _words: None,
) -> AsyncIterator[SeedLinkServer]:
    server = SeedLinkServer(
        ring,
        RecordEncoder(record_bytes),
        clock=SystemClock(),
        port=port,
        inventory=inventory,
        limits=limits,
        say=say,
    )
    async with server:
        yield server


async def play(server: SeedLinkServer, played: Recording, speed: float = 20.0) -> None:
    await feed(
        server,
        schedule(played),
        clock=SystemClock(),
        start_ns=T0_NS,
        shift_ns=SHIFT_NS,
        speed=speed,
    )


@dataclass
class Got:
    """What a client has received, by stream."""

    starts_ns: dict[str, list[int]] = field(default_factory=dict)
    samples: dict[str, list[Samples]] = field(default_factory=dict)
    seqs: list[int] = field(default_factory=list)

    def take(self, packet: SeedLinkPacket) -> None:
        record = packet.record()  # type: ignore[no-untyped-call]
        record.unpack_data()
        name = ".".join(sourceid2nslc(record.sourceid))
        self.add(name, record.starttime, np.array(record.np_datasamples))
        assert packet.seqnum is not None
        self.seqs.append(packet.seqnum)

    def add(self, name: str, start_ns: int, samples: Samples) -> None:
        self.starts_ns.setdefault(name, []).append(start_ns)
        self.samples.setdefault(name, []).append(samples)

    @property
    def n_samples(self) -> int:
        return sum(len(one) for some in self.samples.values() for one in some)


def check_complete(got: Got, played: Recording, shift_ns: int = SHIFT_NS) -> None:
    """All samples, each once, in order, at their times (to 1 us)."""
    segments = [*played.segments, *played.gnss_segments]
    assert set(got.samples) == {str(one.stream_id) for one in segments}
    for segment in segments:
        name = str(segment.stream_id)
        np.testing.assert_array_equal(np.concatenate(got.samples[name]), segment.samples)
        lengths = np.array([0, *(len(one) for one in got.samples[name][:-1])]).cumsum()
        expected = T0_NS + shift_ns + np.rint(lengths * 1e9 / segment.sampling_rate_hz)
        assert np.abs(np.array(got.starts_ns[name]) - expected).max() <= 1000


def n_samples(played: Recording) -> int:
    return sum(len(one.samples) for one in (*played.segments, *played.gnss_segments))


def client(
    server: SeedLinkServer, version: int, *, reconnect_delay: float = 1.0, dialup: bool = False
) -> AsyncSeedLink:
    return AsyncSeedLink(
        "127.0.0.1",
        server.port,
        protocol=Protocol.V4 if version == 4 else Protocol.V3,
        timeout=10.0,
        reconnect_delay=reconnect_delay,
        dialup=dialup,
    )


async def read(one: AsyncSeedLink, got: Got, until: int, *, reconnect: bool = False) -> None:
    """Read until so many samples are there."""
    async with asyncio.timeout(30.0):
        collecting = one.collect(reconnect=reconnect)
        async for packet in collecting:
            got.take(packet)
            if got.n_samples >= until:
                break
        await collecting.aclose()
