"""What ``eew client`` refuses, and the tracks a device is carried along."""

from __future__ import annotations

from pathlib import Path

import pytest

from eew.app.track import Waypoint, parse_position, read_track
from eew.cli import run
from eew.egress.mosquitto import free_port
from eew.errors import ConfigError, DataError

GPX = """<?xml version="1.0"?>
<gpx xmlns="http://www.topografix.com/GPX/1/1" version="1.1"><trk><trkseg>
<trkpt lat="29.65" lon="102.12"><time>2022-09-05T04:50:00Z</time></trkpt>
<trkpt lat="29.70" lon="102.10"><time>2022-09-05T04:50:12.5+00:00</time></trkpt>
</trkseg></trk></gpx>
"""


def test_a_gpx_track_counts_from_its_first_point(tmp_path: Path) -> None:
    path = tmp_path / "way.gpx"
    path.write_text(GPX)
    assert read_track(path) == (Waypoint(0.0, 29.65, 102.12), Waypoint(12.5, 29.7, 102.1))


def test_a_csv_track(tmp_path: Path) -> None:
    path = tmp_path / "way.csv"
    path.write_text("\ufefflat, lon ,after_s\n29.65,102.12,0\n-29.7,-102.1,60\n")
    assert read_track(path) == (Waypoint(0.0, 29.65, 102.12), Waypoint(60.0, -29.7, -102.1))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("after_s,lat\n0,1\n", "no column lon"),
        ("after_s,lat,lon\nsoon,1,2\n", "line 2: after_s is no number"),
        ("after_s,lat,lon\n0,91,2\n", "line 2: the latitude must be within ±90"),
        ("after_s,lat,lon\n0,nan,2\n", "line 2: the latitude must be within ±90"),
        ("after_s,lat,lon\n0,1\n", "line 2: the longitude is no number"),
        ("after_s,lat,lon\n5,1,2\n4,1,2\n", "time goes backwards at 4 s"),
        ("after_s,lat,lon\n-5,1,2\n", "the time must be 0 s or later"),
        ("after_s,lat,lon\n", "holds no point"),
        ("<gpx><trk>", "no GPX"),
        ('<gpx><trkpt lat="1" lon="2"/></gpx>', "track point 1: time '' is no ISO 8601 time"),
    ],
)
def test_a_track_that_cannot_be_used(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "way"
    path.write_text(text)
    with pytest.raises(DataError, match=words):
        read_track(path)


def test_a_track_that_is_not_there() -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        read_track(Path("/nowhere/way.csv"))


@pytest.mark.parametrize("text", ["29.65", "29.65,102.12,3", "29.65;102.12", "x,102.12", "95,10"])
def test_a_bad_position_is_not_repeated(text: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse_position("--at", text)
    said = str(refused.value).replace("29.65,102.12 ", "").replace("example 29.65,102.12", "")
    assert not any(part in said for part in text.replace(";", ",").split(",") if len(part) > 1)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["watch", "--at", "29,102"], 2, "unknown kind 'watch'"),
        (["phone", "--at", "290,102"], 2, "--at: the latitude must be within"),
        (["phone", "--at", "29,102", "--language", "xx"], 2, "--language: unknown language 'xx'"),
        (["phone", "--at", "29,102", "--profile", "loud"], 2, "unknown profile 'loud'"),
        (["phone", "--at", "29,102", "--tree", "actual"], 2, "--tree: unknown 'actual'"),
        (["phone", "--at", "29,102", "--country", "CHN"], 2, "no ISO 3166-1 alpha-2"),
        (["phone", "--at", "29,102", "--keys", "/nowhere"], 2, "cannot be read"),
        (["phone", "--at", "29,102", "--time", "late"], 2, "--time: unknown 'late'"),
        (["phone", "--at", "29,102", "--for", "0"], 2, "--for: must be more than 0 s"),
        (["phone", "--at", "29,102", "--after", "5"], 2, "--after: says when --move-to happens"),
        (["phone", "--at", "29,102", "--clock-offset", "nan"], 2, "no duration"),
        (["phone", "--at", "29,102"], 4, "connection refused: nobody listens there"),
    ],
)
def test_a_wrong_setting_ends_in_one_line(
    words: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    broker = f"mqtt://127.0.0.1:{free_port()}"
    assert run(["client", *words, "--broker", broker]) == code
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("broker", ["auto", "embedded", "none", "http://x", "mqtt://"])
def test_only_the_url_of_a_broker_will_do(broker: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["client", "phone", "--at", "29,102", "--broker", broker]) == 2
    assert "--broker" in capsys.readouterr().err
