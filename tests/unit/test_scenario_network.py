"""Networks of computed scenarios: density, evenness, land, towns, chance."""

from __future__ import annotations

import dataclasses

import msgspec
import numpy as np
import pytest

from eew.physics.geo import destination, epicentral_distance_km
from eew.physics.traveltime import TravelTimes
from simulator.geography import countries_in_box, country_at, on_land
from simulator.network import build_network
from simulator.placed import PlacedStation
from simulator.scenario import Scenario, load_scenario
from tests.unit.scenario_cases import small


def even(spacing_km: float) -> Scenario:
    """Give a network of one spacing, without towns, 6 spacings in radius."""
    scenario = small()
    network = msgspec.structs.replace(
        scenario.network,
        spacing_km=spacing_km,
        outer_spacing_km=spacing_km,
        dense_radius_km=0.0,
        radius_km=6.0 * spacing_km,
    )
    return dataclasses.replace(scenario, network=network, sites=())


def positions(stations: tuple[PlacedStation, ...]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([s.lat for s in stations]), np.array([s.lon for s in stations])


def test_a_network_has_as_many_stations_as_a_hexagonal_one_of_its_spacing() -> None:
    counts = [len(build_network(even(15.0), seed, 760.0)) for seed in range(4)]
    hexagonal = np.pi * 6.0**2 * 2.0 / np.sqrt(3.0)
    assert np.mean(counts) == pytest.approx(hexagonal, rel=0.08)


def test_stations_keep_their_distance() -> None:
    lat, lon = positions(build_network(even(20.0), 3, 760.0))
    apart_km = epicentral_distance_km(lat[:, None], lon[:, None], lat[None, :], lon[None, :])
    np.fill_diagonal(apart_km, np.inf)
    assert apart_km.min() > 0.75 * 20.0
    assert np.median(apart_km.min(axis=1)) < 20.0


def test_the_fourth_p_comes_three_seconds_after_origin_at_15_km_spacing() -> None:
    # Median over epicentres inside the net, 8 km deep; jittered grids give 3.06 s (p95 3.5 s).
    fourth_s = []
    chance = np.random.default_rng(8)
    for seed in range(4):
        lat, lon = positions(build_network(even(15.0), seed, 760.0))
        for _ in range(40):
            epicentre = destination(
                36.0, -118.0, chance.uniform(0.0, 360.0), 40.0 * np.sqrt(chance.uniform())
            )
            p_s = TravelTimes.load().p_s(epicentral_distance_km(*epicentre, lat, lon), 8.0)
            fourth_s.append(np.sort(p_s)[3])
    assert np.median(fourth_s) == pytest.approx(3.0, abs=0.2)
    assert np.quantile(fourth_s, 0.95) == pytest.approx(3.5, abs=0.3)


def test_every_town_has_a_station_within_3_km() -> None:
    scenario = load_scenario("kumamoto-2016")
    lat, lon = positions(build_network(scenario, 1, 520.0))
    for site in scenario.sites:
        assert epicentral_distance_km(site.lat, site.lon, lat, lon).min() <= 3.01


@pytest.mark.parametrize("name", ["kumamoto-2016", "ridgecrest-2019"])
def test_stations_stand_on_land(name: str) -> None:
    scenario = load_scenario(name)
    stations = build_network(scenario, 2, 760.0)[len(scenario.sites) :]
    assert on_land(*positions(stations)).all()
    assert len(stations) > 80


def test_a_network_thins_out_between_its_two_spacings() -> None:
    scenario = load_scenario("luding-2022")
    event = scenario.event
    lat, lon = positions(build_network(scenario, 1, 760.0))
    distance_km = epicentral_distance_km(event.lat, event.lon, lat, lon)
    inner = np.count_nonzero(distance_km < 40.0) / (np.pi * 40.0**2)
    ring = (distance_km > 100.0) & (distance_km < 140.0)
    outer = np.count_nonzero(ring) / (np.pi * (140.0**2 - 100.0**2))
    # 15 km against some 23 km: (23 / 15)**2.
    assert 1.6 < inner / outer < 3.6
    assert 120 <= len(lat) <= 200


def test_the_same_seed_gives_the_same_network_and_another_another() -> None:
    assert build_network(small(), 5, 760.0) == build_network(small(), 5, 760.0)
    assert build_network(small(), 5, 760.0) != build_network(small(), 6, 760.0)


def test_a_seed_in_the_scenario_keeps_the_network_over_runs() -> None:
    scenario = small(('sensor = "force_balance"', 'sensor = "mems"\nseed = 9'))
    assert build_network(scenario, 5, 760.0) == build_network(scenario, 6, 760.0)


def test_channels_are_named_by_rate_and_carry_the_sensors_range() -> None:
    station = build_network(small(), 1, 760.0)[0].station
    assert [str(c.stream_id) for c in station.channels] == [
        "SY.S0001..HNZ",
        "SY.S0001..HNN",
        "SY.S0001..HNE",
    ]
    assert station.channels[0].sensitivity * 4 * 9.80665 == pytest.approx(2**23)
    slow = small(("sampling_rate_hz = 100.0", "sampling_rate_hz = 50.0"))
    assert build_network(slow, 1, 760.0)[0].station.channels[0].stream_id.channel == "BNZ"


def test_stations_may_stand_at_sea_where_the_scenario_says_so() -> None:
    at_sea = small(("lat = 36.0\nlon = -118.0", "lat = 30.0\nlon = -150.0"))
    assert len(build_network(at_sea, 1, 760.0)) == len(at_sea.sites)
    cabled = msgspec.structs.replace(at_sea.network, on_land=False)
    assert len(build_network(dataclasses.replace(at_sea, network=cabled), 1, 760.0)) > 10


@pytest.mark.parametrize(
    ("place", "lat", "lon", "country"),
    [
        ("Aso", 32.95, 131.12, "JP"),
        ("Beppu Bay", 33.32, 131.62, ""),
        ("East China Sea", 32.0, 129.0, ""),
        ("Chengdu", 30.57, 104.07, "CN"),
        ("Chukotka, beyond the date line", 66.5, -175.0, "RU"),
        ("the same, in another turn", 66.5, 185.0, "RU"),
        ("Wellington", -41.3, 174.8, "NZ"),
        ("Lesotho, inside South Africa", -29.5, 28.3, "LS"),
        ("South Pole", -90.0, 0.0, ""),
    ],
)
def test_the_land_mask_knows_whose_land_a_place_is(
    place: str, lat: float, lon: float, country: str
) -> None:
    assert str(country_at(lat, lon)) == country, place
    assert bool(on_land(lat, lon)) is bool(country), place


def test_a_box_of_the_land_mask_holds_every_country_that_its_points_are_in() -> None:
    chance = np.random.default_rng(3)
    for _ in range(40):
        south, west = chance.uniform(-60.0, 75.0), chance.uniform(-180.0, 170.0)
        lats = chance.uniform(south, south + 4.0, 60)
        lons = chance.uniform(west, west + 4.0, 60)
        inside = set(country_at(lats, lons).tolist()) - {""}
        assert inside <= countries_in_box(south, south + 4.0, west, west + 4.0)
