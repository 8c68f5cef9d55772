"""The locator on arrivals computed from the travel-time table."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from eew.core.locate import Located, Locator, Observed, Silent
from eew.physics.geo import destination, epicentral_distance_km
from eew.physics.traveltime import RegionalTravelTimes, TravelTimes
from tests.unit.core_cases import Floats, config, jittered_grid

TIMES = TravelTimes.load()
LOCATOR = Locator(config().location, TIMES)
LAT, LON = 30.0, 102.0
SIGMA_S = 0.05
# without the floor under the uncertainty, which hides its shape
BARE = Locator(replace(config().location, model_km=0.0, model_s=0.0), TIMES)

Points = list[tuple[float, float]]


def point(azimuth_deg: float, distance_km: float) -> tuple[float, float]:
    lat, lon = destination(LAT, LON, azimuth_deg % 360.0, distance_km)
    return float(lat), float(lon)


def arrivals(
    stations: Points, hypocentre: tuple[float, float, float], n_picks: int
) -> tuple[list[Observed], list[Silent], float]:
    """Picks of the first stations, silence of the others, and the origin time in their seconds."""
    lat, lon, depth_km = hypocentre
    distance_km = epicentral_distance_km(
        lat, lon, [s[0] for s in stations], [s[1] for s in stations]
    )
    times_s: Floats = np.asarray(TIMES.p_s(distance_km, depth_km))
    order = np.argsort(times_s, kind="stable")
    first_s = float(times_s[order[0]])
    now_s = float(times_s[order[n_picks - 1]]) - first_s + 0.3
    picks = [
        Observed(
            lat=stations[i][0],
            lon=stations[i][1],
            time_s=float(times_s[i]) - first_s,
            sigma_s=SIGMA_S,
        )
        for i in order[:n_picks]
    ]
    silent = [
        Silent(lat=stations[i][0], lon=stations[i][1], until_s=now_s) for i in order[n_picks:]
    ]
    return picks, silent, -first_s


def error_km(located: Located, hypocentre: tuple[float, float, float]) -> float:
    return float(epicentral_distance_km(hypocentre[0], hypocentre[1], located.lat, located.lon))


def quake(seed: int, within_km: float) -> tuple[Points, tuple[float, float, float]]:
    rng = np.random.default_rng(seed)
    stations = jittered_grid(rng, LAT, LON)
    lat, lon = point(rng.uniform(0.0, 360.0), within_km * rng.uniform() ** 0.5)
    return stations, (lat, lon, rng.uniform(4.0, 20.0))


@pytest.mark.parametrize("n_picks", [6, 10, 20])
def test_a_quake_in_the_network_is_found_to_a_kilometre(n_picks: int) -> None:
    for seed in range(5):
        stations, hypocentre = quake(seed, 50.0)
        picks, silent, origin_s = arrivals(stations, hypocentre, n_picks)
        located = LOCATOR.locate(picks, silent)

        assert error_km(located, hypocentre) < 1.0
        assert abs(located.depth_km - hypocentre[2]) < 6.0
        assert abs(located.origin_time_s - origin_s) < 0.5
        assert error_km(located, hypocentre) < 3.0 * located.ellipse_major_km
        assert not located.on_edge


def test_a_quake_at_the_edge_of_the_network_is_found_to_a_kilometre() -> None:
    for seed in range(5):
        rng = np.random.default_rng(seed)
        stations = jittered_grid(rng, LAT, LON)
        hypocentre = (*point(rng.uniform(0.0, 360.0), 60.0), 10.0)
        located = LOCATOR.locate(*arrivals(stations, hypocentre, 10)[:2])

        assert error_km(located, hypocentre) < 1.0


def test_a_quake_out_of_the_network_is_found_within_its_ellipse() -> None:
    for seed in range(6):
        rng = np.random.default_rng(seed)
        stations = jittered_grid(rng, LAT, LON)
        hypocentre = (*point(rng.uniform(0.0, 360.0), 110.0), 10.0)
        located = BARE.locate(*arrivals(stations, hypocentre, 12)[:2])

        assert error_km(located, hypocentre) < max(2.5 * located.ellipse_major_km, 3.0)
        assert located.ellipse_major_km > 2.0 * located.ellipse_minor_km


@pytest.mark.parametrize("wrong_s", [-10.0, 10.0])
def test_one_pick_wrong_by_ten_seconds_does_little(wrong_s: float) -> None:
    for seed in range(2):
        stations, hypocentre = quake(seed, 40.0)
        picks, silent, _ = arrivals(stations, hypocentre, 7)
        for at, bad in enumerate(picks):
            moved = replace(bad, time_s=bad.time_s + wrong_s)
            spoilt = sorted([*picks[:at], moved, *picks[at + 1 :]], key=lambda p: p.time_s)

            assert error_km(LOCATOR.locate(spoilt, silent), hypocentre) < 2.5


def test_stations_that_have_seen_nothing_say_on_which_side_it_was() -> None:
    with_silence, without = [], []
    for seed in range(12):
        stations, hypocentre = quake(seed, 40.0)
        picks, silent, _ = arrivals(stations, hypocentre, 2)
        with_silence.append(error_km(LOCATOR.locate(picks, silent), hypocentre))
        without.append(error_km(LOCATOR.locate(picks, []), hypocentre))

    assert max(with_silence) < 10.0
    assert np.median(with_silence) < 0.6 * np.median(without)


def test_a_station_says_nothing_of_waves_that_passed_during_its_gap() -> None:
    stations, hypocentre = quake(3, 20.0)
    picks, silent, _ = arrivals(stations, hypocentre, 6)
    # the second station lost the wave: its data begin anew two seconds later
    lost, kept = picks[1], [picks[0], *picks[2:]]
    until_s = picks[5].time_s + 0.3
    deaf = Silent(lat=lost.lat, lon=lost.lon, until_s=until_s, since_s=lost.time_s + 2.0)
    witness = replace(deaf, since_s=-60.0)

    without = LOCATOR.locate(kept, silent)
    assert LOCATOR.locate(kept, [*silent, deaf]).best == pytest.approx(without.best, abs=0.05)
    misled = LOCATOR.locate(kept, [*silent, witness])
    assert error_km(misled, hypocentre) > error_km(without, hypocentre) + 0.5


def test_one_pick_places_the_quake_near_its_station() -> None:
    for seed in range(4):
        stations, hypocentre = quake(seed, 40.0)
        picks, silent, _ = arrivals(stations, hypocentre, 1)
        located = LOCATOR.locate(picks, silent)

        from_station = epicentral_distance_km(picks[0].lat, picks[0].lon, located.lat, located.lon)
        assert float(from_station) < 5.0
        assert located.h_sigma_km > 5.0


@pytest.mark.parametrize("depth_km", [5.0, 10.0, 20.0, 40.0])
def test_depth_is_recovered_below_a_station(depth_km: float) -> None:
    stations = jittered_grid(None, LAT, LON)  # one stands at the centre
    located = LOCATOR.locate(*arrivals(stations, (LAT, LON, depth_km), 12)[:2])

    assert located.depth_km == pytest.approx(depth_km, abs=max(4.0, 0.15 * depth_km))
    assert abs(located.depth_km - depth_km) < 2.0 * located.z_sigma_km


def test_a_deep_quake_comes_out_deep() -> None:
    stations = jittered_grid(None, LAT, LON)
    located = LOCATOR.locate(*arrivals(stations, (LAT, LON, 120.0), 24)[:2])

    assert located.depth_km > 60.0


def test_s_at_two_stations_makes_a_deep_quake_deep() -> None:
    stations = jittered_grid(None, LAT, LON)
    hypocentre = (*point(50.0, 40.0), 110.0)
    picks, silent, _ = arrivals(stations, hypocentre, 6)
    without = LOCATOR.locate(picks, silent)
    with_s = LOCATOR.locate([*with_second(picks[:2], hypocentre), *picks[2:]], silent)

    assert with_s.depth_km == pytest.approx(110.0, abs=15.0)
    assert with_s.z_sigma_km < without.z_sigma_km
    assert error_km(with_s, hypocentre) < 12.0


def test_s_tells_how_far_off_a_line_of_stations_a_quake_was() -> None:
    stations = [point(0.0 if k >= 0 else 180.0, 30.0 * abs(k)) for k in range(-3, 4)]
    hypocentre = (*point(90.0, 45.0), 12.0)
    picks, silent, _ = arrivals(stations, hypocentre, 3)
    without = LOCATOR.locate(picks, silent)
    with_s = LOCATOR.locate(with_second(picks, hypocentre), silent)

    # east or west of the line nobody can say; how far from it S does
    assert with_s.ellipse_azimuth_deg == pytest.approx(90.0, abs=15.0)
    away_km = [
        float(epicentral_distance_km(LAT, LON, *found.best[:2])) for found in (without, with_s)
    ]
    assert max(abs(km - 45.0) for km in away_km) < 8.0


def with_second(
    picks: list[Observed], hypocentre: tuple[float, float, float], wrong_s: float = 0.0
) -> list[Observed]:
    """Give each pick the S that comes after it."""
    lat, lon, depth_km = hypocentre
    seconds = []
    for pick in picks:
        distance_km = float(epicentral_distance_km(lat, lon, pick.lat, pick.lon))
        late_s = float(TIMES.s_s(distance_km, depth_km) - TIMES.p_s(distance_km, depth_km))
        seconds.append(replace(pick, second_s=late_s + wrong_s))
    return seconds


def test_second_triggers_that_are_not_s_do_little() -> None:
    for seed in range(4):
        stations, hypocentre = quake(seed, 40.0)
        picks, silent, _ = arrivals(stations, hypocentre, 8)
        rng = np.random.default_rng(seed)
        spoilt = [replace(pick, second_s=rng.uniform(1.0, 30.0)) for pick in picks]

        assert error_km(LOCATOR.locate(spoilt, silent), hypocentre) < 2.5


def test_a_faint_pick_counts_for_less() -> None:
    for seed in range(4):
        stations, hypocentre = quake(seed, 40.0)
        picks, silent, _ = arrivals(stations, hypocentre, 5)
        late = replace(picks[4], time_s=picks[4].time_s + 1.0)
        clear, faint = (
            error_km(LOCATOR.locate([*picks[:4], replace(late, snr=snr)], silent), hypocentre)
            for snr in (50.0, 2.0)
        )

        assert faint < clear + 0.3


@pytest.mark.parametrize("distance_km", [200.0, 260.0, 300.0])
def test_a_quake_far_outside_is_found_within_what_is_stated(distance_km: float) -> None:
    inside = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        stations = jittered_grid(rng, LAT, LON)
        hypocentre = (*point(rng.uniform(0.0, 360.0), distance_km), 12.0)
        picks, silent, _ = arrivals(stations, hypocentre, 24)
        located = LOCATOR.locate(picks, silent)
        inside.append(error_km(located, hypocentre) < located.ellipse_major_km)

        assert located.ellipse_major_km > 15.0
        assert located.ellipse_major_km > 2.0 * located.ellipse_minor_km

    assert np.mean(inside) >= 0.75


def test_a_quake_beyond_reach_is_said_to_be_on_the_edge() -> None:
    flags = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        stations = jittered_grid(rng, LAT, LON)
        hypocentre = (*point(rng.uniform(0.0, 360.0), 400.0), 12.0)
        flags.append(LOCATOR.locate(*arrivals(stations, hypocentre, 24)[:2]).on_edge)

    assert np.mean(flags) >= 0.75


@pytest.mark.parametrize("azimuth_deg", [0.0, 60.0, 120.0])
def test_three_stations_on_a_line_do_not_run_away(azimuth_deg: float) -> None:
    stations = [point(azimuth_deg, 0.0), point(azimuth_deg, 25.0), point(azimuth_deg, 50.0)]
    hypocentre = (*point(azimuth_deg + 100.0, 12.0), 10.0)
    located = LOCATOR.locate(*arrivals(stations, hypocentre, 3)[:2])

    assert error_km(located, hypocentre) < 40.0
    assert error_km(located, hypocentre) < 2.0 * located.ellipse_major_km


def test_two_picks_of_a_dense_network_state_an_honest_uncertainty() -> None:
    # radius within which two of three truths lie, for a circular normal distribution: 1.515 sigma
    inside, sigmas = [], []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        stations = jittered_grid(rng, LAT, LON)
        hypocentre = (*point(rng.uniform(0.0, 360.0), 50.0 * rng.uniform() ** 0.5), 12.0)
        located = LOCATOR.locate(*arrivals(stations, hypocentre, 2)[:2])
        inside.append(error_km(located, hypocentre) <= 1.515 * located.h_sigma_km)
        sigmas.append(located.h_sigma_km)

    assert np.mean(inside) >= 0.55
    assert np.median(sigmas) < 12.0


def test_the_velocity_model_is_that_of_the_first_station() -> None:
    western_us = TravelTimes.load("western_us")
    lat, lon = 38.5, -117.5
    stations = jittered_grid(None, lat, lon)
    hypocentre = (38.6, -117.4, 8.0)
    distance_km = epicentral_distance_km(
        *hypocentre[:2], [s[0] for s in stations], [s[1] for s in stations]
    )
    times_s = np.asarray(western_us.p_s(distance_km, hypocentre[2]))
    picks = [
        Observed(lat=stations[i][0], lon=stations[i][1], time_s=float(times_s[i]), sigma_s=SIGMA_S)
        for i in np.argsort(times_s, kind="stable")[:16]
    ]
    regional = Locator(config().location, RegionalTravelTimes()).locate(picks, [])

    assert regional == Locator(config().location, western_us).locate(picks, [])
    assert error_km(regional, hypocentre) < 1.0
    # the upper two kilometres are slow there: iasp91 starts the quake late
    assert abs(regional.origin_time_s) < 0.1 < LOCATOR.locate(picks, []).origin_time_s


@pytest.mark.parametrize("azimuth_deg", [0.0, 45.0, 90.0, 120.0])
def test_the_ellipse_of_a_line_of_stations_lies_across_it(azimuth_deg: float) -> None:
    stations = [
        point(azimuth_deg + (0.0 if k >= 0 else 180.0), 20.0 * abs(k)) for k in range(-4, 5)
    ]
    hypocentre = (*point(azimuth_deg + 90.0, 15.0), 10.0)
    located = BARE.locate(*arrivals(stations, hypocentre, 9)[:2])

    away_deg = abs((located.ellipse_azimuth_deg - azimuth_deg - 90.0 + 90.0) % 180.0 - 90.0)
    assert away_deg < 5.0
    assert located.ellipse_major_km > 5.0 * located.ellipse_minor_km


def test_more_picks_make_the_ellipse_smaller() -> None:
    stations, hypocentre = quake(3, 20.0)
    sigmas = [
        LOCATOR.locate(*arrivals(stations, hypocentre, n)[:2]).h_sigma_km for n in (2, 4, 8, 16)
    ]

    assert sigmas == sorted(sigmas, reverse=True)


def test_a_near_start_finds_what_the_whole_grid_finds() -> None:
    stations, hypocentre = quake(1, 30.0)
    picks, silent, _ = arrivals(stations, hypocentre, 10)
    whole = LOCATOR.locate(picks, silent)
    for near in ((whole.lat, whole.lon, whole.depth_km, 2.0), (*point(0.0, 90.0), 10.0, 2.0)):
        again = LOCATOR.locate(picks, silent, near)  # the second start is far off: whole grid

        assert error_km(again, (whole.lat, whole.lon, 0.0)) < 0.2


def test_the_date_line_is_a_place_like_any_other() -> None:
    stations = jittered_grid(np.random.default_rng(4), -38.0, 179.9)
    hypocentre = (-38.1, -179.95, 12.0)
    located = LOCATOR.locate(*arrivals(stations, hypocentre, 8)[:2])

    assert error_km(located, hypocentre) < 1.0
    assert -180.0 <= located.lon <= 180.0


def test_the_same_picks_give_the_same_numbers() -> None:
    stations, hypocentre = quake(2, 40.0)
    picks, silent, _ = arrivals(stations, hypocentre, 9)

    assert LOCATOR.locate(picks, silent) == Locator(config().location, TIMES).locate(picks, silent)
