"""Scenario files: the built-in ones, and what a wrong field says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from eew.errors import ConfigError
from eew.physics.geo import epicentral_distance_km
from simulator.ruptures import Quake, Rupture
from simulator.scenario import builtin_names, drill_names, load_scenario
from simulator.scripted import placed_stations
from tests.unit.scenario_cases import SMALL, small

# Epicentral distances as published with the warnings of these two quakes, km.
PUBLISHED_KM = {
    "luding-2022": {"Kangding": 53, "Ya'an": 99, "Leshan": 161, "Meishan": 176, "Chengdu": 221},
    "luxian-2021": {"Luzhou": 36, "Neijiang": 50, "Zigong": 57, "Yibin": 84},
}


QUAKES = ("kumamoto-2016", "luding-2022", "luxian-2021", "ridgecrest-2019")


def test_four_quakes_and_two_drills_are_built_in() -> None:
    assert builtin_names() == QUAKES
    assert drill_names() == ("drill-aftershock-storm", "drill-dark-region")


@pytest.mark.parametrize("name", drill_names())
def test_a_drill_is_a_known_quake_with_trouble_and_says_what_must_come_out(name: str) -> None:
    drill = load_scenario(name)
    assert drill.event.catalogue in QUAKES
    assert drill.event.id == name
    assert drill.script.faults or drill.script.link.outage
    assert drill.expect is not None
    placed_stations(drill, 1)


def test_a_storm_has_its_largest_and_comes_in_its_time() -> None:
    event, *storm = load_scenario("drill-aftershock-storm").sources(1)
    assert isinstance(event, Quake)
    quakes = [one for one in storm if isinstance(one, Quake)]
    assert (event.magnitude, event.after_s, len(quakes)) == (5.5, 0.0, 19)
    assert max(one.magnitude for one in quakes) == 5.2
    assert all(10.0 <= one.after_s <= 120.0 for one in quakes)
    assert storm == list(load_scenario("drill-aftershock-storm").sources(1)[1:])
    assert storm != list(load_scenario("drill-aftershock-storm").sources(2)[1:])


def test_sources_have_the_time_and_place_that_the_file_gives() -> None:
    more = """
