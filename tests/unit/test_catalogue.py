"""The catalogue of historical quakes: figures that fit together, each with its source."""

from __future__ import annotations

import csv
import datetime as dt
import json
import math
import os
import re
from pathlib import Path

import numpy as np
import pytest

from eew.cli import run
from eew.errors import ConfigError
from eew.ingest.truth import read_quakeml
from eew.physics.geo import epicentral_distance_km
from eew.tables import load_table, table_names
from simulator.catalogue import (
    CatalogueQuake,
    catalogue,
    catalogue_names,
    catalogue_quake,
    source_words,
)
from simulator.catalogue_scenario import default_network, fault_table, scenario_table
from simulator.geography import country_at
from simulator.named_networks import stations_near
from simulator.network import build_network
from simulator.ruptures import Quake
from simulator.scenario import builtin_names, load_scenario, quake_scenario

QUAKES = Path(os.environ.get("EEW_QUAKES", "../shared/quakes"))
ASKED_FOR = re.findall(
    r"[a-z-]+-[0-9]{4}",
    "tangshan-1976 wenchuan-2008 yushu-2010 lushan-2013 lushan-2022 ludian-2014 jiuzhaigou-2017 "
    "changning-2019 luxian-2021 luding-2022 jishishan-2023 dingri-2025 xingwen-2022 jiashi-2020 "
    "yutian-2020 qiaojia-2020 guye-2020 nyima-2020 kobe-1995 tohoku-2011 kumamoto-foreshock-2016 "
    "kumamoto-2016 osaka-2018 iburi-2018 noto-2024 chichi-1999 meinong-2016 hualien-2018 "
    "hualien-2024 northridge-1994 loma-prieta-1989 napa-2014 ridgecrest-foreshock-2019 "
    "ridgecrest-2019 ferndale-2022 michoacan-1985 puebla-2017 pinotepa-2018 oaxaca-2020 "
    "maule-2010 illapel-2015 izmit-1999 pazarcik-2023 elbistan-2023 samos-2020 gorkha-2015 "
    "amatrice-2016 norcia-2016 christchurch-2011 kaikoura-2016 muisne-2016 bam-2003 palu-2018 "
    "lefkada-2015",
)
with_plane = [one for one in catalogue() if one.plane is not None]


def _name(quake: CatalogueQuake) -> str:
    return quake.name


def test_the_catalogue_holds_the_quakes_that_people_ask_for() -> None:
    assert len(catalogue()) >= 75
    assert set(ASKED_FOR) <= set(catalogue_names())
    assert len(set(catalogue_names())) == len(catalogue())
    assert {one.origin_time.year for one in catalogue()} >= {1976, 1985, 1995, 2008, 2020, 2025}
    assert len({one.country for one in catalogue()}) >= 15


def test_each_file_is_sorted_by_time_and_times_are_utc() -> None:
    assert len(table_names("catalogue")) >= 5
    for table in table_names("catalogue"):
        times = [row["origin_time"] for row in load_table(table)["quake"]]
        assert times == sorted(times), table
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    for one in catalogue():
        assert one.origin_time.utcoffset() == dt.timedelta(0)
        assert one.origin_time < now
        assert one.name.endswith(f"-{one.origin_time.year}"), one.name


def test_every_figure_has_a_source() -> None:
    agencies = load_table("catalogue_sources")
    for quake in catalogue():
        sources = quake.sources
        assert (quake.mechanism is None) == (sources.mechanism == ""), quake.name
        assert (quake.plane is None) == (sources.plane == ""), quake.name
        assert quake.plane is None or quake.mechanism is not None, quake.name
        for source in (sources.hypocentre, sources.magnitude, sources.mechanism, sources.plane):
            # a key, or a paper with its year
            assert not source or source.split()[0] in agencies or "(" in source, quake.name
        if "folder" in (sources.hypocentre, sources.magnitude):
            assert quake.recorded, quake.name
        if "mechanism" in quake.approximate:
            assert quake.mechanism is not None, quake.name
        if "plane" in quake.approximate:
            assert quake.plane is not None, quake.name


def test_quakes_lie_in_or_before_their_country() -> None:
    around = np.radians(np.arange(0.0, 360.0, 15.0))
    rings_deg = np.concatenate([[0.0], *([r] * len(around) for r in (0.3, 0.8, 1.6))])
    turns = np.concatenate([[0.0], around, around, around])
    for quake in catalogue():
        lat = quake.lat + rings_deg * np.cos(turns)
        lon = quake.lon + rings_deg * np.sin(turns) / math.cos(math.radians(quake.lat))
        assert quake.country in set(country_at(lat, lon).tolist()), quake.name


@pytest.mark.parametrize("quake", with_plane, ids=_name)
def test_the_area_of_a_plane_fits_the_magnitude_within_a_factor_of_3(
    quake: CatalogueQuake,
) -> None:
    assert quake.plane is not None
    settings = ("crust", "interface") if quake.setting == "interface" else (quake.setting,)
    area_km2 = quake.plane.length_km * quake.plane.width_km
    ratios = []
    for setting in settings:
        a, b = load_table("scaling")[setting]["area"]
        ratios.append(area_km2 / 10.0 ** (a + b * quake.magnitude))
    assert any(1.0 / 3.0 <= ratio <= 3.0 for ratio in ratios), ratios


