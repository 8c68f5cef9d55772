"""Where targets are and where devices stand."""

from __future__ import annotations

from collections import Counter

import pytest

from eew.app.country import country_of, languages_of
from eew.app.places import SPREAD_KM, DevicePlace, automatic_sites, place_devices
from eew.model.place import Site
from eew.physics.geo import epicentral_distance_km
from tests.unit.run_example import distance_km, recording

BIG = Site(name="Big", lat=30.0, lon=103.0, population=900_000)
SMALL = Site(name="Small", lat=29.5, lon=102.0, population=100_000)
OWN = Site(name="Own", lat=31.0, lon=104.0)


def place(phones: int, tvs: int, seed: int = 1, extra: tuple[Site, ...] = ()) -> list[DevicePlace]:
    return place_devices(
        [SMALL, BIG], phones=phones, tvs=tvs, languages=("zh", "en"), seed=seed, extra=extra
    )


def test_the_number_of_devices_is_what_was_asked_for() -> None:
    kinds = Counter(one.kind for one in place(200, 20))

    assert kinds == {"phone": 200, "tv": 20}


def test_each_own_site_gets_one_phone_more_exactly_there() -> None:
    placed = place(3, 1, extra=(OWN,))

    assert len(placed) == 5
    own = [one for one in placed if one.site is OWN]
    assert [(one.kind, one.lat, one.lon, one.at_centre) for one in own] == [
        ("phone", 31.0, 104.0, True)
    ]
    assert len({one.device_id for one in placed}) == 5


def test_the_first_devices_stand_at_the_centres_of_the_largest_places() -> None:
    placed = place(1, 2)

    assert [(one.kind, one.site.name, one.at_centre) for one in placed] == [
        ("phone", "Big", True),
        ("tv", "Big", True),
        ("tv", "Small", True),
    ]


def test_the_others_are_spread_within_a_few_km_by_population() -> None:
    placed = [one for one in place(1000, 0) if not one.at_centre]

    for one in placed:
        away_km = float(epicentral_distance_km(one.site.lat, one.site.lon, one.lat, one.lon))
        assert away_km <= SPREAD_KM * 1.001
    share = sum(one.site.name == "Big" for one in placed) / len(placed)
    assert share == pytest.approx(0.9, abs=0.03)


def test_the_same_seed_gives_the_same_places_and_more_devices_move_none() -> None:
    assert place(50, 5) == place(50, 5)
    assert place(80, 5)[:50] == place(50, 5)[:50]
    assert place(50, 5, seed=2) != place(50, 5)


def test_languages_take_turns() -> None:
    assert [one.language for one in place(4, 0)] == ["zh", "en", "zh", "en"]


def test_no_site_means_no_device() -> None:
    assert place_devices([], phones=5, tvs=5, languages=("en",), seed=1) == []


def test_stations_stand_in_for_towns_from_the_nearest_to_the_farthest() -> None:
    quake = recording(30)
    sites = automatic_sites(quake, "US")

    ranked = sorted(quake.stations, key=distance_km)
    assert len(sites) == 8
    assert sites[0].name == f"{ranked[0].code} station"
    assert (sites[-1].lat, sites[-1].lon) == (ranked[-1].lat, ranked[-1].lon)
    assert {site.country for site in sites} == {"US"}


def test_few_stations_and_no_truth_still_give_places() -> None:
    assert len(automatic_sites(recording(3, with_truth=False))) == 3
    assert len(automatic_sites(recording(1))) == 1


@pytest.mark.parametrize(
    ("lat", "lon", "country"),
    [
        (34.05, -118.24, "US"),
        (19.7, -155.1, "US"),
        (61.2, -149.9, "US"),
        (32.5, -117.0, "MX"),
        (19.43, -99.13, "MX"),
        (-33.45, -70.67, "CL"),
        (-41.3, 174.8, "NZ"),
        (24.0, 121.6, "TW"),
        (24.5, 118.1, "CN"),
        (29.6, 102.1, "CN"),
        (32.8, 130.7, "JP"),
        (37.6, 36.9, "TR"),
        (48.9, 2.3, ""),
        (-32.9, -68.8, ""),
    ],
)
def test_countries_of_known_places(lat: float, lon: float, country: str) -> None:
    assert country_of(lat, lon) == country
    assert country_of(lat, lon + 360.0) == country


def test_where_the_country_is_unknown_devices_speak_english() -> None:
    assert languages_of("") == ("en",)
    assert languages_of("TW") == ("zh",)
