"""A season: which quakes it is made of, and how people and alerts are counted."""

from __future__ import annotations

import datetime as dt

import pytest

from eew.app.season import QuakeOfSeason, SeasonRun
from eew.app.season_document import season_document
from eew.app.trial import Trial
from eew.errors import ConfigError
from eew.model.alert import Level
from eew.report.season_map import season_map_png
from eew.report.season_page import season_page
from simulator.catalogue import CatalogueQuake, Sources
from simulator.geography import border_lines
from simulator.named_networks import stations_near
from simulator.season import Season, is_drawn, season, season_quakes

pytestmark = pytest.mark.slow  # for `make check`: whole runs, records or figures


@pytest.fixture(scope="module")
def china() -> Season:
    return season("china-2020")


@pytest.fixture(scope="module")
def quakes(china: Season) -> tuple[CatalogueQuake, ...]:
    return season_quakes(china, 1)[0]


def test_there_are_as_many_quakes_as_were_reported(quakes: tuple[CatalogueQuake, ...]) -> None:
    assert len(quakes) == 29
    assert len({one.name for one in quakes}) == 29
    times = [one.origin_time for one in quakes]
    assert times == sorted(times)
    assert all(one.origin_time.year == 2020 and one.magnitude >= 4.0 for one in quakes)


def test_every_quake_has_stations_over_it(
    china: Season, quakes: tuple[CatalogueQuake, ...]
) -> None:
    for one in quakes:
        near = stations_near(china.network, 1, one.lat, one.lon, china.covered_km)
        assert len(near) >= china.covered_stations, one


def test_what_is_drawn_says_so_and_keeps_to_its_bounds(quakes: tuple[CatalogueQuake, ...]) -> None:
    drawn = [one for one in quakes if is_drawn(one)]
    assert drawn
    assert all("drawn" in one.name and "drawn" in one.place for one in drawn)
    assert all(4.0 <= one.magnitude <= 5.0 and 7.0 <= one.depth_km <= 15.0 for one in drawn)


def test_a_quake_far_from_the_network_is_left_out_by_name(china: Season) -> None:
    taken, left_out = season_quakes(china, 1)
    assert "nyima-2020" in {one.name for one in left_out}
    assert not {one.name for one in left_out} & {one.name for one in taken}


def test_the_same_seed_gives_the_same_season(
    china: Season, quakes: tuple[CatalogueQuake, ...]
) -> None:
    assert season_quakes(china, 1)[0] == quakes
    assert season_quakes(china, 2)[0] != quakes


def test_an_unknown_season_names_those_there_are() -> None:
    with pytest.raises(ConfigError, match="china-2020"):
        season("china-2021")


# ---------------------------------------------------------------- the counting


def result(number: int, people: dict[Level, int], leads: tuple[tuple[float, int], ...]) -> object:
    return QuakeOfSeason(
        quake=CatalogueQuake(
            name=f"q{number}",
            place="Somewhere, Province",
            origin_time=dt.datetime(2020, 1, number, tzinfo=dt.UTC),
            lat=30.0 + number,
            lon=100.0 + 5.0 * number,
            depth_km=10.0,
            magnitude=4.5,
            magnitude_type="M",
            country="CN",
            region="",
            setting="crust",
            sources=Sources(hypocentre="drawn" if number == 2 else "cenc", magnitude="cenc"),
        ),
        trial=Trial(
            name=f"q{number}",
            stations=50,
            detected=True,
            events=1,
            first_alert_s=4.25,
            epicentre_error_km=2.0,
            first_magnitude=4.4,
            final_magnitude=4.6,
            scale="csi",
            places=(),
        ),
        people=people,
        places_told=len(leads),
        lead_times_s=leads,
    )


@pytest.fixture
def run(china: Season) -> SeasonRun:
    both = (
        result(1, {Level.TAKE_ACTION: 1000, Level.BE_AWARE: 500}, ((-1.0, 1000), (12.0, 500))),
        result(2, {Level.TAKE_ACTION: 0, Level.BE_AWARE: 300}, ((3.0, 300),)),
    )
    return SeasonRun(name="china-2020", seed=1, season=china, quakes=both, left_out=())  # type: ignore[arg-type]


def test_alerts_are_devices_per_person_and_people_are_counted_by_level(run: SeasonRun) -> None:
    document = season_document(run)
    share = run.season.installed_share
    assert document["people_reached"] == 1800
    assert document["people_warned_before_s"] == 800
    first = document["quakes"][0]
    assert first["alerts"] == {"take_action": round(1000 * share), "be_aware": round(500 * share)}
    assert document["alerts_total"] == sum(one["alerts_total"] for one in document["quakes"])
    assert document["share_for_reported"] == pytest.approx(9.4e6 / 1800, rel=1e-6)


def test_lead_times_are_those_of_people(run: SeasonRun) -> None:
    document = season_document(run)
    assert document["lead_time_people"]["too late"] == 1000
    assert document["lead_time_people"]["0-5 s"] == 300
    assert document["lead_time_people"]["10-20 s"] == 500
    assert sum(document["lead_time_people"].values()) == 1800
    lead = document["quakes"][0]["lead_time_s"]
    assert (lead["least"], lead["median_of_people"], lead["most"]) == (-1.0, -1.0, 12.0)


def test_page_and_map_say_what_is_simulated_and_drawn(run: SeasonRun) -> None:
    document = season_document(run)
    page = season_page(document, map_name="map.png")
    assert "SIMULATION" in page
    assert "1 drawn inside it" in page
    assert page.count("\n| 2020-") == 2
    png = season_map_png(document, border_lines())
    assert png.startswith(b"\x89PNG")
    assert png == season_map_png(document, border_lines())
