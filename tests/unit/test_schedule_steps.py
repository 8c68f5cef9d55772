from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from eew.errors import ConfigError
from eew.model.waveform import Recording
from simulator.link import LinkDelay
from simulator.schedule import Schedule, Step
from tests.unit.ingest_cases import (
    START_NS,
    TRUTH,
    counts,
    recording,
    segment,
    station,
    three_components,
)

S = 1_000_000_000
NO_DELAY = LinkDelay.fixed(0.0)


def three_stations() -> Recording:
    """20 s on two stations, and a third that starts 2 s late at another rate and has a gap."""
    ids = three_components("XX.CCC")
    late = [
        segment(i, counts(n), start_ns=START_NS + t * S, rate_hz=50.0)
        for i in ids
        for t, n in ((2, 400), (15, 100))
    ]
    stations = [
        station(three_components("XX.AAA")),
        station(three_components("XX.BBB", "HH")),
        station(ids, rate_hz=50.0),
    ]
    whole = recording(stations[:2])
    return recording(stations, [*whole.segments, *late])


def summary(steps: list[Step]) -> list[tuple[int, tuple[tuple[str, int, int], ...]]]:
    return [
        (s.now_ns, tuple((str(p.stream_id), p.start_ns, len(p.samples)) for p in s.packets))
        for s in steps
    ]


def test_ticks_come_every_half_second_from_the_start_until_all_has_arrived() -> None:
    steps = list(Schedule(three_stations(), link=LinkDelay.fixed(0.25)))

    ticks = [step.now_ns - START_NS for step in steps if not step.packets]
    assert ticks == list(range(S // 2, ticks[-1] + 1, S // 2))
    assert steps[-1].packets == ()
    last_arrival_ns = max(step.now_ns for step in steps if step.packets)
    assert 0 <= steps[-1].now_ns - last_arrival_ns < S // 2


def test_time_never_goes_back_and_data_come_before_the_tick_of_the_same_instant() -> None:
    steps = list(Schedule(three_stations(), link=NO_DELAY, phase="aligned"))

    times = [step.now_ns for step in steps]
    assert times == sorted(times)
    at_one_second = [bool(step.packets) for step in steps if step.now_ns == START_NS + S]
    assert at_one_second == [True, False]


def test_packets_arrive_at_their_end_plus_the_delay_of_their_station() -> None:
    schedule = Schedule(three_stations(), seed=5)

    arrivals = 0
    for step in schedule:
        for packet in step.packets:
            delay_ns = schedule.delay_ns(packet.stream_id.station_code)
            assert 0 <= step.now_ns - packet.end_ns - delay_ns <= 1
            arrivals += 1
    assert arrivals > 300


def test_all_channels_of_a_station_arrive_together() -> None:
    for step in Schedule(three_stations(), seed=3):
        by_station: dict[str, list[str]] = {}
        for packet in step.packets:
            channels = by_station.setdefault(packet.stream_id.station_code, [])
            channels.append(packet.stream_id.channel[-1])
        for channels in by_station.values():
            assert channels == ["E", "N", "Z"]


def test_without_phase_and_delay_everything_of_one_instant_is_one_step() -> None:
    steps = list(Schedule(recording_of_two(), link=NO_DELAY, phase="aligned"))

    with_data = [step for step in steps if step.packets]
    assert len(with_data) == 40
    assert {len(step.packets) for step in with_data} == {6}


def recording_of_two() -> Recording:
    return recording([station(three_components("XX.AAA")), station(three_components("XX.BBB"))])


def test_every_sample_arrives_once_and_as_a_view() -> None:
    case = three_stations()
    arrived: dict[str, list[NDArray[Any]]] = {}
    for step in Schedule(case, packet_s=0.7, seed=9):
        for packet in step.packets:
            arrived.setdefault(str(packet.stream_id), []).append(packet.samples)

    for stream in {s.stream_id for s in case.segments}:
        whole = [s.samples for s in case.segments if s.stream_id == stream]
        np.testing.assert_array_equal(np.concatenate(arrived[str(stream)]), np.concatenate(whole))
        assert all(any(np.shares_memory(p, w) for w in whole) for p in arrived[str(stream)])


def test_a_schedule_is_the_same_each_time_and_differs_by_seed() -> None:
    case = three_stations()
    schedule = Schedule(case, seed=4)

    first = summary(list(schedule))
    assert first == summary(list(schedule))
    assert first == summary(list(Schedule(case, seed=4)))
    assert first != summary(list(Schedule(case, seed=5)))


def test_a_station_is_cut_the_same_whatever_other_stations_there_are() -> None:
    case = three_stations()
    alone = replace(
        case,
        stations=case.stations[:1],
        segments=tuple(s for s in case.segments if s.stream_id.station == "AAA"),
    )

    def of_aaa(what: Recording) -> list[tuple[int, int]]:
        return [
            (step.now_ns, packet.start_ns)
            for step in Schedule(what, seed=8)
            for packet in step.packets
            if packet.stream_id.station == "AAA"
        ]

    assert of_aaa(case) == of_aaa(alone)


def test_stations_do_not_cut_in_unison_unless_told_to() -> None:
    def phases(phase: str) -> set[int]:
        schedule = Schedule(
            recording_of_two(), link=NO_DELAY, phase="aligned" if phase == "aligned" else "station"
        )
        return {(step.now_ns - START_NS) % (S // 2) for step in schedule if step.packets}

    assert phases("aligned") == {0}
    assert len(phases("station") - {0}) == 2


def test_until_counts_from_the_start_of_a_recording_without_truth() -> None:
    schedule = Schedule(three_stations(), until_s=4.0)

    assert schedule.zero_ns == START_NS
    assert max(step.now_ns for step in schedule) == START_NS + 4 * S


def test_until_counts_from_the_origin_where_it_is_known() -> None:
    schedule = Schedule(replace(three_stations(), truth=TRUTH), until_s=4.0)

    assert schedule.zero_ns == TRUTH.origin_time_ns
    assert max(step.now_ns for step in schedule) == TRUTH.origin_time_ns + 4 * S


def test_an_end_before_the_data_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"until_s: the data begin at -5\.0 s, was -6"):
        Schedule(replace(three_stations(), truth=TRUTH), until_s=-6.0)


@pytest.mark.parametrize("packet_s", [0.0, 0.09, 10.1, -1.0, math.nan, math.inf])
def test_packets_out_of_range_are_refused(packet_s: float) -> None:
    with pytest.raises(ConfigError, match=r"packet_s: must be 0\.1 to 10 s"):
        Schedule(three_stations(), packet_s=packet_s)


@pytest.mark.parametrize("tick_s", [0.0, -1.0, math.nan])
def test_ticks_out_of_range_are_refused(tick_s: float) -> None:
    with pytest.raises(ConfigError, match="tick_s: must be > 0"):
        Schedule(three_stations(), tick_s=tick_s)


def test_a_station_without_segments_does_not_matter() -> None:
    case = recording_of_two()
    silent = replace(case, stations=(*case.stations, station(["XX.SIL..HNZ"])))

    assert summary(list(Schedule(silent))) == summary(list(Schedule(case)))
