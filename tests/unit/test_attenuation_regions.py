"""Known quakes fall into the region, and the part of the subduction zone, that they belong to."""

from __future__ import annotations

import pytest

from eew.tables import load_table
from simulator.attenuation import attenuation_region, region_names
from simulator.attenuation_regions import plate_below

QUAKES = {
    "ridgecrest-2019": (35.77, -117.60, 8.0, "california"),
    "ferndale-2022": (40.52, -124.42, 18.0, "california"),
    "luding-2022": (29.59, 102.08, 16.0, "west_sichuan"),
    "luxian-2021": (29.20, 105.34, 10.0, "sichuan_basin"),
    "wushi-2024": (41.26, 78.63, 22.0, "xinjiang"),
    "tangshan-1976": (39.60, 118.20, 12.0, "north_china"),
    "kumamoto-2016": (32.78, 130.73, 12.0, "kyushu"),
    "kobe-1995": (34.60, 135.04, 16.0, "japan_crustal"),
    "noto-2024": (37.49, 137.27, 10.0, "japan_crustal"),
    "iburi-2018": (42.69, 142.01, 37.0, "japan_crustal"),
    "tohoku-2011": (38.10, 142.86, 24.0, "japan_interface"),
    "miyagi-2011-04": (38.25, 141.64, 66.0, "japan_intraslab"),
    "michoacan-1985": (18.19, -102.53, 27.9, "mexico_interface"),
    "puebla-2017": (18.40, -98.72, 57.0, "mexico_intraslab"),
    "tehuantepec-2017": (15.02, -93.90, 47.0, "mexico_intraslab"),
    "pinotepa-2018": (16.39, -97.98, 22.0, "mexico_interface"),
    "maule-2010": (-36.12, -72.90, 22.9, "chile_interface"),
    "illapel-2015": (-31.57, -71.67, 22.0, "chile_interface"),
    "tarapaca-2005": (-19.99, -69.07, 108.0, "chile_intraslab"),
    "pazarcik-2023": (37.17, 37.03, 10.0, "turkey"),
    "hualien-2024": (23.82, 121.56, 35.0, "taiwan"),
    "amatrice-2016": (42.70, 13.23, 8.0, "mediterranean"),
    "kaikoura-2016": (-42.74, 173.05, 15.0, "new_zealand"),
    "ecuador-2016": (0.38, -79.92, 20.6, "subduction_interface"),
    "gorkha-2015": (28.23, 84.73, 8.2, "active_crust"),
    "hindu-kush-2015": (36.52, 70.37, 231.0, "subduction_intraslab"),
}


@pytest.mark.parametrize("name", QUAKES)
def test_a_known_quake_falls_into_its_region(name: str) -> None:
    lat, lon, depth_km, region = QUAKES[name]
    assert attenuation_region(lat, lon, depth_km) == region


def test_longitudes_may_go_round_the_globe() -> None:
    assert attenuation_region(35.77, 360.0 - 117.6, 8.0) == "california"


def test_every_region_that_a_place_names_has_constants() -> None:
    table = load_table("attenuation")
    named = {
        row[setting]
        for row in (*table["place"], table["elsewhere"])
        for setting in ("crust", "interface", "slab")
    }
    assert named <= set(region_names())


def test_a_plate_dips_to_the_right_of_its_strike() -> None:
    chile = plate_below(-31.57, -71.67)
    japan = plate_below(38.1, 142.9)
    assert chile is not None
    assert japan is not None
    assert chile.strike_deg == pytest.approx(5.0, abs=20.0)  # goes down to the east
    assert japan.strike_deg == pytest.approx(200.0, abs=20.0)  # goes down to the west
    assert plate_below(29.6, 102.1) is None
