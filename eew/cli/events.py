"""``eew events``: the quakes that can be computed by name."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from eew.cli.options import Json

_LIST_LINES = [
    "Examples:",
    "eew events list --country CN --since 2020",
    "eew events list --min-magnitude 7.5 --json",
    (
        "Magnitudes are what a replay computes; the catalogue's own are moment magnitudes where "
        "there is one. --json prints every parameter with the source of each figure."
    ),
    "Exit codes: 0 done, 2 a filter that cannot be read.",
]
_SHOW_LINES = [
    "Examples:",
    "eew events show wenchuan-2008",
    "eew events show tohoku-2011 --json",
    "Exit codes: 0 done, 2 no such event.",
]

app = typer.Typer(
    help="Historical quakes: real source parameters, computed records (recorded data may not be "
    "shipped).",
    no_args_is_help=True,
)


@app.command("list", epilog="\n\n".join(_LIST_LINES))
def list_events(
    country: Annotated[
        str | None, typer.Option(help="Only of this country, two letters (ISO 3166-1).")
    ] = None,
    min_magnitude: Annotated[
        float | None, typer.Option(help="Only of this magnitude and larger.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="Only from this year, month or day on: 2020, 2020-07-12.")
    ] = None,
    as_json: Json = False,
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="Print a table for a page, as docs/catalogue.md.")
    ] = False,
) -> None:
    """List the quakes that can be computed by name, by date."""
    from eew.app.event_list import Filters, event_rows, read_date

    filters = Filters(
        country=country,
        min_magnitude=min_magnitude,
        since=None if since is None else read_date(since),
    )
    rows = event_rows(filters)
    if as_json:
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    if as_markdown:
        typer.echo(_page(rows))
        return
    if not rows:
        typer.echo("no quake passes; eew events list shows all")
        return
    width = max(len(row["name"]) for row in rows)
    for row in rows:
        mark = "*" if row["kind"] == "scenario" else " "
        typer.echo(
            f"{row['name']:<{width}} {mark} {row['origin_time'][:10]}   "
            f"{row['magnitude_type']:<2} {row['magnitude']:.1f}   {row['country']}   "
            f"{row['title'].rsplit(', M', 1)[0]}"
        )
    typer.echo(f"\nSIMULATION  {len(rows)} quakes, computed, not recorded; * has a scenario file")
    from simulator.scenario import drill_names

    typer.echo(f"drills, known quakes with trouble: {', '.join(drill_names())}")
    typer.echo(f"next: eew events show {rows[0]['name']}   or   eew replay {rows[0]['name']}")


@app.command("show", epilog="\n\n".join(_SHOW_LINES))
def show_event(
    name: Annotated[str, typer.Argument(help="Name of a quake, or a scenario file.")],
    as_json: Json = False,
) -> None:
    """Show a quake: each parameter with its source, and what a replay computes it on."""
    from eew.app.event_list import event_values
    from eew.cli.console import progress_line

    with progress_line(f"looking up {name} and the places around it"):
        values = event_values(name)
    if as_json:
        typer.echo(json.dumps(values, indent=2, ensure_ascii=False))
        return
    typer.echo(f"SIMULATION  {values['title']}   (computed, not recorded)")
    for words, figure in _lines(values):
        typer.echo(f"  {words}{_source(values, figure)}")
    typer.echo(f"\nnext: eew replay {name}   ({values['network']})")


def _page(rows: list[dict[str, Any]]) -> str:
    about = (
        "Real source parameters, computed records: a simulation. `~` marks a figure that is "
        "approximate; `eew events show NAME` has the source of each one. Written by "
        "`eew events list --markdown`."
    )
    lines = [
        "# Quakes that can be computed by name",
        "",
        about,
        "",
        "| name | origin (UTC) | hypocentre | magnitude | where | strike/dip/rake | plane, km |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        mechanism, plane = row.get("mechanism"), row.get("plane")
        angles = "/".join(f"{value:g}" for value in mechanism.values()) if mechanism else ""
        size = f"{plane['length_km']:g} x {plane['width_km']:g}" if plane else ""
        cells = [
            row["name"],
            _marked(row, "time", row["origin_time"].replace("T", " ").removesuffix("Z")),
            _marked(
                row, "hypocentre", f"{row['lat']:.2f}, {row['lon']:.2f}, {row['depth_km']:g} km"
            ),
            _marked(row, "magnitude", f"{row['magnitude_type']} {row['magnitude']:.1f}"),
            f"{row['title'].rsplit(', M', 1)[0]} ({row['country']})",
            _marked(row, "mechanism", angles),
            _marked(row, "plane", size),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _marked(row: dict[str, Any], figure: str, words: str) -> str:
    return f"~{words}" if words and figure in row.get("approximate", ()) else words


def _source(values: dict[str, Any], figure: str) -> str:
    """Write where a figure is from, and whether it is sure."""
    source = values.get("sources", {}).get("hypocentre" if figure == "time" else figure)
    if source is None:
        return ""
    return f"   [{'approximate; ' if figure in values['approximate'] else ''}{source}]"


def _lines(values: dict[str, Any]) -> list[tuple[str, str]]:
    """Return lines and the figure whose source each one has."""
    lines = [
        (f"origin     {values['origin_time']}", "time"),
        (
            f"hypocentre {values['lat']:.3f}, {values['lon']:.3f}   {values['depth_km']:g} km deep",
            "hypocentre",
        ),
        (f"magnitude  {values['magnitude']:.1f} {values['magnitude_type']}", "magnitude"),
    ]
    if values.get("mechanism") is not None:
        lines.append((f"mechanism  {_angles(values['mechanism'])}", "mechanism"))
    plane, computed = values.get("plane"), values["computed_fault"]
    if plane is not None:
        unused = "" if computed is not None else " (the scenario file leaves it to chance)"
        lines.append((f"plane      {_size(plane)}; ruptured {plane['ruptures']}{unused}", "plane"))
    elif computed is not None:
        lines.append((f"plane      {_size(computed)}; from the magnitude", ""))
    if "setting" in values:
        lines.append((f"setting    {values['setting']}, {values['region']}", ""))
    if values.get("recorded"):
        lines.append((f"recorded   the folder {values['recorded']} has records of it", ""))
    lines += [
        (f"waves      attenuation of {values['attenuation']}, {values['record_s']:g} s", ""),
        (f"network    {values['network']}", ""),
        (f"languages  {', '.join(values['languages'])}", ""),
        ("places     " + ", ".join(site["name"] for site in values["sites"]), ""),
    ]
    return lines


def _size(plane: dict[str, Any]) -> str:
    return (
        f"{plane['length_km']:g} by {plane['width_km']:g} km, hypocentre "
        f"{100.0 * plane['along_share']:.0f} % along and {100.0 * plane['down_share']:.0f} % down"
    )


def _angles(mechanism: dict[str, float]) -> str:
    """Write the three angles, and in a word what they mean."""
    rake = mechanism["rake_deg"]
    if 45.0 <= rake <= 135.0:
        kind = "reverse"
    elif -135.0 <= rake <= -45.0:
        kind = "normal"
    else:
        kind = "left-lateral" if abs(rake) < 90.0 else "right-lateral"
    return (
        f"strike {mechanism['strike_deg']:g}, dip {mechanism['dip_deg']:g}, rake {rake:g}: {kind}"
    )
