"""The chunking law: the same samples cut into any packets give the same picks and peaks.

Exactly the same: every float is compared with ``==``. Decisions are taken at samples, so nothing
may depend on where a packet, a block or a piece of the kernel ends.
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from eew.core.bank import StationBank
from eew.core.pipeline import Pipeline
from eew.model.event import Pick, PickRejected
from eew.model.waveform import Packet, SensorKind, Station
from tests.unit.core_cases import (
    COUNTS_PER_MPS2,
    NS,
    Floats,
    burst,
    config,
    make_station,
    noise,
    packets_of,
    quake_record,
    steps,
    to_counts,
)

RATES_HZ = (31.25, 100.0, 200.0)
SECONDS = 24.0


@cache
def network() -> tuple[tuple[Station, Floats], ...]:
    """Five stations of mixed rates and sensors, each with P, S, a spike or a clipped sample."""
    rng = np.random.default_rng(20240101)
    made = []
    for number in range(5):
        rate_hz = RATES_HZ[number % 3]
        # 9 km apart: a quake under the first one, P and S as far apart as they should be
        p_at_s, s_at_s = 9.0 + 1.2 * number, 10.5 + 2.1 * number
        station = make_station(
            f"XX.S{number}",
            rate_hz=rate_hz,
            kind=SensorKind.VELOCITY if number == 4 else SensorKind.ACCELERATION,
            components="Z" if number == 3 else "ZNE",
            clip_counts=0.2 * COUNTS_PER_MPS2 if number == 1 else np.inf,
            lat=30.0 + 0.08 * number,
        )
        counts = quake_record(
            rng, rate_hz=rate_hz, seconds=SECONDS, p_at_s=p_at_s, s_at_s=s_at_s, p_mps2=0.04
        )
        counts += round(9.81 * COUNTS_PER_MPS2) if number == 2 else 0.0
        counts[:, round(6.0 * rate_hz)] += 0.1 * COUNTS_PER_MPS2 if number == 0 else 0.0
        made.append((station, counts))
    return tuple(made)


@st.composite
def cuttings(draw: st.DrawFn) -> list[list[list[int]]]:
    """Cut points per station and channel: random, some twice (an empty packet).

    Channels are cut each for itself, in packets shorter than the lag a component may have, or
    all at the same points in packets of any length.
    """
    result = []
    for station, counts in network():
        n = counts.shape[1]
        rate_hz = station.channels[0].sampling_rate_hz
        points = st.lists(st.integers(0, n), max_size=25)
        if draw(st.booleans()):
            common = sorted(draw(points))
            result.append([common for _ in station.channels])
            continue
        base = range(round(0.4 * rate_hz), n, round(1.4 * rate_hz))
        result.append([sorted([*base, *draw(points)]) for _ in station.channels])
    return result


def outcome(pipeline: Pipeline, packets: list[Packet]) -> dict[str, Any]:
    """Feed packets in order of their ends; return all that may not depend on the cutting."""
    picks: list[tuple[object, ...]] = []
    for now_ns, together in grouped(packets):
        for event in pipeline.receive(together, now_ns):
            if isinstance(event, Pick):
                picks.append((event.station, event.time_ns, "", event.snr, event.uncertainty_s))
            elif isinstance(event, PickRejected):
                picks.append((event.station, event.time_ns, event.reason))
    bank = pipeline._bank
    series = {
        (row, slot): tuple(
            value.tolist() if isinstance(value, np.ndarray) else value
            for value in (
                growing.pd_m,
                growing.pv_mps,
                growing.pa_mps2,
                growing.pd_noise_m,
                growing.pv_noise_mps,
                growing.pa_noise_mps2,
                growing.tau_c_s,
                growing.tau_p_s,
                growing.pgv_mps,
                growing.clipped_from,
            )
        )
        for row in range(len(pipeline.stations))
        for slot in range(bank.state.slot_onset.shape[1])
        if bank.state.slot_onset[row, slot] >= 0
        for growing in [bank.growing(row, slot)]
    }
    return {
        "picks": sorted(picks, key=lambda p: p[:2]),
        "series": series,
        "peaks": pipeline.station_peaks(),
        "problems": pipeline.problems(),
    }


def grouped(packets: list[Packet]) -> list[tuple[int, list[Packet]]]:
    """Packets that end at the same instant arrive together."""
    together: dict[int, list[Packet]] = {}
    for now_ns, packet in steps(packets):
        together.setdefault(now_ns, []).append(packet)
    return sorted(together.items())


@cache
def uncut() -> dict[str, Any]:
    pipeline = Pipeline([s for s, _ in network()], config())
    packets = [p for station, counts in network() for p in packets_of(station, counts)]
    return outcome(pipeline, packets)


def test_the_uncut_records_hold_what_the_law_is_about() -> None:
    whole = uncut()
    found = [p for p in whole["picks"] if p[2] == ""]

    assert {p[0] for p in found} == {s.code for s, _ in network()}
    assert any(p[2] == "spike" for p in whole["picks"])
    assert any(peaks.clipped for peaks in whole["peaks"])
    assert len(whole["series"]) >= len(network())
    assert whole["problems"] == []


@settings(max_examples=40)
@given(cuttings())
def test_picks_and_peaks_do_not_depend_on_how_packets_are_cut(cuts: list[list[list[int]]]) -> None:
    pipeline = Pipeline([s for s, _ in network()], config())
    packets = [
        packet
        for (station, counts), own in zip(network(), cuts, strict=True)
        for packet in packets_of(station, counts, own)
    ]

    assert outcome(pipeline, packets) == uncut()


# ---------------------------------------------------------------- the bank by itself
@cache
def long_record(rate_hz: float) -> tuple[Floats, NDArray[np.uint8]]:
    """Forty seconds with onsets ever larger, a flat top, and a stretch that was made up."""
    rng = np.random.default_rng(7)
    motion = noise(rng, 40.0, rate_hz)
    n = motion.shape[1]
    for at_s, zne_mps2 in ((7.0, 0.003), (13.0, 0.02), (19.0, 0.1), (30.0, 0.5)):
        motion += burst(
            rng, n, rate_hz, at_s, (zne_mps2, 0.4 * zne_mps2, 0.4 * zne_mps2), lasts_s=1.5
        )
    motion = np.clip(motion, -0.6, 0.6)
    filled = np.zeros(n, dtype=np.uint8)
    filled[round(25.0 * rate_hz) : round(25.8 * rate_hz)] = 1
    return to_counts(motion), filled


def state_after(rate_hz: float, cuts: list[int]) -> list[NDArray[Any]]:
    counts, filled = long_record(rate_hz)
    bank = StationBank([make_station(rate_hz=rate_hz)], config().processing)
    judged = []
    for lo, hi in pairwise([0, *cuts, counts.shape[1]]):
        if hi > lo:
            judged += bank.process([0], [(np.ascontiguousarray(counts[:, lo:hi]), filled[lo:hi])])
    rows = [(j.onset, j.decided, j.number, j.snr, j.h_to_z) for j in judged]
    state = bank.state
    assert sum(j.reason == "accepted" for j in judged) >= 3
    return [
        np.array(rows),
        state.filters,
        state.detect,
        state.band,
        state.counters,
        state.slot_onset,
        state.slot_length,
        state.slot_clipped,
        state.slot_values,
        state.series,
        state.peaks,
    ]


@cache
def state_in_one_block(rate_hz: float) -> list[NDArray[Any]]:
    return state_after(rate_hz, [])


@given(st.sampled_from(RATES_HZ), st.data())
def test_every_number_of_the_state_is_the_same_after_any_blocks(
    rate_hz: float, data: st.DataObject
) -> None:
    n = long_record(rate_hz)[0].shape[1]
    cuts = sorted(data.draw(st.lists(st.integers(1, n - 1), max_size=40, unique=True)))
    run = data.draw(st.integers(0, n - 130))  # and somewhere sample by sample
    cuts = sorted({*cuts, *range(run + 1, run + 129)})

    for whole, cut in zip(state_in_one_block(rate_hz), state_after(rate_hz, cuts), strict=True):
        np.testing.assert_array_equal(cut, whole)


def test_a_block_of_many_stations_is_the_same_as_each_by_itself() -> None:
    stations = [s for s, _ in network()]
    together = StationBank(stations, config().processing)
    alone = StationBank(stations, config().processing)
    seconds = 0.5
    done = [0] * len(stations)
    for _ in range(round(SECONDS / seconds)):
        blocks = []
        for row, (station, counts) in enumerate(network()):
            n = round(seconds * station.channels[0].sampling_rate_hz)
            n = min(n, counts.shape[1] - done[row])
            frames = np.zeros((3, n))
            for channel in station.channels:
                component = channel.component.value
                frames[component] = counts[component, done[row] : done[row] + n]
            done[row] += n
            blocks.append((frames, np.zeros(n, dtype=np.uint8)))
        rows = list(range(len(stations)))
        expected = [j for row in rows for j in alone.process([row], [blocks[row]])]
        assert together.process(rows, blocks) == expected
    np.testing.assert_array_equal(together.state.series, alone.state.series)
    np.testing.assert_array_equal(together.state.peaks, alone.state.peaks)


def test_a_long_packet_ends_with_its_last_sample_not_before() -> None:
    station, counts = network()[1]
    pipeline = Pipeline([station], config())
    packet = packets_of(station, counts)
    pipeline.receive(packet, packet[0].end_ns)

    state = pipeline.station_states(packet[0].end_ns)[0]
    assert state.last_sample_ns is not None
    assert abs(state.last_sample_ns - packet[0].end_ns) < NS / 1000
