from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from eew.errors import ConfigError, DataError
from eew.ingest import read_quake_folder, write_quake_folder
from eew.model.waveform import Recording, SensorKind
from tests.unit.ingest_cases import (
    START_NS,
    TRUTH,
    counts,
    recording,
    segment,
    station,
    three_components,
)

A = station(three_components("XX.AAA"))
SOURCE = "Computed for a test.\nCC0."


def case() -> Recording:
    """Three stations of different kinds, rates and oddities, with a gap and steep steps."""
    velocity = station(
        three_components("YY.B1", "HH", "10"),
        kind=SensorKind.VELOCITY,
        sensitivity=7.55585e8 / 3.0,
        rate_hz=200.0 / 3.0,
        lat=-33.000001,
        lon=179.999,
        clip_counts=math.inf,
        vs30_mps=365.2,
    )
    mems = station(["XX.OE001..BN1", "XX.OE001..BN2"], sensitivity=-1e5, rate_hz=31.323)
    steep = np.array([0, 2**31 - 1, -(2**31), 5, 6], dtype=np.int32)
    ids = three_components("XX.AAA")
    segments = [
        segment(ids[0]),
        segment(ids[0], counts(300, 5), start_ns=START_NS + 31_000_007_000),
        segment(ids[1], counts(700, 6).astype(np.float64)),
        segment(ids[2], steep),
        *[segment(str(c.stream_id), rate_hz=200.0 / 3.0) for c in velocity.channels],
        *[segment(str(c.stream_id), rate_hz=31.323) for c in mems.channels],
    ]
    return recording([A, mems, velocity], segments, truth=TRUTH)


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def test_what_is_written_is_read_back_bit_for_bit(tmp_path: Path) -> None:
    original = case()

    write_quake_folder(original, tmp_path / "quake", SOURCE)
    again = read_quake_folder(tmp_path / "quake")

    assert again.name == "quake"
    assert again.stations == original.stations
    assert again.truth == TRUTH
    assert len(again.segments) == len(original.segments)
    for got, wanted in zip(again.segments, original.segments, strict=True):
        assert (got.stream_id, got.start_ns) == (wanted.stream_id, wanted.start_ns)
        assert got.sampling_rate_hz == wanted.sampling_rate_hz
        np.testing.assert_array_equal(got.samples, wanted.samples)
        assert got.samples.dtype == np.int32
    assert {(p.kind, p.where) for p in again.problems} == {
        ("gap", "XX.AAA..HNZ"),
        ("no_waveform", "XX.OE001"),  # it has horizontals only
    }


def test_start_times_are_kept_to_a_microsecond(tmp_path: Path) -> None:
    ids = three_components("XX.AAA")
    segments = [segment(i, start_ns=START_NS + n * 333) for n, i in enumerate(ids)]

    write_quake_folder(recording([A], segments), tmp_path / "q", SOURCE)
    again = read_quake_folder(tmp_path / "q")

    starts_ns = {str(s.stream_id): s.start_ns for s in again.segments}
    assert [starts_ns[i] - START_NS for i in ids] == [0, 0, 1000]


def test_the_same_recording_gives_the_same_bytes_in_another_process(tmp_path: Path) -> None:
    write_quake_folder(case(), tmp_path / "one", SOURCE)
    code = (
        "import json, sys; from pathlib import Path\n"
        "from eew.ingest import write_quake_folder\n"
        "from tests.unit.test_ingest_writer import SOURCE, case\n"
        "write_quake_folder(case(), Path(sys.argv[1]), SOURCE)\n"
    )
    root = Path(__file__).parents[2]
    subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "two")], check=True, cwd=root, timeout=60
    )

    one, two = contents(tmp_path / "one"), contents(tmp_path / "two")
    assert list(one) == ["SOURCE.txt", "event.xml", "stations.xml", "waveforms.mseed"]
    assert one == two


def test_nothing_written_tells_when_or_where_it_was_written(tmp_path: Path) -> None:
    write_quake_folder(case(), tmp_path / "quake", SOURCE)

    for name in ("stations.xml", "event.xml", "SOURCE.txt"):
        text = (tmp_path / "quake" / name).read_text(encoding="utf-8")
        assert str(tmp_path) not in text
        years = {word[:4] for word in text.replace(">", " ").split() if word[4:5] == "-"}
        assert years <= {"2020"}, name


