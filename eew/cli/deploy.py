"""``eew deploy``: configurations for brokers that stand on their own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from eew.cli.console import progress_line

app = typer.Typer(
    help="Configurations for brokers of your own: TLS, accounts, access rules, leaves.",
    no_args_is_help=True,
)
_LINES = [
    "Examples:",
    "eew deploy mosquitto --out brokers --around 29.6,102.1 --within 300",
    "eew deploy mosquitto --out brokers --leaves 3 --hubs 2 --cells-of JP --host eew.example.org",
    "eew deploy mosquitto --out brokers --auth certificates --cells areas.txt --force",
    "cd brokers/broker && mosquitto -c mosquitto.conf",
    (
        "Files are only written, nothing is started; README.txt in the folder says how. Needs "
        "mosquitto 2.0 with its dynamic security plugin (in Debian's package). Keys and "
        "credentials are readable for their owner only."
    ),
    "Exit codes: 0 written, 2 wrong setting, or the folder is not empty, 3 cannot be written.",
]


@app.callback()
def _group() -> None:
    """Keep ``mosquitto`` a command of its own although it is the only one."""


@app.command("mosquitto", epilog="\n\n".join(_LINES))
def mosquitto(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder to write.")],
    leaves: Annotated[
        int, typer.Option(help="Brokers for devices, fed by hubs; 0: one broker for everything.")
    ] = 0,
    hubs: Annotated[int, typer.Option(help="Brokers for the service, 1 or 2.")] = 1,
    host: Annotated[
        list[str] | None,
        typer.Option(
            help="Name or address under which the brokers are reached: one for all, or one for "
            "each, hubs first; repeatable.",
            show_default="localhost",
        ),
    ] = None,
    base_port: Annotated[
        int, typer.Option(help="TCP port; several brokers on one host take the ports after it.")
    ] = 8883,
    auth: Annotated[
        str, typer.Option(help="How clients prove who they are: password or certificates.")
    ] = "password",
    cells_of: Annotated[
        str | None,
        typer.Option(metavar="COUNTRY", help="Accounts for the areas of a country, such as JP."),
    ] = None,
    around: Annotated[
        str | None,
        typer.Option(metavar="LAT,LON", help="Accounts for the areas round a place, degrees."),
    ] = None,
    within: Annotated[float, typer.Option(metavar="KM", help="How far round it, km.")] = 300.0,
    cells: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Accounts for the areas (H3 cells) of a file, by line."),
    ] = None,
    days: Annotated[
        int, typer.Option(help="How long certificates are valid.", min=1, max=3650)
    ] = 365,
    force: Annotated[
        bool,
        typer.Option("--force", help="Replace what is there; its secret and authority are kept."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Say as JSON what was written.")] = False,
) -> None:
    """Write configurations for mosquitto: TLS, accounts, access rules, and bridges to leaves."""
    from eew.app.deploy import write_deployment
    from eew.app.deploy_cells import cells_around, cells_of_country, cells_of_file
    from eew.app.deploy_plan import plan_deployment
    from eew.clock import SystemClock
    from eew.errors import ConfigError

    deployment = plan_deployment(
        n_leaves=leaves, n_hubs=hubs, hosts=host or ["localhost"], base_port=base_port, auth=auth
    )
    given = [one for one in (cells_of, around, cells) if one is not None]
    if len(given) != 1:
        raise ConfigError("--cells-of", "exactly one of --cells-of, --around and --cells is needed")
    with progress_line("writing accounts"):
        if cells_of is not None:
            chosen = cells_of_country(cells_of.upper())
        elif around is not None:
            chosen = cells_around(around, within)
        else:
            assert cells is not None  # one of the three is given
            chosen = cells_of_file(cells)
        files = write_deployment(
            out, deployment, chosen, clock=SystemClock(), days=days, force=force
        )
    if as_json:
        document = {
            "simulation": True,
            "folder": str(out),
            "auth": auth,
            "areas": len(chosen),
            "brokers": [
                {"name": one.name, "role": one.role, "url": one.url} for one in deployment.brokers
            ],
            "files": [
                {"path": one.path, "bytes": len(one.content), "mode": f"{one.mode:04o}"}
                for one in files
            ],
        }
        typer.echo(json.dumps(document, indent=2))
        return
    typer.echo(f"SIMULATION. Saved {len(files)} files in {out}, accounts of {len(chosen)} areas")
    for one in deployment.brokers:
        typer.echo(
            f"  {one.name:<10} {one.url:<32} cd {out / one.name} && mosquitto -c mosquitto.conf"
        )
    typer.echo(f"next: {out / 'README.txt'}")
