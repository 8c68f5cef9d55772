"""``eew replay`` as users run it: a process, its words, its folder, its exit code."""

from __future__ import annotations

import csv
import json
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import obspy
import pytest

from tests.integration.eew_program import Done, Eew

SCENARIO = """
title = "A small quake for tests, M5.5"
region = "sichuan_basin"
country = "CN"
languages = ["en", "zh"]
[event]
id = "small"
origin_time = 2021-09-15T20:33:31Z
lat = 29.20
lon = 105.34
depth_km = 10.0
magnitude = 5.5
magnitude_type = "M"
[network]
spacing_km = 12.0
outer_spacing_km = 15.0
dense_radius_km = 30.0
radius_km = 45.0
sampling_rate_hz = 50.0
sensor = "mems"
[noise]
level = 0.5
spread = 0.1
[record]
before_s = 15.0
after_s = 40.0
[[site]]
name = "Nearby"
lat = 29.152
lon = 105.382
population = 756000
[[site]]
name = "Farther"
lat = 29.00
lon = 105.70
population = 300000
"""
FILES = {
    "summary.json",
    "measured.json",
    "manifest.json",
    "timeline.jsonl",
    "picks.csv",
    "solutions.csv",
    "targets.csv",
    "messages.jsonl",
    "event.quakeml.xml",
    "map.png",
    "section.png",
}


@pytest.fixture
def eew(tmp_path: Path, project_root: Path) -> Eew:
    (tmp_path / "small.toml").write_text(SCENARIO)
    return Eew(tmp_path, project_root)


@pytest.fixture(scope="module")
def quake(tmp_path_factory: pytest.TempPathFactory, project_root: Path) -> Path:
    """Return the small quake as a folder of records, computed once."""
    folder = tmp_path_factory.mktemp("quakes")
    (folder / "small.toml").write_text(SCENARIO)
    done = Eew(folder, project_root)("simulate", "small.toml", "--out", "small_quake")
    assert done.returncode == 0, done.stderr
    assert "eew replay small_quake" in done.stdout
    return folder / "small_quake"


def test_a_replay_shows_the_quake_and_leaves_every_file(eew: Eew, quake: Path) -> None:
    done = eew.process("replay", str(quake), "--broker", "none", "--site", "My house:29.3,105.3")

    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    for words in ("SIMULATION", "origin (catalogue)", "ALERT   1", "FINAL", "My house", "timely"):
        assert words in done.stdout, words
    assert "┌" in done.stdout  # a screen
    assert "modelled link" in done.stdout
    assert "measured compute" in done.stdout
    assert max(len(line) for line in done.stdout.splitlines()) <= 100

    folder = eew.folder / "runs" / "small_quake-1"
    assert {entry.name for entry in folder.iterdir()} == FILES
    document = eew.document("runs/small_quake-1/summary.json")
    assert document["run"]["complete"] is True
    assert document["detection"]["detected"] is True
    assert document["detection"]["events"] == 1
    assert document["detection"]["epicentre_error_km"]["final"] < 15.0
    assert [row["name"] for row in document["targets"]] == ["My house"]
    assert document["delivery"]["lost"] == 0
    assert document["delivery"]["delivered"] == document["delivery"]["expected"] > 0
    catalog = obspy.read_events(str(folder / "event.quakeml.xml"))
    assert len(catalog) == 1
    with (folder / "targets.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert float(rows[0]["lead_time_s"]) == pytest.approx(
        float(rows[0]["s_arrival_s"]) - float(rows[0]["told_s"]), abs=2e-3
    )


def test_two_runs_without_a_broker_leave_the_same_bytes(eew: Eew) -> None:
    """The second in a process of its own: sets and hashes are in another order there."""
    for name, run in (("one", eew), ("two", eew.process)):
        done = run("replay", "small.toml", "--broker", "none", "--out", name, "--seed", "5")
        assert done.returncode == 0, done.stderr
    different = {
        name
        for name in FILES
        if (eew.folder / "one" / name).read_bytes() != (eew.folder / "two" / name).read_bytes()
    }
    assert different <= {"manifest.json", "measured.json"}
    assert eew.document("one/manifest.json")["seed"] == 5


