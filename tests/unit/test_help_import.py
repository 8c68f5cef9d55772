"""Lists of shelters: what is offered, what is set aside, and that no row is lost silently."""

from __future__ import annotations

import gzip
import json
import lzma
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eew.errors import ConfigError, DataError
from eew.ingest.shelter_fields import clean, is_closed, parse_capacity, parse_degrees, parse_yes_no
from eew.ingest.shelters import SET_ASIDE, ShelterImport, read_shelters

HEADER = "共通ID,施設・場所名,住所,洪水,地震,緯度,経度,備考\n"
GOOD = "E1,中央小学校,七尾市1-1,,1,37.04,136.96,\n"


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def kinds(result: ShelterImport) -> dict[str, int]:
    counts: dict[str, int] = {}
    for problem in result.problems:
        counts[problem.kind] = counts.get(problem.kind, 0) + problem.count
    return counts


def test_a_site_that_is_not_suited_for_earthquakes_is_never_offered(tmp_path: Path) -> None:
    rows = (
        GOOD
        + "E2,体育館,七尾市2,1,,37.05,136.97,\n"  # for floods only
        + "E3,公園,七尾市3,,0,37.06,136.97,\n"
        + "E4,広場,七尾市4,,,37.07,136.97,\n"  # for nothing at all
        + "E5,会館,七尾市5,,△,37.08,136.97,\n"
    )
    result = read_shelters(write(tmp_path / "list.csv", HEADER + rows), country="JP")

    assert [shelter.id for shelter in result.shelters] == ["E1"]
    assert result.set_aside == {"not_for_earthquake": 2, "suitability_unknown": 2}
    unknown = next(p for p in result.problems if p.kind == "suitability_unknown")
    assert "row 5 (no hazard is marked), 6 (△)" in unknown.detail
    assert all(shelter.suited_for_earthquake for shelter in result.shelters)


def test_equal_rows_are_merged_and_their_gaps_filled(tmp_path: Path) -> None:
    text = (
        "name,lat,lon,suited_for_earthquake,capacity,phone,address\n"
        "School,37.04,136.96,yes,120,,\n"
        "School ,37.040001,136.960002,TRUE,300,0767-1,Main St\n"
        "School,37.05,136.96,1,,,\n"
    )
    result = read_shelters(write(tmp_path / "list.csv", text))

    first, other = result.shelters
    assert (first.capacity, first.phone, first.address) == (300, "0767-1", "Main St")
    assert other.lat == 37.05
    assert result.n_merged == 1
    assert kinds(result)["duplicate"] == 1


def test_a_site_listed_as_suited_and_as_unsuited_is_set_aside(tmp_path: Path) -> None:
    rows = GOOD + "E2,中央小学校,七尾市1-1,1,,37.04,136.96,\n" + GOOD.replace("中央", "東")
    result = read_shelters(write(tmp_path / "list.csv", HEADER + rows), country="JP")

    assert [shelter.name for shelter in result.shelters] == ["東小学校"]
    assert result.set_aside == {"suitability_conflict": 2}


def test_a_site_under_construction_is_not_offered(tmp_path: Path) -> None:
    rows = (
        GOOD
        + "E2,（解体工事中）西中学校,七尾市2,,1,37.05,136.97,\n"
        + "E3,南中学校,七尾市3,,1,37.06,136.97,改修工事中（令和9年まで）\n"
        + "E4,市役所建設予定地,七尾市4,,1,37.07,136.97,\n"  # open ground today
    )
    result = read_shelters(write(tmp_path / "list.csv", HEADER + rows), country="JP")

    assert [shelter.id for shelter in result.shelters] == ["E1", "E4"]
    assert result.set_aside == {"closed": 2}


@pytest.mark.parametrize(
    ("lat", "lon", "kind", "shown"),
    [
        ("136.96", "37.04", "swapped", "lat '136.96', lon '37.04'"),
        ("", "", "position", "lat '', lon ''"),
        ("37.04N", "136.96", "position", "lat '37.04N'"),
        ("nan", "136.96", "position", "lat 'nan'"),
        ("inf", "136.96", "position", "lat 'inf'"),
        ("0", "0", "position", "lat '0', lon '0'"),
        ("95", "200", "position", "lat '95'"),
        ("52.5", "13.4", "outside_country", "lat '52.5', lon '13.4'"),
    ],
)
def test_a_bad_position_is_set_aside_with_its_row_and_value(
    tmp_path: Path, lat: str, lon: str, kind: str, shown: str
) -> None:
    rows = GOOD + f"E2,公園,七尾市3,,1,{lat},{lon},\n"
    result = read_shelters(write(tmp_path / "list.csv", HEADER + rows), country="JP")

    (problem,) = result.problems
    assert (problem.kind, problem.where) == (kind, "list.csv row 3")
    assert shown in problem.detail
    assert result.set_aside == {kind: 1}


