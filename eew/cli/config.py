"""``eew config``: what the files and messages of this program look like."""

from __future__ import annotations

import json
from typing import Annotated

import typer

app = typer.Typer(
    help="The files that this program reads and the messages it sends: fields, units, ranges.",
    no_args_is_help=True,
)
_LINES = [
    "Examples:",
    "eew config schema scenario > scenario.schema.json",
    "eew config schema scenario --toml > example.toml",
    "eew config schema asyncapi > asyncapi.json",
    (
        "The example holds every field there is and passes eew scenario check. asyncapi is the "
        "AsyncAPI 3 document of every topic and message (docs/asyncapi.json)."
    ),
]
_FILES = ("scenario", "asyncapi")


@app.command("schema", epilog="\n\n".join(_LINES))
def schema(
    which: Annotated[
        str, typer.Argument(metavar="FILE", help="scenario (a file), or asyncapi (MQTT).")
    ],
    as_toml: Annotated[
        bool, typer.Option("--toml", help="A commented example instead of a JSON Schema.")
    ] = False,
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="The kinds of faults, as docs/scenarios.md has them.")
    ] = False,
) -> None:
    """Print what a kind of file, or the messages over MQTT, hold: descriptions, units, ranges."""
    from eew.errors import ConfigError
    from eew.messages.asyncapi import asyncapi_document
    from simulator.scenario_schema import fault_markdown, json_schema, toml_example

    if which not in _FILES:
        raise ConfigError("FILE", f"expected one of {', '.join(_FILES)}, was {which!r}")
    if as_toml and as_markdown:
        raise ConfigError("--toml", "expected one of --toml and --markdown")
    if which == "asyncapi":
        if as_toml or as_markdown:
            raise ConfigError("FILE", "asyncapi is JSON: --toml and --markdown are for scenario")
        typer.echo(json.dumps(asyncapi_document(), indent=2, ensure_ascii=False))
    elif as_toml:
        typer.echo(toml_example(), nl=False)
    elif as_markdown:
        typer.echo(fault_markdown(), nl=False)
    else:
        typer.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))
