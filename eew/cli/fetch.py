"""``eew fetch``: a quake from an FDSN data centre."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from eew.model.waveform import DataProblem

_LINES = [
    "Examples:",
    "eew fetch us6000jllz --client EARTHSCOPE+USGS --out pazarcik",
    (
        "eew fetch --time 2019-07-06T03:19:53 --lat 35.77 --lon -117.60 --mag 7.1 --depth 8 "
        "--radius-km 100 --client SCEDC --out ridgecrest"
    ),
    "eew fetch luding-2022 --channels HN?,HH? --out luding",
    "eew replay ridgecrest",
    (
        "Per station the patterns of --channels are tried in their order; a later one only where "
        "the earlier ones have no data. The folder (waveforms.mseed, stations.xml, event.xml, "
        "SOURCE.txt) appears when it is complete. What could not be fetched is listed."
    ),
    (
        "Centres by name: EARTHSCOPE, USGS, SCEDC, NCEDC, GEONET, GEOFON, INGV, ORFEUS, KOERI and "
        "others that ObsPy knows; or a URL. The password of --user comes from EEW_FDSN_PASSWORD."
    ),
    (
        "Exit codes: 0 fetched (also where stations are missing), 2 wrong setting or name, 3 no "
        "data, 4 no network, or the centre cannot or will not answer, 130 stopped by Ctrl-C."
    ),
]
EPILOG = "\n\n".join(_LINES)
_SHOWN = 6


def fetch(
    out: Annotated[Path, typer.Option(help="Folder to write; must be new or empty.")],
    event: Annotated[
        str | None,
        typer.Argument(
            metavar="[EVENT]",
            help="A built-in event, scenario file or quake folder (for its time and place), or an "
            "event id of the centre.",
            show_default=False,
        ),
    ] = None,
    time: Annotated[
        str | None, typer.Option(help="Origin time, UTC.", metavar="ISO", show_default=False)
    ] = None,
    lat: Annotated[
        float | None, typer.Option(help="Epicentre, degrees north.", show_default=False)
    ] = None,
    lon: Annotated[
        float | None, typer.Option(help="Epicentre, degrees east.", show_default=False)
    ] = None,
    mag: Annotated[
        float | None, typer.Option(help="Magnitude, for the truth.", show_default=False)
    ] = None,
    depth: Annotated[
        float | None, typer.Option(help="Depth, km.", metavar="KM", show_default="10")
    ] = None,
    radius_km: Annotated[
        float, typer.Option(help="Furthest station, km from the epicentre.", metavar="KM")
    ] = 200.0,
    before_s: Annotated[float, typer.Option(help="Data before the origin, s.", metavar="S")] = 60.0,
    after_s: Annotated[float, typer.Option(help="Data after the origin, s.", metavar="S")] = 180.0,
    client: Annotated[
        str, typer.Option(help="Data centre: a name, or a URL.", metavar="NAME|URL")
    ] = "EARTHSCOPE+USGS",
    channels: Annotated[
        str,
        typer.Option(help="Channel codes with * and ?, the most wanted first.", metavar="LIST"),
    ] = "HN?,HL?,BN?,EN?,HH?,BH?,EH?",
    max_stations: Annotated[
        int, typer.Option(help="At most so many, the nearest.", metavar="N")
    ] = 200,
    user: Annotated[
        str | None, typer.Option(help="For data that are not open.", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Download waveforms, inventory and truth of a quake into a folder that eew replay reads."""
    from eew.app.fetch import Wanted, fetch_event
    from eew.cli.console import progress_console
    from eew.clock import SystemClock

    wanted = Wanted(event=event, time=time, lat=lat, lon=lon, magnitude=mag, depth_km=depth)
    settings: dict[str, Any] = {
        "radius_km": radius_km,
        "before_s": before_s,
        "after_s": after_s,
        "channels": tuple(part.strip() for part in channels.split(",") if part.strip()),
        "max_stations": max_stations,
    }
    console = progress_console()
    status = console.status("starting", spinner="line") if console is not None else None

    def say(words: str) -> None:
        if status is not None:
            status.update(words)

    if status is not None:
        status.start()
    try:
        request, fetched = fetch_event(
            wanted,
            out,
            client=client,
            settings=settings,
            user=user,
            clock=SystemClock(),
            say=say,
        )
    finally:
        if status is not None:
            status.stop()
    recording = fetched.recording
    assert recording is not None
    n_channels = sum(len(station.channels) for station in recording.stations)
    if as_json:
        document = {
            "simulation": True,
            "folder": str(out),
            "event": request.truth.event_id,
            "magnitude": request.truth.magnitude,
            "stations_offered": fetched.n_offered,
            "stations": len(recording.stations),
            "channels": n_channels,
            "bytes": fetched.n_bytes,
            "problems": [
                {"kind": one.kind, "where": one.where, "detail": one.detail, "count": one.count}
                for one in (*fetched.problems, *recording.problems)
            ],
        }
        typer.echo(json.dumps(document, indent=2))
        return
    typer.echo(
        f"SIMULATION  M{request.truth.magnitude:.1f} {request.truth.event_id}: "
        f"{len(recording.stations)} of {fetched.n_offered} stations, {n_channels} channels, "
        f"{fetched.n_bytes / 1e6:.1f} MB"
    )
    for line in _left_out(fetched.problems):
        typer.echo(f"  left out {line}")
    typer.echo(f"saved {out}   next: eew replay {out}")


def _left_out(problems: list[DataProblem]) -> list[str]:
    """Return a line per reason, with the first stations it concerns."""
    by_reason: dict[str, list[str]] = {}
    for one in problems:
        by_reason.setdefault(one.detail, []).append(one.where)
    lines = []
    for reason, stations in by_reason.items():
        named = ", ".join(stations[:_SHOWN])
        if len(stations) > _SHOWN:
            named += f" and {len(stations) - _SHOWN} more (all in SOURCE.txt)"
        lines.append(f"{named}: {reason}")
    return lines
