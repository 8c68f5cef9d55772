"""The floors under an alert, the best location, the network round a quake, hours of noise."""

from __future__ import annotations

from dataclasses import replace

import pytest

from eew.core.config import DetectorConfig
from eew.model.event import Phase, Pick
from eew.model.waveform import Recording
from eew.physics.geo import epicentral_distance_km
from eew.physics.traveltime import RegionalTravelTimes
from simulator.floor import (
    best_location,
    geometry,
    observed_floor_s,
    observed_p,
    quiet_s,
    quiet_until_ns,
)
from simulator.truth import arrivals_s, nth_p_floor_s
from tests.unit.run_example import ORIGIN_NS, P_KM_S, S, distance_km, recording, truth

QUAKE = recording()
CONFIG = DetectorConfig.load()


@pytest.fixture(scope="module")
def picks() -> tuple[Pick, ...]:
    return observed_p(QUAKE, CONFIG)


def moved(quake: Recording, **values: float) -> Recording:
    """Give a recording another truth."""
    return replace(quake, truth=replace(truth(), **values))  # type: ignore[arg-type]  # a table


# ------------------------------------------------------------------ observed P


def test_every_onset_of_the_records_is_picked_once_in_order(picks: tuple[Pick, ...]) -> None:
    assert sorted(p.station for p in picks) == sorted(s.code for s in QUAKE.stations)
    assert [p.time_ns for p in picks] == sorted(p.time_ns for p in picks)
    place = {s.code: s for s in QUAKE.stations}
    for one in picks:
        onset_s = distance_km(place[one.station]) / P_KM_S + 1.0
        assert (one.time_ns - ORIGIN_NS) / S == pytest.approx(onset_s, abs=0.1)


def test_the_observed_floor_is_where_the_records_have_their_p(picks: tuple[Pick, ...]) -> None:
    floor = observed_floor_s(QUAKE, picks)

    onsets = sorted(distance_km(s) / P_KM_S + 1.0 for s in QUAKE.stations)
    assert len(floor) == 6
    assert floor == pytest.approx(onsets[:6], abs=0.1)


def test_a_wrong_origin_time_moves_the_catalogue_floor_and_not_the_observed_moments() -> None:
    early = moved(QUAKE, origin_time_ns=ORIGIN_NS - 2 * S)

    seen = observed_floor_s(early, observed_p(early, CONFIG))

    assert nth_p_floor_s(early) == pytest.approx(nth_p_floor_s(QUAKE))
    # counted from the wrong origin the same moments are 2 s later
    assert seen == pytest.approx(
        [at_s + 2.0 for at_s in observed_floor_s(QUAKE, observed_p(QUAKE, CONFIG))]
    )


def test_a_pick_more_than_3_s_from_the_expected_p_is_none() -> None:
    assert observed_p(moved(QUAKE, origin_time_ns=ORIGIN_NS - 8 * S), CONFIG) == ()


def test_a_station_without_data_has_no_p() -> None:
    code = QUAKE.stations[0].code
    silent = replace(
        QUAKE, segments=tuple(s for s in QUAKE.segments if s.stream_id.station_code != code)
    )

    assert code not in {p.station for p in observed_p(silent, CONFIG)}


def test_without_truth_nothing_is_expected() -> None:
    blind = recording(with_truth=False)

    assert observed_p(blind, CONFIG) == ()
    assert observed_floor_s(blind, ()) == []


# ------------------------------------------------------------------ best location


def perfect_picks(lat: float, lon: float, depth_km: float) -> tuple[Pick, ...]:
    """Make picks that the velocity model of the place explains without any error."""
    times = RegionalTravelTimes().at(lat, lon)
    made: list[Pick] = []
    for n, one in enumerate(QUAKE.stations, start=1):
        distance = float(epicentral_distance_km(lat, lon, one.lat, one.lon))
        after_s = float(times.p_s(distance, depth_km))
        made.append(
            Pick(
                pick_id=n,
                station=one.code,
                stream=str(one.channels[0].stream_id),
                phase=Phase.P,
                time_ns=ORIGIN_NS + round(after_s * S),
                known_ns=ORIGIN_NS + round(after_s * S),
                uncertainty_s=0.05,
                snr=20.0,
            )
        )
    return tuple(sorted(made, key=lambda p: p.time_ns))


