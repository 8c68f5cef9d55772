"""A season from its name to its folder."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from eew import __version__
from eew.app.season import run_season
from eew.app.season_document import season_document
from eew.clock import Clock
from eew.report.folder import check_output_folder, json_bytes, put_folder
from eew.report.manifest import MANIFEST_NAME, MANIFEST_SCHEMA, library_versions
from eew.report.season_map import season_map_png
from eew.report.season_page import season_page
from eew.report.times import utc
from simulator.geography import border_lines
from simulator.season import season

RUNS = Path("runs")


def season_to_folder(
    name: str,
    *,
    seed: int,
    jobs: int,
    out: Path | None,
    clock: Clock,
    progress: Callable[[str, int, int], None] = lambda name, done, total: None,
) -> tuple[dict[str, Any], Path]:
    """Run a season and write document, page and map; return the document and the folder.

    Raises
    ------
    ConfigError
        If there is no such season, or the folder is taken by something that is not ours.
    """
    season(name)  # says what is wrong with the name before the folder
    folder = (out or RUNS / f"season-{name}-{seed}").resolve()
    check_output_folder(folder)
    document = season_document(run_season(name, seed=seed, jobs=jobs, progress=progress))
    files = {
        "season.json": json_bytes(document),
        "season.md": season_page(document, map_name="map.png").encode(),
        "map.png": season_map_png(document, border_lines()),
    }
    files[MANIFEST_NAME] = json_bytes(
        {
            "schema": MANIFEST_SCHEMA,
            "run": f"season {name}",
            "complete": True,
            "written": utc(clock.utc_ns(), digits=0),
            "seed": seed,
            "versions": {"eew-simulator": __version__, **library_versions()},
            "files_sha256": {
                one: hashlib.sha256(data).hexdigest() for one, data in sorted(files.items())
            },
        }
    )
    folder.parent.mkdir(parents=True, exist_ok=True)
    put_folder(files, folder)
    return document, folder
