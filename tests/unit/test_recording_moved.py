"""A quake at another time is the same quake."""

from __future__ import annotations

from simulator.selection import Zero
from tests.unit.run_example import recording as computed


def test_a_quake_that_happens_later_is_the_same_quake() -> None:
    recording = computed(9)
    later = recording.moved(86_400_000_000_000)

    assert later.truth is not None
    assert recording.truth is not None
    assert later.truth.origin_time_ns - recording.truth.origin_time_ns == 86_400_000_000_000
    assert later.start_ns - recording.start_ns == later.end_ns - recording.end_ns
    assert later.start_ns - later.truth.origin_time_ns == (
        recording.start_ns - recording.truth.origin_time_ns
    )
    pairs = zip(later.segments, recording.segments, strict=True)
    assert all(one.samples is other.samples for one, other in pairs)
    assert Zero.of(later) == Zero.of(recording).moved(86_400_000_000_000)
