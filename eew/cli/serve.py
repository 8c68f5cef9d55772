"""``eew serve``: the chain as a service, with its status over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from eew.cli.options import (
    DELAY,
    PACKET,
    Bind,
    HelpPacks,
    HttpPort,
    Key,
    Keys,
    Languages,
    Phones,
    Seed,
    Sites,
    StatusWord,
    Tvs,
    broker_option,
    only_with,
)

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
    port: HttpPort = 8080,
    bind: Bind = "127.0.0.1",
    broker: Annotated[
        str,
        broker_option(none="devices inside the process"),
    ] = "auto",
    phones: Phones = None,
    tvs: Tvs = None,
    site: Sites = None,
    lang: Languages = None,
    packet: Annotated[str | None, only_with("--replay", PACKET)] = None,
    delay: Annotated[str | None, only_with("--replay", DELAY)] = None,
    seed: Seed = 1,
    status: StatusWord = "exercise",
    help_pack: HelpPacks = None,
    key: Key = None,
    keys: Keys = None,
    once: Annotated[
        bool, typer.Option("--once", help="End with the replay instead of going on serving.")
    ] = False,
) -> int:
    """Run the chain as a service: detector, MQTT, devices, and its status over HTTP.

    After a replay has ended the service goes on answering until it is stopped.

    A live source is followed until then, over lost connections too.
    """
    from eew.app.options import (
        RunOptions,
        optional_seconds,
        parse_seconds,
        parse_site,
        parse_status,
    )

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
        packet_s=optional_seconds("--packet", packet),
        delay_s=optional_seconds("--delay", delay),
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
