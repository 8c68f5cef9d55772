"""A scenario in a run: what goes before what, what is expected, and what the commands say."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eew.app.arriving import link_delay
from eew.app.expectation import compared
from eew.app.options import RunOptions
from eew.app.run import run_replay
from eew.app.scenario_check import check_scenario
from eew.app.scenario_new import Answers, scenario_text, write_scenario
from eew.app.simulate import simulate_to_folder
from eew.app.source import load_source
from eew.cli import run
from eew.cli.closing import expectation_lines
from eew.errors import ConfigError, DataError, FieldError
from eew.ingest import write_quake_folder
from eew.report.summary import summary
from simulator.fault_fields import ClockOffset, Loss, OutageFault, Spike
from simulator.link_fields import LinkSpec
from simulator.scenario import Script, load_scenario
from simulator.scenario_fields import DevicesSpec, Expectation
from simulator.selection import Zero
from tests.unit.ingest_cases import TRUTH, recording, station, three_components
from tests.unit.run_example import changed, result
from tests.unit.run_example import recording as quake
from tests.unit.scenario_cases import SMALL

pytestmark = pytest.mark.slow  # for `make check`: whole runs, records or figures

ZERO = Zero(at_ns=0)
SCRIPT = Script(
    link=LinkSpec(packet_s=1.0, median_s=0.7, sigma_ln=0.1, loss_share=0.1),
    faults=(Loss(all=True, loss_share=0.5), Spike(all=True, at_s=1.0)),
    devices=DevicesSpec(phones=7, tvs=0, languages=("zh",)),
    help_packs=(Path("mine.json"),),
)


# ---------------------------------------------------------------- what goes before what
def test_a_scenario_goes_before_the_defaults() -> None:
    options = RunOptions(seed=3).with_script(SCRIPT, ZERO)
    assert options.profile == SCRIPT.link
    assert (options.phones, options.tvs, options.languages) == (7, 0, ("zh",))
    assert options.help_packs == SCRIPT.help_packs
    assert link_delay(options).median_s == 0.7
    assert options.link_words == (
        "log-normal per station, median 0.7 s, 10 % lost, 1 fault of the link"
    )


def test_what_the_user_asks_for_goes_before_the_scenario() -> None:
    asked = RunOptions(
        packet_s=0.2, delay_s=0.0, phones=1, tvs=2, languages=("en",), help_packs=(Path("a"),)
    )
    options = asked.with_script(SCRIPT, ZERO)
    assert (options.profile.packet_s, options.profile.fixed_s) == (0.2, 0.0)
    assert options.profile.loss_share == 0.1  # was not asked for
    assert link_delay(options).delay_ns("XX.A") == 0
    assert (options.phones, options.tvs, options.languages) == (1, 2, ("en",))
    assert options.help_packs == (Path("a"),)


def test_a_run_without_a_scenario_is_as_ever() -> None:
    options = RunOptions(seed=3).with_script(Script(), ZERO)
    assert (options.profile.packet_s, options.link_words) == (
        0.5,
        "log-normal per station, median 0.3 s",
    )
    plain = options.as_config()
    assert plain["packet_s"] == 0.5
    assert not {"link", "faults", "zero"} & set(plain)


def test_link_and_faults_are_settings_of_the_run() -> None:
    plain = json.loads(json.dumps(RunOptions().with_script(SCRIPT, ZERO).as_config()))
    assert plain["link"]["loss_share"] == 0.1
    assert [one["kind"] for one in plain["faults"]] == ["loss", "spike"]


async def test_what_goes_wrong_on_the_way_goes_wrong_in_a_run() -> None:
    plain = RunOptions(broker="none", phones=0, tvs=0, seed=3)
    dark = OutageFault(all=True, from_s=-1000.0, backlog="lost")
    heard = await run_replay(quake(6), plain)
    deaf = await run_replay(quake(6), replace(plain, faults=(dark,)))
    assert heard.picks
    assert not deaf.picks
    assert deaf.info.link.endswith("1 fault of the link")


async def test_nothing_comes_after_the_end_that_the_user_asked_for() -> None:
    held = OutageFault(all=True, from_s=-1000.0, until_s=30.0)
    options = RunOptions(broker="none", phones=0, tvs=0, seed=3, until_s=20.0, faults=(held,))
    assert not (await run_replay(quake(6), options)).picks


# ---------------------------------------------------------------- what must come out
@pytest.mark.parametrize(
    ("asked", "met"),
    [
        ({"detected": True}, True),
        ({"detected": False}, False),
        ({"no_alert": True}, False),
        ({"events": 1}, True),
        ({"events": 2}, False),
        ({"first_alert_s": 60.0}, True),
        ({"first_alert_s": 0.1}, False),
        ({"epicentre_error_km": 100.0}, True),
        ({"epicentre_error_km": 0.001}, False),
        ({"magnitude_error": 3.0}, True),
        ({"magnitude_error": 0.001}, False),
    ],
)
def test_an_expectation_is_met_or_not(asked: dict[str, Any], met: bool) -> None:
    (line,) = compared(Expectation(**asked), result())
    assert line.name == next(iter(asked))
    assert line.met is met


def test_what_is_unknown_is_not_met() -> None:
    silent = result(alerted=False)
    found = compared(Expectation(first_alert_s=9.0, no_alert=False), silent)
    assert [(one.found, one.met) for one in found] == [("unknown", False)]
    assert [one.met for one in compared(Expectation(no_alert=True), silent)] == [True]


def test_a_run_that_was_stopped_is_not_judged() -> None:
    assert compared(Expectation(detected=True), result(complete=False)) == ()
    assert compared(None, result()) == ()


def test_the_closing_and_the_summary_say_what_was_expected() -> None:
    asked = Expectation(detected=True, magnitude_error=0.001)
    judged = changed(result(), expectations=compared(asked, result()))
    first, second = expectation_lines(judged)
    assert first == "expected     the quake is alerted: alerted, met"
    assert second.endswith("NOT met")
    assert [one["met"] for one in summary(judged)["expectations"]] == [True, False]
    assert "expectations" not in summary(result())


# ---------------------------------------------------------------- a script over a recorded quake
OVER = """
title = "Broken"
recorded = "quake"
languages = ["tr"]
[[fault]]
kind = "spike"
nearest = 1
at_s = 2.0
[[fault]]
kind = "clock_offset"
stations = ["XX.BBB"]
offset_s = 2.0
[[site]]
name = "Town"
lat = 35.0
lon = -117.0
"""


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    case = recording(
        [station(three_components("XX.AAA")), station(three_components("XX.BBB"), lat=35.5)],
        truth=TRUTH,
    )
    write_quake_folder(case, tmp_path / "quake", "made for a test")
    (tmp_path / "over.toml").write_text(OVER, encoding="utf-8")
    return tmp_path


def test_a_script_is_laid_over_a_recorded_quake(recorded: Path) -> None:
    plain = load_source(str(recorded / "quake"), seed=1)
    source = load_source(str(recorded / "over.toml"), seed=1)
    assert source.recording.name == "over"
    assert not source.is_computed
    assert source.zero.at_ns == TRUTH.origin_time_ns
    assert source.languages == ("tr",)
    assert [site.country for site in source.sites] == ["US"]
    for old, new in zip(plain.recording.segments, source.recording.segments, strict=True):
        hits = int(np.count_nonzero(old.samples != new.samples))
        assert hits == (1 if old.stream_id.station == "AAA" else 0)
    spike, offset = source.script.faults
    assert isinstance(spike, Spike)
    assert spike.stations == ("XX.AAA",)  # chosen once, named from then on
    assert isinstance(offset, ClockOffset)
    assert offset.stations == ("XX.BBB",)
    assert set(source.recording.input_sha256) == {
        *plain.recording.input_sha256,
        "over.toml",
    }


def test_a_script_over_a_quake_without_truth_has_to_say_where(recorded: Path) -> None:
    (recorded / "quake" / "event.xml").unlink()
    with pytest.raises(FieldError, match=r"over\.toml line 7: fault\[0\]\.nearest = 1: no quake"):
        load_source(str(recorded / "over.toml"), seed=1)


def test_a_moment_outside_the_records_is_named(recorded: Path) -> None:
    (recorded / "over.toml").write_text(OVER.replace("at_s = 2.0", "at_s = 200.0"))
    with pytest.raises(FieldError, match=r"line 8: fault\[0\]\.at_s = 200\.0: the records last"):
        load_source(str(recorded / "over.toml"), seed=1)


def test_a_folder_that_holds_no_quake_is_an_error_in_the_data(tmp_path: Path) -> None:
    (tmp_path / "quake").mkdir()
    (tmp_path / "over.toml").write_text(OVER, encoding="utf-8")
    with pytest.raises(DataError):
        check_scenario(str(tmp_path / "over.toml"), seed=1)


def test_a_broken_quake_is_written_with_what_is_in_it_and_what_cannot_be(recorded: Path) -> None:
    simulate_to_folder(str(recorded / "over.toml"), recorded / "out", seed=1)
    text = (recorded / "out" / "SOURCE.txt").read_text()
    assert "RECORDED in quake, with the faults of a script laid over" in text
    inside, outside = text.split("NOT in these records")
    assert "spike" in inside
    assert "XX.AAA" in inside
    assert "clock_offset" in outside
    again = load_source(str(recorded / "out"), seed=1).recording
    spikes = [int(np.abs(s.samples).max()) for s in again.segments if "AAA" in str(s.stream_id)]
    assert min(spikes) > 4_000_000


# ---------------------------------------------------------------- the commands
@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_check_says_what_would_be_computed(
    elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = SMALL + '\n[[fault]]\nkind = "polarity"\nnearest = 2\n[expect]\nevents = 1\n'
    (elsewhere / "drill.toml").write_text(text)
    assert run(["scenario", "check", "drill.toml"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("SIMULATION  A small quake   (computed)")
    assert "always  polarity              2 stations: SY.S" in said
    assert "expects   events 1" in said
    assert run(["scenario", "check", "drill.toml", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    computed = load_source("drill.toml", seed=1).recording
    assert found["stations"] == len(computed.stations)
    samples = sum(len(one.samples) for one in computed.segments)
    assert found["samples"] == pytest.approx(samples, rel=0.02)


def test_each_wrong_field_stands_on_a_line_of_its_own(
    elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = SMALL.replace("spacing_km = 15.0", "spacing_km = -3").replace("36.1", "96.1")
    (elsewhere / "drill.toml").write_text(text)
    for command in (
        ["replay", "drill.toml"],
        ["simulate", "drill.toml", "--out", "folder"],
        ["scenario", "check", "drill.toml"],
    ):
        assert run(command) == 2
        shown = capsys.readouterr()
        assert shown.out == ""
        lines = shown.err.splitlines()
        assert [line.split(":")[:2] for line in lines] == [
            ["eew", " drill.toml line 17"],
            ["eew", " drill.toml line 34"],
        ]
        assert lines[0].endswith("network.spacing_km = -3: expected a number from 3 to 100 (km)")
    assert [entry.name for entry in elsewhere.iterdir()] == ["drill.toml"]


def test_a_new_scenario_holds_and_is_never_overwritten(
    elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["--lat", "31.1", "--lon", "103.3", "--mag", "7.0", "--site", "Wenchuan:31.47,103.58"]
    assert run(["scenario", "new", *asked, "--out", "mine.toml"]) == 0
    made = load_scenario("mine.toml")
    assert (made.event.lat, made.event.magnitude, made.region) == (31.1, 7.0, "west_sichuan")
    assert (made.country, made.languages[0]) == ("CN", "zh")
    assert [site.name for site in made.sites] == ["Wenchuan"]
    assert run(["scenario", "new", *asked[:-2], "--network", "icl", "--out", "icl.toml"]) == 0
    made = load_scenario("icl.toml")
    assert made.network.name == "icl"
    assert "Chengdu" in [site.name for site in made.sites]
    assert run(["scenario", "check", "mine.toml"]) == 0
    before = (elsewhere / "mine.toml").read_bytes()
    assert run(["scenario", "new", *asked, "--out", "mine.toml"]) == 2
    assert "is not overwritten" in capsys.readouterr().err
    assert (elsewhere / "mine.toml").read_bytes() == before


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--lat", "3"], "--lon: must be given where nobody can be asked"),
        (["--lat", "99", "--lon", "3", "--mag", "5"], "event.lat = 99.0: expected a number from"),
        (["--lat", "9", "--lon", "3", "--mag", "5", "--region", "mars"], "region = 'mars'"),
        (["--lat", "9", "--lon", "3", "--mag", "5", "--network", "isl"], "network.name = 'isl'"),
        (["--lat", "-31", "--lon", "80", "--mag", "5"], "line 22: network: a station every 15 km"),
        (["--lat", "9", "--lon", "3", "--mag", "5", "--site", "X"], "--site"),
        (["--lat", "9", "--lon", "3", "--mag", "nan"], "event.magnitude = nan"),
    ],
)
def test_a_wrong_answer_writes_nothing(
    elsewhere: Path, capsys: pytest.CaptureFixture[str], args: list[str], words: str
) -> None:
    assert run(["scenario", "new", *args]) == 2
    assert words in capsys.readouterr().err
    assert not list(elsewhere.iterdir())


@pytest.mark.parametrize("title", ['with "quotes" \\ and', "a\nline", "名前"])
def test_any_title_can_be_written(title: str, tmp_path: Path) -> None:
    answers = Answers(
        title=title, lat=36.0, lon=-118.0, magnitude=5.0, depth_km=9.0, region="california"
    )
    write_scenario(answers, tmp_path / "a b.toml")
    made = load_scenario(tmp_path / "a b.toml")
    assert made.title == title.replace("\n", " ")
    assert made.event.id == "a-b"
    assert 'title = "' in scenario_text(answers, "x")
    with pytest.raises(ConfigError, match="not overwritten"):
        write_scenario(replace(answers, title="other"), tmp_path / "a b.toml")


def test_the_schema_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["config", "schema", "scenario"]) == 0
    assert json.loads(capsys.readouterr().out)["$id"] == "eew.scenario/1"
    assert run(["config", "schema", "scenario", "--toml"]) == 0
    assert "[[fault]]" in capsys.readouterr().out
    assert run(["config", "schema", "network"]) == 2
