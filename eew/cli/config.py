"""``eew config``: what the files that this program reads look like."""

from __future__ import annotations

import json
from typing import Annotated

import typer

app = typer.Typer(
    help="The files that this program reads: their fields, units and ranges.",
    no_args_is_help=True,
)
_LINES = [
    "Examples:",
    "eew config schema scenario > scenario.schema.json",
    "eew config schema scenario --toml > example.toml",
    "The example holds every field there is and passes eew scenario check.",
]
_FILES = ("scenario",)


@app.command("schema", epilog="\n\n".join(_LINES))
def schema(
    which: Annotated[str, typer.Argument(metavar="FILE", help="Which kind of file: scenario.")],
    as_toml: Annotated[
        bool, typer.Option("--toml", help="A commented example instead of a JSON Schema.")
    ] = False,
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="The kinds of faults, as docs/scenarios.md has them.")
    ] = False,
) -> None:
    """Print the JSON Schema of a kind of file, with descriptions, units and ranges."""
    from eew.errors import ConfigError
    from simulator.scenario_schema import fault_markdown, json_schema, toml_example

    if which not in _FILES:
        raise ConfigError("FILE", f"expected one of {', '.join(_FILES)}, was {which!r}")
    if as_toml and as_markdown:
        raise ConfigError("--toml", "expected one of --toml and --markdown")
    if as_toml:
        typer.echo(toml_example(), nl=False)
    elif as_markdown:
        typer.echo(fault_markdown(), nl=False)
    else:
        typer.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))
