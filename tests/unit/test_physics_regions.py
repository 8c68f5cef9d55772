"""Which region known cities and epicentres fall in."""

from __future__ import annotations

import pytest

from eew.physics.regions import Region, region_of, regions
from eew.physics.shaking import shaking_model

QINGHAI_TIBET = {
    "Wenchuan 2008": (31.0, 103.4),
    "Luding 2022": (29.6, 102.1),
    "Kunming": (25.04, 102.70),
    "Dali": (25.6, 100.2),
    "Lhasa": (29.65, 91.10),
    "Dingri 2025": (28.50, 87.45),
    "Xining": (36.6, 101.8),
    "Lanzhou": (36.06, 103.83),
    "Yushu": (33.0, 97.0),
}
XINJIANG = {
    "Urumqi": (43.8, 87.6),
    "Kashgar": (39.47, 75.99),
    "Yining": (43.9, 81.3),
    "Hami": (42.8, 93.5),
    "Wushi 2024": (41.26, 78.65),
}
EAST_STRONG = {
    "Beijing": (39.9, 116.4),
    "Tangshan 1976": (39.6, 118.2),
    "Xi'an": (34.3, 108.9),
    "Yinchuan": (38.5, 106.2),
    "Haicheng 1975": (40.7, 122.8),
    "Jinan": (36.65, 117.0),
}
SOUTH_EAST = {"Xiamen": (24.48, 118.1), "Guangzhou": (23.1, 113.3), "Haikou": (20.0, 110.3)}
CENTRAL = {
    "Shanghai": (31.2, 121.5),
    "Wuhan": (30.6, 114.3),
    "Harbin": (45.8, 126.5),
    "Chongqing": (29.56, 106.55),
    "Nanning": (22.8, 108.3),
    "Changning 2019": (28.3, 104.9),
}
JAPAN = {
    "Tokyo": (35.68, 139.7),
    "Sapporo": (43.06, 141.35),
    "Nemuro": (43.33, 145.58),
    "Naha": (26.2, 127.7),
    "Yonaguni": (24.45, 123.0),
    "Tohoku 2011": (38.1, 142.86),
    "Noto 2024": (37.5, 137.2),
    "Tsushima": (34.2, 129.29),
}
TURKEY = {
    "Pazarcik 2023": (37.29, 37.04),
    "Istanbul": (41.0, 28.98),
    "Edirne": (41.68, 26.56),
    "Izmir": (38.42, 27.14),
    "Van": (38.5, 43.4),
    "Antakya": (36.2, 36.16),
}
WORLD = {
    "Taipei": (25.03, 121.56),
    "Hualien": (23.98, 121.6),
    "Kathmandu": (27.7, 85.3),
    "Delhi": (28.6, 77.2),
    "Hanoi": (21.0, 105.85),
    "Mandalay": (21.98, 96.08),
    "Almaty": (43.25, 76.9),
    "Bishkek": (42.87, 74.6),
    "Ulaanbaatar": (47.9, 106.9),
    "Seoul": (37.57, 127.0),
    "Busan": (35.18, 129.08),
    "Vladivostok": (43.1, 131.9),
    "Athens": (37.98, 23.7),
    "Aleppo": (36.2, 37.16),
    "Yerevan": (40.18, 44.5),
    "Los Angeles": (34.05, -118.24),
    "Mexico City": (19.43, -99.13),
    "Kaikoura 2016": (-42.7, 173.0),
    "South Pole": (-90.0, 0.0),
}
EXPECTED = {
    "china_qinghai_tibet": QINGHAI_TIBET,
    "china_xinjiang": XINJIANG,
    "china_east_strong": EAST_STRONG,
    "china_south_east_coast": SOUTH_EAST,
    "china_central_moderate": CENTRAL,
    "japan": JAPAN,
    "turkey": TURKEY,
    "world": WORLD,
}


@pytest.mark.parametrize("region", EXPECTED)
def test_cities_and_epicentres_fall_in_their_region(region: str) -> None:
    found = {place: region_of(*point).name for place, point in EXPECTED[region].items()}
    assert found == dict.fromkeys(EXPECTED[region], region)


def test_every_region_of_the_table_is_tried_above() -> None:
    assert {region.name for region in regions()} == set(EXPECTED)


def test_scales_follow_the_country() -> None:
    assert region_of(30.66, 104.07).scale == "csi"  # Chengdu
    assert region_of(35.68, 139.7).scale == "jma"
    assert region_of(25.03, 121.56).scale == "mmi"


def test_each_region_names_a_shaking_model_with_its_own_scale() -> None:
    for region in regions():
        assert shaking_model(region).scale == region.scale, region.name


def test_longitudes_of_another_turn_are_understood() -> None:
    assert region_of(35.68, 139.7 - 360.0).name == "japan"
    assert region_of(39.9, 116.4 + 360.0).name == "china_east_strong"


def test_a_triangle_holds_what_is_inside_it_only() -> None:
    region = Region(
        name="t", title="t", shaking="bssa14", scale="mmi", polygon=((0, 0), (10, 0), (0, 10))
    )
    assert region.contains(1.0, 1.0)
    assert not region.contains(6.0, 6.0)
    assert not region.contains(-1.0, 1.0)
    assert not region.contains(1.0, -1.0)
