"""From what the user named to a recording."""

from __future__ import annotations

from pathlib import Path

import pytest

from eew.app.source import event_name, load_source, unknown_event
from eew.errors import ConfigError, DataError
from simulator.scenario import known_names


def test_a_built_in_event_has_its_own_name() -> None:
    assert event_name("luding-2022") == "luding-2022"


def test_a_folder_is_called_by_its_last_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_quake").mkdir()
    monkeypatch.chdir(tmp_path / "my_quake")

    assert event_name(str(tmp_path / "my_quake")) == "my_quake"
    assert event_name(f"{tmp_path}/my_quake/") == "my_quake"
    assert event_name(".") == "my_quake"


def test_a_built_in_name_wins_over_a_folder_of_that_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "luding-2022").mkdir()
    monkeypatch.chdir(tmp_path)

    assert event_name("luding-2022") == "luding-2022"
    with pytest.raises(DataError):
        load_source("./luding-2022", seed=1)


def test_a_scenario_file_is_called_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("title = 'x'")

    assert event_name(str(tmp_path / "mine.toml")) == "mine"
    with pytest.raises(ConfigError, match=r"mine\.toml"):
        load_source(str(tmp_path / "mine.toml"), seed=1)


@pytest.mark.parametrize("event", ["", "nothing", "ridgecrest", "/nowhere/at/all", "luding-2022/"])
def test_what_is_neither_is_unknown_and_it_is_said_where_the_names_are(event: str) -> None:
    with pytest.raises(ConfigError):
        load_source(event, seed=1)
    with pytest.raises(ConfigError) as caught:
        event_name(event)

    assert f"eew events list shows all {len(known_names())}" in str(caught.value)


def test_the_nearest_name_is_suggested() -> None:
    assert "did you mean ridgecrest-2019?" in str(unknown_event("ridgecrest-2018"))
    assert "did you mean" not in str(unknown_event("atlantis"))
