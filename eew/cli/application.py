"""The tree of commands."""

from __future__ import annotations

import os
from functools import cache
from typing import Annotated, Any

import typer

from eew import __version__
from eew.cli import (
    capacity,
    client,
    compare,
    config,
    crowd,
    deploy,
    doctor,
    events,
    fdsnws,
    fetch,
    help_pack,
    keys,
    msg,
    openeew,
    replay,
    scenario,
    score,
    season,
    seedlink,
    serve,
    simulate,
)

_EPILOG = (
    "Exit codes: 0 done, 1 unexpected, 2 wrong setting or name, 3 data that cannot be used, "
    "4 network or broker, 5 a check does not hold, 130 stopped by Ctrl-C. "
    "Times are UTC, or seconds after the true origin. Everything this program says is a "
    "SIMULATION: it cannot send an actual alert."
)

app = typer.Typer(
    name="eew",
    help="Earthquake early-warning simulator: from seismograms to the words on phones and TVs.",
    epilog=_EPILOG,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command(name="replay", epilog=replay.EPILOG)(replay.replay)
app.command(name="simulate", epilog=simulate.EPILOG)(simulate.simulate)
app.command(name="score", epilog=score.EPILOG)(score.score)
app.command(name="season", epilog=season.EPILOG)(season.season)
app.command(name="serve", epilog=serve.EPILOG)(serve.serve)
app.command(name="client", epilog=client.EPILOG)(client.client)
app.command(name="seedlink", epilog=seedlink.EPILOG)(seedlink.seedlink)
app.command(name="fdsnws", epilog=fdsnws.EPILOG)(fdsnws.fdsnws)
app.command(name="capacity", epilog=capacity.EPILOG)(capacity.capacity)
app.command(name="fetch", epilog=fetch.EPILOG)(fetch.fetch)
app.command(name="crowd", epilog=crowd.EPILOG)(crowd.crowd)
app.add_typer(compare.app, name="compare")
app.add_typer(events.app, name="events")
app.add_typer(scenario.app, name="scenario")
app.add_typer(help_pack.app, name="help-pack")
app.add_typer(keys.app, name="keys")
app.add_typer(openeew.app, name="openeew")
app.add_typer(msg.app, name="msg")
app.add_typer(deploy.app, name="deploy")
app.add_typer(config.app, name="config")
app.command(name="doctor")(doctor.doctor)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _options(
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show the traceback of an error.")
    ] = False,
    show_version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", callback=_show_version, is_eager=True),
    ] = False,
) -> None:
    if verbose:
        os.environ["EEW_DEBUG"] = "1"


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


@cache
def command() -> Any:
    """Return the whole tree as one callable, built once."""
    return typer.main.get_command(app)
