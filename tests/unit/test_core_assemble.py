"""What the assembler makes of gaps, doubles, disorder, NaN and components that fail."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from eew.model.waveform import Packet
from tests.unit.assembler_cases import (
    Arrival,
    every,
    feed,
    in_order,
    make_assembler,
    numbered,
    put_together,
)
from tests.unit.core_cases import NS, START_NS, make_station, packets_of

RATE_HZ = 100.0
STATION = make_station(rate_hz=RATE_HZ)


def seconds_of(packet: Packet) -> tuple[float, float]:
    return (packet.start_ns - START_NS) / NS, (packet.end_ns - START_NS) / NS


def without(packets: list[Packet], lo_s: float, hi_s: float, letters: str = "ZNE") -> list[Packet]:
    """Leave out the packets of some channels that lie in a stretch of time."""
    return [
        p
        for p in packets
        if not (
            p.stream_id.channel[-1] in letters
            and seconds_of(p)[0] >= lo_s
            and seconds_of(p)[1] <= hi_s
        )
    ]


def test_packets_in_order_come_out_as_they_are() -> None:
    given = feed(make_assembler(STATION), in_order(every(STATION, 10.0)))

    np.testing.assert_array_equal(given.frames, numbered(1000))
    assert not given.filled.any()
    assert given.restarts_ns == [START_NS]
    assert given.problems == {}


def test_a_gap_of_all_components_is_bridged_and_flagged() -> None:
    given = feed(make_assembler(STATION), in_order(without(every(STATION, 10.0), 4.0, 5.5)))

    np.testing.assert_allclose(given.frames, numbered(1000), rtol=1e-12)  # a straight line
    assert np.flatnonzero(given.filled).tolist() == list(range(400, 550))
    assert given.restarts_ns == [START_NS]
    assert given.problems == {"gap": 3}  # one per channel


def test_a_gap_of_a_horizontal_is_bridged_without_a_flag() -> None:
    packets = without(every(STATION, 10.0), 4.0, 4.5, "N")
    given = feed(make_assembler(STATION), in_order(packets))

    np.testing.assert_allclose(given.frames, numbered(1000), rtol=1e-12)
    assert not given.filled.any()


def test_a_gap_of_one_component_longer_than_the_wait_loses_none_of_its_later_samples() -> None:
    # the gap ends before the others are a lag ahead; its data then waits a second
    packets = without(every(STATION, 12.0), 4.0, 5.5, "Z")
    given = feed(make_assembler(STATION), in_order(packets))

    np.testing.assert_allclose(given.frames, numbered(1200), rtol=1e-12)
    assert np.flatnonzero(given.filled).tolist() == list(range(400, 550))


def test_a_long_gap_starts_the_station_anew() -> None:
    given = feed(make_assembler(STATION), in_order(without(every(STATION, 20.0), 6.0, 12.0)))

    assert given.restarts_ns == [START_NS, START_NS + 12 * NS]
    kept = np.r_[0:600, 1200:2000]
    np.testing.assert_array_equal(given.index(RATE_HZ), kept)
    np.testing.assert_array_equal(given.frames, numbered(2000)[:, kept])
    assert not given.filled.any()
    assert given.problems == {"gap": 1}


def test_a_second_outage_starts_it_anew_again() -> None:
    packets = without(without(every(STATION, 40.0), 6.0, 12.0), 20.0, 30.0)
    given = feed(make_assembler(STATION), in_order(packets))

    assert [(ns - START_NS) / NS for ns in given.restarts_ns] == [0.0, 12.0, 30.0]
    np.testing.assert_array_equal(given.frames[0], given.index(RATE_HZ))


def test_after_an_outage_from_which_only_horizontals_return_they_go_on_alone() -> None:
    packets = without(without(every(STATION, 30.0), 6.0, 12.0), 12.0, 30.0, "Z")
    assembler = make_assembler(STATION)
    given = feed(assembler, in_order(packets))

    assert given.restarts_ns == [START_NS, START_NS + 12 * NS]
    np.testing.assert_array_equal(given.frames[1], given.index(RATE_HZ) + 0.25)
    assert not assembler.has_waiting  # nothing heaps up for a component that may never return
    assert given.filled[600:].all()


def test_a_duplicate_is_dropped_and_counted() -> None:
    packets = every(STATION, 10.0)
    given = feed(make_assembler(STATION), in_order([*packets, *packets[3:9]], delay_ns=0))

    np.testing.assert_array_equal(given.frames, numbered(1000))
    assert given.problems == {"duplicate": 6}


def test_an_overlap_counts_once_each_sample() -> None:
    first = packets_of(STATION, numbered(600))
    second = packets_of(STATION, numbered(1000)[:, 450:], start_ns=START_NS + 4_500_000_000)
    given = feed(make_assembler(STATION), in_order([*first, *second]))

    np.testing.assert_array_equal(given.frames, numbered(1000))
    assert given.problems == {"overlap": 3}


def test_packets_out_of_order_within_the_wait_are_put_right() -> None:
    arrivals: list[Arrival] = []
    for number, (now_ns, packet) in enumerate(in_order(every(STATION, 12.0))):
        late_ns = 900_000_000 if number % 7 == 5 else 0  # the first of each channel is in time
        arrivals.append((now_ns + late_ns, packet))
    given = feed(make_assembler(STATION), arrivals)

    np.testing.assert_array_equal(given.frames, numbered(1200))
    assert not given.filled.any()
    assert given.restarts_ns == [START_NS]
    assert given.problems["reordered"] > 0
    assert set(given.problems) == {"reordered"}


def test_a_packet_later_than_the_wait_is_not_waited_for() -> None:
    packets = every(STATION, 12.0)
    arrivals = [
        (now_ns + (1_700_000_000 if 4.0 <= seconds_of(p)[0] < 4.5 else 0), p)
        for now_ns, p in in_order(packets)
    ]
    given = feed(make_assembler(STATION), arrivals)

    assert np.flatnonzero(given.filled).tolist() == list(range(400, 450))
    np.testing.assert_allclose(given.frames, numbered(1200), rtol=1e-12)
    assert given.problems == {"gap": 3, "duplicate": 3}


def test_nan_is_held_flagged_and_counted() -> None:
    counts = numbered(1000)
    counts[:, 300:320] = np.nan
    counts[0, 555] = np.inf
    cuts = [list(range(50, 1000, 50))] * 3
    given = feed(make_assembler(STATION), in_order(packets_of(STATION, counts, cuts)))

    assert np.flatnonzero(given.filled).tolist() == [*range(300, 320), 555]
    assert (given.frames[0, 300:320] == 299.0).all()
    assert given.frames[0, 555] == 554.0
    assert np.isfinite(given.frames).all()
    assert given.problems == {"nan": 61}


def test_a_record_that_begins_with_nan_begins_with_its_first_value() -> None:
    counts = numbered(1000)
    counts[:, :130] = np.nan
    for cuts in ([], [50], [100, 130], [1, 2, 3, 129]):
        packets = packets_of(STATION, counts, [cuts] * 3)
        given = feed(make_assembler(STATION), in_order(packets))

        assert given.restarts_ns == [START_NS + 1_300_000_000]
        np.testing.assert_array_equal(given.frames, counts[:, 130:])
        assert given.problems == {"nan": 390}


def test_a_component_of_nothing_but_nan_is_as_good_as_none() -> None:
    counts = numbered(1000)
    counts[2] = np.nan
    cuts = [list(range(50, 1000, 50))] * 3
    given = feed(make_assembler(STATION), in_order(packets_of(STATION, counts, cuts)))

    np.testing.assert_array_equal(given.frames[:2], counts[:2])
    assert (given.frames[2] == 0.0).all()


def test_a_missing_component_holds_the_others_up_once_not_for_ever() -> None:
    assembler = make_assembler(STATION)
    held_up_s = []
    blocks = []
    for now_ns, packet in in_order(without(every(STATION, 20.0), 0.0, 20.0, "E")):
        assembler.receive(packet, now_ns)
        if packet.stream_id.channel == "HNN":
            blocks += assembler.take(now_ns)
            given_out_s = sum(b.frames.shape[1] for b in blocks) / RATE_HZ
            held_up_s.append((now_ns - START_NS) / NS - given_out_s)
    given = put_together(assembler, blocks)

    assert max(held_up_s) <= 2.0
    assert held_up_s[5:] == [0.0] * len(held_up_s[5:])  # from 2.5 s on nobody waits
    np.testing.assert_array_equal(given.frames[:2], numbered(2000)[:2])
    assert not given.filled.any()


def test_a_missing_vertical_is_flagged_all_the_way() -> None:
    given = feed(make_assembler(STATION), in_order(without(every(STATION, 10.0), 0.0, 10.0, "Z")))

    np.testing.assert_array_equal(given.frames[1:], numbered(1000)[1:])
    assert given.filled.all()


def test_a_lagging_component_is_held_and_comes_back() -> None:
    packets = every(STATION, 20.0)
    arrivals = [
        (now_ns + (5 * NS if p.stream_id.channel == "HNE" and 8.0 <= at_s < 13.0 else 0), p)
        for now_ns, p in in_order(packets)
        for at_s in [seconds_of(p)[0]]
    ]
    given = feed(make_assembler(STATION), arrivals)

    np.testing.assert_array_equal(given.frames[:2], numbered(2000)[:2])
    assert not given.filled.any()
    np.testing.assert_array_equal(given.frames[2, :800], numbered(800)[2])
    assert (given.frames[2, 800:1000] == 799.5).all()  # held
    np.testing.assert_array_equal(given.frames[2, 1400:], numbered(2000)[2, 1400:])
    assert given.problems["late"] > 0


def test_a_vertical_that_starts_later_starts_the_station() -> None:
    for first_s in (0.5, 1.5, 3.0, 10.0):
        packets = without(every(STATION, 20.0), 0.0, first_s, "Z")
        given = feed(make_assembler(STATION), in_order(packets))
        begins = given.index(RATE_HZ) >= round(first_s * RATE_HZ)

        assert given.restarts_ns[-1] == START_NS + round(first_s * NS)
        np.testing.assert_array_equal(given.frames[:, begins], numbered(2000)[:, -begins.sum() :])
        assert not given.filled[begins].any()
        assert given.filled[~begins].all()


def test_a_horizontal_that_starts_later_never_steps_from_nothing() -> None:
    for first_s in (0.5, 3.0, 10.0):
        packets = without(every(STATION, 20.0), 0.0, first_s, "N")
        given = feed(make_assembler(STATION), in_order(packets))
        number = given.index(RATE_HZ)
        spoken = number >= round(first_s * RATE_HZ)

        np.testing.assert_array_equal(given.frames[0], number)
        np.testing.assert_array_equal(given.frames[1, spoken], number[spoken] + 0.25)
        level = given.frames[1, np.argmax(spoken) - 1]
        begins_anew = START_NS + round(first_s * NS) in given.restarts_ns
        assert begins_anew or level == given.frames[1, spoken][0]


def test_a_component_missing_in_the_first_packets_only_loses_nothing_of_the_others() -> None:
    given = feed(make_assembler(STATION), in_order(without(every(STATION, 10.0), 0.0, 0.5, "E")))

    np.testing.assert_array_equal(given.frames[:2], numbered(1000)[:2])
    np.testing.assert_array_equal(given.frames[2, 50:], numbered(1000)[2, 50:])


def test_a_wrong_rate_is_counted_and_not_used() -> None:
    assembler = make_assembler(STATION)
    wrong = replace(every(STATION, 1.0)[0], sampling_rate_hz=50.0)
    close = replace(every(STATION, 1.0)[0], sampling_rate_hz=100.02)  # a clock, not another rate
    assembler.receive(wrong, START_NS + NS)
    assembler.receive(close, START_NS + NS)

    assert dict(assembler.problems) == {"rate": 1}


def test_a_stream_of_another_channel_is_counted_and_not_used() -> None:
    assembler = make_assembler(STATION)
    other = every(make_station("XX.BBB"), 1.0)[0]
    assembler.receive(other, START_NS + NS)

    assert dict(assembler.problems) == {"no_metadata": 1}
    assert assembler.take(START_NS + 9 * NS) == []


def test_rates_that_are_no_whole_number_do_not_drift() -> None:
    for rate_hz in (31.25, 30.061, 200.0 / 3.0):
        station = make_station(rate_hz=rate_hz)
        given = feed(make_assembler(station), in_order(every(station, 300.0)))

        np.testing.assert_array_equal(given.frames[0], given.index(rate_hz))
        assert given.problems == {}
