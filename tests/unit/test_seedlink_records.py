"""Packets as MiniSEED records, the ring that keeps them, and the frames around them."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pymseed import MS3Record, sourceid2nslc

from eew.errors import ConfigError
from eew.model.waveform import Packet, StreamId
from simulator.seedlink import frames
from simulator.seedlink.batches import Groups
from simulator.seedlink.patterns import StreamPattern
from simulator.seedlink.records import RECORD_BYTES, Record, RecordEncoder
from simulator.seedlink.ring import LARGEST_RING, RecordRing
from simulator.seedlink.selection import Request, Selection, Start

T0_NS = 1_662_364_372_123_457_000
HNZ, HNE = StreamId.parse("XX.S0000.00.HNZ"), StreamId.parse("XX.S0000.00.HNE")
FAR = StreamId.parse("YY.FAR..HNZ")


def packet(
    samples: NDArray[np.int32] | NDArray[np.float64],
    stream: StreamId = HNZ,
    rate_hz: float = 100.0,
    start_ns: int = T0_NS,
) -> Packet:
    return Packet(stream_id=stream, start_ns=start_ns, sampling_rate_hz=rate_hz, samples=samples)


def read(blobs: Sequence[bytes]) -> tuple[list[int], NDArray[np.float64], list[MS3Record]]:
    """Start times, samples end to end, records."""
    records = [MS3Record.parse(blob, unpack_data=True) for blob in blobs]
    samples = np.concatenate([np.array(one.np_datasamples) for one in records])
    return [one.starttime for one in records], samples, records


@pytest.mark.parametrize("record_bytes", RECORD_BYTES)
@pytest.mark.parametrize("kind", ["quiet", "wild", "steps", "float"])
def test_both_formats_give_the_samples_back(record_bytes: int, kind: str) -> None:
    rng = np.random.default_rng(7)
    samples: NDArray[np.int32] | NDArray[np.float64]
    match kind:
        case "quiet":
            samples = rng.integers(-50, 50, 700).astype(np.int32)
        case "wild":
            samples = rng.integers(-(2**23), 2**23, 500).astype(np.int32)
        case "steps":  # more than Steim 2 can say
            samples = np.array([0, 2**31 - 1, -(2**31), 5] * 20, dtype=np.int32)
        case _:
            samples = rng.normal(0.0, 1.0, 90)
    records = RecordEncoder(record_bytes).encode(packet(samples), shift_ns=5_000_000)
    assert all(len(one.mseed2) == record_bytes for one in records)
    starts2, samples2, parsed2 = read([one.mseed2 for one in records])
    starts3, samples3, parsed3 = read([one.mseed3 for one in records])
    np.testing.assert_array_equal(samples2, samples)
    np.testing.assert_array_equal(samples3, samples)
    assert {one.formatversion for one in parsed2} == {2}
    assert {one.formatversion for one in parsed3} == {3}
    assert sourceid2nslc(parsed3[0].sourceid) == ("XX", "S0000", "00", "HNZ")
    assert [one.start_ns for one in records] == starts3
    assert starts3[0] == T0_NS + 5_000_000
    assert max(abs(a - b) for a, b in zip(starts2, starts3, strict=True)) <= 1000
    # each ends where the next begins
    assert [one.end_ns for one in records[:-1]] == [one.start_ns for one in records[1:]]
    assert records[-1].end_ns == T0_NS + 5_000_000 + len(samples) * 10_000_000


@pytest.mark.parametrize("rate_hz", [1.0, 20.0, 31.25, 100.0, 200.0, 33.0, 0.2])
def test_any_sampling_rate_survives(rate_hz: float) -> None:
    samples = np.arange(40, dtype=np.int32)
    for record_bytes in RECORD_BYTES:
        records = RecordEncoder(record_bytes).encode(packet(samples, rate_hz=rate_hz))
        for blob in (records[0].mseed2, records[0].mseed3):
            assert MS3Record.parse(blob).samprate == pytest.approx(rate_hz, rel=1e-6)


def test_what_is_no_number_stays_no_number() -> None:
    (record,) = RecordEncoder().encode(packet(np.array([0.5, np.nan, -np.inf])))
    for blob in (record.mseed2, record.mseed3):
        _, samples, _ = read([blob])
        np.testing.assert_array_equal(samples, [0.5, np.nan, -np.inf])


def test_obspy_reads_the_records() -> None:
    import obspy

    samples = np.arange(-25, 25, dtype=np.int32)
    (record,) = RecordEncoder().encode(packet(samples))
    (trace,) = obspy.read(io.BytesIO(record.mseed2), format="MSEED")
    assert trace.id == "XX.S0000.00.HNZ"
    assert trace.stats.starttime.ns == T0_NS
    assert trace.stats.mseed.dataquality == "D"
    np.testing.assert_array_equal(trace.data, samples)


@pytest.mark.parametrize("record_bytes", [0, 64, 500, 1024])
def test_only_lengths_that_clients_read(record_bytes: int) -> None:
    with pytest.raises(ConfigError, match="512, 256 or 128"):
        RecordEncoder(record_bytes)


def test_headers_on_the_wire() -> None:
    assert frames.data_v3(0x12ABCDEF, b"record") == b"SLABCDEFrecord"
    frame = frames.data_v4(2**40 + 5, "XX_S0000", b"record")
    assert struct.unpack_from("<2sccIQB", frame) == (b"SE", b"3", b"D", 6, 2**40 + 5, 8)
    assert frame[17:] == b"XX_S0000record"
    info = frames.json_v4('{"a": "é"}', is_error=True)
    assert struct.unpack_from("<2sccIQB", info) == (b"SE", b"J", b"E", 11, 2**64 - 1, 0)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=1200))
def test_xml_comes_back_from_log_records(text: str) -> None:
    packets = frames.info_v3(text, start_ns=T0_NS)
    pieces = [packets[at : at + 520] for at in range(0, len(packets), 520)]
    assert [piece[:8] for piece in pieces[:-1]] == [b"SLINFO *"] * (len(pieces) - 1)
    assert pieces[-1][:8] == b"SLINFO  "
    records = [MS3Record.parse(piece[8:], unpack_data=True) for piece in pieces]
    joined = b"".join(bytes(one.datasamples) for one in records)
    assert joined == text.encode("ascii", "xmlcharrefreplace")
    assert {one.sourceid for one in records} == {"FDSN:SL_INFO__I_N_F"}


# ---------------------------------------------------------------- the ring
def record(stream: StreamId, second: int) -> Record:
    start_ns = T0_NS + second * 10**9
    return Record(stream, start_ns, start_ns + 10**9, 100, b"two%03d" % second, b"three")


def filled(capacity: int, n: int, first_seq: int = 1) -> RecordRing:
    ring = RecordRing(capacity, first_seq=first_seq)
    for second in range(n):
        ring.append(record((HNZ, FAR)[second % 2], second))
    return ring


@given(st.integers(1, 12), st.integers(0, 40), st.integers(1, 2**40))
def test_the_ring_keeps_the_newest(capacity: int, n: int, first_seq: int) -> None:
    ring = filled(capacity, n, first_seq)
    kept = min(capacity, n)
    assert len(ring) == kept
    assert (ring.begin_seq, ring.next_seq) == (first_seq + n - kept, first_seq + n)
    entries = list(ring.between(ring.begin_seq, ring.next_seq))
    assert [one.seq for one in entries] == list(range(ring.begin_seq, ring.next_seq))
    assert [one.start_ns for one in entries] == [
        T0_NS + second * 10**9 for second in range(n - kept, n)
    ]
    in_streams = [seq for state in ring.streams.values() for seq in state.seqs]
    assert sorted(in_streams) == [one.seq for one in entries]


@given(st.integers(1, 2**45), st.integers(0, 30), st.integers(-5, 40))
def test_24_bits_are_enough_to_come_back(first_seq: int, n: int, wanted: int) -> None:
    ring = filled(16, n, first_seq)
    seq = max(0, first_seq + wanted)
    inside = ring.begin_seq <= seq <= ring.next_seq
    assert ring.place_of(seq) == (seq if inside else None)
    assert ring.place_of(seq % 2**24, bits=24) == (seq if inside else None)


def test_sizes_of_the_ring_that_make_no_sense() -> None:
    for capacity in (0, -1, LARGEST_RING + 1):
        with pytest.raises(ConfigError, match="ring"):
            RecordRing(capacity)


# ---------------------------------------------------------------- what a client gets
def selection(
    *requests: tuple[str, str, Start], version: int = 3, is_dialup: bool = False
) -> Selection:
    return Selection(
        version,
        tuple(
            Request(
                station, tuple(StreamPattern.parse(one, version) for one in texts.split()), start
            )
            for station, texts, start in requests
        ),
        is_dialup,
    )


def seqs_got(wanted: Selection, ring: RecordRing) -> list[int]:
    begins = wanted.begin_seqs(ring)
    group = Groups(ring).join(wanted)
    data = group.batch(min(begins), ring.next_seq, begins).data
    return [int(data[at + 2 : at + 8], 16) for at in range(0, len(data), 14)]


def test_each_station_goes_on_from_its_own_number() -> None:
    ring = filled(100, 10)  # odd numbers: XX.S0000, even: YY.FAR
    wanted = selection(("XX_S0000", "", Start(seq=7)), ("YY_FAR", "", Start(seq=4)))
    assert seqs_got(wanted, ring) == [4, 6, 7, 8, 9, 10]


def test_negative_selectors_win() -> None:
    ring = RecordRing(10)
    for stream in (HNZ, HNE, FAR):
        ring.append(record(stream, 0))
    oldest = Start(from_oldest=True)
    assert seqs_got(selection(("*", "", oldest)), ring) == [1, 2, 3]
    assert seqs_got(selection(("*", "HN? !HNE", oldest)), ring) == [1, 3]
    assert seqs_got(selection(("*", "!--HN?", oldest)), ring) == [1, 2]
    # the first station that matches decides, also when it says no
    assert seqs_got(selection(("XX_*", "HNE", oldest), ("*", "", oldest)), ring) == [2, 3]


def test_where_a_transfer_begins() -> None:
    ring = filled(5, 20)  # 16 to 20 are left

    def first(start: Start, *, is_dialup: bool = False) -> int:
        return selection(("*", "", start), is_dialup=is_dialup).begin_seqs(ring)[0]

    assert first(Start()) == 21
    assert first(Start(), is_dialup=True) == 16
    assert first(Start(from_oldest=True)) == 16
    assert first(Start(seq=18)) == 18
    assert first(Start(seq=21)) == 21
    assert first(Start(seq=3)) == 16  # overwritten: all there is
    assert first(Start(seq=2000)) == 16  # of an earlier run of the server: all is new
    assert first(Start(seq=2000, after_ns=T0_NS + 17_500_000_000)) == 18
    assert first(Start(seq=18, after_ns=0)) == 18  # the number is surer than the time


def test_windows_of_time() -> None:
    ring = filled(100, 10)
    window = Start(from_oldest=True, begin_ns=T0_NS + 3 * 10**9, end_ns=T0_NS + 6 * 10**9)
    wanted = selection(("*", "", window))
    assert seqs_got(wanted, ring) == [4, 5, 6]
    group = Groups(ring).join(wanted)
    assert group.is_over()
    later = Start(from_oldest=True, begin_ns=T0_NS, end_ns=T0_NS + 9 * 10**9)
    waiting = Groups(ring).join(selection(("*", "", later)))
    assert not waiting.is_over()  # one of the two streams has not come so far
    ring.append(record(HNZ, 10))
    assert waiting.is_over()
    endless = Groups(ring).join(selection(("*", "", Start(from_oldest=True, begin_ns=T0_NS))))
    assert not endless.is_over()
    never = Start(from_oldest=True, end_ns=T0_NS + 10**15)
    open_end = Groups(ring).join(selection(("*", "", never)))
    assert not open_end.is_over()
    ring.is_complete = True
    assert open_end.is_over()


def test_clients_that_want_the_same_share_the_work() -> None:
    ring = filled(100, 10)
    groups = Groups(ring)
    one = selection(("*", "HN?", Start()))
    same = selection(("*", "HN?", Start(seq=3)))
    other = selection(("*", "HNZ", Start()))
    assert groups.join(one) is groups.join(same)
    assert groups.join(other) is not groups.join(one)
    group = groups.join(one)
    assert group.batch(5, 9, (5,)).data is group.batch(5, 9, (2,)).data
    for member in (one, one, same, one):
        groups.leave(member)
    groups.leave(other)
    assert groups._groups == {}
