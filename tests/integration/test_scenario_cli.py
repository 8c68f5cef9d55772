"""A scenario with trouble as users run it: what goes wrong, what is expected, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.integration.eew_program import Eew
from tests.integration.test_replay_cli import FILES, SCENARIO

TROUBLE = """
[devices]
phones = 3
tvs = 1
[link]
packet_s = 1.0
jitter_s = 0.2
loss_share = 0.05
[[link.outage]]
share = 0.2
from_s = 1.0
until_s = 6.0
[[fault]]
kind = "gaps"
share = 0.3
at_s = -5.0
lasts_s = 0.5
number = 3
within_s = 10.0
[[fault]]
kind = "clock_drift"
nearest = 1
drift_ppm = 50.0
[[fault]]
kind = "region_dark"
within_km = 20.0
[expect]
detected = true
first_alert_s = 30.0
magnitude_error = 0.0001
"""


@pytest.fixture
def eew(tmp_path: Path, project_root: Path) -> Eew:
    (tmp_path / "drill.toml").write_text(SCENARIO + TROUBLE, encoding="utf-8")
    return Eew(tmp_path, project_root)


def test_a_drill_says_what_it_expected_and_is_the_same_every_time(eew: Eew) -> None:
    first = eew("replay", "drill.toml", "--broker", "none", "--out", "one")
    assert first.returncode == 0, first.stderr
    assert "jitter to 0.2 s, 5 % lost" in first.stdout
    assert "expected     the quake is alerted: alerted, met" in first.stdout
    assert "magnitude within 0.0001" in first.stdout
    assert "NOT met" in first.stdout

    again = eew.process(
        "replay", "drill.toml", "--broker", "none", "--out", "two", "--strict-expect"
    )
    assert again.returncode == 5
    assert again.stderr.startswith("eew: 1 of 3 expectations not met: magnitude within 0.0001")
    for name in FILES - {"measured.json", "manifest.json"}:
        one, two = ((eew.folder / folder / name).read_bytes() for folder in ("one", "two"))
        assert one == two, name

    summary = eew.document("one/summary.json")
    assert [one["met"] for one in summary["expectations"]] == [True, True, False]
    assert summary["delivery"]["devices"] == 4
    assert summary["run"]["packet_s"] == 1.0
    faults = json.dumps(eew.document("one/manifest.json"))
    assert "clock_drift" in faults
    assert "loss_share" in faults


def test_an_option_goes_before_the_file(eew: Eew) -> None:
    done = eew(
        *("replay", "drill.toml", "--broker", "none", "--out", "one", "--json"),
        *("--packet", "0.5", "--delay", "0.1", "--phones", "1", "--until", "10"),
    )
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["run"]["packet_s"] == 0.5
    assert summary["run"]["link"].startswith("0.1 s at every station, jitter to 0.2 s")
    assert summary["delivery"]["devices"] == 2  # and the one TV of the file


def test_a_simulated_drill_has_its_faults_and_says_which_it_cannot_have(eew: Eew) -> None:
    done = eew("simulate", "drill.toml", "--out", "quake")
    assert done.returncode == 0, done.stderr
    text = (eew.folder / "quake" / "SOURCE.txt").read_text(encoding="utf-8")
    inside, outside = text.split("NOT in these records")
    assert "gaps" in inside
    assert "region_dark" in inside
    for words in ("outage", "clock_drift", "jitter to 0.2 s", "5 % lost"):
        assert words in outside
    (eew.folder / "over.toml").write_text(
        'title = "Over"\nrecorded = "quake"\n[[fault]]\nkind = "polarity"\nall = true\n'
        "[expect]\ndetected = true\n",
        encoding="utf-8",
    )
    over = eew("replay", "over.toml", "--broker", "none", "--strict-expect", "--out", "over")
    assert over.returncode == 0, over.stderr
    assert "gap" in over.stdout  # the faults of the first drill are data now
