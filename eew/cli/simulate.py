"""``eew simulate``: a computed quake as a folder of records."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_LINES = [
    "Example:",
    "eew simulate luding-2022 --out luding",
    "eew replay luding",
    (
        "The folder has waveforms.mseed, stations.xml, event.xml and SOURCE.txt, as recorded "
        "quakes have."
    ),
]
EPILOG = "\n\n".join(_LINES)


def simulate(
    scenario: Annotated[
        str,
        typer.Argument(
            metavar="SCENARIO", help="A scenario file (TOML) or a built-in event (eew events list)."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder to write; must be new or empty.")],
    seed: Annotated[int, typer.Option(help="Seed of everything that is drawn.")] = 1,
) -> None:
    """Compute the records of a quake on a network and write them as MiniSEED and StationXML."""
    from eew.app.simulate import simulate_to_folder
    from eew.cli.console import progress_line

    with progress_line(f"computing {scenario}"):
        made = simulate_to_folder(scenario, out, seed=seed)
    typer.echo(
        f"SIMULATION  {made.title}: {made.n_stations} stations, {made.n_channels} channels, "
        f"{made.seconds:.0f} s"
    )
    typer.echo(f"saved {out}   next: eew replay {out}")