def test_swapped_coordinates_are_noticed_without_knowing_the_country(tmp_path: Path) -> None:
    rows = GOOD + "E2,公園,七尾市3,,1,136.96,37.04,\n"

    assert read_shelters(write(tmp_path / "l.csv", HEADER + rows)).set_aside == {"swapped": 1}


def test_full_width_digits_are_numbers(tmp_path: Path) -> None:
    rows = "E1,公園,七尾市,,１,３７．０４,１３６．９６,\n"
    result = read_shelters(write(tmp_path / "list.csv", HEADER + rows), country="JP")

    assert (result.shelters[0].lat, result.shelters[0].lon) == (37.04, 136.96)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
@pytest.mark.parametrize("packing", ["", ".gz", ".xz"])
def test_encodings_and_packings_make_no_difference(
    tmp_path: Path, encoding: str, packing: str
) -> None:
    data = (HEADER + GOOD).encode(encoding)
    data = {"": data, ".gz": gzip.compress(data), ".xz": lzma.compress(data)}[packing]
    path = tmp_path / f"list.csv{packing}"
    path.write_bytes(data)

    result = read_shelters(path, country="JP")

    assert result.shelters[0].name == "中央小学校"
    assert ("encoding" in kinds(result)) == (encoding == "cp932")


def test_columns_of_other_names_can_be_mapped(tmp_path: Path) -> None:
    text = "Ort,Breite,Laenge,Beben\nSchule,37.0,137.0,ja\nHalle,37.1,137.0,1\n"
    path = write(tmp_path / "list.csv", text)
    mapping = {"name": "Ort", "lat": "Breite", "lon": "Laenge", "suited_for_earthquake": "Beben"}

    result = read_shelters(path, mapping=mapping)

    assert [shelter.name for shelter in result.shelters] == ["Halle"]
    assert result.set_aside == {"suitability_unknown": 1}  # nobody told us that "ja" is yes
    assert result.columns == mapping
    with pytest.raises(DataError, match=r"no column for name, lat, lon .*--map name=COLUMN.*'Ort'"):
        read_shelters(path)
    with pytest.raises(DataError, match="no column 'Name' for name"):
        read_shelters(path, mapping=mapping | {"name": "Name"})
    with pytest.raises(ConfigError, match="unknown field 'nmae'"):
        read_shelters(path, mapping={"nmae": "Ort"})


