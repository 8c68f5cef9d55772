"""``eew replay --channel``, ``eew compare channels`` and ``eew capacity`` as a user runs them."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from eew.cli import run
from simulator.delivery_profile import delivery_profile, profile_names
from tests.integration.test_replay_cli import SCENARIO


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Write a small scenario into an empty current folder and return its name."""
    monkeypatch.chdir(tmp_path)
    Path("small.toml").write_text(SCENARIO, encoding="utf-8")
    return "small.toml"


def document(capsys: pytest.CaptureFixture[str], *args: str) -> dict[str, Any]:
    assert run(args) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_a_modelled_channel_is_marked_everywhere_and_comes_out_the_same_again(
    small: str, capsys: pytest.CaptureFixture[str]
) -> None:
    push = document(capsys, "replay", small, "--channel", "push", "--json", "--out", "push")
    plain = document(capsys, "replay", small, "--broker", "none", "--json", "--out", "plain")
    assert run(["replay", small, "--channel", "push", "--out", "again"]) == 0
    shown = capsys.readouterr().out

    assert (push["run"]["channel"], push["run"]["channel_latency"]) == ("push", "modelled")
    assert (plain["run"]["channel"], plain["run"]["channel_latency"]) == ("mqtt", "none")
    for name in ("summary.json", "targets.csv", "timeline.jsonl"):
        assert Path("push", name).read_bytes() == Path("again", name).read_bytes()
    assert "MODELLED   told by push" in shown
    assert "told (model)" in shown
    assert "on screen (modelled push)" in shown
    assert "deliver" not in push["latency_s"]  # nothing was measured on the way
    assert push["delivery"]["latency_ms"]["p50"] is None
    with Path("push", "targets.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {(row["channel"], row["channel_latency"]) for row in rows} == {("push", "modelled")}
    early = {one["name"]: one["told_s"] for one in plain["targets"]}
    late = {one["name"]: one["told_s"] for one in push["targets"] if one["told_s"] is not None}
    assert late
    for name, told_s in late.items():
        assert told_s - early[name] >= delivery_profile("push").delays_s[0] - 1e-9


def test_channels_are_compared_for_one_quake(
    small: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = document(capsys, "compare", "channels", small, "--json")

    assert found["schema"] == "eew.compare-channels/1"
    assert found["simulation"] is True
    assert found["people"] == sum(band["people"] for band in found["bands"]) > 100_000
    rows = found["channels"]
    assert [row["channel"] for row in rows] == ["at once", *profile_names()]
    for row in rows:
        in_time = row["told_before_s_by_band"]
        people = [band["people"] for band in found["bands"]]
        mean = sum(s * n for s, n in zip(in_time, people, strict=True) if s is not None)
        assert mean / found["people"] == pytest.approx(row["told_before_s"], abs=1e-3)
        assert row["told_before_s"] <= rows[0]["told_before_s"]
    assert found == document(capsys, "compare", "channels", small, "--json")


def test_capacity_says_how_each_figure_comes_about(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["capacity", "--phones", "2000000", "--reach", "400"]) == 0
    shown = capsys.readouterr().out

    assert shown.startswith("SIMULATION")
    assert "leaves: 117 brokers" in shown
    assert "2,000,000 phones and 5% of that in TVs / 18,000 connections" in shown
    assert "stated error 20%" in shown
    found = document(capsys, "capacity", "--phones", "2000000", "--reach", "400", "--json")
    assert found["tree"]["leaves"] == 117
