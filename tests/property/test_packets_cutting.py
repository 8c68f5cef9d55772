"""Laws of cutting: whatever the grid, the packets are the segments."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eew.model.waveform import Segment, StreamId
from simulator.packets import PacketGroup, check_packet_s, cut_station

pytestmark = pytest.mark.slow  # for `make check`: whole runs, records or figures

START_NS = 1_700_000_000_000_000_000
RATES = [20.0, 30.061, 31.323, 40.0, 100.0, 200.0 / 3.0, 199.999, 250.0]
lengths_ns = st.floats(0.1, 10.0).map(check_packet_s)
anchors_ns = st.integers(-20 * 10**9, 20 * 10**9).map(lambda offset: START_NS + offset)


@st.composite
def station_segments(draw: st.DrawFn) -> list[Segment]:
    """One to three channels of one rate, each of one to four segments with gaps between."""
    rate_hz = draw(st.sampled_from(RATES))
    segments = []
    for letter in draw(st.sampled_from(["Z", "NZ", "ENZ"])):
        start_ns, number = START_NS + draw(st.integers(0, 3 * 10**9)), 0
        for _ in range(draw(st.integers(1, 4))):
            n = draw(st.integers(1, 900))
            samples = np.arange(number, number + n, dtype=np.int32)
            segment = Segment(
                stream_id=StreamId("XX", "AAA", "", f"HN{letter}"),
                start_ns=start_ns,
                sampling_rate_hz=rate_hz,
                samples=samples,
            )
            segments.append(segment)
            number += n
            start_ns = segment.end_ns + draw(st.integers(1, 40 * 10**9))
    return segments


def cut(segments: list[Segment], anchor_ns: int, packet_ns: int) -> list[PacketGroup]:
    return list(cut_station(segments, anchor_ns=anchor_ns, packet_ns=packet_ns))


@given(station_segments(), anchors_ns, lengths_ns)
def test_packets_put_together_are_the_segments(
    segments: list[Segment], anchor_ns: int, packet_ns: int
) -> None:
    packets = [p for group in cut(segments, anchor_ns, packet_ns) for p in group.packets]

    assert all(len(packet.samples) for packet in packets)
    for stream in {s.stream_id for s in segments}:
        got = np.concatenate([p.samples for p in packets if p.stream_id == stream])
        np.testing.assert_array_equal(got, np.arange(len(got)))
        assert len(got) == sum(len(s.samples) for s in segments if s.stream_id == stream)


@given(station_segments(), anchors_ns, lengths_ns)
def test_every_packet_lies_where_its_samples_were_recorded(
    segments: list[Segment], anchor_ns: int, packet_ns: int
) -> None:
    for group in cut(segments, anchor_ns, packet_ns):
        for packet in group.packets:
            home = next(s for s in segments if np.shares_memory(s.samples, packet.samples))
            first = int(packet.samples[0] - home.samples[0])
            offset_ns = first * 1e9 / home.sampling_rate_hz
            assert abs(packet.start_ns - home.start_ns - offset_ns) <= 0.5 + 1e-3


@given(station_segments(), anchors_ns, lengths_ns)
def test_no_packet_reaches_over_a_cut(
    segments: list[Segment], anchor_ns: int, packet_ns: int
) -> None:
    for group in cut(segments, anchor_ns, packet_ns):
        intervals = set()
        for packet in group.packets:
            step_ns = 1e9 / packet.sampling_rate_hz
            slack_ns = 1 + 1e-5 * step_ns
            last_ns = packet.start_ns + (len(packet.samples) - 1) * step_ns
            interval = int((packet.start_ns + slack_ns - anchor_ns) // packet_ns)
            assert last_ns - slack_ns < anchor_ns + (interval + 1) * packet_ns
            intervals.add(interval)
        assert len(intervals) == 1


@given(station_segments(), anchors_ns, lengths_ns)
def test_groups_come_in_time_order(segments: list[Segment], anchor_ns: int, packet_ns: int) -> None:
    ends_ns = [group.end_ns for group in cut(segments, anchor_ns, packet_ns)]

    assert all(later > earlier - 2 for earlier, later in pairwise(ends_ns))


@given(station_segments(), anchors_ns, lengths_ns)
def test_the_order_of_the_segments_does_not_matter(
    segments: list[Segment], anchor_ns: int, packet_ns: int
) -> None:
    def plain(groups: list[PacketGroup]) -> list[tuple[int, list[tuple[str, int, int]]]]:
        return [
            (g.end_ns, [(str(p.stream_id), p.start_ns, len(p.samples)) for p in g.packets])
            for g in groups
        ]

    shuffled = list(reversed(segments))
    assert plain(cut(segments, anchor_ns, packet_ns)) == plain(cut(shuffled, anchor_ns, packet_ns))


def test_channels_of_equal_start_are_cut_at_equal_samples() -> None:
    segments = [
        Segment(
            stream_id=StreamId("XX", "AAA", "", f"HN{letter}"),
            start_ns=START_NS,
            sampling_rate_hz=31.323,
            samples=np.arange(1000, dtype=np.int32),
        )
        for letter in "ZNE"
    ]
    groups = cut(segments, START_NS + 123_456_789, 500_000_000)

    assert len(groups) > 60
    for group in groups:
        assert [p.stream_id.channel for p in group.packets] == ["HNE", "HNN", "HNZ"]
        assert len({(p.start_ns, len(p.samples)) for p in group.packets}) == 1


def test_half_second_packets_at_100_hz_hold_50_samples() -> None:
    segment = Segment(
        stream_id=StreamId("XX", "AAA", "", "HNZ"),
        start_ns=START_NS,
        sampling_rate_hz=100.0,
        samples=np.arange(1000, dtype=np.int32),
    )
    groups = cut([segment], START_NS, 500_000_000)

    assert [len(group.packets[0].samples) for group in groups] == [50] * 20
    assert [group.end_ns - START_NS for group in groups] == list(
        range(500_000_000, 10_000_000_001, 500_000_000)
    )
