"""The service's time from signed heartbeats: when it is known, and by how much a clock is off."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from clients.crowd.clock import CrowdClock
from clients.policy import policy
from clients.service_clock import ServiceClock

S = 1_000_000_000
T0 = 1_700_000_000 * S


def heard(*beats: tuple[float, float]) -> ServiceClock:
    """Return a clock that took heartbeats: sent, and taken, s."""
    clock = ServiceClock(policy())
    for sent_s, taken_s in beats:
        clock.beat(T0 + round(sent_s * S), T0 + round(taken_s * S))
    return clock


def test_time_is_known_after_three_beats_over_a_second_and_a_half() -> None:
    assert not heard((0, 0.1), (1, 1.1)).is_known(T0 + 2 * S)
    assert heard((0, 0.1), (1, 1.1), (2, 2.1)).is_known(T0 + 3 * S)


def test_beats_that_come_at_once_prove_nothing() -> None:
    assert not heard((0, 50.0), (1, 50.1), (2, 50.2)).is_known(T0 + 51 * S)


def test_a_stall_after_which_beats_come_at_once_unlearns_nothing() -> None:
    beats = [(float(k), k + 30.1) for k in range(5)]  # the device is 30 s ahead
    clock = heard(*beats, *((k, 41.0 + k / 1000.0) for k in range(5, 12)))
    assert clock.is_known(T0 + 42 * S)
    assert clock.offset_ns == round(30.011 * S)  # of those that came at once the least late
    assert clock.heard_ns == T0 + round(41.011 * S)


@given(
    st.lists(
        st.tuples(
            st.floats(-1.0, 4.0), st.sampled_from([0.0, 0.1, 0.49, 0.5, 0.51, 1.0, 1.6, -3.0])
        ),
        max_size=20,
    ),
    st.sampled_from([0.0, 30.0, -30.0, 400.0]),
)
def test_a_crowd_knows_what_one_device_knows(
    steps: list[tuple[float, float]], ahead_s: float
) -> None:
    one, many = ServiceClock(policy()), CrowdClock(3, policy())
    rows = np.array([1], dtype=np.int32)
    sent_s = taken_s = 0.0
    for more_sent_s, more_taken_s in steps:
        sent_s, taken_s = sent_s + more_sent_s, taken_s + more_taken_s
        sent_ns, now_ns = (T0 + round(at * S) for at in (sent_s, taken_s + ahead_s))
        now = np.array([now_ns])
        assert one.beat(sent_ns, now_ns) == bool(many.beat(rows, sent_ns, now)[0])
        assert one.corrected_ns(now_ns) == int(many.corrected_ns(rows, now)[0])
        assert one.is_known(now_ns) == bool(many.is_known(rows, now)[0])
        assert one.is_hopeless == many.is_hopeless(1)
        assert bool(one.offset_ns) == many.is_off(1)
