"""Stations, ground motion and packets for the tests of the detector core."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from eew.core.bank import GrowingPeaks, Judged, StationBank
from eew.core.config import DetectorConfig
from eew.model.waveform import Channel, Component, Packet, SensorKind, Station, StreamId
from eew.physics.geo import destination

Floats = NDArray[np.float64]
NS = 1_000_000_000
START_NS = 1_700_000_000 * NS
COUNTS_PER_MPS2 = 2.0**20  # a power of two: counts and motion differ by an exact factor


@cache
def config() -> DetectorConfig:
    return DetectorConfig.load()


def make_station(
    code: str = "XX.AAA",
    *,
    rate_hz: float = 100.0,
    components: str = "ZNE",
    kind: SensorKind = SensorKind.ACCELERATION,
    sensitivity: float = COUNTS_PER_MPS2,
    clip_counts: float = math.inf,
    lat: float = 30.0,
    lon: float = 102.0,
) -> Station:
    network, name = code.split(".")
    return Station(
        code=code,
        lat=lat,
        lon=lon,
        elevation_m=0.0,
        channels=tuple(
            Channel(
                stream_id=StreamId(network, name, "", f"HN{letter}"),
                component=Component("ZNE".index(letter)),
                kind=kind,
                sensitivity=sensitivity,
                sampling_rate_hz=rate_hz,
                clip_counts=clip_counts,
            )
            for letter in components
        ),
    )


def noise(
    rng: np.random.Generator, seconds: float, rate_hz: float, *, rms_mps2: float = 1e-4
) -> Floats:
    """White noise on three components, m/s**2, shape (3, n)."""
    return rng.normal(0.0, rms_mps2, (3, round(seconds * rate_hz)))


def burst(
    rng: np.random.Generator,
    n: int,
    rate_hz: float,
    at_s: float,
    zne_mps2: tuple[float, float, float],
    *,
    lasts_s: float = 6.0,
) -> Floats:
    """Random motion that sets in at ``at_s`` and dies away, per component, shape (3, n)."""
    t = np.arange(n) / rate_hz - at_s
    envelope = np.where(t >= 0.0, np.exp(-np.maximum(t, 0.0) / lasts_s), 0.0)
    return np.asarray(zne_mps2)[:, None] * envelope * rng.normal(0.0, 1.0, (3, n))


def quake_record(
    rng: np.random.Generator,
    *,
    rate_hz: float = 100.0,
    seconds: float = 30.0,
    p_at_s: float = 10.0,
    s_at_s: float | None = 18.0,
    p_mps2: float = 0.05,
    noise_mps2: float = 1e-4,
) -> Floats:
    """Counts of a station that sees P (vertical first) and S (horizontal), shape (3, n)."""
    motion = noise(rng, seconds, rate_hz, rms_mps2=noise_mps2)
    n = motion.shape[1]
    motion += burst(rng, n, rate_hz, p_at_s, (p_mps2, 0.4 * p_mps2, 0.4 * p_mps2))
    if s_at_s is not None:
        motion += burst(rng, n, rate_hz, s_at_s, (2.0 * p_mps2, 6.0 * p_mps2, 6.0 * p_mps2))
    return to_counts(motion)


def to_counts(motion: Floats, counts_per_unit: float = COUNTS_PER_MPS2) -> Floats:
    """Digitise: multiply and round, as a recorder does."""
    counts: Floats = np.round(motion * counts_per_unit)
    return counts


def packets_of(
    station: Station,
    counts: Floats,
    cuts: Sequence[Sequence[int]] | None = None,
    *,
    start_ns: int = START_NS,
) -> list[Packet]:
    """Cut counts (3, n) at the given samples, one list per channel; in order of their ends."""
    packets = []
    for number, channel in enumerate(station.channels):
        row = counts[channel.component.value]
        at = [0, *(cuts[number] if cuts is not None else ()), len(row)]
        packets += [
            Packet(
                stream_id=channel.stream_id,
                start_ns=start_ns + round(lo * NS / channel.sampling_rate_hz),
                sampling_rate_hz=channel.sampling_rate_hz,
                samples=row[lo:hi],
            )
            for lo, hi in pairwise(at)
        ]
    return sorted(packets, key=lambda p: p.end_ns)


def steps(packets: Sequence[Packet], delay_ns: int = 300_000_000) -> Iterator[tuple[int, Packet]]:
    """Yield (arrival, packet) in order of arrival."""
    for packet in sorted(packets, key=lambda p: p.end_ns):
        yield packet.end_ns + delay_ns, packet


def pieces_of(counts: Floats, length: int) -> Iterator[tuple[Floats, NDArray[np.uint8]]]:
    """Cut frames (3, n) into blocks of ``length`` samples with nothing made up."""
    for lo in range(0, counts.shape[1], length):
        block = np.ascontiguousarray(counts[:, lo : lo + length])
        yield block, np.zeros(block.shape[1], dtype=np.uint8)


def run_bank(
    counts: Floats,
    station: Station | None = None,
    *,
    block: int = 50,
    filled: NDArray[np.uint8] | None = None,
) -> tuple[StationBank, list[Judged]]:
    """Put the frames of one station through a bank of its own."""
    bank = StationBank([station or make_station()], config().processing)
    judged: list[Judged] = []
    lo = 0
    for frames, nothing in pieces_of(counts, block):
        hi = lo + frames.shape[1]
        judged += bank.process([0], [(frames, nothing if filled is None else filled[lo:hi])])
        lo = hi
    return bank, judged


def accepted(judged: Sequence[Judged]) -> list[Judged]:
    return [j for j in judged if j.reason == "accepted"]


def growing_of(bank: StationBank, pick: Judged) -> GrowingPeaks:
    return bank.growing(pick.station, pick.slot)


def jittered_grid(
    rng: np.random.Generator | None,
    lat: float,
    lon: float,
    *,
    n: int = 7,
    spacing_km: float = 20.0,
) -> list[tuple[float, float]]:
    """Positions of n x n stations round a point, moved by up to a fifth of their spacing."""
    points = []
    for i in range(n):
        for j in range(n):
            away = rng.uniform(-0.2, 0.2, 2) if rng is not None else np.zeros(2)
            x_km, y_km = (np.array([i, j]) - (n - 1) / 2 + away) * spacing_km
            azimuth_deg = math.degrees(math.atan2(x_km, y_km)) % 360.0
            found = destination(lat, lon, azimuth_deg, math.hypot(x_km, y_km))
            points.append((float(found[0]), float(found[1])))
    return points
