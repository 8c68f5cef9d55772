"""Published warnings: the table they come in, and where its places stand."""

from __future__ import annotations

from pathlib import Path

import pytest

from eew.app.compare import place_of, site_name
from eew.app.warnings_table import WarningRow, read_warnings
from eew.errors import DataError
from eew.physics.geo import azimuth_deg, epicentral_distance_km

HEADER = (
    "event_id,origin_time_utc,lat,lon,depth_km,magnitude,first_alert_s,place,distance_km,"
    "warning_s,intensity"
)
LUZHOU = "luxian-2021,2021-09-15T20:33:31Z,29.20,105.34,10,6.0,,Luzhou,36,6,4.7"


def read(tmp_path: Path, *lines: str, header: str = HEADER) -> tuple[WarningRow, ...]:
    path = tmp_path / "warnings.csv"
    path.write_text("\n".join(["# words", header, *lines]) + "\n", encoding="utf-8")
    return read_warnings(path)


def test_a_line_becomes_a_row(tmp_path: Path) -> None:
    (row,) = read(tmp_path, LUZHOU)
    assert (row.event_id, row.place, row.distance_km, row.warning_s) == (
        "luxian-2021",
        "Luzhou",
        36.0,
        6.0,
    )
    assert row.first_alert_s is None
    assert row.intensity == 4.7
    assert row.origin_time.isoformat() == "2021-09-15T20:33:31+00:00"


def test_a_mark_of_doubt_is_not_part_of_the_number(tmp_path: Path) -> None:
    (row,) = read(tmp_path, LUZHOU.replace("29.20,105.34", "~29.20,~105.34"))
    assert (row.lat, row.lon) == (29.2, 105.34)


def test_what_was_not_published_may_have_no_column(tmp_path: Path) -> None:
    header = HEADER.replace(",first_alert_s", "").replace(",intensity", "")
    (row,) = read(tmp_path, LUZHOU.replace("6.0,,", "6.0,").replace(",4.7", ""), header=header)
    assert (row.first_alert_s, row.intensity, row.warning_s) == (None, None, 6.0)


def test_every_wrong_field_is_named_with_line_and_value(tmp_path: Path) -> None:
    bad = LUZHOU.replace("29.20", "129.20").replace(",36,", ",near,").replace("2021-09-15T", "x")
    with pytest.raises(DataError) as raised:
        read(tmp_path, LUZHOU, bad)
    words = str(raised.value)
    assert "line 4: lat = '129.20': expected a number of -90 to 90" in words
    assert "line 4: distance_km = 'near'" in words
    assert "line 4: origin_time_utc = 'x20:33:31Z'" in words


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "has no lines"),
        ("event_id,place\n", "column origin_time_utc, lat, lon"),
        (HEADER + "\n", "has a header but no places"),
        (HEADER + "\na,b\n", "line 2: 2 fields, expected 11"),
    ],
)
def test_a_table_that_cannot_be_used_says_why(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "warnings.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=problem):
        read_warnings(path)


def test_lines_of_one_quake_must_mean_one_quake(tmp_path: Path) -> None:
    other = LUZHOU.replace("Luzhou,36", "Zigong,57").replace(",6.0,", ",5.9,")
    with pytest.raises(DataError, match=r"magnitude is 6\.0 at Luzhou and 5\.9 at Zigong"):
        read(tmp_path, LUZHOU, other)


def test_a_place_stands_at_its_distance_towards_the_city_of_its_name(tmp_path: Path) -> None:
    (row,) = read(tmp_path, LUZHOU)
    site = place_of(row, 1)
    assert site.name == site_name(row) == "Luzhou (36 km)"
    assert epicentral_distance_km(row.lat, row.lon, site.lat, site.lon) == pytest.approx(36.0, 1e-4)
    towards = float(azimuth_deg(row.lat, row.lon, 28.88, 105.44))  # the city itself
    assert float(azimuth_deg(row.lat, row.lon, site.lat, site.lon)) == pytest.approx(towards, abs=5)


@pytest.mark.parametrize("name", ["No such town", "Reykjavik"])  # the latter is too far to be it
def test_a_place_nobody_knows_stands_at_its_distance_somewhere(tmp_path: Path, name: str) -> None:
    (row,) = read(tmp_path, LUZHOU.replace("Luzhou", name))
    site = place_of(row, 1)
    assert epicentral_distance_km(row.lat, row.lon, site.lat, site.lon) == pytest.approx(36.0, 1e-4)
    assert place_of(row, 1) == site
    assert place_of(row, 2) != site


def test_apostrophes_and_accents_do_not_hide_a_city(tmp_path: Path) -> None:
    line = "luding-2022,2022-09-05T04:52:18Z,29.59,102.08,16,6.8,4,{},99,20,"
    (one,), (other,) = (read(tmp_path, line.format(name)) for name in ("Ya'an", "Yaan"))
    assert (place_of(one, 1).lat, place_of(one, 1).lon) == (
        place_of(other, 1).lat,
        place_of(other, 1).lon,
    )