def test_perfect_picks_are_located_where_they_come_from() -> None:
    best = best_location(QUAKE, perfect_picks(35.80, -117.55, 10.0), CONFIG)

    assert best is not None
    assert float(epicentral_distance_km(best.lat, best.lon, 35.80, -117.55)) < 1.0
    assert abs(best.origin_time_ns - ORIGIN_NS) / S < 0.3
    assert best.n_picks == len(QUAKE.stations)
    assert best.rms_s < 0.1


def test_a_station_with_a_wrong_clock_is_left_out() -> None:
    good = perfect_picks(35.80, -117.55, 10.0)
    bad = tuple(
        replace(p, time_ns=p.time_ns + round(2.8 * S)) if n == 4 else p for n, p in enumerate(good)
    )

    best = best_location(QUAKE, bad, CONFIG)

    assert best is not None
    assert best.n_left_out == 1
    assert float(epicentral_distance_km(best.lat, best.lon, 35.80, -117.55)) < 1.5


def test_far_picks_count_only_where_near_ones_are_few() -> None:
    dense = recording(14)  # the last ones lie up to 120 km away
    picks = observed_p(dense, CONFIG)
    far = {s.code for s in dense.stations if distance_km(s) > 100.0}
    near = tuple(pick for pick in picks if pick.station not in far)

    many = best_location(dense, picks, CONFIG)
    few = best_location(dense, (*near[:5], *(p for p in picks if p.station in far)), CONFIG)

    assert many is not None
    assert few is not None
    assert many.n_far == len(picks) - len(near) > 0
    assert many.n_picks + many.n_left_out == len(near)
    assert few.n_far == 0


def test_three_picks_are_no_location() -> None:
    assert best_location(QUAKE, perfect_picks(35.80, -117.55, 10.0)[:3], CONFIG) is None


# ------------------------------------------------------------------ network and noise


def test_a_quake_amid_its_stations_is_in_the_network() -> None:
    place = geometry(QUAKE)

    assert place.in_network
    assert place.delivering == 9
    assert place.nearest_km == pytest.approx(min(map(distance_km, QUAKE.stations)), rel=0.02)
    assert place.gap_deg < 180.0
    assert not place.is_far


def test_a_quake_beside_its_stations_is_at_the_edge() -> None:
    assert not geometry(moved(QUAKE, lat=35.77 + 1.5)).in_network  # all stations to the south
    one_side = replace(QUAKE, stations=tuple(s for s in QUAKE.stations if s.lat > truth().lat))
    assert geometry(one_side).gap_deg > 180.0
    assert not geometry(one_side).in_network


def test_stations_that_are_silent_as_p_arrives_do_not_make_a_network() -> None:
    p_s = dict(zip((s.code for s in QUAKE.stations), arrivals_s(QUAKE)[0], strict=True))
    cut = tuple(
        replace(s, samples=s.samples[: 20 * 50]) if p_s[s.stream_id.station_code] > 5.0 else s
        for s in QUAKE.segments
    )

    assert geometry(replace(QUAKE, segments=cut)).delivering == sum(t <= 5.0 for t in p_s.values())


def test_a_quake_on_the_other_side_of_the_world_is_far() -> None:
    far = moved(QUAKE, lat=-31.0, lon=60.0)

    assert geometry(far).is_far
    assert quiet_until_ns(far) == far.end_ns
    assert quiet_s(far) == pytest.approx(80.0, abs=0.1)


def test_noise_is_what_comes_before_the_quake() -> None:
    assert quiet_until_ns(QUAKE) == ORIGIN_NS
    assert quiet_s(QUAKE) == pytest.approx(20.0, abs=0.1)
    assert quiet_s(recording(with_truth=False)) == pytest.approx(80.0, abs=0.1)


def test_noise_counts_only_while_enough_stations_deliver() -> None:
    few = {s.code for s in QUAKE.stations[:3]}
    cut = tuple(
        s
        if s.stream_id.station_code in few
        else replace(s, start_ns=s.start_ns + 12 * S, samples=s.samples[12 * 50 :])
        for s in QUAKE.segments
    )

    assert quiet_s(replace(QUAKE, segments=cut)) == pytest.approx(8.0, abs=0.1)
    alone = replace(QUAKE, stations=QUAKE.stations[:3])
    assert quiet_s(alone) == 0.0


def test_gaps_of_all_stations_are_not_noise() -> None:
    halves = tuple(
        part
        for s in QUAKE.segments
        for part in (
            replace(s, samples=s.samples[: 5 * 50]),
            replace(s, start_ns=s.start_ns + 10 * S, samples=s.samples[10 * 50 :]),
        )
    )

    assert quiet_s(replace(QUAKE, segments=halves)) == pytest.approx(15.0, abs=0.1)
