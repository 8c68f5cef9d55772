"""``eew help-pack``: shelters and numbers that devices hold before any quake."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eew.cli.options import Json

if TYPE_CHECKING:
    from eew.ingest.shelters import ShelterImport

_SHOWN = 10

app = typer.Typer(
    help="Help packs: shelters, numbers and rescue words that devices hold before any quake.",
    no_args_is_help=True,
)
_LINES = [
    "Examples:",
    "eew help-pack build shelters.csv --country JP --source 'City of Nanao, CC BY 4.0'",
    "eew replay kumamoto-2016 --help-pack shelters.packs.json",
    (
        "A row is offered only where the list says that it is suited for earthquakes; every other "
        "row is counted with its reason. Exit code 3 where nothing can be offered."
    ),
]


@app.command("build", epilog="\n\n".join(_LINES))
def build(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Shelters as CSV or GeoJSON (plain, gz or xz).")
    ],
    country: Annotated[
        str, typer.Option(help="ISO 3166-1 alpha-2: national numbers, and where rows may lie.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            help="File of help packs to write.", metavar="FILE", show_default="FILE.packs.json"
        ),
    ] = None,
    source: Annotated[
        str, typer.Option(help="Where the list comes from, with its licence; shown to people.")
    ] = "",
    version: Annotated[
        str | None,
        typer.Option(
            help="Day of the list, YYYYMMDD: later versions replace earlier ones.",
            show_default="today",
        ),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(help="field=column for a column with a name of its own; repeatable."),
    ] = None,
    encoding: Annotated[str | None, typer.Option(help="Instead of trying UTF-8 and cp932.")] = None,
    assume_suited: Annotated[
        bool,
        typer.Option(
            "--assume-suited",
            help="Take every row as suited; only for a list known to hold earthquake shelters.",
        ),
    ] = False,
) -> None:
    """Make help packs from a list of shelters; say what was left out, and why."""
    from eew.app.help_packs import build_file
    from eew.clock import SystemClock

    target = out or file.with_name(file.name + ".packs.json")
    made = build_file(
        file,
        target,
        country=country,
        source=source,
        version=version,
        columns=column or (),
        encoding=encoding,
        assume_suited=assume_suited,
        clock=SystemClock(),
    )
    for line in import_lines(made.read):
        typer.echo(line)
    size = f"{made.n_bytes / 1e6:.1f} MB"
    typer.echo(f"saved {target}   {made.n_packs} areas, version {made.version}, {size}")
    typer.echo(f"next: eew help-pack show {target}   or   eew replay EVENT --help-pack {target}")


def import_lines(read: ShelterImport) -> list[str]:
    """Return what became of the rows of a list."""
    from eew.ingest.shelters import SET_ASIDE

    n_aside = sum(read.set_aside.values())
    first = f"{read.n_rows} rows ({read.encoding}): {len(read.shelters)} offered, "
    lines = [f"{first}{read.n_merged} merged into an equal one, {n_aside} set aside"]
    lines += [
        f"  {count:>7}  {SET_ASIDE.get(kind, kind)}"
        for kind, count in sorted(read.set_aside.items(), key=lambda item: (-item[1], item[0]))
        if count
    ]
    return lines


@app.command("show")
def show(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A file made by eew help-pack build.")
    ],
    as_json: Json = False,
) -> None:
    """Show which areas a file of help packs covers, and with what."""
    from eew.ingest.help_pack import read_help_packs

    packs = read_help_packs(file)
    if as_json:
        rows = [
            {
                "area": pack.area,
                "version": pack.version,
                "country": pack.country,
                "shelters": len(pack.shelters),
                "contacts": {contact.kind: contact.number for contact in pack.contacts},
                "generated": pack.generated,
                "source": pack.source,
            }
            for pack in packs
        ]
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    shelters = sum(len(pack.shelters) for pack in packs)
    typer.echo(f"{len(packs)} areas, {shelters} shelters (those near a border count twice)")
    for pack in packs[:_SHOWN]:
        numbers = ", ".join(f"{contact.kind} {contact.number}" for contact in pack.contacts)
        mark = "  generated" if pack.generated else ""
        typer.echo(
            f"  {pack.area}  version {pack.version}  {len(pack.shelters):>4} shelters  "
            f"{numbers}{mark}"
        )
    if len(packs) > _SHOWN:
        typer.echo(f"  and {len(packs) - _SHOWN} more areas")
    for source in sorted({pack.source for pack in packs if pack.source}):
        typer.echo(f"source: {source}")
