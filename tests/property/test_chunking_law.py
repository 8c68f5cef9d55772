"""The same samples cut into any packets give the same picks, peaks and messages.

The most valuable law of the project: replay, live data and tests may cut as they like.
"""

from __future__ import annotations

import itertools
from functools import cache

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from eew.core.assemble import StationAssembler
from eew.core.bank import StationBank
from eew.core.config import DetectorConfig
from eew.model.waveform import (
    Channel,
    Component,
    Packet,
    SensorKind,
    Station,
    StreamId,
)

CONFIG = DetectorConfig.load()
START_NS = 1_600_000_000_123_456_789
SECONDS = 24.0
RATES_HZ = (31.25, 100.0, 200.0)


def _station(rate_hz: float) -> Station:
    return Station(
        code="XX.A",
        lat=0.0,
        lon=0.0,
        elevation_m=0.0,
        channels=tuple(
            Channel(
                stream_id=StreamId("XX", "A", "", f"HN{letter}"),
                component=component,
                kind=SensorKind.ACCELERATION,
                sensitivity=1e6,
                sampling_rate_hz=rate_hz,
            )
            for letter, component in zip("ZNE", Component, strict=True)
        ),
    )


@cache
def _record(rate_hz: float) -> NDArray[np.int32]:
    """Noise with a P-like burst at 9 s, an S-like one at 13 s, and a smaller one at 18 s."""
    rng = np.random.default_rng([7, round(rate_hz)])
    n = round(SECONDS * rate_hz)
    t = np.arange(n) / rate_hz
    record = rng.normal(0.0, 300.0, (3, n)) + 5_000.0
    for onset, size in ((9.0, (2e5, 4e4, 3e4)), (13.0, (1e5, 6e5, 5e5)), (18.0, (1e6, 1e5, 1e5))):
        grown = np.where(t >= onset, np.exp(-(t - onset) / 1.5), 0.0)
        for row in range(3):
            record[row] += size[row] * grown * np.sin(2 * np.pi * 3.1 * (t - onset) + row)
    return np.round(record).astype(np.int32)


def _run(rate_hz: float, cuts: list[list[int]]) -> tuple[list[object], list[NDArray[np.float64]]]:
    """Send each component in its own cuts; packets arrive in the order of their ends."""
    station = _station(rate_hz)
    record = _record(rate_hz)
    processing = CONFIG.processing
    assembler = StationAssembler(
        station,
        reorder_s=processing.reorder_s,
        bridge_s=processing.bridge_s,
        lag_s=1e9,  # components cut very differently may lag; none is ever given up here
    )
    bank = StationBank([station], processing)
    packets: list[Packet] = []
    for channel, row, edges in zip(station.channels, range(3), cuts, strict=True):
        bounds = [0, *sorted(set(edges)), record.shape[1]]
        for lo, hi in itertools.pairwise(bounds):
            packets.append(
                Packet(
                    stream_id=channel.stream_id,
                    start_ns=START_NS + round(lo * 1e9 / rate_hz),
                    sampling_rate_hz=rate_hz,
                    samples=record[row, lo:hi],
                )
            )
    packets.sort(key=lambda p: p.end_ns)
    judged: list[object] = []
    for packet in packets:
        assembler.receive(packet, packet.end_ns)
        for block in assembler.take(packet.end_ns):
            judged.extend(bank.process([0], [(block.frames, block.filled)]))
    state = bank.state
    return judged, [
        state.series.copy(),
        state.slot_values.copy(),
        state.peaks.copy(),
        state.filters.copy(),
        state.band.copy(),
        state.detect.copy(),
    ]


@cache
def _whole(rate_hz: float) -> tuple[list[object], list[NDArray[np.float64]]]:
    return _run(rate_hz, [[], [], []])


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_the_record_has_picks_to_compare(rate_hz: float) -> None:
    judged, _ = _whole(rate_hz)
    accepted = [j for j in judged if getattr(j, "reason", "") == "accepted"]
    assert len(accepted) >= 2
    first = accepted[0]
    assert getattr(first, "onset", 0) / rate_hz == pytest.approx(9.0, abs=0.1)


@given(data=st.data(), rate_hz=st.sampled_from(RATES_HZ))
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_any_cut_gives_the_same_picks_and_peaks(data: st.DataObject, rate_hz: float) -> None:
    n = _record(rate_hz).shape[1]
    cuts = [
        data.draw(st.lists(st.integers(1, n - 1), max_size=30), label=f"component {row}")
        for row in range(3)
    ]
    judged, arrays = _run(rate_hz, cuts)
    expected, expected_arrays = _whole(rate_hz)
    assert judged == expected
    for got, wanted in zip(arrays, expected_arrays, strict=True):
        np.testing.assert_array_equal(got, wanted)
