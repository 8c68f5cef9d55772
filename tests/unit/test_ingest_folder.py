from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from eew.errors import DataError
from eew.ingest import read_quake_folder, write_quake_folder
from tests.unit.ingest_cases import TRUTH, kinds, recording, station, three_components

A, B = station(three_components("XX.AAA")), station(three_components("XX.BBB"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A sound quake folder, which the tests spoil."""
    write_quake_folder(recording([A, B], truth=TRUTH), tmp_path / "quake", "for a test")
    return tmp_path / "quake"


def failure(folder: Path) -> DataError:
    with pytest.raises(DataError) as caught:
        read_quake_folder(folder)
    assert caught.value.exit_code == 3
    assert "\n" not in str(caught.value)
    return caught.value


def test_every_file_that_was_read_has_its_checksum(folder: Path) -> None:
    sums = read_quake_folder(folder).input_sha256

    assert sorted(sums) == ["event.xml", "stations.xml", "waveforms.mseed"]
    for name, digest in sums.items():
        assert digest == hashlib.sha256((folder / name).read_bytes()).hexdigest()


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    assert str(failure(tmp_path / "nowhere")).startswith(f"{tmp_path}/nowhere: no such folder")


def test_a_file_instead_of_a_folder_is_an_error(folder: Path) -> None:
    assert "not a folder" in str(failure(folder / "stations.xml"))


def test_an_empty_folder_is_an_error_that_tells_the_layout(tmp_path: Path) -> None:
    error = failure(tmp_path)

    assert "no MiniSEED file" in str(error)
    assert "waveforms.mseed" in error.hint
    assert "stations.xml" in error.hint


def test_a_folder_without_stationxml_is_an_error(folder: Path) -> None:
    (folder / "stations.xml").unlink()

    assert "no StationXML in this folder" in str(failure(folder))


@pytest.mark.parametrize("content", [b"", b"<html><title>502</title></html>", b"PK\x03\x04"])
def test_a_stations_file_that_is_no_stationxml_is_an_error(folder: Path, content: bytes) -> None:
    (folder / "stations.xml").write_bytes(content)

    error = failure(folder)
    assert error.where == str(folder / "stations.xml")
    assert "not readable as StationXML" in str(error)


def test_a_cut_off_stationxml_is_an_error(folder: Path) -> None:
    data = (folder / "stations.xml").read_bytes()
    (folder / "stations.xml").write_bytes(data[: len(data) // 2])

    assert failure(folder).where == str(folder / "stations.xml")


def test_waveforms_that_are_no_miniseed_are_an_error(folder: Path) -> None:
    (folder / "waveforms.mseed").write_text("time,counts\n0,1\n" * 100)

    error = failure(folder)
    assert error.where == str(folder / "waveforms.mseed")
    assert "no MiniSEED record" in str(error)


def test_cut_off_waveforms_are_read_as_far_as_they_go(folder: Path) -> None:
    data = (folder / "waveforms.mseed").read_bytes()
    (folder / "waveforms.mseed").write_bytes(data[:-200])

    result = read_quake_folder(folder)

    assert [s.code for s in result.stations] == ["XX.AAA", "XX.BBB"]
    assert [(p.kind, p.where) for p in result.problems] == [("unreadable", "waveforms.mseed")]


def test_a_stationxml_without_the_stations_is_an_error_with_the_reason(
    folder: Path, tmp_path: Path
) -> None:
    write_quake_folder(recording([station(["ZZ.OTHER..HNZ"])]), tmp_path / "other", "elsewhere")
    shutil.copy(tmp_path / "other" / "stations.xml", folder / "stations.xml")

    error = failure(folder)
    assert error.where == str(folder)
    assert "no usable station: 6 stream(s), 6 no_metadata" in str(error)
    assert "XX.AAA..HNE: not in the StationXML" in str(error)


def test_a_damaged_event_file_only_costs_the_truth(folder: Path) -> None:
    (folder / "event.xml").write_text("<q:quakeml xmlns:q='http://quakeml.org/x")

    result = read_quake_folder(folder)

    assert result.truth is None
    assert [(p.kind, p.where) for p in result.problems] == [("unreadable", "event.xml")]


def test_data_may_be_spread_over_several_files(folder: Path, tmp_path: Path) -> None:
    write_quake_folder(recording([station(["ZZ.C..HNZ"])]), tmp_path / "more", "elsewhere")
    shutil.copy(tmp_path / "more" / "waveforms.mseed", folder / "zz.mseed")
    shutil.copy(tmp_path / "more" / "stations.xml", folder / "ZZ.C.xml")

    result = read_quake_folder(folder)

    assert [s.code for s in result.stations] == ["XX.AAA", "XX.BBB", "ZZ.C"]
    assert result.problems == ()
    assert sorted(result.input_sha256)[:2] == ["ZZ.C.xml", "event.xml"]


def test_further_files_that_cannot_be_read_are_set_aside(folder: Path) -> None:
    (folder / "extra.mseed").write_bytes(b"")
    (folder / "notes.xml").write_text("<notes/>")
    (folder / "broken.xml").write_text("<FDSNStationXML>")

    result = read_quake_folder(folder)

    assert len(result.stations) == 2
    assert {p.where for p in result.problems} == {"extra.mseed", "notes.xml", "broken.xml"}
    assert kinds(result.problems) == {"unreadable": 3}


def test_event_xml_is_the_truth_whatever_other_quakeml_lies_there(
    folder: Path, tmp_path: Path
) -> None:
    from dataclasses import replace

    other = replace(TRUTH, event_id="other", magnitude=3.0)
    write_quake_folder(recording([A], truth=other), tmp_path / "other", "elsewhere")
    shutil.copy(tmp_path / "other" / "event.xml", folder / "a_solution.xml")
    assert read_quake_folder(folder).truth == TRUTH

    (folder / "event.xml").unlink()
    assert read_quake_folder(folder).truth == other


def test_the_same_file_twice_is_duplicated_data(folder: Path) -> None:
    before = read_quake_folder(folder)
    shutil.copy(folder / "waveforms.mseed", folder / "copy.mseed")

    after = read_quake_folder(folder)

    assert kinds(after.problems) == {"duplicate": 6 * 2000}
    assert [len(s.samples) for s in after.segments] == [len(s.samples) for s in before.segments]
