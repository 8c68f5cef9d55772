"""Exit codes, and the one line on stderr that an error gets."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import eew.cli
from eew.cli import run
from eew.errors import ConfigError, DataError, EewError, TransportError, WireError

EVENT = "luxian-2021"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Run in an empty folder, without the settings of whoever runs the tests."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("EEW_DEBUG", raising=False)
    return tmp_path


def complaint(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str]:
    """Run and return exit code and what is on stderr: always one line, never a traceback."""
    code = run(args)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("eew: ")
    assert shown.err.count("\n") == 1
    return code, shown.err


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--site", "Nowhere"), "--site: 'Nowhere'"),
        (("--site", "A:91,0"), "lat must be within ±90, was 91"),
        (("--packet", "0.01"), "--packet: must be 0.1 to 10 s, was 0.01"),
        (("--packet", "half"), "--packet: 'half' is no duration"),
        (("--delay", "-1"), "--delay: must be 0 to 60 s, was -1"),
        (("--speed", "-2"), "--speed"),
        (("--until", "0"), "--until"),
        (("--seed", "-3"), "--seed"),
        (("--lang", "xx"), "'xx'"),
        (("--status", "actual"), "simulator"),
        (("--broker", "carrier-pigeon"), "--broker: unknown broker 'carrier-pigeon'"),
        (("--broker", "mqqt://host"), "mqqt"),
        (("--broker", "mqtt://me:secret@host:99999"), "--broker"),
        (("--channel", "smoke"), "--channel: unknown 'smoke' (one of mqtt"),
        (("--channel", "wea", "--broker", "embedded"), "wea is modelled, embedded cannot carry"),
        (("--phones", "many"), "--phones"),
        (("--tvs", "-1"), "--tvs"),
        (("--no-such-option",), "--no-such-option"),
        (("--out", "taken"), "is a file"),
        (("--out", "."), "holds taken"),
    ],
)
def test_a_wrong_setting_is_named_before_any_work(
    capsys: pytest.CaptureFixture[str], elsewhere: Path, args: tuple[str, ...], words: str
) -> None:
    (elsewhere / "taken").write_text("mine")
    code, line = complaint(capsys, "replay", EVENT, *args)

    assert code == 2
    assert words in line
    assert "secret" not in line
    assert [entry.name for entry in elsewhere.iterdir()] == ["taken"]


def test_an_unknown_event_says_the_closest_and_where_all_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, line = complaint(capsys, "replay", "luding-2021")

    assert code == 2
    assert "'luding-2021'" in line
    assert "did you mean luding-2022?" in line
    assert "eew events list shows all" in line


def test_a_file_in_place_of_a_folder_is_explained(
    capsys: pytest.CaptureFixture[str], elsewhere: Path
) -> None:
    (elsewhere / "waveforms.mseed").write_bytes(b"")
    code, line = complaint(capsys, "replay", "waveforms.mseed")

    assert code == 2
    assert "folder" in line


def test_an_empty_folder_is_an_error_in_the_data(
    capsys: pytest.CaptureFixture[str], elsewhere: Path
) -> None:
    (elsewhere / "empty").mkdir()
    code, line = complaint(capsys, "replay", "empty", "--broker", "none")

    assert code == 3
    assert "empty" in line


@pytest.mark.parametrize("args", [("bogus",), ("replay",), ("events", "show"), ("simulate", EVENT)])
def test_wrong_usage_points_to_the_help(
    capsys: pytest.CaptureFixture[str], args: tuple[str, ...]
) -> None:
    code, line = complaint(capsys, *args)

    assert code == 2
    assert "--help)" in line


def test_an_unknown_scenario_cannot_be_simulated_or_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for args in (("simulate", "atlantis", "--out", "x"), ("events", "show", "atlantis")):
        code, line = complaint(capsys, *args)
        assert code == 2
        assert "atlantis" in line


def test_a_file_in_the_way_of_a_simulated_quake_is_named(
    capsys: pytest.CaptureFixture[str], elsewhere: Path
) -> None:
    (elsewhere / "out").write_text("mine")
    code, line = complaint(capsys, "simulate", EVENT, "--out", "out")

    assert code == 2
    assert "is a file" in line


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (EewError("e"), 1),
        (ConfigError("k", "p"), 2),
        (DataError("w", "p"), 3),
        (WireError("w"), 3),
        (TransportError("peer", "p"), 4),
        (KeyboardInterrupt(), 130),
    ],
)
def test_every_error_has_its_exit_code(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    code: int,
) -> None:
    def raises(*args: object, **kwargs: object) -> int:
        raise error

    monkeypatch.setattr("eew.app.session.replay_event", raises)
    found, line = complaint(capsys, "replay", EVENT)

    assert found == code
    assert str(error) in line


def test_an_error_of_several_lines_is_still_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def raises(*args: object, **kwargs: object) -> int:
        raise DataError("file", "first\nsecond")

    monkeypatch.setattr("eew.app.session.replay_event", raises)

    assert complaint(capsys, "replay", EVENT) == (3, "eew: file: first second\n")


def test_a_bug_propagates_and_its_hook_shows_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def raises(*args: object, **kwargs: object) -> int:
        raise ZeroDivisionError("float division by zero")

    monkeypatch.setattr("eew.app.session.replay_event", raises)
    with pytest.raises(ZeroDivisionError) as caught:
        run(["replay", EVENT])
    capsys.readouterr()
    eew.cli._unexpected(ZeroDivisionError, caught.value, None)

    line = capsys.readouterr().err
    assert line.startswith("eew: unexpected ZeroDivisionError: float division by zero")
    assert line.count("\n") == 1


def test_verbose_adds_the_traceback_before_the_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EEW_DEBUG", "1")
    assert run(["replay", "nothing-there"]) == 2

    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("Traceback")
    assert lines[-1].startswith("eew: EVENT: ")


def test_the_verbose_switch_asks_for_tracebacks(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    monkeypatch.setenv("EEW_DEBUG", "")
    assert run(["-v", "version"]) == 0
    assert os.environ["EEW_DEBUG"] == "1"


def test_help_is_quick_because_nothing_heavy_is_imported() -> None:
    heavy = ["numpy", "scipy", "numba", "obspy", "matplotlib", "fastapi", "aiomqtt", "h3"]
    code = (
        "import sys\n"
        "from eew.cli import run\n"
        "code = run(['replay', '--help'])\n"
        f"found = [name for name in {heavy!r} if name in sys.modules]\n"
        "sys.exit(code or ' '.join(found) or 0)\n"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert "eew replay luding-2022" in done.stdout
    assert "Exit codes" in done.stdout
