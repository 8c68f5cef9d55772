"""People: each counted once, and devices where they are."""

from __future__ import annotations

import numpy as np
import pytest

from eew.physics.geo import epicentral_distance_km
from simulator.geography import on_land
from simulator.population import Places, covered_share, draw_devices, places, size_km


def largest_near(lat: float, lon: float, radius_km: float) -> list[str]:
    return [str(name) for name in places().near(lat, lon, radius_km).name]


def test_places_are_many_sorted_and_all_of_them_have_people() -> None:
    found = places()
    assert 60_000 < len(found) < 69_500
    assert (np.diff(found.population) <= 0).all()
    assert found.population[-1] >= 1
    assert np.abs(found.lat).max() <= 90.0
    assert np.abs(found.lon).max() <= 180.0
    assert {len(code) for code in found.country.tolist()} == {2}


@pytest.mark.parametrize(
    ("city", "lat", "lon", "district", "people"),
    [
        ("Tokyo", 35.69, 139.69, "Setagaya", (9.0e6, 10.0e6)),
        ("Mexico City", 19.43, -99.13, "Iztapalapa", (9.0e6, 12.5e6)),
        ("Beijing", 39.91, 116.40, "Tongzhou", (18.0e6, 22.0e6)),
        ("Chengdu", 30.67, 104.07, "Wuhou", (13.0e6, 21.0e6)),
        ("Istanbul", 41.01, 28.95, "Esenyurt", (15.0e6, 16.0e6)),
    ],
)
def test_the_districts_of_a_city_are_counted_in_it_once(
    city: str, lat: float, lon: float, district: str, people: tuple[float, float]
) -> None:
    near = places().near(lat, lon, 40.0)
    assert str(near.name[0]) == city
    assert people[0] <= near.population[0] <= people[1]
    assert district not in near.name.tolist()


def test_neighbours_that_are_towns_of_their_own_stay() -> None:
    assert {"Yokohama", "Kawaguchi"} <= set(largest_near(35.69, 139.69, 40.0))
    assert {"Ecatepec de Morelos", "Ciudad Nezahualcoyotl"} <= set(
        largest_near(19.43, -99.13, 30.0)
    )
    assert {"Peristéri", "Kallithéa"} <= set(largest_near(37.98, 23.73, 10.0))
    assert "Oakland" in largest_near(37.77, -122.42, 20.0)


@pytest.mark.parametrize(
    ("country", "low", "high"),
    [
        # Half of China lives in villages and in towns whose figure GeoNames lacks.
        ("CN", 0.40, 0.70),
        ("JP", 0.85, 1.10),
        ("US", 0.60, 1.00),
        ("MX", 0.60, 1.00),
        ("TR", 0.70, 1.05),
        ("CL", 0.70, 1.00),
        ("TW", 0.70, 1.00),
        ("NZ", 0.80, 1.30),  # suburbs of Auckland farther than the rule reaches
        ("IT", 0.50, 1.00),
        ("NP", 0.10, 0.40),
    ],
)
def test_the_people_of_a_country_are_within_bounds_of_its_census(
    country: str, low: float, high: float
) -> None:
    assert low <= covered_share(country) <= high


@pytest.mark.parametrize(
    ("name", "lat", "lon", "most"),
    [("Taipei", 25.05, 121.53, 2.6e6), ("Wuzhong", 37.99, 106.20, 1.5e6)],
)
def test_a_figure_known_to_be_of_a_larger_area_is_corrected(
    name: str, lat: float, lon: float, most: float
) -> None:
    found = places().near(lat, lon, 5.0)
    assert found.population[found.name == name].max() <= most


def test_wards_of_tokyo_that_geonames_sets_elsewhere_are_left_out() -> None:
    japan = places().in_country("JP")
    assert not {"Suginami", "Kotō", "Shinagawa", "Aihara"} & set(japan.name.tolist())


def test_near_takes_the_places_within_the_distance_and_no_other() -> None:
    found = places()
    near = found.near(29.6, 102.1, 250.0)
    distance_km = epicentral_distance_km(29.6, 102.1, near.lat, near.lon)
    assert distance_km.max() <= 250.0
    assert near.name[0] == "Chengdu"
    all_km = epicentral_distance_km(29.6, 102.1, found.lat, found.lon)
    assert len(near) == np.count_nonzero(all_km <= 250.0)
    beyond_the_date_line = found.near(-17.0, -179.5, 300.0)
    assert set(beyond_the_date_line.country.tolist()) >= {"FJ"}


def test_devices_go_with_the_people_and_are_spread_as_their_place_is_large() -> None:
    where = places().near(35.0, 136.0, 200.0)
    devices = draw_devices(where, 200_000, 3, "phone")
    share = np.bincount(devices.place, minlength=len(where)) / 200_000
    expected = where.population / where.people
    assert np.abs(share - expected).max() < 5.0 * np.sqrt(expected.max() / 200_000)
    large = devices.place == 0
    away_km = epicentral_distance_km(
        where.lat[0], where.lon[0], devices.lat[large], devices.lon[large]
    )
    inside = np.mean(away_km <= float(size_km(where.population[0])))
    assert inside == pytest.approx(1.0 - np.exp(-1 / 0.33) * (1 + 1 / 0.33), abs=0.02)
    # those that would be at sea are at the centre of their place
    at_centre = (devices.lat == where.lat[devices.place]) & (
        devices.lon == where.lon[devices.place]
    )
    assert on_land(devices.lat[~at_centre], devices.lon[~at_centre]).all()
    assert 0.0 < at_centre.mean() < 0.2


def test_the_same_seed_draws_the_same_devices_and_more_do_not_move_the_first() -> None:
    where = places().near(35.0, 136.0, 50.0)
    few = draw_devices(where, 100, 7, "tv")
    more = draw_devices(where, 1_000, 7, "tv")
    assert few.lat.tobytes() == more.lat[:100].tobytes()
    assert few.lon.tobytes() == more.lon[:100].tobytes()
    other = draw_devices(where, 100, 8, "tv")
    phones = draw_devices(where, 100, 7, "phone")
    assert not np.array_equal(few.lat, other.lat)
    assert not np.array_equal(few.lat, phones.lat)


def test_nobody_lives_in_the_middle_of_the_ocean() -> None:
    empty = places().near(-40.0, -120.0, 500.0)
    assert len(empty) == 0
    assert len(draw_devices(empty, 50, 1, "phone").lat) == 0


def test_a_place_grows_with_its_people() -> None:
    sizes = size_km([5_000, 600_000, 10_000_000])
    assert sizes[1] == pytest.approx(4.0)
    assert 0.1 < sizes[0] < 0.5
    assert 15.0 < sizes[2] < 25.0


def test_a_subset_keeps_all_columns_together() -> None:
    found = places()
    some: Places = found.where(np.array([5, 2]))
    assert some.name.tolist() == [found.name[5], found.name[2]]
    assert some.people == found.population[5] + found.population[2]
