from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from eew.errors import DataError
from eew.ingest.mseed_records import find_records
from eew.ingest.waveforms import pieces_from_stream, read_miniseed
from eew.model.waveform import StreamId
from tests.unit.ingest_cases import (
    START_NS,
    counts,
    kinds,
    miniseed,
    obspy_objects,
    recording,
    segment,
    station,
)

ID = "XX.AAA.00.HNZ"
SAMPLES = counts(4000)
FILE = miniseed(recording([station([ID])], [segment(ID, SAMPLES)]))
RECORD = 512
N_RECORDS = len(FILE) // RECORD


def test_a_sound_file_gives_its_samples_and_no_problem() -> None:
    pieces, problems = read_miniseed(FILE, name="waveforms.mseed")

    assert [p.stream_id for p in pieces] == [StreamId("XX", "AAA", "00", "HNZ")]
    assert pieces[0].start_ns == START_NS
    assert pieces[0].samples.dtype == np.int32
    np.testing.assert_array_equal(pieces[0].samples, SAMPLES)
    assert problems == []


@pytest.mark.parametrize("missing", [1, 12, 400, 511])
def test_a_cut_off_file_is_read_up_to_the_cut_and_says_so(missing: int) -> None:
    pieces, problems = read_miniseed(FILE[:-missing], name="waveforms.mseed")

    n = len(pieces[0].samples)
    assert 3000 < n < 4000
    np.testing.assert_array_equal(pieces[0].samples, SAMPLES[:n])
    assert [(p.kind, p.where, p.count) for p in problems] == [
        ("unreadable", "waveforms.mseed", RECORD - missing)
    ]


@pytest.mark.parametrize("missing", [1, 100, 511])
def test_a_file_without_its_beginning_is_read_from_the_first_whole_record(missing: int) -> None:
    pieces, problems = read_miniseed(FILE[missing:], name="waveforms.mseed")

    n = len(pieces[0].samples)
    assert 3000 < n < 4000
    np.testing.assert_array_equal(pieces[0].samples, SAMPLES[-n:])
    assert kinds(problems) == {"unreadable": RECORD - missing}


def test_a_record_that_does_not_decode_is_left_out_alone() -> None:
    damaged = bytearray(FILE)
    damaged[5 * RECORD + 64 : 6 * RECORD] = b"\xff" * (RECORD - 64)

    pieces, problems = read_miniseed(bytes(damaged), name="waveforms.mseed")

    assert len(find_records(FILE)[0]) == N_RECORDS > 10
    got = np.concatenate([p.samples for p in pieces])
    assert 3000 < len(got) < 4000
    np.testing.assert_array_equal(got[:500], SAMPLES[:500])
    np.testing.assert_array_equal(got[-1000:], SAMPLES[-1000:])
    assert [(p.kind, p.count) for p in problems] == [("unreadable", 1)]
    assert f"1 of {N_RECORDS} records" in problems[0].detail


def test_rubbish_between_records_is_skipped() -> None:
    middle = 7 * RECORD
    damaged = FILE[:middle] + b"\x00" * 300 + b"no seismogram" + FILE[middle:]

    pieces, problems = read_miniseed(damaged, name="waveforms.mseed")

    np.testing.assert_array_equal(pieces[0].samples, SAMPLES)
    assert kinds(problems) == {"unreadable": 313}


@pytest.mark.parametrize("seed", range(6))
def test_random_damage_costs_only_the_damaged_records(seed: int) -> None:
    rng = np.random.default_rng(seed)
    hit = sorted(rng.choice(N_RECORDS, size=4, replace=False).tolist())
    damaged = bytearray(FILE)
    for record in hit:
        where = record * RECORD + int(rng.integers(0, 120))
        damaged[where : where + 40] = rng.integers(0, 256, 40, dtype=np.uint8).tobytes()

    pieces, _ = read_miniseed(bytes(damaged), name="waveforms.mseed")

    # damage in a header may move a record to another time or name, never lose another record
    of_stream = {
        (p.start_ns - START_NS) // 10_000_000: p.samples for p in pieces if str(p.stream_id) == ID
    }
    found = np.zeros(len(SAMPLES), dtype=bool)
    for first, samples in of_stream.items():
        if first >= 0 and first + len(samples) <= len(SAMPLES):
            found[first : first + len(samples)] = samples == SAMPLES[first : first + len(samples)]
    assert np.count_nonzero(found) > len(SAMPLES) * (N_RECORDS - 5) / N_RECORDS


@pytest.mark.parametrize("content", [b"", b"network,station\n" * 200, FILE[:300], b"\xff" * 4096])
def test_a_file_without_a_single_record_is_an_error_with_its_name(content: bytes) -> None:
    with pytest.raises(DataError, match=r"night\.mseed: no MiniSEED record") as caught:
        read_miniseed(content, name="night.mseed")
    assert caught.value.exit_code == 3


def test_a_file_of_which_no_record_decodes_is_an_error() -> None:
    damaged = bytearray(FILE[:RECORD])
    damaged[64:] = b"\xff" * (RECORD - 64)

    with pytest.raises(DataError, match=r"bad\.mseed: 1 of 1 records cannot be decoded"):
        read_miniseed(bytes(damaged), name="bad.mseed")


def test_rates_stored_as_32_bit_floats_come_back_as_they_were_meant() -> None:
    for rate_hz in (30.061, 31.323, 99.999, 200.0 / 3.0, 128.0):
        case = recording([station([ID])], [segment(ID, SAMPLES, rate_hz=rate_hz)])
        pieces, _ = read_miniseed(miniseed(case), name="w")
        assert pieces[0].sampling_rate_hz == rate_hz


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        (SAMPLES.astype(np.int16), np.int32),
        (SAMPLES.astype(">i4"), np.int32),
        (SAMPLES.astype(np.int64), np.int32),
        (SAMPLES.astype(np.int64) * 2**20, np.float64),
        (SAMPLES.astype(np.float32), np.float64),
    ],
)
def test_samples_of_any_number_type_keep_their_values(
    data: NDArray[Any],
    dtype: type,
) -> None:
    stream, _ = obspy_objects(recording([station([ID])], [segment(ID, SAMPLES)]))
    stream[0].data = data

    pieces, problems = pieces_from_stream(stream)

    assert pieces[0].samples.dtype == dtype
    np.testing.assert_array_equal(pieces[0].samples, data)
    assert problems == []


def test_masked_samples_are_missing_samples() -> None:
    stream, _ = obspy_objects(recording([station([ID])], [segment(ID, SAMPLES)]))
    mask = np.zeros(len(SAMPLES), dtype=bool)
    mask[100:300] = True
    stream[0].data = np.ma.masked_array(SAMPLES, mask)

    pieces, _ = pieces_from_stream(stream)

    assert [len(p.samples) for p in pieces] == [100, 3700]
    assert pieces[1].start_ns == START_NS + 300 * 10_000_000


def test_samples_that_are_no_numbers_are_set_aside() -> None:
    stream, _ = obspy_objects(recording([station([ID])], [segment(ID, SAMPLES)]))
    stream[0].data = SAMPLES.astype(np.complex128)

    pieces, problems = pieces_from_stream(stream)

    assert pieces == []
    assert kinds(problems) == {"unreadable": 1}
    assert "complex128" in problems[0].detail


def test_the_stream_of_the_caller_is_neither_changed_nor_copied() -> None:
    stream, _ = obspy_objects(recording([station([ID])], [segment(ID, SAMPLES)]))

    pieces, _ = pieces_from_stream(stream)

    assert np.shares_memory(pieces[0].samples, stream[0].data)
