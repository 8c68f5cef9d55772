"""What a wrong scenario file says: each field with its line, and nothing is started."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from eew.errors import ConfigError, FieldError
from simulator.scenario import RecordedScenario, Scenario, parse_any, parse_scenario
from simulator.scripted import compute_scripted
from tests.unit.scenario_cases import SMALL, small

FAULT = '[[fault]]\nkind = "spike"\nstations = ["SY.S0001"]\nat_s = 5.0\n'
SOURCE = "[[source]]\nafter_s = 5.0\ndistance_km = 10.0\nazimuth_deg = 90.0\nmagnitude = 4.5\n"


def wrong(text: str, folder: Path = Path()) -> list[str]:
    """Read a text and return its errors, one line each."""
    with pytest.raises(FieldError) as caught:
        parse_any(text.encode(), name="drill", where="drill.toml", folder=folder)
    assert caught.value.exit_code == 2
    return list(caught.value.lines)


def test_each_wrong_field_is_named_with_line_value_and_what_is_expected() -> None:
    text = SMALL.replace("spacing_km = 15.0", "spacing_km = -3").replace("level = 0.5", "levle = 1")
    lines = text.splitlines()
    spacing, level = (lines.index(one) + 1 for one in ("spacing_km = -3", "levle = 1"))
    assert wrong(text) == [
        f"drill.toml line {spacing}: network.spacing_km = -3: expected a number from 3 to 100 (km)",
        f"drill.toml line {level}: noise.levle = 1: unknown field, did you mean level?",
    ]


def test_a_file_that_is_no_toml_is_named_with_line_and_column() -> None:
    (line,) = wrong('title = "x"\n[event\n')
    assert line.startswith("drill.toml line 2: not a TOML file: Expected ']' at the end of a table")
    assert line.endswith("(column 7)")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ('[[fault]]\nkind = "spik"\n', "line 2: fault[0].kind = 'spik': did you mean spike?"),
        ("[[fault]]\nat_s = 1.0\n", "line 1: fault[0].kind is missing: expected one of"),
        (FAULT + FAULT.replace("at_s = 5.0", "at_s = 999.0"), "line 8: fault[1].at_s = 999.0"),
        (FAULT.replace("at_s", "at"), "line 4: fault[0].at = 5.0: unknown field, did you mean at"),
        (FAULT.replace('stations = ["SY.S0001"]', ""), "fault[0].stations: no stations chosen"),
        (FAULT + "all = true\n", "line 5: fault[0].all = true: expected false where stations"),
        (FAULT + "lat = 3.0\n", "fault[0].lat = 3.0: expected lat and lon together"),
        (FAULT + "share = 1.5\n", "line 5: fault[0].share = 1.5: expected a number > 0 and <= 1"),
        (FAULT + "within_km = nan\n", "fault[0].within_km = nan: expected a finite number"),
        (SOURCE.replace("after_s = 5.0\n", ""), "source[0].after_s: expected either after_s or or"),
        (SOURCE + "lat = 3.0\n", "line 6: source[0].lat = 3.0: expected either lat and lon, or"),
        (SOURCE.replace("5.0\n", "50.0\n", 1), "line 2: source[0].after_s: 50 s after the event"),
        (
            "[[aftershocks]]\nnumber = 3\nwithin_s = 90\nmagnitude = [5, 4]\nradius_km = 9\n",
            "line 4: aftershocks[0].magnitude = [5, 4]: expected the smaller one first",
        ),
        (
            "[link]\npacket_s = 20\n",
            "line 2: link.packet_s = 20: expected a number from 0.1",
        ),
        ("[link]\nfixed_s = 1.0\nmedian_s = 2.0\n", "line 2: link.fixed_s = 1.0: expected either"),
        ("[[link.outage]]\nall = true\nfrom_s = 3\nuntil_s = 2\n", "expected more than from_s"),
        ("[[link.outage]]\nall = true\nfrom_s = 3\n", 'outage[0].backlog: expected "lost"'),
        ('[help]\npacks = ["no.json"]\n', "line 2: help.packs[0] = 'no.json': there is no file"),
        ('[devices]\nlanguages = ["fr"]\n', "line 2: devices.languages = ['fr']: expected a list"),
        ("[expect]\nno_alert = true\nevents = 2\n", "line 3: expect.events = 2: expected nothing"),
        (
            "[event.line]\nstrike_deg = 3\n",
            "event.line.length_km is missing: expected a",
        ),
    ],
)
def test_a_wrong_part_is_named(more: str, words: str) -> None:
    above = SMALL.count("\n") + 1  # the parts are written as if they began on line 1
    words = re.sub(r"^line (\d+)", lambda m: f"line {above + int(m[1])}", words)
    found = wrong(SMALL + "\n" + more)
    assert any(words in line for line in found), found


def test_what_is_missing_is_said_at_its_table_and_all_at_once() -> None:
    found = wrong("[event]\nlat = 3.0\n")
    assert "drill.toml line 1: event.depth_km is missing: expected a number from 0 to 700 (km)" in (
        found
    )
    assert "drill.toml line 1: title is missing: expected text that is not empty" in found
    assert "drill.toml line 1: network is missing: expected a table" in found


# ---------------------------------------------------------------- a known quake
def test_a_known_quake_fills_in_what_the_file_leaves_out() -> None:
    text = b'[event]\ncatalogue = "luding-2022"\nmagnitude = 7.2\n[noise]\nlevel = 0.9\n'
    scenario = parse_scenario(text, name="mine", where="mine.toml")
    assert (scenario.name, scenario.region, scenario.country) == ("mine", "west_sichuan", "CN")
    assert (scenario.event.lat, scenario.event.depth_km) == (29.59, 16.0)
    assert scenario.event.magnitude == 7.2
    assert scenario.noise.level == 0.9
    assert [site.name for site in scenario.sites][:2] == ["Moxi", "Shimian"]
    assert scenario.expect is None  # what is expected is the file's own business


def test_an_unknown_quake_is_named_and_nothing_else_is_missing() -> None:
    (line,) = wrong('[event]\ncatalogue = "luding-2202"\n')
    assert line == (
        "drill.toml line 2: event.catalogue = 'luding-2202': no such quake, did you mean "
        "luding-2022? eew events list shows them"
    )


# ---------------------------------------------------------------- laid over a recorded quake
def test_a_script_over_a_recorded_quake_has_no_quake_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "quake").mkdir()
    text = 'title = "x"\nrecorded = "quake"\n' + FAULT
    made = parse_any(text.encode(), name="x", where="x.toml", folder=tmp_path)
    assert isinstance(made, RecordedScenario)
    assert made.recorded == tmp_path / "quake"
    assert wrong(text + SOURCE, tmp_path) == [
        "drill.toml line 7: source has no place beside recorded: nothing is computed there"
    ]
    (line,) = wrong(text.replace("quake", "quaek"), tmp_path)
    assert line.startswith("drill.toml line 2: recorded = 'quaek': there is no folder")
    with pytest.raises(ConfigError, match="nothing to compute"):
        parse_scenario(text.encode(), name="x", where="x.toml", folder=tmp_path)


# ---------------------------------------------------------------- once the stations are known
def scripted(more: str) -> Scenario:
    return small(("[noise]", f"{more}\n[noise]"))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("SY.S0001", "SY.S9999", "fault[0].stations: 'SY.S9999' is no station of the network"),
        ("SY.S0001", "XX.*", "fault[0].stations: 'XX.*' is no station of the network, there are"),
        ('stations = ["SY.S0001"]', "within_km = 0.001", "fault[0] hits no station"),
    ],
)
def test_a_fault_that_cannot_happen_is_named_before_anything_is_computed(
    old: str, new: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def computed(*_: object, **__: object) -> None:
        raise AssertionError("something was computed")

    monkeypatch.setattr("simulator.scripted.compose", computed)
    with pytest.raises(FieldError) as caught:
        compute_scripted(scripted(FAULT.replace(old, new)), 1)
    assert re.match(r"small\.toml line 2[0-9]: ", str(caught.value))
    assert words in str(caught.value)


def test_all_faults_that_cannot_happen_are_named_at_once() -> None:
    text = FAULT.replace("S0001", "S9998") + FAULT.replace("S0001", "S9999")
    with pytest.raises(FieldError) as caught:
        compute_scripted(scripted(text), 1)
    assert len(caught.value.lines) == 2
