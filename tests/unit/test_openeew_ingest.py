from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from eew.errors import DataError
from eew.ingest.live import Health
from eew.ingest.openeew import DeviceClock, TraceReader, device_names
from eew.ingest.openeew_archive import read_archive, read_arrivals
from eew.ingest.openeew_delays import delays_of, pooled
from eew.messages.openeew import encode_trace
from eew.model.waveform import Packet, SensorKind
from tests.unit.ingest_cases import START_NS, kinds, station, three_components
from tests.unit.openeew_cases import SPAN_NS, N, S, device, trace, write_archive

MS = 1_000_000


def reader(*codes: str, rate_hz: float = 31.25) -> tuple[TraceReader, Health]:
    health = Health("test")
    stations = [device(code, rate_hz=rate_hz) for code in codes or ("XX.OE001",)]
    return TraceReader(stations, health.set_aside), health


def verticals(packets: list[Packet]) -> list[Packet]:
    return [packet for packet in packets if packet.stream_id.channel.endswith("Z")]


# ---------------------------------------------------------------- samples and streams
def test_gal_become_counts_of_the_inventory_x_is_the_vertical() -> None:
    packets = reader()[0].take(trace(value=1.5), START_NS + 2 * S)

    assert [str(p.stream_id) for p in packets] == [
        "XX.OE001..BNZ",
        "XX.OE001..BN1",
        "XX.OE001..BN2",
    ]
    assert packets[0].samples[:2] == pytest.approx([1500.0, 1501.0])  # 1 count is 0.001 gal
    assert packets[1].samples[0] == pytest.approx(3000.0)
    assert packets[2].samples[0] == pytest.approx(-1500.0)


