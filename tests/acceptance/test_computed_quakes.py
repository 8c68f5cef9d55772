"""Computed quakes through the whole chain: published warnings, and a quake of a season."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from eew.app.season import SeasonRun, run_quake
from eew.app.season_document import season_document
from eew.cli import run
from simulator.season import is_drawn, season, season_quakes

pytestmark = pytest.mark.slow

TABLE = """\
# one quake that nobody has in a catalogue, and one place without coordinates
event_id,origin_time_utc,lat,lon,depth_km,magnitude,first_alert_s,place,distance_km,warning_s,intensity
somewhere,2021-03-04T05:06:07Z,30.2,103.9,12,5.2,,Chengdu,45,8,3.9
somewhere,2021-03-04T05:06:07Z,30.2,103.9,12,5.2,,Nobody's town,70,16,
"""


def test_a_table_of_one_s_own_is_computed_and_set_beside_what_was_published(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "mine.csv"
    table.write_text(TABLE, encoding="utf-8")
    assert run(["compare", "icl", "--table", str(table), "--jobs", "1", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["simulation"] is True
    near, far = document["rows"]
    assert (near["event_id"], near["place"], near["warning_s"]) == ("somewhere", "Chengdu", 8.0)
    for row in (near, far):
        assert row["lead_time_s"] == pytest.approx(
            row["s_arrival_s"] - row["first_alert_s"], abs=0.1
        )
        assert 2.0 < row["first_alert_s"] < 7.0
    assert near["predicted_intensity"] > far["predicted_intensity"] > 1.0
    assert near["lead_time_holds"] is True
    assert far["intensity_holds"] is None
    assert document["events"][0]["events"] == 1


def test_a_quake_of_the_season_reaches_people_the_same_way_twice() -> None:
    china = season("china-2020")
    quakes, _ = season_quakes(china, 1)
    small = min((one for one in quakes if is_drawn(one)), key=lambda one: one.magnitude)
    known = next(one for one in quakes if one.name == "huocheng-2020")
    first, again = (run_quake(small, season=china, seed=1) for _ in range(2))
    assert first == again
    document = season_document(
        SeasonRun(
            name="china-2020",
            seed=1,
            season=china,
            quakes=(first, run_quake(known, season=china, seed=1)),
            left_out=(),
        )
    )
    told = document["quakes"][1]
    assert document["quakes_handled"] == 2
    assert told["first_alert_s"] < 8.0
    assert told["people_reached"] > 100_000
    assert told["alerts_total"] == pytest.approx(
        china.installed_share * told["people_reached"], abs=1.0
    )
