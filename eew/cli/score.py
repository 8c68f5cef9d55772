"""``eew score``: how early and how right the detector is, over many quakes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from eew.cli.options import Jobs

_LINES = [
    "Examples:",
    "eew score ../shared/quakes --jobs 2",
    "eew score quakes/us20190706_m71_ridgecrest --packet 1 --delay 0 --out score",
    "eew score ../shared/quakes --json > suite.json",
    "eew score ../shared/quakes --compare suite.json",
    (
        "Units: s, km; intensity on the scale of the region. Errors are estimate minus catalogue. "
        "What each figure means stands in docs/scoring.md."
    ),
    (
        "Exit codes: 0 done, 2 wrong setting or name, 3 data that cannot be used, 5 a figure got "
        "worse beyond its band (--compare), 130 stopped by Ctrl-C."
    ),
]
EPILOG = "\n\n".join(_LINES)


def score(
    folders: Annotated[
        list[Path],
        typer.Argument(
            metavar="FOLDER...",
            help="Folders with waveforms.mseed and stations.xml (event.xml where the truth is "
            "known), or folders that hold such folders.",
        ),
    ],
    packet: Annotated[
        str, typer.Option(help="Length of a packet, 0.1 to 10 s.", metavar="S")
    ] = "0.5",
    delay: Annotated[
        str, typer.Option(help="Link delay at every station, 0 to 60 s.", metavar="S")
    ] = "0.3",
    seed: Annotated[int, typer.Option(help="Seed of the moments at which packets are cut.")] = 0,
    jobs: Jobs = 1,
    json_only: Annotated[
        bool, typer.Option("--json", help="Print only the document, schema eew.score/1.")
    ] = False,
    compare: Annotated[
        Path | None,
        typer.Option(
            help="Document of an earlier score: exit code 5 where a figure got worse beyond its "
            "band.",
            metavar="OLD.json",
        ),
    ] = None,
    published: Annotated[
        Path | None,
        typer.Option(
            help="Folder with figures of other detectors (*-measured.csv).",
            metavar="DIR",
            show_default="../shared/published where it is there",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for document, table of stations and plots; one that no run has written "
            "is never touched.",
            metavar="DIR",
        ),
    ] = None,
) -> int:
    """Replay quakes through the detector alone, and score it against the truth."""
    from eew.app.options import RunOptions, parse_seconds

    options = RunOptions(
        seed=seed,
        packet_s=parse_seconds("--packet", packet),
        delay_s=parse_seconds("--delay", delay),
        broker="none",
    )
    from eew.app.score_run import run_score
    from eew.cli.console import progress_counter
    from eew.clock import SystemClock
    from eew.errors import AcceptanceError

    with progress_counter("folders") as progress:
        run = run_score(
            folders,
            options,
            jobs=jobs,
            published=published,
            old=compare,
            out=out,
            clock=SystemClock(),
            progress=progress,
        )
    if json_only:
        from eew.report.score_compare import score_bytes

        sys.stdout.write(score_bytes(run.document).decode())
    else:
        from eew.cli.console import result_console
        from eew.cli.score_tables import print_score

        print_score(result_console(), run, out)
    if run.comparison is not None and run.comparison.failed:
        failed = run.comparison.failed
        first = failed[0]
        raise AcceptanceError(
            f"{len(failed)} figure{'s' if len(failed) > 1 else ''} worse than in {compare} beyond "
            f"the band, the first: {first.where} {first.figure} {first.old} -> {first.new} "
            f"(band {first.band:g})"
        )
    return 0
