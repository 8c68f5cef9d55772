"""``eew seedlink``: a quake on the field's own wire."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from eew.cli.options import Bind, Delay, Event, Packet, Seed, Until

_LINES = [
    "Examples:",
    "eew seedlink luding-2022",
    "eew seedlink quakes/us20190706_m71_ridgecrest --port 0 --wait-for-clients 1",
    "eew seedlink FOLDER --speed 10 --once --inventory-out stations.xml",
    "slinktool -Q 127.0.0.1:18000",
    (
        "Both versions of the protocol on one port: 3.1 (MiniSEED 2) and 4.0 (MiniSEED 3). "
        "INFO INVENTORY, an extension, gives StationXML. There is no password and no TLS: keep "
        "it on loopback. docs/seedlink.md has more."
    ),
    (
        "Exit codes: 0 ended or stopped by Ctrl-C, 2 wrong setting or name, 3 data that cannot be "
        "used, 4 the port is taken, 130 told to stop twice."
    ),
]
EPILOG = "\n\n".join(_LINES)


def seedlink(
    event: Event,
    port: Annotated[
        int, typer.Option(help="TCP port; 0 takes a free one and prints it.", min=0, max=65535)
    ] = 18000,
    bind: Bind = "127.0.0.1",
    speed: Annotated[
        float,
        typer.Option(
            help="1: real time; any factor; 0: as fast as the slowest client reads.", metavar="X"
        ),
    ] = 1.0,
    packet: Packet = None,
    delay: Delay = None,
    seed: Seed = 1,
    until: Until = None,
    time: Annotated[
        str,
        typer.Option(
            help="now: times are moved by a constant, so that the recording starts now; "
            "original: they stay.",
            metavar="now|original",
        ),
    ] = "now",
    record_bytes: Annotated[
        int,
        typer.Option(
            help="Length of a MiniSEED 2 record: 512, 256 or 128 (many clients take only 512).",
            metavar="BYTES",
        ),
    ] = 512,
    ring: Annotated[
        int, typer.Option(help="Records kept for clients that come back or lag.", metavar="N")
    ] = 100_000,
    stall: Annotated[
        str, typer.Option(help="A client that reads nothing for so long is dropped.", metavar="S")
    ] = "10",
    wait_for_clients: Annotated[
        int,
        typer.Option(
            help="Begin when so many clients have asked for data; 0 begins at once.", metavar="N"
        ),
    ] = 0,
    once: Annotated[
        bool,
        typer.Option(
            "--once", help="End when all data are sent and read instead of going on serving."
        ),
    ] = False,
    inventory_out: Annotated[
        Path | None,
        typer.Option(help="Write the stations as StationXML here, too.", metavar="FILE"),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="The totals as JSON on stdout; what happens on stderr.")
    ] = False,
) -> int:
    """Serve a quake by SeedLink, as a network would: to real clients, in real time.

    After the data have ended the server goes on answering until it is stopped.
    """
    from dataclasses import asdict

    from eew.app.options import RunOptions, optional_seconds, parse_seconds
    from eew.app.seedlink import SeedLinkOptions, serve_seedlink
    from eew.clock import SystemClock

    options = SeedLinkOptions(
        run=RunOptions(
            seed=seed,
            speed=speed,
            packet_s=optional_seconds("--packet", packet),
            delay_s=optional_seconds("--delay", delay),
            until_s=optional_seconds("--until", until),
        ),
        record_bytes=record_bytes,
        times=time,
        ring=ring,
        wait_for_clients=wait_for_clients,
        bind=bind,
        port=port,
        once=once,
        inventory_out=inventory_out,
        stall_s=parse_seconds("--stall", stall),
    )
    result = serve_seedlink(
        event, options, say=lambda words: typer.echo(words, err=as_json), clock=SystemClock()
    )
    if as_json:
        typer.echo(json.dumps({"simulation": True, **asdict(result)}))
    else:
        typer.echo(
            f"ended: {result.records} records served to {result.clients} connections "
            f"({result.records_sent} sent), {result.dropped_clients} clients dropped, "
            f"{result.refused_commands} commands refused"
        )
    return 0
