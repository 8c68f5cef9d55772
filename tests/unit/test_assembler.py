"""Packets of single streams become aligned blocks, whatever the network does to them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from eew.core.assemble import Block, StationAssembler
from eew.model.waveform import Channel, Component, Packet, SensorKind, Station, StreamId

RATE_HZ = 100.0
START_NS = 1_600_000_000_000_000_000


def _station(components: str = "ZNE") -> Station:
    names = {
        "Z": Component.VERTICAL,
        "N": Component.HORIZONTAL_1,
        "E": Component.HORIZONTAL_2,
    }
    return Station(
        code="XX.A",
        lat=0.0,
        lon=0.0,
        elevation_m=0.0,
        channels=tuple(
            Channel(
                stream_id=StreamId("XX", "A", "", f"HN{c}"),
                component=names[c],
                kind=SensorKind.ACCELERATION,
                sensitivity=1e6,
                sampling_rate_hz=RATE_HZ,
            )
            for c in components
        ),
    )


def _assembler(components: str = "ZNE") -> StationAssembler:
    return StationAssembler(_station(components), reorder_s=1.0, bridge_s=2.0, lag_s=2.0)


def _packet(component: str, first: int, samples: NDArray[np.float64]) -> Packet:
    return Packet(
        stream_id=StreamId("XX", "A", "", f"HN{component}"),
        start_ns=START_NS + round(first * 1e9 / RATE_HZ),
        sampling_rate_hz=RATE_HZ,
        samples=samples,
    )


def _at(seconds: float) -> int:
    return START_NS + round(seconds * 1e9)


def _ramp(first: int, n: int) -> NDArray[np.float64]:
    return np.arange(first, first + n, dtype=np.float64)


def _send(assembler: StationAssembler, packets: list[tuple[float, Packet]]) -> list[Block]:
    blocks: list[Block] = []
    for at_s, packet in packets:
        assembler.receive(packet, _at(at_s))
        blocks += assembler.take(_at(at_s))
    return blocks


def _vertical(blocks: list[Block]) -> NDArray[np.float64]:
    return np.concatenate([b.frames[0] for b in blocks])


def _filled(blocks: list[Block]) -> NDArray[np.uint8]:
    return np.concatenate([b.filled for b in blocks])


@given(
    cuts=st.lists(st.integers(1, 399), max_size=12),
    swaps=st.lists(st.integers(0, 10), max_size=4),
    doubled=st.lists(st.integers(0, 12), max_size=4),
)
def test_order_and_doubles_neither_lose_nor_repeat_a_sample(
    cuts: list[int], swaps: list[int], doubled: list[int]
) -> None:
    bounds = [0, *sorted(set(cuts)), 400]
    packets = [_packet("Z", lo, _ramp(lo, hi - lo)) for lo, hi in itertools.pairwise(bounds)]
    for i in swaps:
        if 0 < i < len(packets) - 1:  # the first one begins the station
            packets[i], packets[i + 1] = packets[i + 1], packets[i]
    for i in doubled:
        if i < len(packets):
            packets.insert(i + 1, packets[i])
    blocks = _send(_assembler("Z"), [(4.0, p) for p in packets])
    np.testing.assert_array_equal(_vertical(blocks), _ramp(0, 400))
    assert not _filled(blocks).any()


def test_a_short_gap_is_bridged_by_a_line_and_flagged() -> None:
    assembler = _assembler("Z")
    blocks = _send(
        assembler,
        [(1.0, _packet("Z", 0, _ramp(0, 100))), (2.0, _packet("Z", 150, _ramp(150, 50)))],
    )
    assert _vertical(blocks).size == 100  # it may still come
    blocks += assembler.take(_at(3.1))
    np.testing.assert_allclose(_vertical(blocks), _ramp(0, 200))
    np.testing.assert_array_equal(np.flatnonzero(_filled(blocks)), np.arange(100, 150))
    assert assembler.problems["gap"] == 1


def test_a_packet_that_comes_within_the_wait_fills_its_place() -> None:
    assembler = _assembler("Z")
    blocks = _send(
        assembler,
        [
            (1.0, _packet("Z", 0, _ramp(0, 100))),
            (2.0, _packet("Z", 150, _ramp(150, 50))),
            (2.5, _packet("Z", 100, _ramp(100, 50))),
        ],
    )
    np.testing.assert_array_equal(_vertical(blocks), _ramp(0, 200))
    assert not _filled(blocks).any()


def test_a_long_gap_starts_the_station_anew() -> None:
    assembler = _assembler("Z")
    blocks = _send(
        assembler,
        [(1.0, _packet("Z", 0, _ramp(0, 100))), (9.0, _packet("Z", 800, _ramp(800, 100)))],
    )
    blocks += assembler.take(_at(10.1))
    assert [b.restart_ns for b in blocks] == [START_NS, _at(8.0)]
    np.testing.assert_array_equal(blocks[-1].frames[0], _ramp(800, 100))


def test_an_overlap_is_used_once() -> None:
    assembler = _assembler("Z")
    blocks = _send(
        assembler,
        [(1.0, _packet("Z", 0, _ramp(0, 100))), (2.0, _packet("Z", 80, _ramp(80, 100)))],
    )
    np.testing.assert_array_equal(_vertical(blocks), _ramp(0, 180))
    assert assembler.problems["overlap"] == 1


def test_values_that_are_no_numbers_are_held_flagged_and_counted() -> None:
    assembler = _assembler("Z")
    samples = _ramp(0, 100)
    samples[40:43] = [np.nan, np.inf, np.nan]
    blocks = _send(assembler, [(1.0, _packet("Z", 0, samples))])
    assert np.isfinite(_vertical(blocks)).all()
    np.testing.assert_array_equal(np.flatnonzero(_filled(blocks)), [40, 41, 42])
    assert assembler.problems["nan"] == 3


def test_a_component_that_stays_away_is_not_waited_for() -> None:
    assembler = _assembler("ZNE")
    blocks: list[Block] = []
    for k in range(6):
        for component in "ZN":
            assembler.receive(_packet(component, 100 * k, _ramp(100 * k, 100)), _at(k + 1.0))
        blocks += assembler.take(_at(k + 1.0))
    vertical = _vertical(blocks)
    assert vertical.size >= 300
    np.testing.assert_array_equal(vertical, _ramp(0, vertical.size))
    assert not _filled(blocks).any()
    assert assembler.problems["lagging"] > 0


def test_a_component_that_starts_later_joins_without_a_restart() -> None:
    assembler = _assembler("ZN")
    blocks = _send(
        assembler,
        [(1.0, _packet("Z", 0, _ramp(0, 100))), (1.0, _packet("N", 30, _ramp(30, 70)))],
    )
    blocks += assembler.take(_at(2.5))
    frames = np.concatenate([b.frames for b in blocks], axis=1)
    np.testing.assert_array_equal(frames[0], _ramp(0, 100))
    np.testing.assert_array_equal(frames[1, 30:], _ramp(30, 70))
    assert [b.restart_ns for b in blocks] == [START_NS] + [None] * (len(blocks) - 1)


@pytest.mark.parametrize(
    ("packet", "kind"),
    [
        (
            Packet(
                stream_id=StreamId("XX", "A", "", "HNZ"),
                start_ns=START_NS,
                sampling_rate_hz=50.0,
                samples=np.zeros(10),
            ),
            "rate",
        ),
        (
            Packet(
                stream_id=StreamId("XX", "A", "", "LHZ"),
                start_ns=START_NS,
                sampling_rate_hz=RATE_HZ,
                samples=np.zeros(10),
            ),
            "no_metadata",
        ),
    ],
)
def test_what_does_not_belong_is_counted(packet: Packet, kind: str) -> None:
    assembler = _assembler("Z")
    assembler.receive(packet, _at(1.0))
    assert assembler.take(_at(1.0)) == []
    assert assembler.problems[kind] == 1
