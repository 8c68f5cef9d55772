"""``eew compare``: our warnings beside published ones, and ways of telling the public."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from eew.cli.options import Jobs

app = typer.Typer(
    help="Set computed warnings beside what others published, or channels beside each other.",
    no_args_is_help=True,
)

PUBLISHED = Path("../shared/published/icl-warnings.csv")
_LINES = [
    "Examples:",
    "eew compare icl",
    "eew compare icl --table mine.csv --json",
    (
        "Columns of the table: event_id, origin_time_utc, lat, lon, depth_km, magnitude, "
        "first_alert_s, place, distance_km, warning_s, intensity; # begins a comment, ~ marks a "
        "number that is not sure; first_alert_s, warning_s and intensity may be empty. A place "
        "stands at its distance, in the direction of the nearest city of its name, else in a "
        "direction drawn from the seed."
    ),
    (
        "Lead time: s from the first alert to the S wave at the place, as published ones count; a "
        "phone of ours is silent below intensity 3 (level, told_s and told_lead_time_s of --json). "
        "Intensity: China scale, of the message that told the place, else of the last one."
    ),
    "Exit codes: 0 done, 2 wrong setting, 3 a table that cannot be used, 130 stopped by Ctrl-C.",
]
EPILOG = "\n\n".join(_LINES)
_CHANNEL_LINES = [
    "Examples:",
    "eew compare channels luding-2022",
    "eew compare channels quakes/us20190706_m71_ridgecrest --json",
    (
        "p50, p90, p99: s from the decision to the screen, of those told at all. Timely: share of "
        "the people concerned (their phone would show an alert) told before the S wave, then the "
        "same by epicentral distance in km (each column begins where the one before ends). "
        "Lead: s, median of those told at all; negative is late."
    ),
    (
        "All delays are MODELLED from published figures; sources, what is chosen and what is "
        "unverified: eew/tables/delivery_profiles.toml. mqtt is one broker as measured and the "
        "radio behind it as modelled."
    ),
    "Exit codes: 0 done, 2 wrong setting or name, 3 data that cannot be used, 130 stopped.",
]
CHANNEL_EPILOG = "\n\n".join(_CHANNEL_LINES)


@app.command("icl", epilog=EPILOG)
def icl(
    table: Annotated[
        Path | None,
        typer.Option(
            help="Table of published warnings (CSV).",
            metavar="FILE",
            show_default=f"{PUBLISHED} where it is there",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of network and records.", min=0)] = 1,
    jobs: Jobs = 2,
    json_only: Annotated[
        bool, typer.Option("--json", help="Print only the document, schema eew.compare/1.")
    ] = False,
) -> int:
    """Compute the quakes of a table on an ICL-like network, city by city beside the published."""
    from eew.app.compare import compare_warnings
    from eew.app.compare_document import compare_document
    from eew.cli.console import progress_counter
    from eew.errors import ConfigError
    from eew.report.folder import json_bytes

    path = PUBLISHED if table is None else table
    if not path.is_file():
        hint = "" if table is not None else "name a table with --table"
        raise ConfigError("--table", f"no such file: {path}", hint=hint)
    with progress_counter("quakes") as progress:
        found = compare_warnings(path, seed=seed, jobs=jobs, progress=progress)
    document = compare_document(found, table=path.name)
    if json_only:
        sys.stdout.write(json_bytes(document).decode())
        return 0
    _print(document)
    return 0


@app.command("channels", epilog=CHANNEL_EPILOG)
def channels(
    event: Annotated[
        str,
        typer.Argument(
            metavar="EVENT|FOLDER", help="As of eew replay; its true origin must be known."
        ),
    ],
    seed: Annotated[int, typer.Option(help="Seed of network, records and links.", min=0)] = 1,
    json_only: Annotated[
        bool, typer.Option("--json", help="Print only the document, schema eew.compare-channels/1.")
    ] = False,
) -> int:
    """Compare MQTT, radio, cell broadcast, push and WEA for one quake and the people round it."""
    from eew.app.compare_channels import compare_channels
    from eew.cli.console import progress_line
    from eew.report.folder import json_bytes

    with progress_line(f"replaying {event}"):
        document = compare_channels(event, seed=seed)
    if json_only:
        sys.stdout.write(json_bytes(document).decode())
        return 0
    _print_channels(document)
    return 0


def _print_channels(document: dict[str, Any]) -> None:
    from rich.table import Table

    from eew.cli.console import result_console

    console = result_console()
    console.print(
        f"SIMULATION  M{document['magnitude']:.1f} {document['event']}, seed {document['seed']}; "
        "all delays MODELLED"
    )
    if not document["people"]:
        console.print("nobody within 400 km would be told anything")
        return
    console.print(
        f"first alert {document['first_alert_s']:.1f} s after origin; "
        f"{document['people']:,} people in {document['places']} places are concerned"
    )
    grid = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    grid.add_column("channel", no_wrap=True)
    bands = [f"<{one['to_km']:.0f}" for one in document["bands"]]
    headings = ("p50", "p90", "p99", "reach", "timely", *bands, "lead")
    for heading in headings:
        grid.add_column(heading, justify="right", no_wrap=True)
    grid.add_row(
        "people",
        *[""] * 5,
        *(_people(one["people"]) for one in document["bands"]),
        "",
        style="dim",
    )
    for row in document["channels"]:
        told = row["told_after_decision_s"]
        grid.add_row(
            row["channel"],
            *(f"{told[name]:.1f}" for name in ("p50", "p90", "p99")),
            f"{row['reached']:.0%}",
            _percent(row["told_before_s"]),
            *(_percent(one) for one in row["told_before_s_by_band"]),
            "-" if row["lead_time_median_s"] is None else f"{row['lead_time_median_s']:+.1f}",
        )
    console.print(grid)
    console.print(
        "p50, p90, p99, lead: s; timely: share told before S, then the same by km\n"
        "reach: of devices that have the channel; for mqtt, of those connected"
    )


def _people(count: int) -> str:
    return f"{count / 1e6:.1f}M" if count >= 1_000_000 else f"{count / 1e3:.0f}k"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"


def _print(document: dict[str, Any]) -> None:
    from rich.table import Table

    from eew.cli.console import result_console

    console = result_console()
    console.print(
        f"SIMULATION  computed on the network {document['network']}, seed {document['seed']}, "
        f"beside {document['table']}"
    )
    grid = Table(box=None, pad_edge=False)
    columns = ("quake", "place", "km", "first alert, s", "lead, s", "published", "", "intensity")
    for heading in (*columns, "published", ""):
        grid.add_column(heading, justify="left" if heading in ("quake", "place") else "right")
    for row in document["rows"]:
        grid.add_row(
            row["event_id"],
            row["place"],
            f"{row['distance_km']:.0f}",
            _words(row["first_alert_s"]),
            _words(row["lead_time_s"]),
            _words(row["warning_s"]),
            _verdict(row["lead_time_holds"]),
            _words(row["predicted_intensity"]),
            _words(row["intensity"]),
            _verdict(row["intensity_holds"]),
        )
    console.print(grid)
    for name, words in (("lead_time", "lead time"), ("intensity", "intensity")):
        one = document[name]
        if one["compared"]:
            console.print(
                f"{words} {one['rule']}: {one['holds']} of {one['compared']} ({one['share']:.0%})"
            )
        else:
            console.print(f"{words}: the table has none to compare with")


def _words(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _verdict(holds: bool | None) -> str:
    return "" if holds is None else "ok" if holds else "no"
