"""Laws of mending: however a record was cut, doubled and shuffled, the same record comes out."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from eew.ingest.pieces import mend_stream
from eew.model.waveform import Segment, StreamId

STREAM = StreamId("XX", "AAA", "", "HNZ")
START_NS = 1_700_000_000_000_000_000
SAMPLES = np.random.default_rng(7).integers(-(2**20), 2**20, 600, dtype=np.int32)

spans = st.tuples(st.integers(0, 599), st.integers(1, 300)).map(
    lambda span: (span[0], min(600, span[0] + span[1]))
)


def piece(span: tuple[int, int]) -> Segment:
    first, last = span
    return Segment(
        stream_id=STREAM,
        start_ns=START_NS + first * 10_000_000,
        sampling_rate_hz=100.0,
        samples=SAMPLES[first:last],
    )


@given(st.lists(st.integers(1, 599), max_size=12), st.data())
def test_a_record_in_pieces_in_any_order_is_the_record(
    cuts: list[int], data: st.DataObject
) -> None:
    edges = sorted({0, 600, *cuts})
    parts = [piece(span) for span in pairwise(edges)]

    segments, problems = mend_stream(STREAM, data.draw(st.permutations(parts)))

    assert len(segments) == 1
    np.testing.assert_array_equal(segments[0].samples, SAMPLES)
    assert {problem.kind for problem in problems} <= {"reordered"}


@given(st.lists(spans, min_size=1, max_size=12))
def test_every_sample_that_is_there_comes_out_once_and_nothing_else(
    parts: list[tuple[int, int]],
) -> None:
    there = np.zeros(600, dtype=bool)
    for first, last in parts:
        there[first:last] = True

    segments, problems = mend_stream(STREAM, [piece(span) for span in parts])

    found = np.zeros(600, dtype=bool)
    for segment in segments:
        first = (segment.start_ns - START_NS) // 10_000_000
        last = first + len(segment.samples)
        assert not found[first:last].any()
        found[first:last] = True
        np.testing.assert_array_equal(segment.samples, SAMPLES[first:last])
    if segments:  # a single sample, or equal ones, are a dead channel
        np.testing.assert_array_equal(found, there)
        n_holes = np.count_nonzero(np.diff(there.astype(int)) == 1) + int(there[0]) - 1
        assert sum(p.count for p in problems if p.kind == "gap") == n_holes
        doubled = sum(last - first for first, last in parts) - np.count_nonzero(there)
        assert sum(p.count for p in problems if p.kind == "duplicate") == doubled
    else:
        assert np.count_nonzero(there) == 1
    assert "overlap" not in {problem.kind for problem in problems}
