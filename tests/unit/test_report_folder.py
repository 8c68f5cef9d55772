"""The run's folder: whole or not at all, and never over something of the user's."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from eew.errors import ConfigError
from eew.report.folder import NOT_REPRODUCIBLE, check_output_folder, write_run
from tests.unit.run_example import result

WRITTEN_NS = 1_700_000_000_000_000_000
FILES = {
    "summary.json",
    "measured.json",
    "manifest.json",
    "timeline.jsonl",
    "picks.csv",
    "solutions.csv",
    "targets.csv",
    "messages.jsonl",
    "map.png",
}


def write(folder: Path, *, complete: bool = True) -> None:
    write_run(result(complete=complete), folder, written_ns=WRITTEN_NS, extra={"map.png": b"png"})


def test_a_run_writes_its_files_and_nothing_else(tmp_path: Path) -> None:
    write(tmp_path / "runs" / "one")

    assert {entry.name for entry in (tmp_path / "runs" / "one").iterdir()} == FILES
    assert [entry.name for entry in (tmp_path / "runs").iterdir()] == ["one"]


def test_the_manifest_tells_versions_settings_inputs_and_the_sums_of_the_files(
    tmp_path: Path,
) -> None:
    write(tmp_path / "one")
    document = json.loads((tmp_path / "one" / "manifest.json").read_text())

    assert document["complete"] is True
    assert document["seed"] == 7
    assert document["inputs_sha256"] == {"waveforms.mseed": "ab" * 32}
    assert {"eew-simulator", "python", "numpy", "obspy"} <= set(document["versions"])
    assert document["config"]["packet_s"] == 0.5
    assert document["written"] == "2023-11-14T22:13:20Z"
    for name, digest in document["files_sha256"].items():
        assert hashlib.sha256((tmp_path / "one" / name).read_bytes()).hexdigest() == digest
    assert set(document["files_sha256"]) == FILES - {"manifest.json"}


def test_a_partial_run_is_marked_in_manifest_and_summary(tmp_path: Path) -> None:
    write(tmp_path / "one", complete=False)

    assert json.loads((tmp_path / "one" / "manifest.json").read_text())["complete"] is False
    assert json.loads((tmp_path / "one" / "summary.json").read_text())["run"]["complete"] is False


def test_two_writings_differ_only_where_it_is_said(tmp_path: Path) -> None:
    write(tmp_path / "one")
    write_run(result(), tmp_path / "two", written_ns=WRITTEN_NS + 10**9, extra={"map.png": b"png"})

    different = {
        name
        for name in FILES
        if (tmp_path / "one" / name).read_bytes() != (tmp_path / "two" / name).read_bytes()
    }
    assert different <= set(NOT_REPRODUCIBLE)
    assert "manifest.json" in different


def test_a_folder_of_ours_is_replaced_as_a_whole(tmp_path: Path) -> None:
    folder = tmp_path / "one"
    write_run(result(), folder, written_ns=WRITTEN_NS, extra={"map.png": b"old", "old.png": b"old"})
    write(folder)

    assert {entry.name for entry in folder.iterdir()} == FILES
    assert (folder / "map.png").read_bytes() == b"png"


def test_a_folder_with_anything_else_in_it_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "one"
    write(folder)
    (folder / "notes.txt").write_text("mine")

    with pytest.raises(ConfigError, match=r"notes\.txt"):
        write(folder)
    assert (folder / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("content", ["", "{", '{"schema": "other/1"}', "[]"])
def test_a_manifest_that_is_not_ours_protects_nothing_of_ours(tmp_path: Path, content: str) -> None:
    (tmp_path / "manifest.json").write_text(content)

    with pytest.raises(ConfigError, match=r"manifest\.json"):
        check_output_folder(tmp_path)


def test_an_empty_folder_is_good_for_output(tmp_path: Path) -> None:
    write(tmp_path)

    assert (tmp_path / "summary.json").exists()


def test_a_file_in_the_place_of_the_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")

    with pytest.raises(ConfigError, match="is a file"):
        check_output_folder(tmp_path / "out")
    with pytest.raises(ConfigError, match="no writable folder"):
        check_output_folder(tmp_path / "out" / "deeper")


def test_a_link_keeps_pointing_at_its_folder(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write(tmp_path / "link")
    write(tmp_path / "link")

    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real" / "summary.json").exists()


def test_nothing_is_left_behind_when_writing_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "one")
    before = (tmp_path / "one" / "summary.json").read_bytes()

    def full(self: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        write(tmp_path / "one")
    assert [entry.name for entry in tmp_path.iterdir()] == ["one"]
    assert (tmp_path / "one" / "summary.json").read_bytes() == before
