"""Two documents side by side, and what other detectors published."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from eew.app.score_document import score_document
from eew.errors import ConfigError, DataError
from eew.report.score_compare import Band, Change, compare, load_bands, read_document
from eew.report.score_published import read_published
from tests.unit.score_example import SETTINGS, folder, missed, noise

DOCUMENT = score_document([folder(), missed(), noise()], SETTINGS)


def other(where: str, path: str, value: object) -> dict[str, Any]:
    """Return the document with one figure of a folder (or of the totals) changed."""
    changed = copy.deepcopy(DOCUMENT)
    part = changed["totals"] if where == "totals" else changed["folders"][where]
    *way, last = path.split(".")
    for key in way:
        part = part[key]
    part[last] = value
    return changed


def only_change(new: dict[str, Any], old: dict[str, Any] | None = None) -> Change:
    found = [one for one in compare(old or DOCUMENT, new).changes if one.verdict != "same"]
    assert len(found) == 1
    return found[0]


def test_a_document_is_as_good_as_itself() -> None:
    comparison = compare(DOCUMENT, DOCUMENT)

    assert comparison.failed == ()
    assert comparison.notes == ()
    assert {one.verdict for one in comparison.changes} == {"same"}
    assert len(comparison.changes) > 30


@pytest.mark.parametrize(
    ("path", "value", "verdict"),
    [
        ("times_s.first_alert", 6.5, "worse"),  # band 0.5
        ("times_s.first_alert", 6.501, "too much worse"),
        ("times_s.first_alert", 5.0, "better"),
        ("times_s.first_alert", None, "too much worse"),
        ("events.phantom", 1, "too much worse"),
        ("detected", False, "too much worse"),
        ("errors.first.epicentre_km", 11.0, "worse"),  # 8.0, band 3
        ("errors.final.magnitude", 0.1, "same"),  # was -0.1: its size counts
        ("errors.final.magnitude", 0.0, "better"),
        ("errors.final.magnitude", 0.25, "too much worse"),  # band 0.1
    ],
)
def test_a_figure_of_a_folder_is_judged_by_its_band(path: str, value: object, verdict: str) -> None:
    new = other("us_quake", path, value)
    if verdict == "same":
        assert {one.verdict for one in compare(DOCUMENT, new).changes} == {"same"}
        return
    change = only_change(new)

    assert (change.where, change.figure, change.verdict) == ("us_quake", path, verdict)
    assert change.reason


def test_a_quake_that_is_alerted_now_is_better_in_every_figure() -> None:
    old = score_document([missed("us_quake"), missed(), noise()], SETTINGS)

    changes = compare(old, DOCUMENT).changes

    mine = [one for one in changes if one.where == "us_quake" and one.old is None]
    assert {"times_s.first_alert", "errors.final.magnitude"} <= {one.figure for one in mine}
    assert {one.verdict for one in mine} == {"better"}


def test_totals_have_bands_of_their_own() -> None:
    assert only_change(other("totals", "noise.false_events", 1)).verdict == "too much worse"
    assert only_change(other("totals", "sites.4.q", 0.99)).verdict == "better"
    assert only_change(other("totals", "shaking.bias", -0.55)).verdict == "worse"  # was 0.5


def test_totals_over_other_folders_are_not_compared() -> None:
    fewer = score_document([folder()], SETTINGS)

    comparison = compare(DOCUMENT, fewer)

    assert {one.where for one in comparison.changes} == {"us_quake"}
    assert "noise: only in the old score" in comparison.notes
    assert any(note.startswith("totals") for note in comparison.notes)


def test_other_settings_and_other_files_are_noted() -> None:
    changed = copy.deepcopy(DOCUMENT)
    changed["settings"]["packet_s"] = 1.0
    changed["folders"]["noise"]["input_sha256"] = {"waveforms.mseed": "00"}

    notes = compare(DOCUMENT, changed).notes

    assert "packet_s: 0.5 then, 1.0 now" in notes
    assert "noise: its files are not those of the old score" in notes


def test_another_version_is_no_news() -> None:
    changed = copy.deepcopy(DOCUMENT)
    changed["settings"]["version"] = "9.9.9"

    assert compare(DOCUMENT, changed).notes == ()


def test_every_band_names_a_figure_that_a_document_has_and_a_reason() -> None:
    for part, bands in zip(
        (DOCUMENT["folders"]["us_quake"], DOCUMENT["totals"]), load_bands(), strict=True
    ):
        for band in bands:
            # sites.5 is not among the thresholds of this example
            path = band.figure.replace("sites.5", "sites.4")
            found = part
            for key in path.split("."):
                found = found[key]
            assert found is None or isinstance(found, bool | int | float)
            assert band.band >= 0.0
            assert band.reason


def test_a_band_must_know_which_way_is_good() -> None:
    with pytest.raises(ConfigError, match="better must be lower, higher or zero, was 'up'"):
        Band(figure="x", better="up", band=1.0, reason="none")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "is no JSON"),
        ("[]", "schema must be 'eew.score/1', was None"),
        ('{"schema": "eew.summary/1"}', "was 'eew.summary/1'"),
    ],
)
def test_an_old_score_that_is_none_is_refused(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "old.json"
    file.write_text(text)

    with pytest.raises(DataError, match=words):
        read_document(file)


def test_an_old_score_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere\.json"):
        read_document(tmp_path / "nowhere.json")


def test_a_written_document_reads_back(tmp_path: Path) -> None:
    file = tmp_path / "score.json"
    file.write_text(json.dumps(DOCUMENT))

    assert compare(read_document(file), DOCUMENT).failed == ()


# ------------------------------------------------------------------ published


def write(tmp_path: Path, text: str, name: str = "other-measured.csv") -> Path:
    (tmp_path / name).write_text(text)
    return tmp_path


def test_published_figures_are_read_by_folder(tmp_path: Path) -> None:
    write(tmp_path, "# how\nfolder,t_s,dm_first\nquake_a,7.5,-0.3\nquake_b,12,\n\n")
    write(tmp_path, "folder,t_s\nquake_a,9\n", "third-measured.csv")
    (tmp_path / "notes.csv").write_text("not,ours\n")

    found = read_published(tmp_path)

    assert [(one.detector, one.t_s) for one in found["quake_a"]] == [("other", 7.5), ("third", 9)]
    assert found["quake_a"][0].figures == {"dm_first": -0.3}
    assert found["quake_b"][0].figures == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("folder,when\na,1\n", "no column 't_s'"),
        ("# x\nfolder,t_s\na,soon\n", r"line 3.*t_s 'soon' is no number"),
        ("folder,t_s\na,\n", "t_s is empty"),
        ("folder,t_s\na,1\na,2\n", "'a' stands there twice"),
    ],
)
def test_published_figures_that_cannot_be_read_are_named(
    tmp_path: Path, text: str, words: str
) -> None:
    with pytest.raises(DataError, match=words):
        read_published(write(tmp_path, text))


def test_a_folder_without_published_figures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no \*-measured\.csv"):
        read_published(tmp_path)
    with pytest.raises(DataError, match=r"holds no \*-measured\.csv"):
        read_published(tmp_path / "nowhere")
