"""``eew simulate``: a computed quake as a folder of records, or the calibration of all of them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from eew.cli.options import Seed

_LINES = [
    "Examples:",
    "eew simulate luding-2022 --out luding",
    "eew replay luding",
    "eew simulate --calibration",
    "eew simulate --calibration --jobs 2 --out docs",
    "eew simulate --calibration --region california --json > california.json",
    (
        "The folder has waveforms.mseed, stations.xml, event.xml and SOURCE.txt, as recorded "
        "quakes have."
    ),
    (
        "The calibration holds computed motion against published models and recorded quakes "
        "(EEW_QUAKES, else ../shared/quakes; left out where they are not there). Its values are "
        "magnitude units, or log10 of computed over expected; --out DIR writes "
        "DIR/calibration.md and DIR/images/calibration/*.png."
    ),
    (
        "Exit codes: 0 done, 2 wrong setting or name, 3 data that cannot be used, 5 a figure of "
        "the calibration is beyond its bound, 130 stopped by Ctrl-C."
    ),
]
EPILOG = "\n\n".join(_LINES)


def simulate(
    scenario: Annotated[
        str | None,
        typer.Argument(
            metavar="SCENARIO", help="A scenario file (TOML) or a built-in event (eew events list)."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder to write; of a scenario, new or empty or written before.", metavar="DIR"
        ),
    ] = None,
    seed: Seed = 1,
    calibration: Annotated[
        bool,
        typer.Option("--calibration", help="Compare computed motion with models and recordings."),
    ] = False,
    region: Annotated[
        str | None, typer.Option(help="Calibrate this region only.", metavar="R")
    ] = None,
    jobs: Annotated[int, typer.Option(help="Processes at work on a calibration.", metavar="N")] = 1,
    repeats: Annotated[
        int | None,
        typer.Option(
            help="Quakes of each magnitude in a calibration; bounds are meant for 9.",
            metavar="N",
            show_default="9",
        ),
    ] = None,
    json_only: Annotated[
        bool, typer.Option("--json", help="Print only the document of what was made.")
    ] = False,
) -> int:
    """Compute a quake on a network as MiniSEED and StationXML, or calibrate the generator."""
    if calibration:
        if scenario is not None:
            raise typer.BadParameter(f"{scenario!r} is not used with --calibration")
        return _calibrate(region, seed, jobs, repeats, out, json_only=json_only)
    for option, given in (("--region", region), ("--repeats", repeats)):
        if given is not None:
            raise typer.BadParameter(f"{option} belongs to --calibration")
    if scenario is None:
        raise typer.BadParameter("a SCENARIO is needed, or --calibration")
    if out is None:
        raise typer.BadParameter("--out DIR is needed: the folder to write")
    return _scenario(scenario, out, seed, json_only=json_only)


def _scenario(scenario: str, out: Path, seed: int, *, json_only: bool) -> int:
    from eew.app.simulate import simulate_to_folder
    from eew.cli.console import progress_line

    with progress_line(f"computing {scenario}"):
        made = simulate_to_folder(scenario, out, seed=seed)
    if json_only:
        import json

        typer.echo(json.dumps({**made.as_document(), "folder": str(out), "seed": seed}, indent=2))
        return 0
    typer.echo(
        f"SIMULATION  {made.title}: {made.n_stations} stations, {made.n_channels} channels, "
        f"{made.seconds:.0f} s"
    )
    typer.echo(f"saved {out}   next: eew replay {out}")
    return 0


def _calibrate(
    region: str | None,
    seed: int,
    jobs: int,
    repeats: int | None,
    out: Path | None,
    *,
    json_only: bool,
) -> int:
    from eew import __version__
    from eew.app.calibration import REPEATS, calibrate
    from eew.errors import AcceptanceError
    from eew.report.calibration_document import calibration_document
    from eew.report.calibration_folder import check_calibration_folder, write_calibration
    from eew.report.folder import json_bytes

    if out is not None:
        check_calibration_folder(out)
    count = REPEATS if repeats is None else repeats
    with _progress() as progress:
        found = calibrate(region, seed=seed, repeats=count, jobs=jobs, progress=progress)
    if out is not None:
        command = f"eew simulate --calibration --seed {seed}"
        command += f" --region {region}" if region else ""
        command += f" --repeats {count}" if count != REPEATS else ""
        write_calibration(found, out, f"{command} --out {out.name}")
    if json_only:
        sys.stdout.write(json_bytes(calibration_document(found, __version__)).decode())
    else:
        from eew.cli.calibration_tables import print_calibration
        from eew.cli.console import result_console

        print_calibration(result_console(), found, out)
    if found.failed:
        first = found.failed[0]
        raise AcceptanceError(
            f"{len(found.failed)} of {len(found.checks)} figures beyond their bounds, the first: "
            f"{first.group}, {first.measure} {first.statistic} {first.where or 'of all'} "
            f"{first.value:+.2f} ({first.low:g} to {first.high:g})"
        )
    return 0


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """Show on stderr, where somebody watches, how much is done."""
    from eew.cli.console import progress_console

    console = progress_console()
    if console is None:
        yield lambda name, done, total: None
        return
    with console.status("calibrating", spinner="line") as status:
        yield lambda name, done, total: status.update(f"{done} of {total} done, last {name}")