def test_another_seed_draws_other_delays_and_devices(eew: Eew, quake: Path) -> None:
    for seed in ("1", "2"):
        assert eew("replay", str(quake), "--broker", "none", "--seed", seed).returncode == 0
    runs = eew.folder / "runs"
    one, two = ((runs / f"small_quake-{n}" / "timeline.jsonl").read_bytes() for n in (1, 2))
    assert one != two


def test_json_prints_the_summary_with_what_was_measured_and_nothing_else(
    eew: Eew, quake: Path
) -> None:
    done = eew("replay", str(quake), "--broker", "none", "--json", "--out", "out")

    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    document = json.loads(done.stdout)
    written = eew.document("out/summary.json")
    for section in ("run", "event", "data", "alerts", "detection", "intensity", "targets"):
        assert document[section] == written[section]
    assert {"read", "replay", "plots", "total"} <= set(document["wall_s"])
    assert document["latency_s"]["compute"]["kind"] == "measured"
    assert document["latency_s"]["link"]["kind"] == "modelled"
    assert "latency_ms" in document["delivery"]


@pytest.mark.parametrize("delay", ["0", "2s"])
def test_a_longer_link_makes_a_later_alert(eew: Eew, quake: Path, delay: str) -> None:
    done = eew("replay", str(quake), "--broker", "none", "--json", "--delay", delay)

    document = json.loads(done.stdout)
    link = document["latency_s"]["link"]
    assert link["p50"] == link["max"] == pytest.approx(0.0 if delay == "0" else 2.0, abs=1e-6)
    assert (
        document["detection"]["first_alert_s"]
        > link["p50"] + document["detection"]["nth_p_floor_s"][0]
    )


@pytest.mark.broker
def test_through_a_broker_every_device_is_told_once(eew: Eew, quake: Path) -> None:
    done = eew(
        "replay", str(quake), "--broker", "embedded", "--phones", "15", "--tvs", "3", "--json"
    )

    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    delivery = document["delivery"]
    assert delivery["devices"] == 18
    assert delivery["delivered"] == delivery["expected"] > 0
    assert delivery["lost"] == delivery["duplicates"] == 0
    assert 0.0 < delivery["latency_ms"]["p50"] <= delivery["latency_ms"]["max"]
    assert {"publish", "deliver", "show"} <= set(document["latency_s"])
    alert_s = document["alerts"][0]["since_origin_s"]
    told = [row["told_s"] for row in document["targets"] if row["told_s"] is not None]
    assert min(told) > alert_s  # delivery takes time, and the time is counted


@pytest.mark.broker
@pytest.mark.mosquitto
def test_a_private_mosquitto_is_gone_when_the_run_is(eew: Eew, quake: Path) -> None:
    running = eew.start("replay", str(quake), "--broker", "mosquitto", "--speed", "1")
    broker = _child(running.pid, "mosquitto")
    running.send_signal(signal.SIGINT)
    _, errors = running.communicate(timeout=30)

    assert running.returncode == 130
    assert errors == "eew: interrupted\n"
    assert not Path(f"/proc/{broker}").exists()


def _child(parent: int, name: str, within_s: float = 30.0) -> int:
    """Return the process ``name`` that ``parent`` has started."""
    end = time.monotonic() + within_s  # noqa: TID251  # a test waits for another process
    while time.monotonic() < end:  # noqa: TID251
        found = subprocess.run(
            ["pgrep", "-P", str(parent), "-x", name], capture_output=True, text=True, check=False
        )
        if found.stdout.split():
            return int(found.stdout.split()[0])
        time.sleep(0.05)  # noqa: TID251
    raise AssertionError(f"no {name} under {parent}")


def test_ctrl_c_in_mid_run_writes_what_there_is_and_marks_it(eew: Eew, quake: Path) -> None:
    running = eew.start("replay", str(quake), "--broker", "none", "--speed", "1", "--out", "cut")
    assert running.stdout is not None
    for line in running.stdout:  # the header comes when the replay begins
        if "what" in line.split():
            break
    running.send_signal(signal.SIGINT)
    words, errors = running.communicate(timeout=30)

    assert running.returncode == 130
    assert errors == "eew: interrupted\n"
    assert "STOPPED" in words
    assert {entry.name for entry in (eew.folder / "cut").iterdir()} == FILES
    assert eew.document("cut/manifest.json")["complete"] is False
    assert eew.document("cut/summary.json")["run"]["complete"] is False
    assert [e.name for e in eew.folder.iterdir() if e.name.startswith(".cut")] == []