@pytest.mark.parametrize("quake", with_plane, ids=_name)
def test_a_plane_is_in_the_ground_and_the_rupture_goes_where_there_is_plane_left(
    quake: CatalogueQuake,
) -> None:
    plane, mechanism = quake.plane, quake.mechanism
    assert plane is not None
    assert mechanism is not None
    height_km = plane.width_km * math.sin(math.radians(mechanism.dip_deg))
    assert quake.depth_km - plane.down_share * height_km >= 0.0
    deepest_km = {"crust": 45.0, "interface": 70.0, "slab": 120.0}[quake.setting]
    assert quake.depth_km + (1.0 - plane.down_share) * height_km <= deepest_km
    towards = plane.ruptures.split(", ")[-1]
    compass = ("north", "north-east", "east", "south-east", "south", "south-west", "west")
    bearings = {name: 45.0 * number for number, name in enumerate((*compass, "north-west"))}
    if towards not in bearings:
        assert towards == "both ways"
        assert 0.25 <= plane.along_share <= 0.75
        return
    onwards = mechanism.strike_deg + (0.0 if plane.along_share < 0.5 else 180.0)
    assert abs(plane.along_share - 0.5) >= 0.1
    assert abs((onwards - bearings[towards] + 180.0) % 360.0 - 180.0) <= 50.0


def test_the_large_ones_have_a_plane() -> None:
    without = [one.name for one in catalogue() if one.magnitude >= 7.5 and one.plane is None]
    assert without == ["padang-2009"]  # deep in the slab, plane not agreed on


def test_the_catalogue_agrees_with_the_scenario_files() -> None:
    for name in sorted({*builtin_names()} & {*catalogue_names()}):
        event, quake = load_scenario(name).event, catalogue_quake(name)
        assert event.origin_time == quake.origin_time
        assert (event.lat, event.lon, event.depth_km) == (quake.lat, quake.lon, quake.depth_km)
        assert event.magnitude == quake.magnitude


@pytest.mark.quakes
@pytest.mark.skipif(not QUAKES.is_dir(), reason="no recorded quakes")
@pytest.mark.parametrize("quake", [one for one in catalogue() if one.recorded], ids=_name)
def test_the_catalogue_agrees_with_the_recorded_folders(quake: CatalogueQuake) -> None:
    path = QUAKES / quake.recorded / "event.xml"
    truth = read_quakeml(path.read_bytes(), name=str(path))[0]
    origin, magnitude = truth.origins[0], truth.magnitudes[0]
    assert quake.origin_time.timestamp() == pytest.approx(origin.time.timestamp, abs=0.06)
    away_km = epicentral_distance_km(quake.lat, quake.lon, origin.latitude, origin.longitude)
    assert float(away_km) < 0.5
    assert quake.depth_km == pytest.approx(origin.depth / 1000.0, abs=0.5)
    assert quake.magnitude == pytest.approx(magnitude.mag, abs=0.05)


@pytest.mark.skipif(not (QUAKES.parent / "published").is_dir(), reason="no published tables")
def test_the_quakes_of_2020_are_those_of_the_published_table() -> None:
    text = (QUAKES.parent / "published" / "china-2020.csv").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    for row in csv.DictReader(lines):
        origin = dt.datetime.fromisoformat(row["origin_time_utc"])
        found = [
            one
            for one in catalogue()
            if one.origin_time == origin
            and (one.lat, one.lon, one.depth_km, one.magnitude)
            == tuple(float(row[key]) for key in ("lat", "lon", "depth_km", "magnitude"))
        ]
        assert len(found) == 1, row
        assert row["sure"] != "~" or not found[0].sure


@pytest.mark.slow
def test_a_quake_becomes_a_scenario_on_the_network_of_its_country() -> None:
    table = scenario_table(catalogue_quake("wenchuan-2008"))
    assert table["region"] == "west_sichuan"
    assert table["network"]["name"] == "icl"
    assert table["event"]["fault"] == {
        "strike_deg": 229.0,
        "dip_deg": 33.0,
        "rake_deg": 118.0,
        "length_km": 300.0,
        "width_km": 38.0,
        "along_share": 0.87,
        "down_share": 0.85,
    }
    names = [site["name"] for site in table["site"]]
    assert "Chengdu" in names
    assert 8 <= len(names) == len(set(names)) <= 14
    scenario = load_scenario("wenchuan-2008")
    (source,) = scenario.sources(1)
    assert isinstance(source, Quake)
    assert source.fault is not None
    farthest_km = max(
        float(epicentral_distance_km(scenario.event.lat, scenario.event.lon, site.lat, site.lon))
        for site in scenario.sites
    )
    # the slowest S, the rupture itself and half a minute of the strongest shaking
    assert scenario.record.after_s >= farthest_km / 3.4 + 300.0 / 2.8 + 30.0
    assert scenario == load_scenario("wenchuan-2008")