def test_a_list_that_does_not_speak_of_earthquakes_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "list.csv", "name,lat,lon\nSchool,37.0,137.0\n")

    with pytest.raises(DataError, match="no column says which sites are suited"):
        read_shelters(path)
    assert len(read_shelters(path, assume_suited=True).shelters) == 1


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "the file is empty"),
        (b"\n\n", "the file is empty"),
        (b"name,lat,lon,earthquake\n", "no site of 0 can be offered"),
        (b"name,lat,lon,earthquake\nA,x,y,1\n", "no site of 1 can be offered: 1 no usable pos"),
        (b'name,lat,lon,earthquake\n"A,1,2,1\n', "line 2: unexpected end of data"),
        (b"\x1f\x8b\x08\x00broken", "damaged compressed file"),
        (b"\xfd7zXZ\x00broken", "damaged compressed file"),
        (b"name,lat\x81\x20,lon\n", "neither of utf-8-sig, cp932: byte 0x.. in line 1"),
        (b'{"type": "Topology"}', "not a GeoJSON FeatureCollection, was 'Topology'"),
        (b"[1, 2]", "not a GeoJSON FeatureCollection, was 'list'"),
        (b'{"features": [', "not valid JSON"),
    ],
)
def test_a_file_that_is_no_list_is_refused_in_one_clear_line(
    tmp_path: Path, data: bytes, said: str
) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(data)

    with pytest.raises(DataError, match=said):
        read_shelters(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere\.csv: cannot be read: No such file"):
        read_shelters(tmp_path / "nowhere.csv")


def test_geojson_positions_come_from_the_geometry_in_its_own_order(tmp_path: Path) -> None:
    def feature(geometry: object, **properties: object) -> dict[str, object]:
        return {"type": "Feature", "geometry": geometry, "properties": properties}

    point = {"type": "Point", "coordinates": [136.96, 37.04, 12.0]}
    polygon = {"type": "Polygon", "coordinates": [[[1, 2], [3, 4], [5, 6], [1, 2]]]}
    document = {
        "type": "FeatureCollection",
        "features": [
            feature(point, name="School", earthquake=True, capacity=120.0, id=7),
            feature(point, name="Flood hall", earthquake=False),
            feature(polygon, name="Park", earthquake=1),
            feature(None, name="Nowhere", earthquake=1),
            feature({"type": "Point", "coordinates": []}, name="Empty", earthquake=1),
            {"type": "Feature", "geometry": point, "properties": None},
            "not a feature",
        ],
    }
    path = write(tmp_path / "list.geojson", json.dumps(document))
    result = read_shelters(path)

    (school,) = result.shelters
    assert (school.lat, school.lon, school.capacity, school.id) == (37.04, 136.96, 120, "7")
    assert result.set_aside == {
        "no_name": 2,
        "position": 2,
        "geometry": 1,
        "not_for_earthquake": 1,
    }
    assert result.n_rows == 7


def test_short_and_long_rows_are_told_apart(tmp_path: Path) -> None:
    text = "name,lat,lon,earthquake\nA,37,137,1\nB,37\nC,37.1,137,1,extra\n"
    result = read_shelters(write(tmp_path / "list.csv", text))

    assert [shelter.name for shelter in result.shelters] == ["A", "C"]
    assert kinds(result) == {"short_row": 1, "long_row": 1}


def test_semicolons_and_tabs_separate_as_well(tmp_path: Path) -> None:
    for separator in ";\t":
        text = "name,lat,lon,earthquake\nA,37.5,137,1\n".replace(",", separator)
        assert len(read_shelters(write(tmp_path / "list.csv", text)).shelters) == 1


def test_one_number_for_many_places_is_pointed_out(tmp_path: Path) -> None:
    text = "name,lat,lon,earthquake,phone\nA,37,137,1,0767-1\nB,38,137,1,0767-1\n"
    result = read_shelters(write(tmp_path / "list.csv", text))

    assert kinds(result) == {"shared_phone": 2}


@pytest.mark.parametrize(
    ("text", "people", "from_text"),
    [
        ("", None, False),
        ("120", 120, False),
        ("1,200", 1200, False),
        ("1200.0", 1200, False),
        ("屋内191人／屋外0人(面積の1/2)", 191, True),
        ("屋内1,371人／屋外5,470人（面積の1/2）", 6841, True),
        ("屋内2,736人屋外11,700人（面積の1/2）", 14436, True),
        ("約３００人", 300, True),
        ("many", None, True),
        ("-5", None, True),
        ("nan", None, True),
    ],
)  # fmt: skip
def test_capacity_is_read_out_of_free_text(text: str, people: int | None, from_text: bool) -> None:
    assert parse_capacity(text) == (people, from_text)


def test_small_parsers_say_no_rather_than_guess() -> None:
    assert parse_degrees("３７．５") == 37.5
    assert parse_degrees("37,5") is None
    assert parse_yes_no(" ○ ") is True
    assert parse_yes_no("1.0") is True
    assert parse_yes_no("") is False
    assert parse_yes_no("perhaps") is None
    assert clean("　中央\u200b 小\t学校\n※") == "中央 小 学校 ※"
    assert clean("サンシャイン　本館") == "サンシャイン　本館"
    assert is_closed("Demolition site")
    assert not is_closed("建設予定地")


@given(st.binary(max_size=400))
def test_no_file_at_all_does_more_than_raise_a_data_error(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(data)

    with pytest.raises(DataError):
        read_shelters(path)


FIELD = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=12)


@given(st.lists(st.lists(FIELD, min_size=4, max_size=5), min_size=1, max_size=20))
def test_every_row_ends_in_exactly_one_place(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]
) -> None:
    lines = [",".join('"' + f.replace('"', '""') + '"' for f in row) for row in rows]
    text = "name,lat,lon,earthquake\nA,37,137,1\n" + "\n".join(lines) + "\n"
    path = write(tmp_path_factory.getbasetemp() / "rows.csv", text)

    result = read_shelters(path)

    assert result.n_rows == len(rows) + 1
    kept = len(result.shelters) + result.n_merged
    assert kept + sum(result.set_aside.values()) == result.n_rows
    counted = kinds(result)
    assert all(counted[kind] == n for kind, n in result.set_aside.items())
    assert set(result.set_aside) <= set(SET_ASIDE)