[[source]]
origin_time = 2024-03-01T00:00:09.25Z
distance_km = 30.0
azimuth_deg = 90.0
depth_km = 5.0
magnitude = 6.2
[source.fault]
strike_deg = 10.0
dip_deg = 80.0
rake_deg = 0.0
length_km = 15.0
width_km = 8.0
[[source]]
after_s = -4.0
lat = 36.5
lon = -118.5
magnitude = 5.0
line = { strike_deg = 0.0, length_km = 10.0, weights = [1, 2] }
"""
    event, near, line = small(("[noise]", more + "[noise]")).sources(1)
    assert isinstance(event, Quake)
    assert isinstance(near, Quake)
    assert isinstance(line, Rupture)
    assert near.after_s == 10.0
    assert near.depth_km == 5.0
    assert near.fault is not None
    assert near.fault.length_km == 15.0
    away_km = epicentral_distance_km(event.lat, event.lon, near.lat, near.lon)
    assert float(away_km) == pytest.approx(30.0, abs=0.01)
    assert line.first.after_s == -4.0
    where = (line.first.lat, line.first.lon, line.first.depth_km)
    assert where == pytest.approx((36.5, -118.5, 8.0))
    assert line.magnitude == pytest.approx(5.0)


@pytest.mark.parametrize("name", ["kumamoto-2016", "luding-2022", "luxian-2021", "ridgecrest-2019"])
def test_a_built_in_scenario_has_eight_to_fourteen_towns_within_its_records(name: str) -> None:
    scenario = load_scenario(name)
    assert scenario.name == scenario.event.id == name
    assert 8 <= len(scenario.sites) <= 14
    assert all(site.country == scenario.country for site in scenario.sites)
    assert all(site.population > 0 for site in scenario.sites)
    farthest_km = max(
        float(epicentral_distance_km(scenario.event.lat, scenario.event.lon, site.lat, site.lon))
        for site in scenario.sites
    )
    # The slowest S and half a minute of the strongest shaking.
    assert scenario.record.after_s >= farthest_km / 3.4 + 30.0
    assert scenario.record.after_s >= 110.0


@pytest.mark.parametrize("name", sorted(PUBLISHED_KM))
def test_towns_lie_at_the_published_distances(name: str) -> None:
    scenario = load_scenario(name)
    event = scenario.event
    sites = {site.name: site for site in scenario.sites}
    for town, published_km in PUBLISHED_KM[name].items():
        site = sites[town]
        distance_km = float(epicentral_distance_km(event.lat, event.lon, site.lat, site.lon))
        assert distance_km == pytest.approx(published_km, abs=4.0), town


def test_an_origin_time_keeps_its_fraction_in_ns() -> None:
    assert small().event.origin_time_ns == 1_709_251_199_250_000_000


def test_an_origin_time_in_another_zone_is_the_same_moment() -> None:
    there = small(("2024-02-29T23:59:59.25Z", "2024-03-01T09:29:59.25+09:30"))
    assert there.event.origin_time_ns == small().event.origin_time_ns


def test_an_unknown_name_says_the_closest_and_where_all_are_listed() -> None:
    with pytest.raises(ConfigError) as caught:
        load_scenario("luding-2202")
    message = str(caught.value)
    assert "luding-2202" in message
    assert "did you mean luding-2022?" in message
    assert "eew events list shows all" in message
    assert caught.value.exit_code == 2


def test_a_scenario_file_is_named_after_its_file(tmp_path: Path) -> None:
    path = tmp_path / "my-quake.toml"
    path.write_text(SMALL, encoding="utf-8")
    assert load_scenario(path).name == "my-quake"
    assert load_scenario(str(path)).sha256 == small().sha256


def test_a_folder_is_not_a_scenario(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no scenario"):
        load_scenario(tmp_path)


@pytest.mark.parametrize("content", [b"title = ", b"\xff\xfe"])
def test_a_file_that_is_not_toml_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"broken\.toml: not a TOML file"):
        load_scenario(path)


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("lat = 36.0\nlon = -118.0", "lat = 96.0\nlon = -118.0", "event.lat = 96.0"),
        ("lat = 36.1", "lat = nan", "site[0].lat = nan: expected a finite number"),
        ("depth_km = 8.0", "depth_km = 'deep'", "event.depth_km = 'deep'"),
        ("magnitude = 5.5", "magnitude = 9.6", "event.magnitude = 9.6"),
        ("magnitude = 5.5\n", "", "event.magnitude is missing: expected a number"),
        ("magnitude = 5.5", "magnitude = true", "event.magnitude = true"),
        ("origin_time = 2024-02-29T23:59:59.25Z", "origin_time = 2024-02-29T23:59:59", "event.ori"),
        ("spacing_km = 15.0", "spacing = 15.0", "network.spacing = 15.0: unknown field, did you"),
        ('sensor = "force_balance"', 'sensor = "geophone"', "network.sensor = 'geophone'"),
        ('region = "california"', 'region = "mars"', "region = 'mars': expected one of"),
        ("radius_km = 35.0", "radius_km = 5.0", "network.dense_radius_km = 10.0: expected at most"),
        ("outer_spacing_km = 20.0", "outer_spacing_km = 4.0", "network.outer_spacing_km = 4.0"),
        ("level = 0.5", "level = 1.5", "noise.level = 1.5"),
        ("before_s = 20.0", "before_s = 0.0", "record.before_s = 0.0"),
        ('name = "City"', 'name = "Town"', "site[1].name = 'Town': a site of this name"),
        ('country = "US"', 'country = "usa"', "country = 'usa'"),
        ("[noise]", "[noise]\ncolour = 'red'", "noise.colour = 'red': unknown field"),
        ('[[site]]\nname = "Town"', '[[site]]\nnamed = "Town"', "site[0].named = 'Town'"),
    ],
)
def test_a_wrong_field_is_named_with_its_file_and_value(old: str, new: str, found: str) -> None:
    with pytest.raises(ConfigError) as caught:
        small((old, new))
    words = str(caught.value)
    assert re.match(r"small\.toml line \d+: ", words)
    assert found in words


def test_all_wrong_fields_are_named_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        small(("depth_km = 8.0", "depth_km = -1.0"), ("level = 0.5", "level = 'low'"))
    assert "event.depth_km = -1.0" in str(caught.value)
    assert "noise.level = 'low'" in str(caught.value)


def test_a_table_in_the_place_of_a_number_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"noise = 3: expected a table"):
        small(("[noise]\nlevel = 0.5\nspread = 0.2\n", ""), ("region =", "noise = 3\nregion ="))
