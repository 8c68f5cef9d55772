"""Faults of sensors and metadata, seen in the samples they leave behind."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from eew.errors import ConfigError
from eew.model.waveform import Recording
from simulator.faults import (
    clipped,
    edited,
    exchanged_coordinates,
    garbage,
    noise_dropout,
    reversed_polarity,
    stuck,
    swapped_lat_lon,
    wrong_gain,
)
from simulator.missing_data import silent
from tests.unit.ingest_cases import START_NS, recording, segment, station, three_components

AT_NS = START_NS + 8_000_000_000  # sample 800 of 2000


@pytest.fixture
def case() -> Recording:
    return recording(
        [
            station(three_components("XX.AAA"), lat=40.0, lon=30.0),
            station(three_components("XX.BBB"), lat=41.0, lon=31.0),
        ]
    )


def samples(case: Recording, stream: str) -> NDArray[np.float64]:
    (found,) = [s for s in case.segments if str(s.stream_id) == stream]
    return found.samples.astype(np.float64)


CHANGES: list[Callable[[Recording], Recording]] = [
    lambda r: noise_dropout(r, ["XX.AAA"], at_ns=AT_NS, lasts_s=2.0),
    lambda r: stuck(r, ["XX.AAA"], at_ns=AT_NS),
    lambda r: clipped(r, ["XX.AAA"], limit=0.1),
    lambda r: garbage(r, ["XX.AAA"], at_ns=AT_NS, lasts_s=2.0, seed=1),
    lambda r: reversed_polarity(r, ["XX.AAA"]),
]


@pytest.mark.parametrize("fault", CHANGES)
def test_a_fault_stays_at_its_station_and_leaves_its_input_alone(
    case: Recording, fault: Callable[[Recording], Recording]
) -> None:
    before = {str(s.stream_id): s.samples.copy() for s in case.segments}

    broken = fault(case)

    for old, new in zip(case.segments, broken.segments, strict=True):
        assert (new.stream_id, new.start_ns) == (old.stream_id, old.start_ns)
        assert new.samples.dtype == old.samples.dtype
        np.testing.assert_array_equal(old.samples, before[str(old.stream_id)])
        same = np.array_equal(new.samples, old.samples)
        assert same is (old.stream_id.station == "BBB")
    assert broken.stations == case.stations


@pytest.mark.parametrize("fault", CHANGES)
def test_the_same_fault_gives_the_same_samples(
    case: Recording, fault: Callable[[Recording], Recording]
) -> None:
    for one, other in zip(fault(case).segments, fault(case).segments, strict=True):
        np.testing.assert_array_equal(one.samples, other.samples)


def test_a_dropout_leaves_a_thousandth_of_the_motion_and_ends(case: Recording) -> None:
    before = samples(case, "XX.AAA..HNZ")
    after = samples(noise_dropout(case, ["XX.AAA"], at_ns=AT_NS, lasts_s=2.0), "XX.AAA..HNZ")

    ratio = np.std(after[800:1000]) / np.std(before[800:1000])
    assert ratio == pytest.approx(1e-3, rel=0.05)
    assert np.mean(after[800:1000]) == pytest.approx(np.mean(before), abs=100.0)
    np.testing.assert_array_equal(after[:800], before[:800])
    np.testing.assert_array_equal(after[1000:], before[1000:])


def test_a_stuck_value_is_the_last_one_that_was_true(case: Recording) -> None:
    before = samples(case, "XX.AAA..HNN")
    forever = samples(stuck(case, ["XX.AAA"], at_ns=AT_NS), "XX.AAA..HNN")
    loose = samples(stuck(case, ["XX.AAA"], at_ns=AT_NS, lasts_s=3.0), "XX.AAA..HNN")

    assert set(forever[800:]) == {before[800]}
    assert set(loose[800:1100]) == {before[800]}
    np.testing.assert_array_equal(loose[1100:], before[1100:])


def test_a_sensor_that_was_stuck_all_the_time_repeats_its_first_value(case: Recording) -> None:
    early = stuck(case, ["XX.AAA"], at_ns=START_NS - 10**9, lasts_s=3.0)
    assert len(set(samples(early, "XX.AAA..HNZ")[:200])) == 1
    never = stuck(case, ["XX.AAA"], at_ns=case.end_ns + 10**9)
    np.testing.assert_array_equal(samples(never, "XX.AAA..HNZ"), samples(case, "XX.AAA..HNZ"))


def test_clipping_ends_at_the_limit_in_physical_units(case: Recording) -> None:
    after = samples(clipped(case, ["XX.AAA"], limit=0.1), "XX.AAA..HNZ")

    limit = round(0.1 * 213_979.5)
    assert after.max() == limit
    assert after.min() == -limit
    assert np.mean(np.abs(after) == limit) > 0.5


def test_garbage_mixes_words_zeros_and_truth_for_a_while(case: Recording) -> None:
    before = samples(case, "XX.AAA..HNZ")
    after = samples(garbage(case, ["XX.AAA"], at_ns=AT_NS, lasts_s=10.0, seed=3), "XX.AAA..HNZ")

    window = after[800:1800]
    assert np.abs(window).max() > 4_000_000.0  # random 24-bit words
    assert 0.1 < np.mean(window == 0.0) < 0.6
    assert 0.1 < np.mean(window == before[800:1800]) < 0.6
    np.testing.assert_array_equal(after[:800], before[:800])
    np.testing.assert_array_equal(after[1800:], before[1800:])


def test_each_seed_and_channel_breaks_in_its_own_way(case: Recording) -> None:
    one = garbage(case, ["XX.AAA"], at_ns=AT_NS, lasts_s=10.0, seed=3)
    other = garbage(case, ["XX.AAA"], at_ns=AT_NS, lasts_s=10.0, seed=4)

    assert not np.array_equal(samples(one, "XX.AAA..HNZ"), samples(other, "XX.AAA..HNZ"))
    zeros = [samples(one, f"XX.AAA..HN{c}") == 0.0 for c in "ZN"]
    assert not np.array_equal(*zeros)


def test_polarity_turns_every_component(case: Recording) -> None:
    broken = reversed_polarity(case, ["XX.AAA"])
    for component in "ZNE":
        stream = f"XX.AAA..HN{component}"
        np.testing.assert_array_equal(samples(broken, stream), -samples(case, stream))


def test_a_station_that_is_gone_has_no_samples_from_then_on(case: Recording) -> None:
    broken = silent(case, ["XX.AAA"], at_ns=AT_NS)
    ends = {s.stream_id.station: s.end_ns for s in broken.segments}
    assert ends == {"AAA": AT_NS, "BBB": case.end_ns}

    never_there = silent(case, ["XX.AAA"], at_ns=START_NS)
    assert {s.stream_id.station for s in never_there.segments} == {"BBB"}
    assert never_there.stations == case.stations


def test_a_wrong_gain_makes_the_motion_larger_not_the_counts(case: Recording) -> None:
    broken = wrong_gain(case, ["XX.AAA"], 1000.0)

    first, second = broken.stations
    assert {c.sensitivity for c in first.channels} == {213.9795}
    assert second == case.stations[1]
    assert broken.segments == case.segments


def test_swapped_coordinates_are_those_of_one_station(case: Recording) -> None:
    first, second = swapped_lat_lon(case, "XX.AAA").stations
    assert (first.lat, first.lon) == (30.0, 40.0)
    assert second == case.stations[1]


def test_a_longitude_that_cannot_be_a_latitude_cannot_be_swapped() -> None:
    case = recording([station(three_components("XX.AAA"))])
    with pytest.raises(ConfigError, match=r"XX\.AAA: longitude -117\.5 cannot"):
        swapped_lat_lon(case, "XX.AAA")


def test_exchanged_stations_stand_at_each_others_place(case: Recording) -> None:
    first, second = exchanged_coordinates(case, "XX.AAA", "XX.BBB").stations
    assert (first.lat, first.lon) == (41.0, 31.0)
    assert (second.lat, second.lon) == (40.0, 30.0)
    assert first.channels == case.stations[0].channels


def test_a_station_that_is_not_there_is_named(case: Recording) -> None:
    faults: list[Callable[[Recording], Recording]] = [
        lambda r: edited(r, ["XX.NO"], 0, lambda _, __, counts: counts),
        lambda r: wrong_gain(r, ["XX.NO"], 2.0),
        lambda r: swapped_lat_lon(r, "XX.NO"),
        lambda r: exchanged_coordinates(r, "XX.AAA", "XX.NO"),
        lambda r: silent(r, ["XX.NO"], at_ns=0),
    ]
    for fault in faults:
        with pytest.raises(ConfigError, match=r"case has no station 'XX\.NO'"):
            fault(case)


def test_edited_counts_are_rounded_and_end_where_the_digitiser_ends(case: Recording) -> None:
    # the clip limit of these channels is 90 % of 2**23
    broken = edited(case, ["XX.AAA"], START_NS, lambda _, __, counts: counts * 1e4 + 0.6)
    after = samples(broken, "XX.AAA..HNZ")
    assert after.max() == 2**23
    assert after.min() == -(2**23)


def test_float_samples_stay_floats() -> None:
    floats = np.random.default_rng(1).standard_normal(2000)
    case = recording([station(["XX.AAA..HNZ"])], [segment("XX.AAA..HNZ", floats)])
    broken = reversed_polarity(case, ["XX.AAA"])
    np.testing.assert_array_equal(broken.segments[0].samples, -floats)
