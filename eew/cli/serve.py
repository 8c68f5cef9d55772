"""``eew serve``: the chain as a service, with its status over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

EPILOG = (
    "Examples:\n\n"
    "eew serve --replay luding-2022\n\n"
    "eew serve --replay FOLDER --speed 10 --port 0\n\n"
    "curl http://127.0.0.1:8080/readyz\n\n"
    "Paths: /healthz, /readyz, /api/v1/status, /api/v1/events, /api/v1/stations, /metrics, "
    "/openapi.json. There is no password: keep it on loopback, or put a proxy in front.\n\n"
    "Exit codes: 0 stopped by SIGINT or SIGTERM (or ended, with --once), 2 wrong setting or "
    "name, 3 data that cannot be used, 4 the port is taken or the broker is not there, "
    "130 told to stop twice."
)


def serve(
    replay: Annotated[
        str,
        typer.Option(
            metavar="EVENT|FOLDER",
            help="What to feed in: a built-in event (eew events list), a scenario file, or a "
            "folder with waveforms.mseed and stations.xml.",
        ),
    ],
    speed: Annotated[
        float, typer.Option(help="1: real time; 0: as fast as possible; any factor.", metavar="X")
    ] = 1.0,
    port: Annotated[
        int, typer.Option(help="HTTP port; 0 takes a free one and prints it.", min=0, max=65535)
    ] = 8080,
    bind: Annotated[
        str, typer.Option(help="Address to listen on; the default is this machine only.")
    ] = "127.0.0.1",
    broker: Annotated[
        str,
        typer.Option(
            help="auto (mosquitto from PATH, else embedded), embedded, mosquitto, an mqtt:// or "
            "mqtts:// URL, or none (devices inside the process).",
            metavar="WHICH",
        ),
    ] = "auto",
    phones: Annotated[
        int | None, typer.Option(help="Phones, placed by population.", show_default="20")
    ] = None,
    tvs: Annotated[
        int | None, typer.Option(help="TVs, placed by population.", show_default="4")
    ] = None,
    site: Annotated[
        list[str] | None,
        typer.Option(
            help='A place of yours with a phone, "Name:lat,lon" in degrees; repeatable.',
            metavar="NAME:LAT,LON",
        ),
    ] = None,
    lang: Annotated[
        list[str] | None,
        typer.Option(
            help="Language of the devices: en, zh, ja, es, tr; repeatable (devices take turns).",
            show_default="those of the place",
        ),
    ] = None,
    packet: Annotated[
        str, typer.Option(help="Length of a packet, 0.1 to 10 s.", metavar="S")
    ] = "0.5",
    delay: Annotated[
        str | None,
        typer.Option(
            help="Link delay at every station in s, 0 allowed. "
            "[default: log-normal, median 0.3 s, drawn per station]",
            metavar="S",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of everything that is drawn.")] = 1,
    status: Annotated[
        str, typer.Option(help="exercise or test: what the messages say they are.")
    ] = "exercise",
    help_pack: Annotated[
        list[Path] | None,
        typer.Option(
            help="A help pack made by eew help-pack build; repeatable.",
            show_default="the built-in ones",
        ),
    ] = None,
    once: Annotated[
        bool, typer.Option("--once", help="End with the replay instead of going on serving.")
    ] = False,
) -> int:
    """Run the chain as a service: detector, MQTT, devices, and its status over HTTP.

    After the replay has ended the service goes on answering until it is stopped.
    """
    from eew.app.options import RunOptions, parse_seconds, parse_site, parse_status

    options = RunOptions(
        seed=seed,
        packet_s=parse_seconds("--packet", packet),
        delay_s=None if delay is None else parse_seconds("--delay", delay),
        speed=speed,
        broker=broker,
        phones=phones,
        tvs=tvs,
        sites=tuple(parse_site(text) for text in site or ()),
        languages=tuple(lang or ()),
        status=parse_status(status),
        help_packs=tuple(help_pack or ()),
    )
    from eew.app.serve import serve_replay
    from eew.clock import SystemClock

    serve_replay(
        replay,
        options,
        bind=bind,
        port=port,
        once=once,
        say=lambda words: typer.echo(words, err=False),
        clock=SystemClock(),
    )
    return 0
