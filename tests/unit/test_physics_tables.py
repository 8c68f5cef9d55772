"""The tables of coefficients as package data."""

from __future__ import annotations

from pathlib import Path

import pytest

from eew.errors import ConfigError
from eew.tables import load_table, open_table_file, table_names


def test_a_table_is_read_by_name() -> None:
    assert load_table("magnitude")["pd"]["kuyuk_allen_2013"]["b"] == 1.23


def test_a_caller_that_changes_its_table_changes_nobody_elses() -> None:
    load_table("magnitude")["pd"]["kuyuk_allen_2013"]["b"] = 99.0
    assert load_table("magnitude")["pd"]["kuyuk_allen_2013"]["b"] == 1.23


def test_an_unknown_table_is_an_error_that_lists_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"no file 'magnetude.toml'.*magnitude.toml"):
        load_table("magnetude")


@pytest.mark.parametrize("name", ["../errors", "/etc/passwd", "text/../../errors", "a\\b"])
def test_a_name_cannot_leave_the_package(name: str) -> None:
    with pytest.raises(ConfigError, match="not a name inside"):
        load_table(name)


def test_a_broken_table_is_named_in_the_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken.toml").write_text("a = = 1\n", encoding="utf-8")
    monkeypatch.setattr("eew.tables.resources.files", lambda _: tmp_path)
    with pytest.raises(ConfigError, match=r"eew/tables/broken\.toml: not valid TOML"):
        load_table("broken")


def test_names_are_listed_for_loading() -> None:
    names = table_names()
    assert {"groundmotion", "intensity", "magnitude", "regions", "shaking"} <= set(names)
    assert list(names) == sorted(names)
    assert table_names("no_such_folder") == ()


def test_binary_files_open_and_the_travel_times_are_small() -> None:
    with open_table_file("traveltimes/iasp91.npz") as file:
        content = file.read()
    assert content[:2] == b"PK"
    assert len(content) < 400_000


@pytest.mark.parametrize("section", ["pd", "tau_c", "tau_p", "pgv_from_pd", "pgd"])
def test_every_magnitude_relation_states_its_source(section: str) -> None:
    for name, row in load_table("magnitude")[section].items():
        assert len(row["source"]) > 10, name
        if section != "pgv_from_pd":
            assert row["sigma"] > 0.0, name
            assert row["magnitude_range"][0] < row["magnitude_range"][1], name
