"""``eew fdsnws``: quakes as an FDSN data centre gives them."""

from __future__ import annotations

from typing import Annotated

import typer

from eew.cli.options import Bind, HttpPort, Seed

_LINES = [
    "Examples:",
    "eew fdsnws luding-2022",
    "eew fdsnws quakes/us20190706_m71_ridgecrest quakes/mx20200111_m51_openeew --port 8081",
    "curl 'http://127.0.0.1:8081/fdsnws/event/1/query?minmagnitude=6&format=text'",
    "eew fetch us20190706_m71_ridgecrest --client http://127.0.0.1:8081 --out ridgecrest",
    (
        "fdsnws-dataselect, -station and -event 1: GET, and POST for the first two; format xml or "
        "text; codes with * and ?. Folders are given as they are. ObsPy: "
        'Client("http://127.0.0.1:8081").'
    ),
    (
        "Exit codes: 0 stopped by Ctrl-C, 2 wrong name, 3 data that cannot be read, 4 the port is "
        "taken, 130 told to stop twice."
    ),
]
EPILOG = "\n\n".join(_LINES)


def fdsnws(
    events: Annotated[
        list[str],
        typer.Argument(
            metavar="EVENT|FOLDER...",
            help="Built-in events (eew events list), scenario files, or quake folders.",
        ),
    ],
    port: HttpPort = 8081,
    bind: Bind = "127.0.0.1",
    seed: Seed = 1,
) -> None:
    """Serve quakes by the FDSN web services, for ObsPy and any other client of theirs."""
    from eew.app.fdsnws import serve_fdsnws

    serve_fdsnws(events, bind=bind, port=port, seed=seed, say=lambda words: typer.echo(words))
