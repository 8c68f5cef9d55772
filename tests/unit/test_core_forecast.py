"""The event's own term, the history of the shaking, and what a message says of both."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eew.core.forecast import Outlook, event_term, prediction_of
from eew.core.lifecycle import AlertLifecycle
from eew.core.shaking_history import ShakingHistory
from eew.model.alert import MsgType, ObservedShaking
from eew.physics.shaking import shaking_model
from tests.unit.associator_cases import Quake, announced
from tests.unit.core_cases import NS, START_NS, config

CONFIG = config().forecast
MODEL = shaking_model("bssa14")


def term(*residuals: float, largest: float = 4.0) -> float:
    values = np.array(residuals)
    return event_term(values, np.ones(values.size, bool), np.full(values.size, largest), CONFIG)


# ---------------------------------------------------------------- the event's own term
@pytest.mark.parametrize("n", [3, 10, 100])
def test_the_mean_residual_is_shrunk_by_what_one_event_can_tell(n: int) -> None:
    """n / (n + phi^2 / tau^2), Abrahamson & Youngs (1992)."""
    expected = 0.6 * n / (n + CONFIG.phi2_over_tau2)

    assert term(*[0.6] * n) == pytest.approx(expected, abs=0.006)


def test_too_few_stations_correct_nothing() -> None:
    assert term(0.6, 0.6) == 0.0
    assert term(*[0.6] * 10, largest=1.0) == 0.0


def test_only_stations_that_have_been_shaken_count() -> None:
    residuals = np.array([0.4] * 5 + [-3.0] * 5)
    passed = np.arange(10) < 5

    assert event_term(residuals, passed, np.full(10, 4.0), CONFIG) > 0.2


def test_a_wrong_gain_pulls_no_more_than_the_limit() -> None:
    clean, spoilt = term(*[0.2] * 9), term(*[0.2] * 9, 8.0)

    assert spoilt - clean < 2.0 * CONFIG.outlier / 10.0


@given(st.lists(st.floats(-6.0, 6.0), max_size=40))
def test_it_is_bounded_and_turns_with_the_residuals(residuals: list[float]) -> None:
    assert abs(term(*residuals)) <= CONFIG.max_correction
    assert term(*[-r for r in residuals]) == pytest.approx(-term(*residuals), abs=0.011)


# ---------------------------------------------------------------- the history
def test_peaks_are_those_of_the_seconds_asked_for() -> None:
    history = ShakingHistory(2)
    for second, value in enumerate([1.0, 5.0, 2.0, 3.0]):
        peaks = (value, 10.0 * value, value, value)
        history.note(0, START_NS + second * NS + NS // 2, peaks, clipped=second == 1)

    assert history.between(START_NS, START_NS + 10 * NS)[0].tolist() == [5.0, 50.0, 5.0, 5.0]
    assert history.between(START_NS + 2 * NS, START_NS + 2 * NS)[0, 0] == 2.0
    each = np.array([START_NS + 2 * NS, START_NS])
    assert history.between(each, START_NS + 10 * NS)[:, 0].tolist() == [3.0, 0.0]
    assert history.largest[0, 0] == 5.0
    assert history.clipped_ns[0] == START_NS + NS + NS // 2


def test_what_is_older_than_the_ring_is_forgotten_but_the_largest_is_not() -> None:
    history = ShakingHistory(1)
    history.note(0, START_NS, (9.0, 9.0, 9.0, 9.0), clipped=False)
    history.note(0, START_NS + 300 * NS, (1.0, 1.0, 1.0, 1.0), clipped=False)

    assert history.between(0, START_NS + 400 * NS)[0, 0] == 1.0
    assert history.largest[0, 0] == 9.0


@given(
    st.lists(st.tuples(st.integers(0, 250), st.floats(0.0, 10.0)), max_size=40),
    st.integers(0, 250),
    st.integers(0, 250),
)
def test_the_history_is_a_maximum_over_time(
    noted: list[tuple[int, float]], first: int, last: int
) -> None:
    history = ShakingHistory(1)
    for second, value in sorted(noted):
        history.note(0, START_NS + second * NS, (value,) * 4, clipped=False)

    found = history.between(START_NS + first * NS, START_NS + last * NS)[0, 0]

    assert found == max((v for s, v in noted if first <= s <= last), default=0.0)


# ---------------------------------------------------------------- what is said
def outlook(level: float, *, correction: float = 0.0, seen: float | None = None) -> Outlook:
    observed = () if seen is None else (ObservedShaking(lat=30.0, lon=102.0, intensity=seen),)
    return Outlook(
        line=None,
        correction=correction,
        observed=observed,
        from_source=np.full(4, level),
        forecast=np.full(4, level if seen is None else max(level, seen)),
    )


def test_radii_and_largest_intensity_follow_the_correction() -> None:
    plain, raised = (prediction_of(MODEL, 6.5, 10.0, outlook(5.0, correction=c)) for c in (0, 0.5))

    assert raised.max_intensity == pytest.approx(plain.max_intensity + 0.5)
    assert raised.radii_km[5] == pytest.approx(MODEL.radius_km(4.5, 6.5, 10.0), abs=0.01)
    assert raised.radii_km[5] > plain.radii_km[5]
    strong = prediction_of(MODEL, 5.0, 10.0, outlook(5.0, seen=9.3))
    assert strong.max_intensity == 9.3


def test_an_event_is_told_anew_where_a_place_expects_more_or_much_less() -> None:
    policy = config().alert
    solution = announced(Quake(lat=30.0, lon=102.0), 5.0)

    def after(second: Outlook) -> list[MsgType]:
        lifecycle = AlertLifecycle(policy)
        lifecycle.receive_solution(solution, ready=True, outlook=outlook(5.0))
        later = replace(solution, at_ns=solution.at_ns + 2 * NS)
        said = lifecycle.receive_solution(later, ready=True, outlook=second)
        return [m.msg_type for m in said]

    step = policy.update_intensity
    assert after(outlook(5.0)) == []
    assert after(outlook(5.0, seen=5.0 + step)) == [MsgType.UPDATE]
    assert after(outlook(5.0, seen=5.0 + 0.9 * step)) == []
    assert after(outlook(5.0 - step)) == [MsgType.UPDATE]
