"""``eew events``: the built-in, computed quakes."""

from __future__ import annotations

import json
from typing import Annotated

import typer

app = typer.Typer(
    help="The built-in events: real quakes, computed (recorded data may not be shipped).",
    no_args_is_help=True,
)

_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_events(as_json: _Json = False) -> None:
    """List the built-in events."""
    from simulator.scenario import builtin_names, load_scenario

    found = [load_scenario(name) for name in builtin_names()]
    if as_json:
        typer.echo(json.dumps([{"name": one.name, "title": one.title} for one in found], indent=2))
        return
    width = max(len(one.name) for one in found)
    for one in found:
        event = one.event
        typer.echo(
            f"{one.name:<{width}}   {event.origin_time:%Y-%m-%d}   "
            f"M{event.magnitude:.1f}   {one.country}   {one.title}"
        )
    typer.echo(f"\nnext: eew events show {found[0].name}   or   eew replay {found[0].name}")


@app.command("show")
def show_event(
    name: Annotated[str, typer.Argument(help="Name of a built-in event, or a scenario file.")],
    as_json: _Json = False,
) -> None:
    """Show what a built-in event is made of."""
    from simulator.scenario import load_scenario

    one = load_scenario(name)
    event, network = one.event, one.network
    values: dict[str, object] = {
        "name": one.name,
        "title": one.title,
        "origin_time": f"{event.origin_time:%Y-%m-%dT%H:%M:%SZ}",
        "lat": event.lat,
        "lon": event.lon,
        "depth_km": event.depth_km,
        "magnitude": event.magnitude,
        "magnitude_type": event.magnitude_type,
        "country": one.country,
        "languages": list(one.languages),
        "station_spacing_km": network.spacing_km,
        "network_radius_km": network.radius_km,
        "sites": [
            {"name": site.name, "lat": site.lat, "lon": site.lon, "population": site.population}
            for site in one.sites
        ],
    }
    if as_json:
        typer.echo(json.dumps(values, indent=2, ensure_ascii=False))
        return
    typer.echo(f"{one.title}   (computed, not recorded)")
    typer.echo(f"  origin     {values['origin_time']}")
    typer.echo(f"  hypocentre {event.lat:.3f}, {event.lon:.3f}   {event.depth_km:g} km deep")
    typer.echo(f"  magnitude  {event.magnitude:.1f} {event.magnitude_type}")
    typer.echo(
        f"  network    a station every {network.spacing_km:g} km, out to {network.radius_km:g} km"
    )
    typer.echo(f"  languages  {', '.join(one.languages)}")
    typer.echo("  places     " + ", ".join(site.name for site in one.sites))
    typer.echo(f"\nnext: eew replay {one.name}")
