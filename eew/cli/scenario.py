"""``eew scenario``: make a scenario file, and check one."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from eew.cli.options import Json, Seed

app = typer.Typer(
    help="Scenario files: a quake, its network, what goes wrong, and what must come out.",
    no_args_is_help=True,
)
_QUAKES_SHOWN = 12
_NEW_LINES = [
    "Examples:",
    "eew scenario new",
    "eew scenario new --lat 38.32 --lon 142.37 --mag 7.4 --depth 24 --out offshore.toml",
    'eew scenario new --lat 31.1 --lon 103.3 --mag 7.0 --site "Wenchuan:31.47,103.58"',
    (
        "What is not given is asked for on a terminal; elsewhere --lat, --lon and --mag must be "
        "given and the rest takes its default."
    ),
    "Exit codes: 0 done, 2 a wrong answer, or the file is there already.",
]
_CHECK_LINES = [
    "Examples:",
    "eew scenario check drill.toml",
    "eew scenario check luding-2022 --json",
    (
        "Units: s after the origin time, km. Nothing is computed, but the stations are placed: a "
        "fault that names a station that is not there is found."
    ),
    "Exit codes: 0 all is right, 2 something is wrong, 3 the recorded quake cannot be read.",
]


@app.command("new", epilog="\n\n".join(_NEW_LINES))
def new(
    lat: Annotated[float | None, typer.Option(help="Epicentre, degrees north.")] = None,
    lon: Annotated[float | None, typer.Option(help="Epicentre, degrees east.")] = None,
    mag: Annotated[float | None, typer.Option(help="Magnitude, 3 to 9.5.")] = None,
    depth: Annotated[
        float | None, typer.Option(help="Depth of the hypocentre in km.", show_default="10")
    ] = None,
    title: Annotated[
        str | None, typer.Option(help="One line for people.", show_default="from magnitude, place")
    ] = None,
    region: Annotated[
        str | None,
        typer.Option(help="How waves fade there.", show_default="that of the place"),
    ] = None,
    network: Annotated[
        str | None,
        typer.Option(help="Spacing of the stations in km, or a network's name.", show_default="15"),
    ] = None,
    radius: Annotated[
        float | None, typer.Option(help="Stations out to so many km.", show_default="140")
    ] = None,
    site: Annotated[
        list[str] | None,
        typer.Option(
            help='A town, "Name:lat,lon" in degrees; repeatable.',
            metavar="NAME:LAT,LON",
            show_default="the 8 largest around",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="File to write; never overwritten.", show_default="scenario.toml"),
    ] = None,
) -> None:
    """Ask for the essentials of a quake and write a commented scenario file that holds."""
    from eew.app.options import parse_site
    from eew.app.scenario_new import Answers, likely_region, towns_near, write_scenario
    from eew.cli.console import progress_line
    from simulator.attenuation import region_names

    path = out or Path("scenario.toml")
    if path.exists():
        from eew.errors import ConfigError

        raise ConfigError("--out", f"{path} is there already, it is not overwritten")
    ask = _Ask()
    lat = ask.number("--lat", "Epicentre, degrees north", lat, low=-90.0, high=90.0)
    lon = ask.number("--lon", "Epicentre, degrees east", lon, low=-180.0, high=180.0)
    mag = ask.number("--mag", "Magnitude", mag, low=3.0, high=9.5)
    depth = ask.number("--depth", "Depth in km", depth, low=0.0, high=700.0, default=10.0)
    title = ask.text("Title", title, default=f"M{mag:.1f} at {lat:g}, {lon:g}")
    region = ask.text(
        "Region", region, default=likely_region(lat, lon, depth), known=region_names()
    )
    network = ask.text("Spacing of the stations in km, or a network's name", network, default="15")
    radius = ask.number(
        "--radius", "Stations out to km", radius, low=5.0, high=500.0, default=140.0
    )
    sites = tuple(parse_site(text) for text in site or ())
    with progress_line("looking up the towns around"):
        sites = sites or towns_near(lat, lon, radius)
    answers = Answers(
        title=title,
        lat=lat,
        lon=lon,
        magnitude=mag,
        depth_km=depth,
        region=region,
        network=network,
        radius_km=radius,
        sites=sites,
    )
    write_scenario(answers, path)
    typer.echo(f"saved {path}   next: eew scenario check {path}   or   eew replay {path}")


@app.command("check", epilog="\n\n".join(_CHECK_LINES))
def check(
    scenario: Annotated[
        str, typer.Argument(metavar="SCENARIO", help="A scenario file, or a built-in event.")
    ],
    seed: Seed = 1,
    as_json: Json = False,
) -> None:
    """Check a scenario, and say what it would compute and break, without computing it."""
    from eew.app.scenario_check import check_scenario
    from eew.cli.console import progress_line

    with progress_line(f"checking {scenario}"):
        found = check_scenario(scenario, seed=seed)
    if as_json:
        typer.echo(json.dumps(found.document(), indent=2, ensure_ascii=False))
        return
    typer.echo(f"SIMULATION  {found.title}   ({found.kind})")
    for n, line in enumerate(found.quakes[:_QUAKES_SHOWN]):
        typer.echo(f"  {'quakes' if n == 0 else '':<9} {line}")
    if len(found.quakes) > _QUAKES_SHOWN:
        typer.echo(f"  {'':<9} and {len(found.quakes) - _QUAKES_SHOWN} more (--json)")
    typer.echo(f"  network   {found.stations} stations, {found.channels} channels")
    typer.echo(
        f"  records   {found.from_s:+.0f} to {found.to_s:+.0f} s, "
        f"{found.samples / 1e6:.1f} million samples, {found.megabytes:.0f} MB"
    )
    typer.echo(f"  link      {found.link}")
    typer.echo(f"  devices   {found.phones} phones, {found.tvs} TVs")
    if found.places:
        typer.echo(f"  places    {', '.join(found.places)}")
    for n, fault in enumerate(found.faults):
        way = "  (on the way)" if fault.on_the_way else ""
        typer.echo(f"  {'faults' if n == 0 else '':<9} {fault.words}{way}")
    if found.expects:
        typer.echo(f"  expects   {', '.join(found.expects)}")
    typer.echo(f"\nall is right, nothing was computed   next: eew replay {scenario}")


class _Ask:
    """Asks on a terminal; elsewhere what is not given takes its default or is an error."""

    def __init__(self) -> None:
        self._somebody_there = sys.stdin.isatty() and sys.stdout.isatty()

    def number(
        self,
        option: str,
        words: str,
        given: float | None,
        *,
        low: float,
        high: float,
        default: float | None = None,
    ) -> float:
        """Return what is given, or ask for a number within a range until there is one."""
        if given is not None:
            return given

        def read(text: str) -> float:
            try:
                value = float(text)
            except ValueError:
                raise typer.BadParameter(f"{text!r} is no number") from None
            if not low <= value <= high:  # also refuses NaN
                raise typer.BadParameter(f"expected {low:g} to {high:g}")
            return value

        if self._somebody_there:
            return float(self._prompt(f"{words}, {low:g} to {high:g}", read, default))
        if default is None:
            from eew.errors import ConfigError

            raise ConfigError(option, "must be given where nobody can be asked")
        return default

    def text(
        self, words: str, given: str | None, *, default: str, known: tuple[str, ...] = ()
    ) -> str:
        """Return what is given, or ask for words, for one of ``known`` where there are any."""
        if given is not None:
            return given

        def read(text: str) -> str:
            if known and text not in known:
                raise typer.BadParameter(f"expected one of {', '.join(known)}")
            return text

        return str(self._prompt(words, read, default)) if self._somebody_there else default

    @staticmethod
    def _prompt(words: str, read: Callable[[str], object], default: object) -> Any:
        try:
            return typer.prompt(words, value_proc=read, default=default)
        except typer.Abort:  # what a prompt makes of Ctrl-C
            typer.echo()
            raise KeyboardInterrupt from None
