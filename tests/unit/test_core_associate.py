"""Which picks become which events."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from eew.core.event_state import EventState
from eew.core.verdict import is_ready
from eew.physics.geo import destination
from tests.unit.associator_cases import (
    Listening,
    Onset,
    Quake,
    announced,
    first_at_each,
    louder,
    p_waves,
    s_waves,
)
from tests.unit.core_cases import config, jittered_grid

LAT, LON = 30.0, 102.0
GRID = jittered_grid(np.random.default_rng(1), LAT, LON, n=7, spacing_km=20.0)
QUAKE = Quake(lat=30.1, lon=102.05, at_s=10.0)


def ready(event: EventState) -> bool:
    return is_ready(event, config().alert, config().association)


def arrivals_of(quake: Quake) -> list[Onset]:
    return p_waves(quake, GRID) + s_waves(quake, GRID)


# ---------------------------------------------------------------- birth
def test_the_third_pick_that_fits_makes_an_event() -> None:
    onsets = p_waves(QUAKE, GRID)
    assert Listening(GRID).hear(sorted(onsets)[:2]) == []

    events = Listening(GRID).hear(sorted(onsets)[:3])
    assert len(events) == 1
    assert QUAKE.miss_km(events[0]) < 10.0


def test_all_p_waves_of_a_quake_are_one_event_with_all_its_picks() -> None:
    events = Listening(GRID).hear(p_waves(QUAKE, GRID))

    assert [len(e.picks) for e in events] == [len(GRID)]
    assert QUAKE.miss_km(events[0]) < 1.0
    assert abs(events[0].origin_time_ns - events[0].first_pick_ns) < 5e9
    assert events[0].triggered_ratio == 1.0
    assert ready(events[0])


def test_picks_further_apart_in_time_than_p_can_be_make_nothing() -> None:
    # neighbours 20 km apart, 6 s one after the other: P needs three and a half
    one_by_one = [Onset(10.0 + 6.0 * k, row) for k, row in enumerate((24, 25, 26, 27, 20))]

    assert Listening(GRID).hear(one_by_one) == []


def test_waves_slower_than_p_are_not_all_one_event() -> None:
    slow = [Onset(10.0 + float(d) / 2.0, row) for row, d in enumerate(QUAKE.distance_km(GRID))]
    events = Listening(GRID).hear([o for o in slow if o.at_s < 34.0])

    assert all(len(e.picks) < 0.3 * len(slow) for e in events)


def test_picks_at_one_instant_all_over_make_nothing_that_may_alert() -> None:
    at_once = [Onset(10.0 + 0.01 * row, row) for row in range(0, len(GRID), 5)]
    assert not any(ready(e) for e in Listening(GRID).hear(at_once))


def test_five_stations_of_garbage_make_nothing_that_may_alert() -> None:
    # Carson City, 4 Dec 2025: three with bad data, one faulty, one in urban noise
    for seed in range(6):
        rng = np.random.default_rng(seed)
        rows = rng.choice(len(GRID), 5, replace=False)
        garbage = [
            Onset(10.0 + rng.uniform(0.0, 8.0), int(row), rng.uniform(1.5, 8.0)) for row in rows
        ]
        assert not any(ready(e) for e in Listening(GRID).hear(garbage))


def test_when_most_stations_within_reach_saw_nothing_there_is_no_event() -> None:
    scattered = sorted(p_waves(QUAKE, GRID))[::9]  # one in nine, the others alive and silent

    assert Listening(GRID).hear(scattered) == []


def test_dead_stations_do_not_count_as_silent() -> None:
    alive = [o.row for o in sorted(p_waves(QUAKE, GRID))[::9]]
    dead = [row for row in range(len(GRID)) if row not in alive]
    events = Listening(GRID, dead=dead).hear([o for o in p_waves(QUAKE, GRID) if o.row in alive])

    assert [len(e.picks) for e in events] == [len(alive)]
    assert events[0].triggered_ratio == 1.0


def test_sensors_of_one_building_are_one_witness() -> None:
    building = [(30.0 + 0.001 * k, 102.0) for k in range(4)]
    onsets = [Onset(10.0 + 0.02 * k, k) for k in range(4)]
    other = [destination(30.0, 102.0, 45.0, 15.0)]
    points = [*building, *[(float(lat), float(lon)) for lat, lon in other]]

    assert Listening(points).hear([*onsets, Onset(11.0, 4)]) == []


@pytest.mark.slow
# ---------------------------------------------------------------- what belongs to a live event
@pytest.mark.parametrize("seed", range(2))
def test_s_waves_and_coda_make_no_second_event(seed: int) -> None:
    rng = np.random.default_rng(seed)
    coda = [
        Onset(
            QUAKE.at_s + rng.uniform(8.0, 90.0), int(rng.integers(len(GRID))), rng.uniform(1.5, 4.0)
        )
        for _ in range(25)
    ]
    events = Listening(GRID).hear(first_at_each([*arrivals_of(QUAKE), *coda]))

    assert len(events) == 1
    assert QUAKE.miss_km(events[0]) < 1.0


@pytest.mark.parametrize("seed", range(2))
def test_noise_picks_before_and_between_do_not_spoil_a_quake(seed: int) -> None:
    rng = np.random.default_rng(seed)
    noise = [
        Onset(rng.uniform(0.0, 40.0), int(rng.integers(len(GRID))), rng.uniform(1.5, 5.0))
        for _ in range(16)
    ]
    events = Listening(GRID).hear(first_at_each([*p_waves(QUAKE, GRID), *noise]))
    alerting = [e for e in events if ready(e)]

    assert len(alerting) == 1
    assert QUAKE.miss_km(alerting[0]) < 1.0
    assert len(alerting[0].picks) > 0.9 * len(GRID)


def test_a_pick_that_fits_no_more_is_let_go() -> None:
    onsets = sorted(p_waves(QUAKE, GRID))
    early = [Onset(onsets[0].at_s - 3.0, onsets[6].row), *[o for o in onsets if o != onsets[6]]]
    events = Listening(GRID).hear(early)

    assert len(events) == 1
    assert QUAKE.miss_km(events[0]) < 1.0
    residuals = [abs(events[0].residual_s(t)) for t in events[0].picks]
    assert max(residuals) < 1.0
    assert onsets[6].row not in events[0].rows


def test_the_location_follows_the_picks_as_they_come() -> None:
    listening = Listening(GRID)
    onsets = sorted(p_waves(QUAKE, GRID))
    misses_km: list[float] = []
    for lo, hi in pairwise((0, 3, 5, 8, 20)):
        events = listening.hear(onsets[lo:hi])
        misses_km.append(QUAKE.miss_km(events[0]))

    assert len(listening.associator.events) == 1
    assert misses_km[-1] < 0.5
    assert misses_km[-1] <= misses_km[0]


# ---------------------------------------------------------------- two quakes stay two
def test_two_quakes_350_km_and_three_seconds_apart_stay_two() -> None:
    # Toyama and Ibaraki, 5 Jan 2018: taken for one. Stations stand in between, too.
    far = destination(LAT, LON, 60.0, 350.0)
    far_lat, far_lon = float(far[0]), float(far[1])
    between = [destination(LAT, LON, 60.0, km) for km in range(80, 300, 25)]
    points = [
        *jittered_grid(np.random.default_rng(2), LAT, LON, n=5, spacing_km=25.0),
        *jittered_grid(np.random.default_rng(3), far_lat, far_lon, n=5, spacing_km=25.0),
        *[(float(lat), float(lon)) for lat, lon in between],
    ]
    quakes = [
        Quake(lat=LAT + 0.02, lon=LON + 0.03),
        Quake(lat=far_lat + 0.03, lon=far_lon - 0.02, at_s=3.0),
    ]
    waves = [
        o
        for q in quakes
        for o in p_waves(q, points, within_km=220.0) + s_waves(q, points, within_km=220.0)
    ]
    events = Listening(points).hear(first_at_each(waves))

    assert len(events) == 2
    for quake, event in zip(quakes, sorted(events, key=lambda e: e.origin_time_ns), strict=True):
        assert quake.miss_km(event) < 5.0
        assert len(event.picks) >= 25


def test_a_second_quake_39_seconds_later_at_the_same_place_is_an_event() -> None:
    second = Quake(lat=30.2, lon=102.15, at_s=QUAKE.at_s + 39.0)
    events = Listening(GRID).hear(first_at_each(arrivals_of(QUAKE) + arrivals_of(second)))

    assert len(events) == 2
    assert QUAKE.miss_km(events[0]) < 1.0
    assert second.miss_km(events[1]) < 1.0


def test_a_close_doublet_is_told_apart() -> None:
    second = Quake(lat=29.7, lon=101.6, at_s=QUAKE.at_s + 4.0)  # 62 km away
    events = Listening(GRID).hear(first_at_each(p_waves(QUAKE, GRID) + p_waves(second, GRID)))

    assert len(events) == 2
    assert QUAKE.miss_km(events[0]) < 1.0
    assert second.miss_km(events[1]) < 1.0


def test_in_the_coda_of_an_alerted_quake_more_is_asked_for() -> None:
    second = Quake(lat=30.2, lon=102.15, at_s=10.0)
    onsets = sorted(p_waves(second, GRID))
    before = [announced(Quake(lat=30.1, lon=102.05, at_s=-50.0), 6.5)]
    long_before = [announced(Quake(lat=30.1, lon=102.05, at_s=-2000.0), 6.5)]
    for n_picks, snr, may_alert in ((5, 20.0, False), (9, 2.0, False), (9, 20.0, True)):
        event = Listening(GRID).hear(louder(onsets[:n_picks], snr))[0]

        assert is_ready(event, config().alert, config().association, before) == may_alert
    few = Listening(GRID).hear(onsets[:5])[0]
    assert is_ready(few, config().alert, config().association, long_before)


def test_names_tell_the_first_pick_and_never_repeat() -> None:
    listening = Listening(GRID)
    later = Quake(lat=30.1, lon=102.05, at_s=QUAKE.at_s + 200.0)
    first = listening.hear(p_waves(QUAKE, GRID))[0]
    listening.associator.remove(first)
    second = listening.hear(p_waves(later, GRID))[0]

    numbers = [int(e.event_id.rpartition("-")[2]) for e in (first, second)]
    assert numbers[0] == 1
    assert numbers[1] > 1
    assert first.event_id.startswith("20231114T2213")  # START_NS and some seconds
