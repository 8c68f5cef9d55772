"""The folder that ``eew score --out`` writes: document, stations, four figures, manifest."""

from __future__ import annotations

import csv
import hashlib
import io
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from eew.report.folder import check_output_folder, json_bytes, put_folder
from eew.report.manifest import MANIFEST_NAME, MANIFEST_SCHEMA, library_versions
from eew.report.score_compare import score_bytes
from eew.report.score_match_plots import intensity_png, reliability_png
from eew.report.score_result import FolderScore, ScoreSettings, StationScore
from eew.report.score_time_plots import alerts_png, errors_png
from eew.report.tables import fixed
from eew.report.times import utc

DOCUMENT_NAME = "score.json"
PLOTS = {
    "errors.png": errors_png,
    "alerts.png": alerts_png,
    "intensity.png": intensity_png,
    "reliability.png": reliability_png,
}


def write_score(
    scores: Sequence[FolderScore],
    settings: ScoreSettings,
    document: Mapping[str, Any],
    folder: Path,
    *,
    written_ns: int,
) -> None:
    """Write everything and put the folder in its place; all but the manifest is reproducible.

    Raises
    ------
    ConfigError
        If the place is taken by something that is not ours, or cannot be written.
    """
    folder = folder.resolve()
    check_output_folder(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    files = {
        DOCUMENT_NAME: score_bytes(document),
        "stations.csv": stations_csv(scores, settings).encode(),
        **{name: draw(scores, settings) for name, draw in PLOTS.items()},
    }
    files[MANIFEST_NAME] = json_bytes(
        {
            "schema": MANIFEST_SCHEMA,
            "run": "score",
            "complete": True,
            "written": utc(written_ns, digits=0),
            "seed": settings.seed,
            "versions": {
                "eew-simulator": settings.version,
                "python": platform.python_version(),
                **library_versions(),
            },
            "files_sha256": {
                name: hashlib.sha256(data).hexdigest() for name, data in sorted(files.items())
            },
        }
    )
    put_folder(files, folder)


def stations_csv(scores: Sequence[FolderScore], settings: ScoreSettings) -> str:
    """Return one line per folder and station: what was predicted, what came, each threshold."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    thresholds = [f"{value:g}" for value in settings.thresholds]
    writer.writerow(
        [
            "folder",
            "station",
            "lat",
            "lon",
            "distance_km",
            "state",
            "compared",
            "observed",
            "predicted",
            "true_source",
            "observed_pga_mps2",
            "predicted_pga_mps2",
            "true_source_pga_mps2",
            *(f"{word}_{g}" for g in thresholds for word in ("outcome", "warning_s")),
        ]
    )
    for one in scores:
        for station in one.stations:
            writer.writerow([one.name, *_station(station), *_sites(station, settings)])
    return text.getvalue()


def _station(one: StationScore) -> list[str | None]:
    return [
        one.station,
        fixed(one.lat, 4),
        fixed(one.lon, 4),
        fixed(one.distance_km, 1),
        one.state,
        "yes" if one.compared else "no",
        fixed(one.observed, 2),
        fixed(one.predicted, 2),
        fixed(one.true_predicted, 2),
        fixed(one.observed_pga_mps2, 5),
        fixed(one.predicted_pga_mps2, 5),
        fixed(one.true_pga_mps2, 5),
    ]


def _sites(one: StationScore, settings: ScoreSettings) -> list[str | None]:
    cells: list[str | None] = []
    for threshold in settings.thresholds:
        site = one.sites.get(threshold)
        cells += [None, None] if site is None else [site.outcome, fixed(site.warning_s, 1)]
    return cells
