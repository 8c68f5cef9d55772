"""What ``eew crowd`` refuses before anything is connected, each in one line."""

from __future__ import annotations

import pytest

from eew.app.crowd_places import CrowdRequest, draw_crowd, share_of
from eew.app.crowd_run import parse_shares
from eew.cli import run

BROKER = ["crowd", "--broker", "mqtt://127.0.0.1:1"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["crowd", "--broker", "nonsense"], "--broker"),
        ([*BROKER, "--profile-shares", "wifi"], "no share"),
        ([*BROKER, "--at", "91,0"], "latitude must be within"),
        ([*BROKER, "--at", "here"], "two numbers expected"),
        ([*BROKER, "--procs", "0"], "--procs"),
        ([*BROKER, "--phones", "0", "--tvs", "0"], "at least one"),
        ([*BROKER, "--phones", "1", "--tvs", "0", "--procs", "2"], "2 processes for 1 devices"),
        ([*BROKER, "--for", "soon"], "--for"),
        ([*BROKER, "--receipts", "2"], "--receipts"),
        ([*BROKER, "--within", "0"], "--within"),
        ([*BROKER, "--lang", "xx"], "--lang"),
        ([*BROKER, "--tree", "actual"], "actual"),
        ([*BROKER, "--clocks-wrong", "nan"], "--clocks-wrong"),
    ],
)
def test_what_cannot_be_asked_is_said_in_one_line(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    err = capsys.readouterr().err
    assert words in err
    assert err.count("\n") == 1


def test_shares_are_read_by_name() -> None:
    assert parse_shares("wifi=0.5, doze=0.1") == {"wifi": 0.5, "doze": 0.1}
    assert parse_shares("") == {}


def test_processes_divide_the_same_crowd() -> None:
    request = CrowdRequest(phones=50, tvs=7, at=(29.6, 102.1), clocks_wrong=0.5)
    crowd = draw_crowd(request)
    assert (draw_crowd(request).lat == crowd.lat).all()
    parts = [share_of(crowd, number, 3) for number in range(3)]
    assert sum(len(part) for part in parts) == 57
    for number, part in enumerate(parts):
        for device in range(len(part)):
            whole = number + 3 * device
            assert part.lat[device] == crowd.lat[whole]
            assert part.kind[device] == crowd.kind[whole]
            assert part.language[device] == crowd.language[whole]
            assert part.clock_offset_ns[device] == crowd.clock_offset_ns[whole]
    assert len({part.id_of(device) for part in parts for device in range(len(part))}) == 57
    assert {crowd.country[device] for device in range(57)} == {"CN"}
