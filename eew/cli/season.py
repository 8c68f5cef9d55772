"""``eew season``: a whole year of quakes, and everybody who was told."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from eew.cli.options import Jobs

_LINES = [
    "Examples:",
    "eew season china-2020 --jobs 2",
    "eew season china-2020 --json > season.json",
    (
        "No broker and no sockets: every place within reach has the logic of a phone, and stands "
        "for the devices of all who live there. Alerts and people are modelled, never sent."
    ),
    "Exit codes: 0 done, 2 wrong setting or name, 130 stopped by Ctrl-C.",
]
EPILOG = "\n\n".join(_LINES)


def season(
    name: Annotated[str, typer.Argument(metavar="SEASON", help="china-2020.")],
    seed: Annotated[
        int, typer.Option(help="Seed of network, drawn quakes and records.", min=0)
    ] = 1,
    jobs: Jobs = 2,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for season.json, season.md and map.png; one that no run has written is "
            "never touched.",
            metavar="DIR",
            show_default="runs/season-<name>-<seed>",
        ),
    ] = None,
    json_only: Annotated[
        bool, typer.Option("--json", help="Print only the document, schema eew.season/1.")
    ] = False,
) -> int:
    """Run the quakes of a year on a network and count who was told, when and what."""
    from eew.app.season_session import season_to_folder
    from eew.cli.console import progress_counter
    from eew.clock import SystemClock
    from eew.report.folder import json_bytes

    with progress_counter("quakes") as progress:
        document, folder = season_to_folder(
            name, seed=seed, jobs=jobs, out=out, clock=SystemClock(), progress=progress
        )
    if json_only:
        sys.stdout.write(json_bytes(document).decode())
        return 0
    from eew.cli.season_table import print_season

    print_season(document, folder)
    return 0
