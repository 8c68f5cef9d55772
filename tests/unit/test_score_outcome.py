"""Which event was which quake, what places got, what that was worth, how honest a sigma was."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from eew.model.alert import AlertMessage, CancelReason, MsgType
from eew.model.event import Solution
from eew.model.waveform import Truth
from eew.physics.geo import destination
from simulator.outcome import (
    EventMatch,
    cost_score,
    match_events,
    site_outcome,
    standard_errors,
)
from simulator.truth import Outcome
from tests.unit.run_example import ORIGIN_NS, S, message, pick, recording, solution, truth

PICKS = tuple(pick(n, one) for n, one in enumerate(recording().stations, start=1))


def quake(north_km: float = 0.0, after_s: float = 0.0) -> Truth:
    lat, lon = destination(truth().lat, truth().lon, 0.0, north_km)
    return replace(
        truth(),
        lat=float(lat),
        lon=float(lon),
        origin_time_ns=ORIGIN_NS + round(after_s * S),
    )


def event(
    name: str,
    at_s: float,
    north_km: float = 0.0,
    after_s: float = 0.0,
    *,
    cancelled: bool = False,
) -> list[AlertMessage]:
    """Make the messages of one event: an alert, and a last word 10 s later."""
    lat, lon = destination(truth().lat, truth().lon, 0.0, north_km)
    found = replace(
        solution(at_s, 6.0, PICKS, 0.0),
        event_id=name,
        lat=float(lat),
        lon=float(lon),
        origin_time_ns=ORIGIN_NS + round(after_s * S),
    )
    first: AlertMessage = message(1, MsgType.ALERT, found)
    last = replace(
        first,
        serial=2,
        issued_ns=first.issued_ns + 10 * S,
        msg_type=MsgType.CANCEL if cancelled else MsgType.FINAL,
        cancel_reason=CancelReason.FALSE_ALERT if cancelled else None,
    )
    return [first, last]


# ------------------------------------------------------------------ events and quakes


def test_one_event_near_the_quake_is_that_quake() -> None:
    match = match_events([quake()], event("a", 5.0, north_km=20.0))

    assert match.primary == ("a",)
    assert match == EventMatch(
        primary=("a",), split=(), withdrawn=(), phantom=(), merged=(), missed=()
    )


def test_a_second_event_of_the_quake_is_a_split_and_the_earlier_alert_stands_for_it() -> None:
    # the later one lies nearer, the earlier one was what people were told
    match = match_events([quake()], [*event("a", 5.0, north_km=40.0), *event("b", 9.0)])

    assert match.primary == ("a",)
    assert match.split == ("b",)


@pytest.mark.parametrize(("north_km", "after_s"), [(101.0, 0.0), (0.0, 31.0), (0.0, -31.0)])
def test_an_event_too_far_off_in_place_or_time_is_a_phantom(
    north_km: float, after_s: float
) -> None:
    match = match_events([quake()], event("a", 5.0, north_km, after_s))

    assert match.phantom == ("a",)
    assert match.primary == (None,)
    assert match.missed == (0,)


def test_without_a_quake_every_event_is_a_phantom() -> None:
    match = match_events([], [*event("a", 5.0), *event("b", 6.0, 300.0)])

    assert match.phantom == ("a", "b")
    assert match.primary == ()


def test_a_true_event_that_was_cancelled_is_withdrawn_and_the_quake_missed() -> None:
    match = match_events([quake()], event("a", 5.0, cancelled=True))

    assert match.withdrawn == ("a",)
    assert match.primary == (None,)
    assert match.missed == (0,)
    assert match.phantom == ()


def test_a_false_event_stays_a_phantom_when_it_is_cancelled() -> None:
    assert match_events([quake()], event("a", 5.0, 200.0, cancelled=True)).phantom == ("a",)


def test_two_quakes_with_an_event_each_are_told_apart() -> None:
    quakes = [quake(), quake(60.0, 8.0)]

    match = match_events(quakes, [*event("a", 5.0, 55.0, 8.0), *event("b", 6.0, 5.0, 0.0)])

    assert match == EventMatch(
        primary=("b", "a"), split=(), withdrawn=(), phantom=(), merged=(), missed=()
    )


def test_two_quakes_in_one_event_are_a_merger() -> None:
    match = match_events([quake(), quake(30.0, 5.0)], event("a", 5.0))

    assert match.primary == ("a", None)
    assert match.merged == (1,)
    assert match.missed == ()


def test_of_two_far_quakes_the_one_without_event_is_missed_not_merged() -> None:
    match = match_events([quake(), quake(350.0, 3.0)], event("a", 5.0))

    assert match.missed == (1,)
    assert match.merged == ()


def test_two_events_that_both_lie_nearer_to_one_of_two_quakes_still_have_one_each() -> None:
    quakes = [quake(), quake(40.0, 5.0)]

    match = match_events(quakes, [*event("a", 5.0, 1.0), *event("b", 6.0, 15.0, 2.0)])

    assert match.primary == ("a", "b")
    assert not match.split
    assert not match.merged


# ------------------------------------------------------------------ places


def word(
    *, told_s: float | None, reached_s: float | None, observed: float, right: bool = True
) -> tuple[Outcome, float | None]:
    return site_outcome(
        threshold=4.0,
        told_ns=None if told_s is None else ORIGIN_NS + round(told_s * S),
        told_by_match=right,
        reached_ns=None if reached_s is None else ORIGIN_NS + round(reached_s * S),
        observed=observed,
    )


def test_told_before_the_record_reaches_the_threshold_is_timely() -> None:
    outcome, warning_s = word(told_s=6.0, reached_s=14.5, observed=6.1)

    assert outcome is Outcome.TIMELY
    assert warning_s == pytest.approx(8.5)


def test_told_after_the_record_has_reached_it_is_late() -> None:
    outcome, warning_s = word(told_s=16.0, reached_s=14.5, observed=6.1)

    assert outcome is Outcome.LATE
    assert warning_s == pytest.approx(-1.5)


@pytest.mark.parametrize(
    ("told_s", "reached_s", "observed", "right", "expected"),
    [
        (None, 14.0, 5.0, True, Outcome.MISSED),
        (6.0, 14.0, 5.0, False, Outcome.MISSED),  # by an event that is not the quake
        (6.0, None, 3.9, True, Outcome.PRECAUTIONARY),
        (6.0, None, 1.9, True, Outcome.FALSE),
        (6.0, None, 3.9, False, Outcome.FALSE),
        (None, None, 3.9, True, Outcome.NOT_NEEDED),
    ],
)
def test_without_a_warning_in_time_each_place_has_its_word(
    told_s: float | None,
    reached_s: float | None,
    observed: float,
    right: bool,
    expected: Outcome,
) -> None:
    outcome, warning_s = word(told_s=told_s, reached_s=reached_s, observed=observed, right=right)

    assert outcome is expected
    assert warning_s is None


# ------------------------------------------------------------------ cost


def q(**counts: int) -> float | None:
    return cost_score(Counter({Outcome[name.upper()]: n for name, n in counts.items()}), 10.0)


def test_a_perfect_system_scores_1_and_none_at_all_scores_0() -> None:
    assert q(timely=7) == pytest.approx(1.0)
    assert q(missed=7, not_needed=100) == pytest.approx(0.0)


def test_false_and_late_alerts_cost_what_the_formula_says() -> None:
    # needed 4: none 40, perfect 4; ours 2 + 11 + 10 + 3
    assert q(timely=2, late=1, missed=1, false=2, precautionary=1) == pytest.approx(14.0 / 36.0)


def test_a_system_that_cries_wolf_does_harm() -> None:
    score = q(timely=1, false=20)

    assert score is not None
    assert score < 0.0


def test_where_nobody_needed_anything_there_is_no_cost_score() -> None:
    assert q(false=3, not_needed=5) is None


# ------------------------------------------------------------------ honesty


def estimate(east_km: float, north_km: float) -> Solution:
    """Make a solution off the truth; its ellipse is 4 km to the north and 1 km to the east."""
    azimuth_deg = math.degrees(math.atan2(east_km, north_km)) % 360.0
    lat, lon = destination(truth().lat, truth().lon, azimuth_deg, math.hypot(east_km, north_km))
    return replace(
        solution(5.0, 6.5, PICKS, 0.0),
        lat=float(lat),
        lon=float(lon),
        ellipse_major_km=4.0,
        ellipse_minor_km=1.0,
        ellipse_azimuth_deg=0.0,
    )


def test_an_epicentre_counts_by_its_ellipse_not_by_a_circle() -> None:
    along = standard_errors(truth(), estimate(0.0, 3.0)).epicentre
    across = standard_errors(truth(), estimate(3.0, 0.0)).epicentre

    assert along < 1.0 < across
    assert standard_errors(truth(), estimate(0.0, 4.0)).epicentre == pytest.approx(
        standard_errors(truth(), estimate(1.0, 0.0)).epicentre, rel=1e-2
    )


def test_68_percent_of_honest_epicentres_lie_inside_one() -> None:
    draws = np.random.default_rng(5).standard_normal((400, 2))
    sigmas = [
        standard_errors(truth(), estimate(float(x), float(4.0 * y))).epicentre for x, y in draws
    ]

    # 400 draws of 0.683: standard deviation 0.023
    assert np.mean(np.array(sigmas) <= 1.0) == pytest.approx(0.683, abs=0.07)
    # on the ellipse itself lie 39 %, which is 0.52 sigma of one dimension
    assert standard_errors(truth(), estimate(1.0, 0.0)).epicentre == pytest.approx(0.51, abs=0.02)


def test_depth_time_and_magnitude_count_in_their_sigmas() -> None:
    found = standard_errors(
        truth(),
        replace(
            estimate(0.0, 0.0),
            depth_km=truth().depth_km + 9.0,
            z_sigma_km=6.0,
            origin_time_ns=ORIGIN_NS - S,
            origin_time_sigma_s=0.5,
            magnitude=6.5,
            magnitude_sigma=0.3,
        ),
    )

    assert found.depth == pytest.approx(1.5)
    assert found.origin_time == pytest.approx(2.0)
    assert found.magnitude == pytest.approx(2.0)
    assert found.epicentre == pytest.approx(0.0, abs=1e-3)


def test_an_absurdly_sure_estimate_gives_a_finite_number() -> None:
    far = standard_errors(truth(), estimate(500.0, 0.0)).epicentre

    assert 20.0 < far < 40.0
