"""The four figures, the table of stations, and the folder that holds them."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from eew.app.score_document import score_document
from eew.errors import ConfigError
from eew.report.score_folder import PLOTS, stations_csv, write_score
from eew.report.score_result import FolderScore
from tests.unit.score_example import SETTINGS, folder, missed, noise

pytestmark = pytest.mark.slow  # draws real plots

PNG = b"\x89PNG\r\n\x1a\n"
SUITES: dict[str, tuple[FolderScore, ...]] = {
    "suite": (folder(), folder("us_edge", in_network=False), missed(), noise()),
    "one quake": (folder(),),
    "nothing alerted": (missed(),),
    "noise alone": (noise(),),
    "letters of another script": (folder("泸定-2022"),),
    "no picks, no best location": (
        folder(floor_s=(), observed_floor_s=(), best=None, stations=(), published=()),
    ),
}


@pytest.mark.parametrize("name", SUITES)
def test_every_kind_of_score_can_be_drawn(name: str) -> None:
    for draw in PLOTS.values():
        data = draw(SUITES[name], SETTINGS)
        assert data.startswith(PNG)
        assert len(data) > 5_000


def test_two_drawings_give_the_same_bytes() -> None:
    for draw in PLOTS.values():
        assert draw(SUITES["suite"], SETTINGS) == draw(SUITES["suite"], SETTINGS)


def test_the_table_has_a_line_per_station_with_every_threshold() -> None:
    rows = list(csv.DictReader(io.StringIO(stations_csv(SUITES["suite"], SETTINGS))))

    assert len(rows) == 3 * 4
    first, deaf = rows[0], rows[3]
    assert (first["folder"], first["station"], first["state"]) == ("us_quake", "CI.A", "good")
    assert (first["outcome_3"], first["warning_s_3"], first["outcome_4"]) == (
        "timely",
        "8.0",
        "timely",
    )
    assert (deaf["state"], deaf["observed"], deaf["outcome_3"]) == ("deaf", "", "")


def written(path: Path) -> dict[str, bytes]:
    scores = SUITES["suite"]
    document = score_document(scores, SETTINGS)
    write_score(scores, SETTINGS, document, path, written_ns=10**18)
    return {file.name: file.read_bytes() for file in path.iterdir()}


def test_a_score_is_written_as_a_whole_and_may_be_replaced(tmp_path: Path) -> None:
    files = written(tmp_path / "score")

    assert set(files) == {"score.json", "stations.csv", "manifest.json", *PLOTS}
    assert json.loads(files["score.json"])["schema"] == "eew.score/1"
    assert set(json.loads(files["manifest.json"])["files_sha256"]) == set(files) - {"manifest.json"}
    assert written(tmp_path / "score") == files


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("do not touch")

    with pytest.raises(ConfigError, match=r"holds thesis\.txt"):
        written(tmp_path / "mine")
    assert [file.name for file in (tmp_path / "mine").iterdir()] == ["thesis.txt"]
