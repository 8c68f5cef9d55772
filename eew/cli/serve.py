"""``eew serve``: the chain as a service, with its status over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

EPILOG = (
    "Exactly one of --replay and --source says where the data come from.\n\n"
    "Examples:\n\n"
    "eew serve --replay luding-2022\n\n"
    "eew serve --replay FOLDER --speed 10 --port 0\n\n"
    "eew serve --replay luding-2022 --now --broker mqtt://127.0.0.1:1883   (for eew client and "
    "eew crowd in other terminals)\n\n"
    "eew serve --source slink://127.0.0.1:18000   (eew seedlink luding-2022 runs there)\n\n"
    "eew serve --source slink://geofon.gfz.de --select 'GE_*:HH?' "
    "--inventory https://geofon.gfz.de --state geofon.state\n\n"
    "curl http://127.0.0.1:8080/readyz\n\n"
    "Paths: /healthz, /readyz, /api/v1/status, /api/v1/events, /api/v1/stations, /metrics, "
    "/openapi.json. There is no password: keep it on loopback, or put a proxy in front.\n\n"
    "Exit codes: 0 stopped by SIGINT or SIGTERM (or ended, with --once), 2 wrong setting or "
    "name, 3 data that cannot be used, 4 the port is taken, or broker or source are not there, "
    "130 told to stop twice."
)


def serve(
    replay: Annotated[
        str | None,
        typer.Option(
            metavar="EVENT|FOLDER",
            help="What to feed in: a built-in event (eew events list), a scenario file, or a "
            "folder with waveforms.mseed and stations.xml.",
            show_default=False,
        ),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="A live source instead: slink://host:port (SeedLink; slinks:// with TLS), or "
            "mqtt://host:port/topic (OpenEEW packets; mqtts:// with TLS).",
            show_default=False,
        ),
    ] = None,
    select: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NET_STA:CHA",
            help="With --source: stations and channels, with * and ?, for example CI_*:HN? or "
            "IU_ANMO:00_B_H_?; repeatable.",
            show_default="all",
        ),
    ] = None,
    inventory: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|FOLDER|EVENT|URL",
            help="With --source: where the stations are and what a count means. StationXML, a "
            "folder with it, a built-in event, or an fdsnws-station URL.",
            show_default="ask the server (eew seedlink knows)",
        ),
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="With --source: notes how far each station was read; a restart goes on there.",
            show_default="none",
        ),
    ] = None,
    silent_after: Annotated[
        str,
        typer.Option(metavar="S", help="With --source: a station without data so long is missed."),
    ] = "30",
    reconnect_after: Annotated[
        str,
        typer.Option(metavar="S", help="With --source: connect anew if nothing comes so long."),
    ] = "30",
    speed: Annotated[
        float | None,
        typer.Option(
            help="With --replay: 1 real time; 0 as fast as possible; any factor.",
            metavar="X",
            show_default="1",
        ),
    ] = None,
    now: Annotated[
        bool,
        typer.Option(
            "--now",
            help="With --replay: as if the quake happened now, so that devices anywhere with a "
            "right clock take its alerts.",
        ),
    ] = False,
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
        str | None,
        typer.Option(
            help="With --replay: length of a packet, 0.1 to 10 s. "
            "[default: the scenario's, else 0.5]",
            metavar="S",
            show_default=False,
        ),
    ] = None,
    delay: Annotated[
        str | None,
        typer.Option(
            help="With --replay: link delay at every station in s, 0 allowed. "
            "[default: the scenario's, else log-normal, median 0.3 s, drawn per station]",
            metavar="S",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of everything that is drawn.")] = 1,
    status: Annotated[
        str, typer.Option(help="exercise, drill or test: tree and words of the messages.")
    ] = "exercise",
    help_pack: Annotated[
        list[Path] | None,
        typer.Option(
            help="A help pack made by eew help-pack build; repeatable.",
            show_default="the built-in ones",
        ),
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option(
            help="Private key that signs, made by eew keys new.",
            metavar="FILE",
            show_default="a development key made from the seed",
        ),
    ] = None,
    keys: Annotated[
        Path | None,
        typer.Option(
            help="Key set the devices are set up with (needs --key).",
            metavar="FILE",
            show_default="the public part of --key",
        ),
    ] = None,
    once: Annotated[
        bool, typer.Option("--once", help="End with the replay instead of going on serving.")
    ] = False,
) -> int:
    """Run the chain as a service: detector, MQTT, devices, and its status over HTTP.

    After a replay has ended the service goes on answering until it is stopped.

    A live source is followed until then, over lost connections too.
    """
    from eew.app.options import RunOptions, parse_seconds, parse_site, parse_status

    _check_one_feed(
        replay,
        source,
        only_replay={
            "--speed": speed,
            "--packet": packet,
            "--delay": delay,
            "--once": once or None,
            "--now": now or None,
        },
        only_live={"--select": select, "--inventory": inventory, "--state": state},
    )
    options = RunOptions(
        seed=seed,
        packet_s=None if packet is None else parse_seconds("--packet", packet),
        delay_s=None if delay is None else parse_seconds("--delay", delay),
        speed=1.0 if speed is None else speed,
        broker=broker,
        phones=phones,
        tvs=tvs,
        sites=tuple(parse_site(text) for text in site or ()),
        languages=tuple(lang or ()),
        status=parse_status(status),
        help_packs=tuple(help_pack or ()),
        key=key,
        keys=keys,
    )
    from eew.app.serve import serve_live, serve_replay
    from eew.clock import SystemClock

    def say(words: str) -> None:
        typer.echo(words, err=False)

    clock = SystemClock()
    if source is None:
        assert replay is not None
        serve_replay(
            replay, options, bind=bind, port=port, now=now, once=once, say=say, clock=clock
        )
        return 0
    from eew.app.live_source import LiveOptions

    live = LiveOptions(
        select=tuple(select or ()),
        inventory=inventory,
        state=state,
        silent_after_s=parse_seconds("--silent-after", silent_after),
        idle_s=parse_seconds("--reconnect-after", reconnect_after),
        seed=seed,
    )
    serve_live(source, options, live, bind=bind, port=port, say=say, clock=clock)
    return 0


def _check_one_feed(
    replay: str | None,
    source: str | None,
    *,
    only_replay: Mapping[str, object],
    only_live: Mapping[str, object],
) -> None:
    """Refuse no feed, two feeds, and options that the chosen one does not know."""
    from eew.errors import ConfigError

    if (replay is None) == (source is None):
        which = "neither was given" if replay is None else "both were given"
        raise ConfigError(
            "--replay, --source",
            f"exactly one of them says where the data come from, {which}",
            hint="for example --replay luding-2022 or --source slink://127.0.0.1:18000",
        )
    given, other = (only_live, "--source") if source is None else (only_replay, "--replay")
    for key, value in given.items():
        if value not in (None, False):
            raise ConfigError(key, f"belongs to {other}, which is not given")
