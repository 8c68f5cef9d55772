"""Named networks: density, kinds of station, borders, and the same stations whoever asks."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from eew.errors import ConfigError
from eew.physics.geo import epicentral_distance_km
from simulator.blue_noise import LARGEST_DISTANCE_KM, BlueNoise, tiles_within
from simulator.geography import country_at
from simulator.named_networks import stations_near, whole_network
from simulator.network import build_network
from simulator.network_table import named_network, network_names
from simulator.placed import PlacedStation
from simulator.station_lists import read_station_list
from tests.unit.scenario_cases import small

NAMES = ("china-national", "icl", "kik-net", "mems-mexico", "regional", "shakealert")
NAMED = (
    "spacing_km = 15.0\nouter_spacing_km = 20.0\ndense_radius_km = 10.0\nradius_km = 35.0\n"
    'sampling_rate_hz = 100.0\nsensor = "force_balance"'
)
XML = """<?xml version="1.0"?>
<FDSNStationXML xmlns="http://www.fdsn.org/xml/station/1" schemaVersion="1.1">
<Source>test</Source><Created>2024-01-01T00:00:00Z</Created><Network code="XX">
<Station code="AAA" startDate="2010-01-01T00:00:00Z" endDate="2015-01-01T00:00:00Z">
<Latitude>35.5</Latitude><Longitude>-118.0</Longitude><Elevation>10</Elevation>
<Site><Name>old</Name></Site></Station>
<Station code="AAA" startDate="2015-01-01T00:00:00Z">
<Latitude>36.05</Latitude><Longitude>-118.0</Longitude><Elevation>20</Elevation>
<Site><Name>new</Name></Site></Station>
<Station code="FAR"><Latitude>40.0</Latitude><Longitude>-118.0</Longitude><Elevation>0</Elevation>
<Site><Name>far</Name></Site></Station>
</Network></FDSNStationXML>
"""
TEXT = """#Network|Station|Latitude|Longitude|Elevation|SiteName|StartTime|EndTime
XX|AAA|36.05|-118.0|20.0|new|2015-01-01T00:00:00|
XX|BBB|36.10|-118.1|30.0|other|2015-01-01T00:00:00|
"""
CHANNELS = """#Network|Station|Location|Channel|Latitude|Longitude|Elevation|Depth|Azimuth|Dip|\
SensorDescription|Scale|ScaleFreq|ScaleUnits|SampleRate|StartTime|EndTime
XX|AAA|00|HHZ|36.05|-118.0|20.0|0|0|-90|x|1e9|1|m/s|100|2015-01-01T00:00:00|
XX|AAA|00|HHN|36.05|-118.0|20.0|0|0|0|x|1e9|1|m/s|100|2015-01-01T00:00:00|
"""


def positions(stations: tuple[PlacedStation, ...]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([s.lat for s in stations]), np.array([s.lon for s in stations])


def test_the_networks_are_there_and_their_tables_hold_together() -> None:
    assert network_names() == NAMES
    for name in NAMES:
        network = named_network(name)
        assert network.title
        # what a tile cannot see, it cannot keep a distance from
        assert all(0.74 * zone.spacing_km[0] <= LARGEST_DISTANCE_KM for zone in network.zones)


@pytest.mark.parametrize("name", ["shakealert", "kik-net"])
def test_a_network_has_its_published_number_of_stations(name: str) -> None:
    expected = named_network(name).stations
    assert len(whole_network(name, 4)) == pytest.approx(expected, rel=0.02)


@pytest.mark.slow
def test_china_has_15899_stations_of_three_kinds() -> None:
    stations = whole_network("china-national", 1)
    assert len(stations) == pytest.approx(15_899, rel=0.02)
    assert len({one.code for one in stations}) == len(stations)
    kinds = Counter(one.sensor for one in stations)
    # base and basic stations have force-balance sensors: (1,928 + 3,114) of 15,391
    assert kinds["force_balance"] / len(stations) == pytest.approx(5_042 / 15_391, abs=0.02)
    assert set(country_at(*positions(stations)).tolist()) == {"CN"}


def test_the_part_round_a_quake_is_the_same_as_in_the_whole_network() -> None:
    whole = whole_network("kik-net", 4)
    lats, lons = positions(whole)
    for lat, lon, radius_km in ((32.75, 130.76, 120.0), (38.1, 142.86, 300.0), (43.0, 142.0, 60.0)):
        inside = epicentral_distance_km(lat, lon, lats, lons) <= radius_km
        expected = tuple(one for one, is_in in zip(whole, inside, strict=True) if is_in)
        assert stations_near("kik-net", 4, lat, lon, radius_km) == expected
        assert len(expected) > 5


def test_tiles_do_not_depend_on_the_order_in_which_they_are_asked_for() -> None:
    def noise() -> BlueNoise:
        return BlueNoise(
            lambda lat, lon: np.full((1, len(lat)), 25.0), lambda _: (25.0,), seed=1, label="t"
        )

    tiles = tiles_within(10.0, 17.9, 177.0, -177.0)
    assert len(tiles) == 4 * 4  # across the date line
    forwards, backwards = noise(), noise()
    first = {tile: forwards.tile(tile) for tile in tiles}
    second = {tile: backwards.tile(tile) for tile in reversed(tiles)}
    assert all(first[tile].lat.tobytes() == second[tile].lat.tobytes() for tile in tiles)
    lat = np.concatenate([first[tile].lat for tile in tiles])
    lon = np.concatenate([first[tile].lon for tile in tiles])
    apart_km = epicentral_distance_km(lat[:, None], lon[:, None], lat[None, :], lon[None, :])
    np.fill_diagonal(apart_km, np.inf)
    assert apart_km.min() > 24.8  # over the seams too; the tiles measure on a sphere
    # the density that the spacings of networks count on
    area_km2 = 4 * 4 * (2 * 111.2) ** 2 * np.cos(np.radians(14.0))
    assert len(lat) * 25.0**2 / area_km2 == pytest.approx(0.63, abs=0.02)


def test_stations_of_icl_stand_15_km_apart_where_its_warnings_come_from() -> None:
    stations = stations_near("icl", 1, 29.6, 102.1, 100.0)
    hexagonal = np.pi * 100.0**2 * 2.0 / (np.sqrt(3.0) * 15.0**2)
    assert len(stations) == pytest.approx(hexagonal, rel=0.08)
    assert {one.sensor for one in stations} == {"mems"}
    lat, lon = positions(stations)
    apart_km = epicentral_distance_km(lat[:, None], lon[:, None], lat[None, :], lon[None, :])
    np.fill_diagonal(apart_km, np.inf)
    assert apart_km.min() > 0.73 * 15.0


def test_the_kinds_of_a_network_are_nested_and_differ_in_ground() -> None:
    stations = stations_near("china-national", 1, 30.5, 103.5, 150.0)
    lat, lon = positions(stations)
    base = np.array([one.sensor == "force_balance" for one in stations])
    assert 0.25 < base.mean() < 0.42
    vs30 = {one.site_class: one.station.vs30_mps for one in stations}
    assert vs30 == {"rock": 760.0, "town": 400.0, "soil": 300.0}
    apart_km = epicentral_distance_km(lat[:, None], lon[:, None], lat[None, :], lon[None, :])
    np.fill_diagonal(apart_km, np.inf)
    assert apart_km.min() > 0.73 * 14.4


def test_a_network_ends_at_the_border_and_at_the_coast() -> None:
    mexico = stations_near("mems-mexico", 1, 16.9, -99.9, 250.0)
    assert set(country_at(*positions(mexico)).tolist()) == {"MX"}
    assert 20 < len(mexico) < 80
    assert stations_near("icl", 1, 35.7, 139.7, 200.0) == ()
    assert len(stations_near("regional", 1, 37.2, 37.0, 100.0)) > 70
    assert {one.station.channels[0].sampling_rate_hz for one in mexico} == {31.25}


def test_the_same_seed_gives_the_same_stations_and_another_others() -> None:
    here = ("shakealert", 34.0, -118.2, 60.0)
    one, again, other = (stations_near(here[0], seed, *here[1:]) for seed in (1, 1, 2))
    assert one == again
    assert not {(s.lat, s.lon) for s in one} & {(s.lat, s.lon) for s in other}


def test_a_scenario_may_name_its_network() -> None:
    scenario = small((NAMED, 'name = "shakealert"\nradius_km = 80.0\ncode = "ZZ"'))
    stations = build_network(scenario, 1, 500.0)
    assert len(stations) > 20
    assert all(one.code.startswith("ZZ.") for one in stations)
    event = scenario.event
    distance_km = epicentral_distance_km(event.lat, event.lon, *positions(stations))
    assert distance_km.max() <= 80.0


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ('name = "shakealart"\nradius_km = 80.0', "network.name = 'shakealart'"),
        (
            'name = "icl"\nspacing_km = 20.0\nradius_km = 80.0',
            "network.spacing_km = 20.0: expected",
        ),
        ("radius_km = 80.0", "network.spacing_km is missing: expected a number from 3"),
        ('file = "x.xml"\nradius_km = 80.0', "network.sensor is missing: expected text"),
        ('name = "icl"\nfile = "x.xml"\nradius_km = 80.0', "either a name or a file"),
    ],
)
def test_a_network_that_is_not_clear_is_refused(fields: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words.replace("(", r"\(")):
        small((NAMED, fields))


def test_a_network_without_bounds_is_not_asked_for_whole() -> None:
    with pytest.raises(ConfigError, match="no bounds"):
        whole_network("regional", 1)
    with pytest.raises(ConfigError, match="did you mean icl"):
        whole_network("ivl", 1)


@pytest.mark.parametrize(
    ("file", "content", "codes"),
    [
        ("stations.xml", XML, ["XX.AAA", "XX.FAR"]),
        ("stations.txt", TEXT, ["XX.AAA", "XX.BBB"]),
        ("channels.txt", CHANNELS, ["XX.AAA"]),
    ],
)
def test_a_list_of_stations_gives_their_places(
    tmp_path: Path, file: str, content: str, codes: list[str]
) -> None:
    (tmp_path / file).write_text(content)
    found = read_station_list(tmp_path / file, sensor="mems", sampling_rate_hz=50.0)
    assert [one.code for one in found] == codes
    assert found[0].lat == 36.05  # where it stood last
    assert [str(c.stream_id) for c in found[0].station.channels] == [
        "XX.AAA..BNZ",
        "XX.AAA..BNN",
        "XX.AAA..BNE",
    ]


def test_a_scenario_takes_the_stations_of_a_file_within_its_radius(tmp_path: Path) -> None:
    (tmp_path / "stations.xml").write_text(XML)
    fields = f'file = "{tmp_path}"\nradius_km = 35.0\nsampling_rate_hz = 100.0\nsensor = "mems"'
    stations = build_network(small((NAMED, fields)), 1, 520.0)
    assert [one.code for one in stations] == ["XX.AAA"]
    assert stations[0].station.vs30_mps == 520.0


@pytest.mark.parametrize(
    "content", [None, "", "nonsense", XML.replace("Station code", "Stat code")]
)
def test_a_list_that_cannot_be_used_is_named(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "stations.xml"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConfigError, match=r"stations\.xml"):
        read_station_list(path, sensor="mems", sampling_rate_hz=50.0)
