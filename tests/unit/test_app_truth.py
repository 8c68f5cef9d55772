"""The scoring words of simulator/truth.py."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from eew.model.alert import Level
from eew.model.waveform import Recording
from eew.physics.traveltime import TravelTimes
from simulator.truth import (
    Outcome,
    arrivals_s,
    blind_zone_km,
    delivers_at,
    matches,
    nth_p_floor_s,
    origin_error,
    score_target,
)
from tests.unit.run_example import ORIGIN_NS, S, recording, truth


def score(**values: object) -> Outcome:
    given: dict[str, object] = {
        "level": Level.TAKE_ACTION,
        "told_by_match": True,
        "lead_time_s": 5.0,
        "intensity": 6.0,
        "be_aware": 3.0,
    }
    return score_target(**(given | values))  # type: ignore[arg-type]  # a table of cases


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, Outcome.TIMELY),
        ({"lead_time_s": 0.0}, Outcome.LATE),
        ({"lead_time_s": -3.0}, Outcome.LATE),
        ({"lead_time_s": None}, Outcome.LATE),
        ({"level": Level.NONE}, Outcome.MISSED),
        ({"told_by_match": False}, Outcome.MISSED),
        ({"intensity": 3.0}, Outcome.TIMELY),
        ({"intensity": 2.9}, Outcome.PRECAUTIONARY),
        ({"intensity": 2.0}, Outcome.PRECAUTIONARY),
        ({"intensity": 1.9}, Outcome.FALSE),
        ({"intensity": 2.9, "told_by_match": False}, Outcome.FALSE),
        ({"intensity": 2.9, "level": Level.NONE}, Outcome.NOT_NEEDED),
        ({"intensity": 1.0, "level": Level.NONE}, Outcome.NOT_NEEDED),
        ({"intensity": None}, Outcome.UNSCORED),
        ({"intensity": None, "level": Level.NONE}, Outcome.UNSCORED),
        ({"level": Level.BE_AWARE, "intensity": 8.0}, Outcome.TIMELY),
    ],
)
def test_each_target_gets_the_word_that_the_definitions_say(
    values: dict[str, object], expected: Outcome
) -> None:
    assert score(**values) is expected


def test_errors_are_estimate_minus_truth() -> None:
    error = origin_error(
        truth(),
        lat=truth().lat + 0.1,
        lon=truth().lon,
        depth_km=12.0,
        origin_time_ns=ORIGIN_NS - 2 * S,
        magnitude=6.9,
    )

    assert error.epicentre_km == pytest.approx(11.1, abs=0.05)
    assert error.depth_km == pytest.approx(4.0)
    assert error.origin_time_s == pytest.approx(-2.0)
    assert error.magnitude == pytest.approx(-0.2)


@pytest.mark.parametrize(
    ("km", "seconds", "expected"),
    [(0.0, 0.0, True), (99.0, 29.0, True), (101.0, 0.0, False), (0.0, 31.0, False)],
)
def test_an_event_matches_within_100_km_and_30_s(km: float, seconds: float, expected: bool) -> None:
    error = origin_error(
        truth(),
        lat=truth().lat + km / 110.95,
        lon=truth().lon,
        depth_km=8.0,
        origin_time_ns=ORIGIN_NS + round(seconds * S),
        magnitude=7.1,
    )

    assert matches(error) is expected


def test_the_floor_is_the_theoretical_p_at_the_nearest_stations_in_order() -> None:
    quake = recording()
    floor = nth_p_floor_s(quake, n=4)

    assert floor == sorted(arrivals_s(quake)[0].tolist())[:4]


def without(quake: Recording, code: str) -> Recording:
    return replace(
        quake,
        segments=tuple(s for s in quake.segments if s.stream_id.station_code != code),
    )


def test_a_station_that_delivers_nothing_at_its_p_is_not_in_the_floor() -> None:
    quake = recording()
    p_s = arrivals_s(quake)[0]
    nearest = quake.stations[int(np.argmin(p_s))].code

    assert nth_p_floor_s(without(quake, nearest))[0] == sorted(p_s.tolist())[1]


def test_a_station_that_starts_after_its_p_is_not_in_the_floor() -> None:
    quake = recording()
    late = replace(
        quake,
        segments=tuple(replace(s, start_ns=ORIGIN_NS + 5 * S) for s in quake.segments),
    )

    assert nth_p_floor_s(late) == [t for t in sorted(arrivals_s(quake)[0].tolist()) if t >= 5.0][:6]


def test_without_truth_there_is_no_floor_and_no_arrival() -> None:
    quake = recording(with_truth=False)

    assert nth_p_floor_s(quake) == []
    with pytest.raises(ValueError, match="true origin"):
        arrivals_s(quake)


def test_a_station_delivers_from_its_first_sample_until_its_last() -> None:
    quake = recording()
    code = quake.stations[0].code

    assert delivers_at(quake, code, quake.start_ns)
    assert not delivers_at(quake, code, quake.start_ns - 1)
    assert not delivers_at(quake, code, quake.end_ns)
    assert not delivers_at(quake, "XX.NONE", quake.start_ns)


def test_the_blind_zone_is_where_s_is_when_the_alert_is_decided() -> None:
    radius_km = blind_zone_km(10.0, 8.0)

    assert float(TravelTimes.load().s_s(radius_km, 8.0)) == pytest.approx(10.0, abs=0.05)


def test_there_is_no_blind_zone_where_the_alert_comes_before_s() -> None:
    assert blind_zone_km(1.0, 20.0) == 0.0
