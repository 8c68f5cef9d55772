from __future__ import annotations

import numpy as np
import pytest

from eew.ingest.pieces import mend_stream
from eew.model.waveform import Segment, StreamId
from tests.unit.ingest_cases import START_NS, counts, kinds, segment

ID = "XX.AAA..HNZ"
STREAM = StreamId.parse(ID)
SAMPLES = counts(1000)
STEP_NS = 10_000_000  # at 100 Hz


def piece(first: int, last: int, *, shift_ns: int = 0, add: int = 0) -> Segment:
    """Samples ``first`` to ``last`` of the record, as a piece of their own."""
    start_ns = START_NS + first * STEP_NS + shift_ns
    return segment(ID, SAMPLES[first:last] + np.int32(add), start_ns=start_ns)


def test_pieces_that_touch_become_one_segment_without_a_problem() -> None:
    segments, problems = mend_stream(STREAM, [piece(0, 400), piece(400, 1000)])

    assert [s.start_ns for s in segments] == [START_NS]
    np.testing.assert_array_equal(segments[0].samples, SAMPLES)
    assert segments[0].samples.dtype == np.int32
    assert problems == []


@pytest.mark.parametrize("shift_ns", [-4_900_000, 4_900_000])
def test_a_start_within_half_a_sample_still_touches(shift_ns: int) -> None:
    segments, problems = mend_stream(STREAM, [piece(0, 400), piece(400, 1000, shift_ns=shift_ns)])

    assert len(segments) == 1
    assert problems == []


def test_a_gap_makes_two_segments_and_says_how_long_it_is() -> None:
    segments, problems = mend_stream(STREAM, [piece(0, 400), piece(450, 1000)])

    assert [len(s.samples) for s in segments] == [400, 550]
    assert segments[1].start_ns == START_NS + 450 * STEP_NS
    assert [(p.kind, p.count) for p in problems] == [("gap", 1)]
    assert "0.500 s" in problems[0].detail


def test_one_missing_sample_is_a_gap() -> None:
    segments, problems = mend_stream(STREAM, [piece(0, 400), piece(401, 1000)])

    assert [len(s.samples) for s in segments] == [400, 599]
    assert kinds(problems) == {"gap": 1}


def test_what_is_there_twice_is_used_once() -> None:
    segments, problems = mend_stream(STREAM, [piece(0, 600), piece(300, 600), piece(500, 1000)])

    np.testing.assert_array_equal(segments[0].samples, SAMPLES)
    assert kinds(problems) == {"duplicate": 400}


def test_of_contradicting_samples_the_first_stay() -> None:
    segments, problems = mend_stream(STREAM, [piece(0, 600), piece(500, 1000, add=7)])

    np.testing.assert_array_equal(segments[0].samples[:600], SAMPLES[:600])
    np.testing.assert_array_equal(segments[0].samples[600:], SAMPLES[600:] + 7)
    assert kinds(problems) == {"overlap": 100}


def test_pieces_out_of_order_are_sorted_and_counted() -> None:
    parts = [piece(0, 200), piece(400, 600), piece(200, 400), piece(600, 1000)]

    segments, problems = mend_stream(STREAM, parts)

    np.testing.assert_array_equal(segments[0].samples, SAMPLES)
    assert kinds(problems) == {"reordered": 1}


def test_samples_that_are_not_finite_are_cut_out() -> None:
    data = SAMPLES.astype(np.float64)
    data[[0, 300, 301, 999]] = [np.nan, np.inf, -np.inf, np.nan]

    segments, problems = mend_stream(STREAM, [segment(ID, data)])

    assert [(s.start_ns - START_NS) // STEP_NS for s in segments] == [1, 302]
    assert [len(s.samples) for s in segments] == [299, 697]
    np.testing.assert_array_equal(segments[1].samples, SAMPLES[302:999])
    assert kinds(problems) == {"nan": 4}


def test_a_stream_of_nothing_but_nan_leaves_nothing() -> None:
    segments, problems = mend_stream(STREAM, [segment(ID, np.full(50, np.nan))])

    assert segments == []
    assert kinds(problems) == {"nan": 50}


def test_duplicated_nan_are_duplicates_not_contradictions() -> None:
    data = SAMPLES.astype(np.float64)
    data[10] = np.nan

    _, problems = mend_stream(STREAM, [segment(ID, data), segment(ID, data)])

    assert kinds(problems) == {"duplicate": 1000, "nan": 1}


def test_a_channel_that_always_says_the_same_is_dead() -> None:
    still = np.full(500, -3, dtype=np.int32)
    later_ns = START_NS + 9_000_000_000

    segments, problems = mend_stream(
        STREAM, [segment(ID, still), segment(ID, still, start_ns=later_ns)]
    )

    assert segments == []
    assert kinds(problems) == {"gap": 1, "dead_channel": 1}
    assert "all 1000 samples are -3" in problems[-1].detail


def test_a_channel_that_dies_in_mid_record_is_kept_as_recorded() -> None:
    data = SAMPLES.copy()
    data[100:] = 0

    segments, problems = mend_stream(STREAM, [segment(ID, data)])

    assert len(segments) == 1
    assert problems == []


def test_the_sampling_rate_of_most_samples_is_kept() -> None:
    slow = segment(ID, SAMPLES[:100], start_ns=START_NS - 10**10, rate_hz=50.0)
    almost = segment(ID, SAMPLES[:100], start_ns=START_NS + 10**11, rate_hz=100.001)

    segments, problems = mend_stream(STREAM, [slow, piece(0, 1000), almost])

    assert [s.sampling_rate_hz for s in segments] == [100.0, 100.001]
    assert [(p.kind, p.count) for p in problems] == [("rate", 100), ("gap", 1)]


def test_empty_pieces_are_no_pieces() -> None:
    assert mend_stream(STREAM, [segment(ID, SAMPLES[:0])]) == ([], [])
