"""Help packs: the nearest shelter is found across borders, and versions only rise."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.locality import nearest_shelter
from eew.app.development_key import development_key
from eew.errors import DataError
from eew.ingest.help_pack import (
    BORDER_KM,
    build_packs,
    country_pack,
    generate_shelters,
    read_help_packs,
    version_of_day,
    write_help_packs,
)
from eew.ingest.shelters import read_shelters
from eew.messages import help_wire
from eew.messages.cells import area_of, cell_of, fine_cells_within
from eew.model.place import Contact, Shelter, Site
from eew.physics.geo import destination, epicentral_distance_km
from tests.conftest import ROOT


def scatter(n: int, lat: float, lon: float, spread_deg: float, seed: int) -> list[Shelter]:
    rng = np.random.default_rng(seed)
    return [
        Shelter(
            id=f"s{i}",
            name=f"Shelter {i}",
            lat=float(np.clip(lat + rng.uniform(-spread_deg, spread_deg), -89, 89)),
            lon=float((lon + rng.uniform(-spread_deg, spread_deg) + 180) % 360 - 180),
        )
        for i in range(n)
    ]


@given(
    lat=st.floats(-60, 70),
    lon=st.sampled_from([-179.9, -117.0, 0.0, 103.0, 179.9]),
    seed=st.integers(0, 10**6),
)
@pytest.mark.slow
def test_a_device_finds_every_shelter_within_five_kilometres(
    lat: float, lon: float, seed: int
) -> None:
    shelters = scatter(60, lat, lon, 0.4, seed)
    packs = {pack.area: pack for pack in build_packs(shelters, "US", version=1)}
    rng = np.random.default_rng(seed + 1)
    for _ in range(10):
        # A person a little under 5 km from some shelter, whatever borders lie between.
        goal = shelters[int(rng.integers(len(shelters)))]
        here_lat, here_lon = destination(
            goal.lat, goal.lon, rng.uniform(0, 360), rng.uniform(0, 0.97 * BORDER_KM)
        )
        pack = packs[cell_of(float(here_lat), float(here_lon))]
        found = nearest_shelter(float(here_lat), float(here_lon), pack.shelters)
        nearest = min(
            float(epicentral_distance_km(here_lat, here_lon, s.lat, s.lon)) for s in shelters
        )
        assert found is not None
        assert found.distance_km == pytest.approx(nearest, abs=1e-9)


def test_a_pack_holds_its_cell_and_little_more() -> None:
    shelters = scatter(400, 35.0, 136.0, 0.8, 5)
    for pack in build_packs(shelters, "JP", version=1):
        for shelter in pack.shelters:
            # in the area, or within the border's width of a cell that belongs to it
            around = fine_cells_within(shelter.lat, shelter.lon, BORDER_KM)
            assert pack.area in {area_of(cell) for cell in around}
        ids = [shelter.id for shelter in pack.shelters]
        assert ids == sorted(set(ids))


def test_unsuited_sites_do_not_get_into_a_pack() -> None:
    good = Shelter(id="1", name="A", lat=35.0, lon=135.0)
    bad = Shelter(id="2", name="B", lat=35.0, lon=135.0, suited_for_earthquake=False)

    (pack,) = [p for p in build_packs([bad, good], "JP", version=1) if good in p.shelters]

    assert pack.shelters == (good,)
    assert build_packs([bad], "JP", version=1) == []
    assert pack.generated is False


def test_the_national_numbers_are_in_each_pack_unless_others_are_given() -> None:
    shelter = Shelter(id="1", name="A", lat=35.0, lon=135.0)
    own = (Contact(kind="medical", number="0120-1"),)

    (default, *_) = build_packs([shelter], "JP", version=1)
    (given_, *_) = build_packs([shelter], "JP", own, {"en": "wait"}, "ward office", version=1)

    assert {c.kind for c in default.contacts} >= {"emergency", "medical", "police"}
    assert (given_.contacts, given_.rescue, given_.source) == (own, {"en": "wait"}, "ward office")
    assert country_pack("JP").area == "country:JP"


def test_versions_rise_with_content_and_only_then() -> None:
    shelters = scatter(30, 35.0, 136.0, 0.5, 7)
    first = build_packs(shelters, "JP", version=20250101)
    same = build_packs(shelters, "JP", version=20250101, previous=first)
    later = build_packs(shelters, "JP", version=20250601, previous=first)
    changed = build_packs(
        [*shelters[:-1], replace(shelters[-1], name="New name")],
        "JP",
        version=20240101,  # a wrong date must not make it fall
        previous=first,
    )

    assert same == first
    assert later == first  # a new date alone is no new content
    versions = {
        old.area: (old.version, new.version) for old, new in zip(first, changed, strict=True)
    }
    holding = {pack.area for pack in changed if any(s.name == "New name" for s in pack.shelters)}
    assert holding
    for area, (old, new) in versions.items():
        assert new == (old + 1 if area in holding else old)
    assert version_of_day(2025, 12, 31) < version_of_day(2026, 1, 1)


def test_a_file_of_packs_comes_back_and_is_the_same_each_time(tmp_path: Path) -> None:
    packs = [*build_packs(scatter(50, 35.0, 136.0, 0.5, 3), "JP", version=5), country_pack("JP")]
    write_help_packs(tmp_path / "a.json", packs)
    write_help_packs(tmp_path / "b.json", reversed(packs))

    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert read_help_packs(tmp_path / "a.json") == sorted(packs, key=lambda pack: pack.area)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not a file of help packs"),
        ('{"schema":"eew.help-packs/9","packs":[]}', "schema must be eew.help-packs/1"),
        ('{"schema":"eew.help-packs/1","packs":[{"area":"x"}]}', "missing required field"),
        (
            (
                '{"schema":"eew.help-packs/1","packs":[{"area":"x","version":1,"country":"JP",'
                '"contacts":[],"rescue":{},"shelters":[],"source":""}]}'
            ),
            "pack x: .*not an H3 cell.*'x'",
        ),
    ],
)
def test_a_file_that_holds_no_packs_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "packs.json"
    path.write_text(text)

    with pytest.raises(DataError, match=said):
        read_help_packs(path)
    with pytest.raises(DataError, match="cannot be read"):
        read_help_packs(tmp_path / "nowhere.json")


def test_generated_shelters_say_so_and_are_the_same_for_the_same_seed() -> None:
    site = Site(name="Luding", lat=29.91, lon=102.23, country="CN")
    shelters = generate_shelters(site, 12, np.random.default_rng(7))

    assert shelters == generate_shelters(site, 12, np.random.default_rng(7))
    assert shelters != generate_shelters(site, 12, np.random.default_rng(8))
    assert len(shelters) == 12
    for shelter in shelters:
        assert shelter.generated
        assert "generated" in shelter.name
        assert float(epicentral_distance_km(29.91, 102.23, shelter.lat, shelter.lon)) < 6.1
    assert all(pack.generated for pack in build_packs(shelters, "CN", version=1))
    assert generate_shelters(site, 0, np.random.default_rng(7)) == ()


# ---------------------------------------------------------------- real lists


@pytest.fixture(scope="session")
def shelters_dir() -> Path:
    path = Path(os.environ.get("EEW_SHELTERS") or ROOT.parent / "shared" / "shelters")
    if not path.is_dir():
        pytest.skip(f"no real lists of shelters at {path} (set EEW_SHELTERS)")
    return path


@pytest.mark.slow
def test_the_list_of_all_japan_is_imported_with_every_oddity_counted(
    shelters_dir: Path,
) -> None:
    result = read_shelters(shelters_dir / "japan-emergency-sites.csv.xz", country="JP")
    packs = build_packs(result.shelters, "JP", source="GSI", version=20250101)

    assert result.n_rows == 115_402
    assert len(result.shelters) == 87_842
    assert result.n_merged == 8
    # 87,857 rows are marked as suited: 87,842 offered, 8 merged, 5 in conflicting pairs and two
    # under construction (the third such site is not marked).
    assert result.set_aside == {
        "not_for_earthquake": 27_539,
        "suitability_conflict": 10,
        "closed": 3,
    }
    assert len(packs) == 354
    largest = max(packs, key=lambda pack: len(pack.shelters))
    assert len(largest.shelters) == 3_988  # Osaka and Kyoto
    assert len(help_wire.encode(largest, signer=development_key(1))) < 100_000
    shibuya = next(pack for pack in packs if pack.area == cell_of(35.658, 139.702))
    found = nearest_shelter(35.658, 139.702, shibuya.shelters)
    assert found is not None
    assert found.distance_km < 2.0


def test_the_list_of_kumamoto_is_imported_from_geojson(shelters_dir: Path) -> None:
    result = read_shelters(shelters_dir / "kumamoto-emergency-sites.geojson", country="JP")

    assert (result.n_rows, len(result.shelters)) == (317, 311)
    assert result.set_aside == {"not_for_earthquake": 6}
    assert all(32.6 < s.lat < 33.0 and 130.5 < s.lon < 130.8 for s in result.shelters)


def test_the_list_of_nanao_is_imported_with_its_gaps(shelters_dir: Path) -> None:
    result = read_shelters(shelters_dir / "nanao-designated-shelters.csv", country="JP")

    assert (result.n_rows, len(result.shelters)) == (112, 93)
    assert result.set_aside == {"not_for_earthquake": 16, "suitability_unknown": 3}
    by_name = {shelter.name: shelter for shelter in result.shelters}
    assert by_name["七尾中学校"].capacity == 1_371 + 5_470
    assert "七尾市役所（４F）" not in by_name  # marked for floods only
    kinds = {problem.kind: problem.count for problem in result.problems}
    assert kinds["capacity_text"] == 109
    assert kinds["shared_phone"] > 20  # the telephone column of this list is shifted
