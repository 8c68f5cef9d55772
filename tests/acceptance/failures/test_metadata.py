"""An M6.0 on a network that is wrong about itself: places, gains, polarities, sensors."""

from __future__ import annotations

import pytest

from eew.model.waveform import Recording, Truth
from simulator.faults import (
    clipped,
    exchanged_coordinates,
    reversed_polarity,
    stuck,
    swapped_lat_lon,
    wrong_gain,
)
from simulator.synthesise import Composition
from tests.acceptance.failures.replay import (
    after_zero_ns,
    assert_no_alert,
    assert_one_sound_alert,
    by_distance,
    replay,
)


def codes(m6: Composition) -> list[str]:
    """Stations, nearest to the epicentre first."""
    truth = m6.truths[0]
    return [s.code for s in by_distance(m6.recording, lat=truth.lat, lon=truth.lon)]


@pytest.mark.parametrize("rank", [0, 2, 10])
def test_swapped_latitude_and_longitude_of_one_station_do_no_harm(
    m6: Composition, m6_truth: Truth, unhindered_s: float, rank: int
) -> None:
    """The station then stands 1,500 km away, and is the first to pick."""
    heard = replay(swapped_lat_lon(m6.recording, codes(m6)[rank]))

    assert_one_sound_alert(heard, m6_truth, by_s=unhindered_s + 3.0)


@pytest.mark.parametrize(("near", "far"), [(0, 55), (2, 30)])
def test_two_stations_stated_at_each_others_place_do_no_harm(
    m6: Composition, m6_truth: Truth, unhindered_s: float, near: int, far: int
) -> None:
    ranked = codes(m6)

    heard = replay(exchanged_coordinates(m6.recording, ranked[near], ranked[far]))

    assert_one_sound_alert(heard, m6_truth, by_s=unhindered_s + 3.0)


@pytest.mark.parametrize("factor", [1000.0, 0.001])
@pytest.mark.parametrize("rank", [0, 3])
def test_a_wrong_gain_at_one_station_does_no_harm(
    m6: Composition, m6_truth: Truth, unhindered_s: float, rank: int, factor: float
) -> None:
    heard = replay(wrong_gain(m6.recording, [codes(m6)[rank]], factor))

    assert_one_sound_alert(heard, m6_truth, by_s=unhindered_s + 2.0)


def test_reversed_polarity_changes_nothing(
    m6: Composition, m6_truth: Truth, unhindered_s: float
) -> None:
    heard = replay(reversed_polarity(m6.recording, codes(m6)[:20:2]))

    assert_one_sound_alert(heard, m6_truth, by_s=unhindered_s + 0.6)


def test_sensors_stuck_near_the_epicentre_do_not_stop_the_alert(
    m6: Composition, m6_truth: Truth, unhindered_s: float
) -> None:
    dead = codes(m6)[:4:2]

    heard = replay(stuck(m6.recording, dead, at_ns=after_zero_ns(-8.0)))

    assert_one_sound_alert(heard, m6_truth, by_s=unhindered_s + 3.0)
    assert {code for code, state in heard.states.items() if state.state == "dead"} == set(dead)


def test_clipped_records_say_no_magnitude_too_small(
    m6: Composition, m6_truth: Truth, unhindered_s: float
) -> None:
    """The nearest eight end at 0.1 m/s2; what they have clipped may not be taken for motion."""
    recording = clipped(m6.recording, codes(m6)[:8], limit=0.1)

    assert_one_sound_alert(replay(recording), m6_truth, by_s=unhindered_s + 2.0)


def test_swapped_coordinates_raise_no_alert_by_themselves(quiet: Recording) -> None:
    assert_no_alert(replay(swapped_lat_lon(quiet, quiet.stations[7].code)))