def test_a_recording_without_truth_has_no_event_file(tmp_path: Path) -> None:
    write_quake_folder(recording([A]), tmp_path / "noise", SOURCE)

    assert not (tmp_path / "noise" / "event.xml").exists()
    assert read_quake_folder(tmp_path / "noise").truth is None


def test_the_source_text_stands_first_in_source_txt(tmp_path: Path) -> None:
    write_quake_folder(recording([A]), tmp_path / "q", SOURCE)

    assert (tmp_path / "q" / "SOURCE.txt").read_text(encoding="utf-8").startswith(SOURCE)


def test_our_own_folder_and_an_empty_one_are_replaced(tmp_path: Path) -> None:
    target = tmp_path / "q"
    target.mkdir()
    write_quake_folder(case(), target, SOURCE)
    write_quake_folder(recording([A]), target, "second")

    assert sorted(contents(target)) == ["SOURCE.txt", "stations.xml", "waveforms.mseed"]
    assert [entry.name for entry in tmp_path.iterdir()] == ["q"]


@pytest.mark.parametrize("inside", ["thesis.txt", "waveforms.mseed"])
def test_a_folder_with_something_else_is_not_touched(tmp_path: Path, inside: str) -> None:
    target = tmp_path / "q"
    target.mkdir()
    (target / inside).write_text("mine")

    with pytest.raises(ConfigError, match="something else here"):
        write_quake_folder(recording([A]), target, SOURCE)

    assert contents(target) == {inside: b"mine"}


def test_force_writes_into_a_folder_and_leaves_other_files(tmp_path: Path) -> None:
    target = tmp_path / "q"
    target.mkdir()
    (target / "thesis.txt").write_text("mine")

    write_quake_folder(recording([A]), target, SOURCE, force=True)

    assert contents(target)["thesis.txt"] == b"mine"
    assert read_quake_folder(target).stations == (A,)
    assert [entry.name for entry in tmp_path.iterdir()] == ["q"]


def test_a_file_in_the_way_is_refused_even_by_force(tmp_path: Path) -> None:
    (tmp_path / "q").write_text("mine")

    with pytest.raises(ConfigError, match="something else here"):
        write_quake_folder(recording([A]), tmp_path / "q", SOURCE, force=True)

    assert (tmp_path / "q").read_text() == "mine"


def test_a_place_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")

    with pytest.raises(ConfigError, match="cannot be written"):
        write_quake_folder(recording([A]), tmp_path / "file" / "q", SOURCE)


@pytest.mark.parametrize("value", [0.5, math.nan, math.inf, 2.0**31])
def test_a_sample_that_is_no_count_is_refused_and_nothing_is_left(
    tmp_path: Path, value: float
) -> None:
    data = counts(100).astype(np.float64)
    data[41] = value

    with pytest.raises(DataError, match=r"XX\.AAA\.\.HNZ: sample 41 is no whole number"):
        write_quake_folder(recording([A], [segment("XX.AAA..HNZ", data)]), tmp_path / "q", SOURCE)

    assert list(tmp_path.iterdir()) == []


def test_codes_too_long_for_seed_are_refused(tmp_path: Path) -> None:
    long = station(["XX.TTN001..HNZ"])

    with pytest.raises(DataError, match="station code has at most 5 ASCII characters"):
        write_quake_folder(recording([long]), tmp_path / "q", SOURCE)


def test_an_event_id_that_quakeml_cannot_hold_is_refused(tmp_path: Path) -> None:
    from dataclasses import replace

    with pytest.raises(DataError, match="event_id may hold"):
        write_quake_folder(
            recording([A], truth=replace(TRUTH, event_id="a quake/2")), tmp_path / "q", SOURCE
        )


def test_other_programs_can_read_the_files(tmp_path: Path) -> None:
    import obspy

    write_quake_folder(case(), tmp_path / "q", SOURCE)
    inventory = obspy.read_inventory(str(tmp_path / "q" / "stations.xml"))
    stream = obspy.read(str(tmp_path / "q" / "waveforms.mseed"))
    (trace,) = stream.select(id="YY.B1.10.HHZ")

    response = inventory.get_response(trace.id, trace.stats.starttime)
    assert response.instrument_sensitivity.value == 7.55585e8 / 3.0
    assert response.instrument_sensitivity.input_units == "M/S"
    assert json.dumps(inventory.get_coordinates(trace.id)["latitude"]) == "-33.000001"