def test_the_device_says_when_the_last_sample_was_taken() -> None:
    packets = reader()[0].take(trace(end_ns=START_NS), START_NS + S // 2)

    assert packets[0].start_ns == START_NS - round((N - 1) * S / 31.25)
    assert packets[0].end_ns == START_NS + round(S / 31.25)


@pytest.mark.parametrize("name", ["001", "OE001", "XX.OE001"])
def test_a_device_is_found_by_any_of_its_names(name: str) -> None:
    assert reader()[0].take(trace(device_id=name), START_NS + 2 * S)
    assert name in device_names("XX.OE001")


def test_an_unknown_device_and_another_rate_are_set_aside() -> None:
    some, health = reader()

    assert some.take(trace(device_id="099"), START_NS + 2 * S) == ()
    assert some.take(trace(sr=100.0), START_NS + 2 * S) == ()
    assert kinds(health.problems()) == {"no_metadata": 1, "rate": 1}
    assert "sr 100 Hz, the inventory has 31.25 Hz" in health.problems()[1].detail


def test_stations_that_cannot_be_devices_are_named() -> None:
    health = Health("test")
    two = station(three_components("XX.TWO")[:2])
    velocity = station(three_components("XX.VEL"), kind=SensorKind.VELOCITY)

    made = TraceReader([two, velocity, device()], health.set_aside)

    assert [one.code for one in made.stations] == ["XX.OE001"]
    assert [one.where for one in health.problems()] == ["XX.TWO", "XX.VEL"]


def test_a_double_is_dropped() -> None:
    some, health = reader()

    assert some.take(trace(0), START_NS + 2 * S)
    assert some.take(trace(0), START_NS + 3 * S) == ()
    assert kinds(health.problems()) == {"duplicate": 1}


# ---------------------------------------------------------------- the grid
def test_jitter_of_the_device_does_not_tear_the_data(rng: np.random.Generator) -> None:
    some, health = reader()
    packets: list[Packet] = []
    for number in range(100):
        end_ns = START_NS + (number + 1) * SPAN_NS + int(rng.integers(-14, 15)) * MS
        packets += some.take(trace(number, end_ns=end_ns), end_ns + 300 * MS)

    mine = verticals(packets)
    assert all(a.end_ns == pytest.approx(b.start_ns, abs=1) for a, b in pairwise(mine))
    samples = np.concatenate([one.samples for one in mine])
    np.testing.assert_allclose(samples, np.arange(3200), atol=1e-6)
    assert health.problems() == []


def test_a_slow_device_gets_a_sample_now_and_then_and_stays_within_one_of_its_time() -> None:
    some, health = reader()
    slow_ns = round(N * S / 31.0)  # 0.8 % slower than the inventory says
    for number in range(200):
        end_ns = START_NS + (number + 1) * slow_ns
        packet = some.take(trace(number, end_ns=end_ns), end_ns + 300 * MS)[0]
        last_ns = packet.end_ns - round(S / 31.25)
        assert abs(last_ns - end_ns) < 1.1 * S / 31.25

    made_up = kinds(health.problems())["gap"]
    assert made_up == pytest.approx(200 * (slow_ns - SPAN_NS) * 31.25 / S, abs=2)


def test_a_fast_device_overlaps_by_whole_samples() -> None:
    some, health = reader()
    fast_ns = round(N * S / 31.5)
    packets: list[Packet] = []
    for number in range(200):
        end_ns = START_NS + (number + 1) * fast_ns
        packets += some.take(trace(number, end_ns=end_ns), end_ns + 300 * MS)

    mine = verticals(packets)
    steps = [round((b.start_ns - a.end_ns) * 31.25 / S) for a, b in pairwise(mine)]
    assert set(steps) == {0, -1}
    assert health.problems() == []


def test_a_loss_stays_a_gap_and_a_late_packet_finds_its_place() -> None:
    some, _ = reader()
    times = {number: START_NS + (number + 1) * SPAN_NS for number in range(6)}
    packets = {}
    for number in (0, 1, 4, 2, 5):  # 3 is lost, 2 comes late
        packets[number] = some.take(trace(number), times[5] + S)[0]

    starts = {number: packet.start_ns for number, packet in packets.items()}
    assert starts[4] - starts[1] == pytest.approx(3 * SPAN_NS, abs=2)
    assert starts[2] - starts[1] == pytest.approx(SPAN_NS, abs=2)
    assert starts[5] - starts[4] == pytest.approx(SPAN_NS, abs=2)


# ---------------------------------------------------------------- clocks
def test_a_sound_clock_is_left_alone_whatever_the_link_does() -> None:
    clock = DeviceClock()

    for delay_s in (0.1, 0.3, 4.9, 0.0, 2.0):
        assert clock.utc_ns(START_NS, START_NS + round(delay_s * S)) == START_NS


def test_a_clock_that_is_ahead_is_put_right_at_once() -> None:
    clock = DeviceClock()

    assert clock.utc_ns(START_NS + 365 * MS, START_NS) == START_NS - 150 * MS
    # a slower packet later changes nothing more
    assert clock.utc_ns(START_NS + S + 365 * MS, START_NS + S + 100 * MS) == START_NS + S - 150 * MS


def test_a_clock_that_is_half_an_hour_behind_is_believed_after_five_packets() -> None:
    clock = DeviceClock()
    behind_ns = 1816 * S
    found = [
        clock.utc_ns(START_NS + i * S - behind_ns, START_NS + i * S + i % 2 * 100 * MS)
        for i in range(8)
    ]

    assert [at - (START_NS + i * S) for i, at in enumerate(found[:4])] == [-behind_ns] * 4
    assert [at - (START_NS + i * S) for i, at in enumerate(found[4:], start=4)] == [-150 * MS] * 4


def test_the_burst_after_an_outage_is_late_data_and_no_wrong_clock() -> None:
    clock = DeviceClock()
    back_ns = START_NS + 60 * S

    for i in range(60):  # all of a minute in half a second
        device_ns = START_NS + i * S
        assert clock.utc_ns(device_ns, max(device_ns, back_ns) + i * 8 * MS) == device_ns


# ---------------------------------------------------------------- the archive
def archive(path: Path, files: dict[str, list[bytes]]) -> Path:
    return write_archive(path, {name: b"\n".join(lines) for name, lines in files.items()})


def test_an_archive_is_read_in_the_order_of_arrival_with_its_bytes(tmp_path: Path) -> None:
    a = [encode_trace(trace(i, device_id="001")) for i in (2, 0, 1)]
    b = [encode_trace(trace(i, device_id="002", delay_ns=100 * MS)) for i in range(2)]
    path = archive(
        tmp_path / "p.tar.xz", {"001/00.jsonl": a, "002/00.jsonl": b, "notes.txt": [b"-"]}
    )

    packets, problems = read_archive(path)

    assert [one.payload for one in packets] == [b[0], a[1], b[1], a[2], a[0]]
    assert problems == []


def test_lines_that_cannot_be_used_are_counted_by_file(tmp_path: Path) -> None:
    lines = [
        b"{",
        encode_trace(trace(0)),
        encode_trace(trace(1, delay_ns=None)),
        b"",
    ]
    packets, problems = read_archive(archive(tmp_path / "p.tar.xz", {"001/00.jsonl": lines}))

    assert len(packets) == 1
    assert [(one.kind, one.where, one.count) for one in problems] == [
        ("unreadable", "p.tar.xz:001/00.jsonl", 2)
    ]
    assert "line 1: OpenEEW packet: not JSON" in problems[0].detail


@pytest.mark.parametrize("content", [b"", b"not an archive", b"\xfd7zXZ\x00\x00\x04 cut off"])
def test_a_damaged_archive_is_an_error_with_its_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "packets.tar.xz"
    path.write_bytes(content)

    with pytest.raises(DataError, match=r"packets\.tar\.xz: damaged, or not a tar\.xz"):
        read_archive(path)


def test_an_archive_that_is_cut_off_is_an_error(tmp_path: Path) -> None:
    lines = [encode_trace(trace(i)) for i in range(100)]
    path = archive(tmp_path / "p.tar.xz", {"001/00.jsonl": lines})
    path.write_bytes(path.read_bytes()[:-600])

    with pytest.raises(DataError, match="damaged"):
        read_archive(path)


def test_no_archive_and_an_empty_one_are_errors(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read: No such file"):
        read_archive(tmp_path / "p.tar.xz")
    with pytest.raises(DataError, match="no OpenEEW packet"):
        read_archive(archive(tmp_path / "p.tar.xz", {"readme": [b"-"]}))


def test_arrivals_of_devices_nobody_knows_are_an_error(tmp_path: Path) -> None:
    path = archive(tmp_path / "p.tar.xz", {"001/00.jsonl": [encode_trace(trace(0))]})

    with pytest.raises(DataError, match=r"none of its devices is in stations\.xml"):
        read_arrivals(path, [device("XX.OE002")])


# ---------------------------------------------------------------- delays
def test_delays_drift_and_gaps_are_measured(tmp_path: Path) -> None:
    lines = []
    for number in range(300):
        if 100 <= number < 103:
            continue  # lost
        true_ns = START_NS + (number + 1) * SPAN_NS
        drifted_ns = true_ns + round(1e-4 * (true_ns - START_NS))  # 100 ppm fast
        arrival_ns = true_ns + (200 + 100 * (number % 10)) * MS
        lines.append(
            encode_trace(trace(number, end_ns=drifted_ns, delay_ns=arrival_ns - drifted_ns))
        )
    lines.append(lines[0])
    measured = delays_of(read_archive(archive(tmp_path / "p.tar.xz", {"001/0.jsonl": lines}))[0])[0]

    assert measured.n_packets == 298
    assert measured.n_gaps == 1
    assert measured.n_duplicates == 1
    assert measured.drift_ppm == pytest.approx(100.0, abs=3.0)
    assert measured.rate_hz == pytest.approx(31.25, rel=1e-3)
    assert measured.percentile_s(50.0) == pytest.approx(0.65, abs=0.06)
    assert measured.percentile_s(95.0) == pytest.approx(1.1, abs=0.05)
    assert len(pooled([measured, measured])) == 2 * 298