@pytest.mark.parametrize(
    ("name", "network"),
    [
        ("tangshan-1976", "icl"),
        ("nyima-2020", "china-national"),
        ("tohoku-2011", "kik-net"),
        ("northridge-1994", "shakealert"),
        ("pinotepa-2018", "mems-mexico"),
        ("anchorage-2018", "regional"),
        ("pazarcik-2023", "regional"),
    ],
)
def test_the_network_is_one_that_covers_the_place(name: str, network: str) -> None:
    quake = catalogue_quake(name)
    assert default_network(quake) == network
    assert len(stations_near(network, 3, quake.lat, quake.lon, 160.0)) >= 8


def test_another_network_may_be_asked_for() -> None:
    scenario = quake_scenario(catalogue_quake("luding-2022"), network="china-national")
    assert scenario.network.name == "china-national"
    assert load_scenario("luding-2022").network.name is None  # the scenario file goes first
    with pytest.raises(ConfigError, match=r"network\.name = 'nothing'"):
        quake_scenario(catalogue_quake("luding-2022"), network="nothing")


@pytest.mark.slow
@pytest.mark.parametrize("quake", catalogue(), ids=_name)
def test_every_quake_makes_a_scenario_with_stations_on_land_and_places(
    quake: CatalogueQuake,
) -> None:
    scenario = quake_scenario(quake)
    stations = build_network(scenario, 1, 500.0)
    assert 7 <= len(stations) <= 900
    lat = [one.lat for one in stations]
    assert "" not in country_at(lat, [one.lon for one in stations])
    assert len(scenario.sites) >= 2
    assert scenario.record.after_s <= 600.0


def test_a_mechanism_without_a_plane_gets_one_that_fits_the_magnitude() -> None:
    quake = catalogue_quake("kangding-2014")
    assert quake.plane is None
    fault = fault_table(quake)
    assert fault is not None
    assert fault["length_km"] == pytest.approx(10.0 ** (-2.44 + 0.59 * 6.1), abs=0.1)
    assert fault["width_km"] == pytest.approx(10.0 ** (-1.01 + 0.32 * 6.1), abs=0.1)
    sine = math.sin(math.radians(fault["dip_deg"]))
    assert quake.depth_km - fault["down_share"] * fault["width_km"] * sine >= 0.0
    assert fault_table(catalogue_quake("osaka-2018")) is None  # left to the generator


def test_a_source_is_written_out() -> None:
    assert source_words("jma").startswith("Japan Meteorological Agency")
    assert source_words("usgs ci38457511").endswith("ci38457511")
    assert source_words("Ma et al. (2001)") == "Ma et al. (2001)"


def test_an_unknown_name_is_told_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean wenchuan-2008"):
        catalogue_quake("wenchuan-2009")


# ------------------------------------------------------------------ eew events


def said(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert run(["events", *words]) == 0
    return capsys.readouterr().out


def test_the_list_is_filtered_by_country_magnitude_and_date(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = json.loads(said(capsys, "list", "--json", "--country", "cn", "--since", "2020-07"))
    assert {row["country"] for row in rows} == {"CN"}
    assert rows[0]["name"] == "guye-2020"
    large = json.loads(said(capsys, "list", "--json", "--min-magnitude", "8.6"))
    assert [row["name"] for row in large] == [
        "sumatra-2004",
        "nias-2005",
        "maule-2010",
        "tohoku-2011",
    ]
    assert {"lat", "mechanism", "plane", "sources", "approximate", "setting"} <= set(large[0])
    words = said(capsys, "list", "--country", "NP")
    assert "gorkha-2015" in words
    assert "SIMULATION" in words
    assert "wenchuan" not in words
    assert "no quake passes" in said(capsys, "list", "--country", "XX")


def test_the_page_of_the_catalogue_is_current(capsys: pytest.CaptureFixture[str]) -> None:
    page = Path(__file__).parents[2] / "docs" / "catalogue.md"
    assert page.read_text(encoding="utf-8") == said(capsys, "list", "--markdown")


@pytest.mark.parametrize("since", ["20", "2020-13", "yesterday", "2020-07-12T00:00"])
def test_a_date_that_is_none_is_named(capsys: pytest.CaptureFixture[str], since: str) -> None:
    assert run(["events", "list", "--since", since]) == 2
    assert since in capsys.readouterr().err


def test_a_quake_is_shown_with_the_source_of_each_figure_and_how_to_replay_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = said(capsys, "show", "kobe-1995")
    assert "Japan Meteorological Agency" in words
    assert "[approximate; Wald (1996)" in words
    assert "right-lateral" in words
    assert "next: eew replay kobe-1995   (stations of kik-net" in words
    values = json.loads(said(capsys, "show", "kobe-1995", "--json"))
    assert values["sources"]["magnitude"].startswith("Global CMT")
    assert values["computed_fault"]["length_km"] == values["plane"]["length_km"] == 60.0
    assert values["network"].startswith("stations of kik-net")