def test_until_ends_the_run_early_but_completely(eew: Eew, quake: Path) -> None:
    done = eew("replay", str(quake), "--broker", "none", "--json", "--until", "1s")

    document = json.loads(done.stdout)
    assert done.returncode == 0
    assert document["run"]["complete"] is True
    assert document["data"]["seconds"] == pytest.approx(16.0, abs=0.6)
    assert document["alerts"] == []
    assert {row["outcome"] for row in document["targets"]} <= {"unscored", "missed", "not_needed"}


def one_line(done: Done, code: int, *words: str) -> None:
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    assert done.stderr.startswith("eew: ")
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr, done.stderr


def test_an_unknown_event_names_the_nearest_and_where_all_are_shown(eew: Eew) -> None:
    words = ("'luding'", "did you mean luding-2022?", "eew events list shows all", "folder")
    one_line(eew("replay", "luding"), 2, *words)


def test_an_empty_folder_is_an_error_in_the_data(eew: Eew) -> None:
    (eew.folder / "empty").mkdir()

    one_line(eew("replay", "empty"), 3, "empty")


def test_a_truncated_recording_is_an_error_or_a_counted_problem(eew: Eew, quake: Path) -> None:
    shutil.copytree(quake, eew.folder / "cut")
    file = eew.folder / "cut" / "waveforms.mseed"
    file.write_bytes(file.read_bytes()[:300])

    one_line(eew("replay", "cut", "--broker", "none"), 3, "waveforms.mseed")


def test_a_broker_that_refuses_is_one_line_and_leaves_nothing(eew: Eew, quake: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening: connections are refused
        port = taken.getsockname()[1]
        done = eew.process("replay", str(quake), "--broker", f"mqtt://me:secret@127.0.0.1:{port}")

    one_line(done, 4, f"127.0.0.1:{port}")
    assert "secret" not in done.stderr + done.stdout
    assert not (eew.folder / "runs").exists()


def test_a_help_pack_that_is_none_is_an_error_in_the_data(eew: Eew, quake: Path) -> None:
    one_line(eew("replay", str(quake), "--help-pack", "small.toml"), 3, "small.toml")


def test_a_users_folder_is_never_replaced(eew: Eew, quake: Path) -> None:
    (eew.folder / "mine").mkdir()
    (eew.folder / "mine" / "thesis.txt").write_text("ten years")

    one_line(eew("replay", str(quake), "--out", "mine"), 2, "thesis.txt")
    assert (eew.folder / "mine" / "thesis.txt").read_text() == "ten years"


def test_verbose_shows_where_an_error_came_from(eew: Eew) -> None:
    done = eew("-v", "replay", "nothing-there")

    assert done.returncode == 2
    assert "Traceback" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("eew: ")


def test_a_reader_that_goes_away_is_no_error_of_ours(eew: Eew) -> None:
    running = eew.start("events", "list", "--json")
    assert running.stdout is not None
    running.stdout.close()
    assert running.stderr is not None
    assert "Traceback" not in running.stderr.read()
    running.stderr.close()
    assert running.wait(timeout=30) in (0, 1)


def test_a_quake_without_truth_is_timed_from_its_first_pick(eew: Eew, quake: Path) -> None:
    shutil.copytree(quake, eew.folder / "blind")
    (eew.folder / "blind" / "event.xml").unlink()
    done = eew("replay", "blind", "--broker", "none", "--json")

    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["run"]["time_zero"] == "first_pick"
    assert document["event"]["magnitude"] is None
    assert document["detection"]["magnitude_error"] == {"first": None, "final": None}
    assert document["detection"]["nth_p_floor_s"] == []
    assert {row["outcome"] for row in document["targets"]} == {"unscored"}
    alert = document["alerts"][0]
    assert alert["since_origin_s"] == alert["since_first_pick_s"]
