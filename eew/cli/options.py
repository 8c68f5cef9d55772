"""Options that more than one command has: the same name, the same words everywhere.

An option of one command alone is declared where the command is.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Annotated, Any

import typer

__all__ = [
    "DELAY",
    "PACKET",
    "Bind",
    "Delay",
    "Event",
    "HelpPacks",
    "HttpPort",
    "Jobs",
    "Json",
    "Key",
    "Keys",
    "Languages",
    "Packet",
    "Phones",
    "Seed",
    "Sites",
    "StatusWord",
    "Tvs",
    "Until",
    "broker_option",
    "only_with",
]


def only_with(option: str, declared: Any) -> Any:
    """Return a declared option as one that has a meaning only where ``option`` is given."""
    narrowed = copy.copy(declared)
    narrowed.help = f"With {option}: {declared.help[0].lower()}{declared.help[1:]}"
    return narrowed


def broker_option(*, none: str) -> Any:
    """Return the option that chooses the broker; ``none`` says what there is without one."""
    return typer.Option(
        help="auto (mosquitto from PATH, else embedded), embedded, mosquitto, an mqtt:// or "
        f"mqtts:// URL, or none ({none}).",
        metavar="WHICH",
    )


PACKET: Any = typer.Option(
    help="Length of a packet, 0.1 to 10 s. [default: the scenario's, else 0.5]",
    metavar="S",
    show_default=False,
)
DELAY: Any = typer.Option(
    help="Link delay at every station in s, 0 allowed. "
    "[default: the scenario's, else log-normal, median 0.3 s, drawn per station]",
    metavar="S",
    show_default=False,
)

# ---------------------------------------------------------------- the quake and its data
Event = Annotated[
    str,
    typer.Argument(
        metavar="EVENT|FOLDER",
        help="A built-in event (eew events list), a scenario file, or a folder with "
        "waveforms.mseed and stations.xml.",
    ),
]
Packet = Annotated[str | None, PACKET]
Delay = Annotated[str | None, DELAY]
Seed = Annotated[int, typer.Option(help="Seed of everything that is drawn.")]
Until = Annotated[
    str | None,
    typer.Option(
        help="Stop this long after the true origin (after the first sample without truth).",
        metavar="S",
        show_default="the end of the data",
    ),
]

# ---------------------------------------------------------------- devices, and what they are told
Phones = Annotated[
    int | None, typer.Option(help="Phones, placed by population.", show_default="20")
]
Tvs = Annotated[int | None, typer.Option(help="TVs, placed by population.", show_default="4")]
Sites = Annotated[
    list[str] | None,
    typer.Option(
        help='A place of yours with a phone, "Name:lat,lon" in degrees; repeatable.',
        metavar="NAME:LAT,LON",
    ),
]
Languages = Annotated[
    list[str] | None,
    typer.Option(
        help="Language of the devices: en, zh, ja, es, tr; repeatable (devices take turns).",
        metavar="LANG",
        show_default="those of the place",
    ),
]
StatusWord = Annotated[
    str,
    typer.Option(help="exercise, drill or test: tree and words of the messages.", metavar="WORD"),
]
HelpPacks = Annotated[
    list[Path] | None,
    typer.Option(
        help="A help pack made by eew help-pack build; repeatable.",
        metavar="FILE",
        show_default="the built-in ones",
    ),
]
Key = Annotated[
    Path | None,
    typer.Option(
        help="Private key that signs, made by eew keys new.",
        metavar="FILE",
        show_default="a development key made from the seed",
    ),
]
Keys = Annotated[
    Path | None,
    typer.Option(
        help="Key set the devices are set up with (needs --key).",
        metavar="FILE",
        show_default="the public part of --key",
    ),
]

# ---------------------------------------------------------------- servers
HttpPort = Annotated[
    int, typer.Option(help="HTTP port; 0 takes a free one and prints it.", min=0, max=65535)
]
Bind = Annotated[str, typer.Option(help="Address to listen on; the default is this machine only.")]

# ---------------------------------------------------------------- work and output
Jobs = Annotated[
    int, typer.Option(help="Processes at work at once; the result is the same.", metavar="N")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
