"""What the terminal shows: timeline, places, delays, verdict; events, doctor, help packs."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from eew.app.session import Outcome
from eew.cli import run
from eew.cli.closing import end_lines, places_table, print_closing, verdict_lines
from eew.cli.console import result_console
from eew.cli.terminal import INDENT, TerminalView, message_words, position_words
from eew.model.alert import CancelReason, Level, MsgType
from eew.model.event import EventClosed
from eew.report.result import Detection, RunResult, Told
from simulator.scenario import builtin_names, known_names
from tests.unit.run_example import ORIGIN_NS, S, changed, message, pick, recording, result, solution


def console(width: int = 100) -> Console:
    return Console(file=io.StringIO(), width=width, highlight=False, markup=False, emoji=False)


def text_of(one: Console) -> str:
    assert isinstance(one.file, io.StringIO)
    return one.file.getvalue()


def view() -> TerminalView:
    made = TerminalView()
    made.out = console()
    return made


def shown(run_of: RunResult, *, width: int = 100) -> str:
    out = console(width)
    outcome = Outcome(result=run_of, document={}, folder=Path("runs/x-1"), exit_code=0)
    print_closing(out, outcome, n_picks=9, updates_left_out=0)
    return text_of(out)


# ------------------------------------------------------------------ timeline


def replayed(n_picks: int = 9) -> str:
    watching, quake = view(), result()
    watching.begin(quake.info, quake.recording, ORIGIN_NS)
    for one in quake.picks[:n_picks]:
        watching.happened(one)
    for sent in quake.messages:
        watching.happened(sent)
    return text_of(watching.out)


def test_the_header_marks_the_simulation_and_tells_what_is_run() -> None:
    lines = replayed().splitlines()

    assert lines[0].startswith("SIMULATION  M7.1 us20190706_m71_ridgecrest   9 stations, 27 chan")
    assert "seed 7" in lines[0]
    assert "broker none" in lines[1]


def test_the_timeline_begins_with_the_origin_and_shows_few_picks() -> None:
    lines = replayed().splitlines()[4:]

    assert "origin (catalogue)" in lines[0]
    assert "+0.0" in lines[0]
    assert sum("pick P" in line for line in lines) == 4
    assert sum("further picks" in line for line in lines) == 1


def test_picks_before_the_origin_are_counted_but_not_shown() -> None:
    watching, quake = view(), result()
    watching.begin(quake.info, quake.recording, ORIGIN_NS)
    early = replace(quake.picks[0], time_ns=ORIGIN_NS - 60 * S, known_ns=ORIGIN_NS - 59 * S)
    watching.happened(early)

    assert "pick P" not in text_of(watching.out)
    assert watching.n_picks == 1


def test_updates_that_change_little_are_counted_not_shown() -> None:
    watching, quake = view(), result()
    watching.begin(quake.info, quake.recording, ORIGIN_NS)
    for serial, magnitude in enumerate([5.4, 5.5, 5.6, 6.0], start=1):
        kind = MsgType.ALERT if serial == 1 else MsgType.UPDATE
        watching.happened(message(serial, kind, solution(5.0 + serial, magnitude, quake.picks, 0)))

    words = text_of(watching.out)
    assert words.count("UPDATE") == 1
    assert "M≥6.0" in words
    assert watching.updates_left_out == 2


def test_no_line_of_the_timeline_is_wider_than_the_console() -> None:
    assert max(len(line) for line in replayed().splitlines()) <= 100


def test_screens_are_summed_up_by_level_and_kind() -> None:
    watching, quake = view(), result()
    watching.begin(quake.info, quake.recording, ORIGIN_NS)

    def told(n: int, kind: str, level: Level) -> Told:
        return Told(
            device=f"{kind}-{n}",
            kind=kind,
            site="A",
            event_id="ev-1",
            serial=1,
            level=level,
            at_ns=ORIGIN_NS + 6 * S,
        )

    news = [
        told(1, "phone", Level.TAKE_ACTION),
        told(2, "phone", Level.TAKE_ACTION),
        told(3, "tv", Level.BE_AWARE),
    ]
    watching.told(quake.messages[0], news)

    assert "on screen: TAKE ACTION 2 phones; BE AWARE 1 TV" in text_of(watching.out)


def test_a_message_that_nobody_sees_adds_no_line() -> None:
    watching, quake = view(), result()
    watching.told(quake.messages[0], [])

    assert text_of(watching.out) == ""


def test_a_withdrawn_event_is_explained() -> None:
    watching = view()
    watching.happened(
        EventClosed(event_id="ev-1", at_ns=ORIGIN_NS, withdrawn=True, reason="stations silent")
    )

    assert "ev-1 withdrawn: stations silent" in text_of(watching.out)


def test_a_cancel_says_why() -> None:
    found = message(4, MsgType.CANCEL, solution(9.0, 5.0, result().picks, 0.0))
    words = message_words(replace(found, cancel_reason=CancelReason.FALSE_ALERT))

    assert words.startswith("CANCEL")
    assert "false alert" in words


def test_a_message_tells_how_far_strong_shaking_reaches() -> None:
    one = result().messages[0]
    weak = replace(one, prediction=replace(one.prediction, radii_km={3: 40.0, 4: 12.0}))
    none = replace(one, prediction=replace(one.prediction, radii_km={}))

    assert "MMI 5 to  90 km" in message_words(one)
    assert "MMI 4 to  12 km" in message_words(weak)
    assert "MMI 3 nowhere" in message_words(none)


@pytest.mark.parametrize(
    ("lat", "lon", "words"),
    [
        (35.77, -117.6, "35.77 N 117.60 W"),
        (-20.0, 70.0, "20.00 S 70.00 E"),
        (float("nan"), 1.0, "position unknown"),
    ],
)
def test_positions_are_read_as_people_say_them(lat: float, lon: float, words: str) -> None:
    assert position_words(lat, lon) == words


def test_the_indent_is_as_wide_as_the_columns_of_time() -> None:
    line = next(line for line in replayed().splitlines() if "origin (cat" in line)

    assert line.index("origin") == len(INDENT)


def test_without_a_terminal_nothing_is_coloured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", io.StringIO())
    made = result_console()

    assert made.width == 100
    assert not made.is_terminal


# ------------------------------------------------------------------ closing


def test_the_verdict_gives_delay_errors_and_blind_zone() -> None:
    words = "\n".join(verdict_lines(result()))

    assert "first alert  5.0 s after origin" in words
    assert "off by 8.6 km at first, 1.4 km at the end" in words
    assert "off by -1.7 at first, -0.2 at the end" in words
    assert "blind zone   14 km" in words


def test_no_alert_is_said_with_what_was_there() -> None:
    assert verdict_lines(result(alerted=False)) == ["no alert; the catalogue has M7.1"]
    assert verdict_lines(result(alerted=False, with_truth=False)) == ["no alert"]


def test_a_false_alert_is_not_hidden() -> None:
    found = Detection(detected=False, events=2, false_alerts=2, splits=0)
    words = "\n".join(verdict_lines(changed(result(), detection=found)))

    assert "2 alerted, 2 without a match in the catalogue" in words
    assert "the true M7.1 was not alerted" in words


def test_the_table_shows_lead_times_with_sign_and_names_the_blind_zone() -> None:
    words = shown(result())

    rows = {line.split()[0]: line for line in words.splitlines() if line[:4] in ("Ridg", "Bake")}
    assert "late (blind zone)" in rows["Ridgecrest"]
    assert "-1.3 s" in rows["Ridgecrest"]
    assert "+35.3 s" in rows["Bakersfield"]
    assert "8.0 / 8.0" in rows["Ridgecrest"]
    assert "5.7 / -" in rows["Bakersfield"]


def test_many_places_are_cut_and_counted() -> None:
    row = result().targets[0]
    many = tuple(replace(row, site=replace(row.site, name=f"Place {n}")) for n in range(20))

    assert "5 more in targets.csv" in shown(changed(result(), targets=many))


@pytest.mark.parametrize("width", [60, 80, 100, 120])
def test_nothing_is_wider_than_the_terminal(width: int) -> None:
    assert max(len(line) for line in shown(result(), width=width).splitlines()) <= width


def test_a_narrow_table_goes_without_the_level() -> None:
    assert len(places_table(result(), wide=True).columns) == 8
    assert len(places_table(result(), wide=False).columns) == 7


def test_modelled_and_measured_delays_are_kept_apart() -> None:
    lines = [line for line in shown(result()).splitlines() if line.startswith(("model", "meas"))]

    assert [line.split()[0] for line in lines] == ["modelled"] * 4 + ["measured"] * 2
    assert " s " in lines[0]
    assert " ms " in lines[-1]


def test_the_end_tells_deliveries_problems_time_and_folder() -> None:
    words = "\n".join(
        end_lines(Outcome(result=result(), document={}, folder=Path("runs/x-1"), exit_code=0))
    )

    assert "2 devices, 6 of 6 messages, 0 lost, 0 twice" in words
    assert "gap 2" in words
    assert "32 times real time" in words
    assert "runs/x-1" in words


def test_a_stopped_run_says_that_it_is_partial() -> None:
    assert "STOPPED" in shown(result(complete=False))
    assert "STOPPED" not in shown(result())


# ------------------------------------------------------------------ other commands


def test_events_can_be_listed_and_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["events", "list"]) == 0
    words = capsys.readouterr().out
    assert all(name in words for name in builtin_names())
    assert run(["events", "list", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["name"] for row in rows} == set(known_names())
    assert [row["origin_time"] for row in rows] == sorted(row["origin_time"] for row in rows)


def test_an_event_is_shown_with_what_it_is_made_of(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["events", "show", "luding-2022", "--json"]) == 0
    values = json.loads(capsys.readouterr().out)

    assert values["magnitude"] == 6.8
    assert "Luding" in [site["name"] for site in values["sites"]]
    assert run(["events", "show", "luding-2022"]) == 0
    assert "computed, not recorded" in capsys.readouterr().out


def test_the_doctor_finds_what_a_run_needs(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}

    assert rows["obspy"]["state"] == "ok"
    assert rows["loopback"]["state"] == "ok"
    assert {"python", "mosquitto", "kernels", "quakes", "output"} <= set(rows)


def test_the_doctor_fails_where_a_library_is_too_old(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("eew.app.health.LIBRARIES", (("numpy", (99,)), ("no-such-thing", (1,))))

    assert run(["doctor"]) == 1
    words = capsys.readouterr().out
    assert "99 or newer needed" in words
    assert "not installed" in words


SHELTERS = """name,lat,lon,earthquake
School,32.79,130.70,1
Hall,32.80,130.71,1
Tower,32.80,130.72,0
"""


def test_a_list_of_shelters_becomes_help_packs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "list.csv").write_text(SHELTERS)
    out = tmp_path / "packs.json"
    columns = ("name=name", "lat=lat", "lon=lon", "suited_for_earthquake=earthquake")
    args = [word for one in columns for word in ("--column", one)]
    code = run(
        [
            "help-pack",
            "build",
            str(tmp_path / "list.csv"),
            "--country",
            "jp",
            "--source",
            "a test",
            "--version",
            "20240401",
            "--out",
            str(out),
            *args,
        ]
    )
    words = capsys.readouterr().out

    assert code == 0
    assert "3 rows" in words
    assert "2 offered" in words
    assert "not suited for earthquakes" in words
    assert run(["help-pack", "show", str(out), "--json"]) == 0
    packs = json.loads(capsys.readouterr().out)
    assert {pack["version"] for pack in packs} == {20240401}
    assert max(pack["shelters"] for pack in packs) == 2
    assert "country:JP" in [pack["area"] for pack in packs]


@pytest.mark.parametrize(
    ("args", "word"),
    [
        (("--country", "Japan"), "Japan"),
        (("--country", "JP", "--version", "soon"), "soon"),
        (("--country", "JP", "--column", "name"), "field=column"),
        (("--country", "JP", "--out", "/nowhere/at/all.json"), "/nowhere"),
    ],
)
def test_wrong_settings_of_a_help_pack_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], args: tuple[str, ...], word: str
) -> None:
    (tmp_path / "list.csv").write_text(SHELTERS)

    assert run(["help-pack", "build", str(tmp_path / "list.csv"), *args]) == 2
    assert word in capsys.readouterr().err


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    from eew import __version__

    for args in (["version"], ["--version"]):
        assert run(args) == 0
        assert capsys.readouterr().out == f"{__version__}\n"


def test_a_pick_of_a_recording_without_truth_sets_the_zero() -> None:
    watching = view()
    quake = result(with_truth=False)
    watching.begin(quake.info, quake.recording, None)
    watching.happened(pick(1, recording().stations[0]))

    words = text_of(watching.out)
    assert "since P1" in words
    assert "+1.0  pick P" in words
