"""``eew client``: one simulated phone or television, live on a broker."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from eew.app.track import Waypoint

_LINES = [
    "Examples, each beside a service in another terminal:",
    "mosquitto -p 1883   (any MQTT broker will do)",
    "eew serve --replay luding-2022 --now --broker mqtt://127.0.0.1:1883",
    "eew client phone --broker mqtt://127.0.0.1:1883 --at 29.65,102.12 --language zh",
    (
        "eew client tv --broker mqtt://127.0.0.1:1883 --at 30.05,101.96 --district Kangding "
        "--json | jq .screen.headline"
    ),
    "eew client phone --broker URL --at 29.65,102.12 --move-to 30.66,104.06 --after 20s",
    "eew client phone --broker URL --at 35.69,139.69 --keys keys.json --clock-offset 180s -v",
    (
        "eew client phone --accounts brokers/credentials/devices-exercise.json --at 29.65,102.12   "
        "(brokers of eew deploy mosquitto; each area has an account)"
    ),
    (
        "A private broker of eew serve (--broker auto or mosquitto) can be used as well: its "
        "address stands in /api/v1/status of the service."
    ),
    (
        "Without --now a replay keeps the times of its quake, which for a phone of today are long "
        "over: it shows nothing. --time service then sets its clock by the first signed heartbeat."
    ),
    (
        "The position stays in this process: the broker learns the area (as a rule 1,000 people "
        "or more) by what is subscribed to, and no more."
    ),
    (
        "A track is GPX with times, or CSV with the columns after_s,lat,lon. User and password of "
        "the broker: EEW_MQTT_USERNAME, EEW_MQTT_PASSWORD; certificates: EEW_MQTT_CA_FILE."
    ),
    (
        "Exit codes: 0 ended or stopped by Ctrl-C, 2 wrong setting, 3 a file that cannot be used, "
        "4 the broker is not there or refuses, 130 told to stop twice."
    ),
]
EPILOG = "\n\n".join(_LINES)


def client(
    kind: Annotated[str, typer.Argument(metavar="phone|tv", help="What the device is.")],
    at: Annotated[
        str,
        typer.Option(
            help="Where the device is, degrees; it never leaves this process.",
            metavar="LAT,LON",
            show_default=False,
        ),
    ],
    broker: Annotated[
        list[str] | None,
        typer.Option(
            help="mqtt:// or mqtts:// URL of the broker; repeat it for leaves: the device turns to "
            "another when its own is lost.",
            metavar="URL",
            show_default="those of --accounts",
        ),
    ] = None,
    accounts: Annotated[
        Path | None,
        typer.Option(
            help="Accounts of the areas (devices-TREE.json of eew deploy mosquitto): it connects "
            "with that of the area it is in.",
            metavar="FILE",
        ),
    ] = None,
    language: Annotated[
        str | None,
        typer.Option(
            help="en, zh, ja, es, tr, with or without a region (zh-CN).",
            metavar="LANG",
            show_default="that of the country",
        ),
    ] = None,
    country: Annotated[
        str | None,
        typer.Option(
            help="ISO 3166-1 alpha-2: whose emergency numbers it carries.",
            metavar="XX",
            show_default="that of the place",
        ),
    ] = None,
    profile: Annotated[
        str, typer.Option(help="default, plain, night, deaf or wheelchair.", metavar="NAME")
    ] = "default",
    district: Annotated[
        str, typer.Option(help="What the screen calls its place.", metavar="NAME")
    ] = "",
    keys: Annotated[
        Path | None,
        typer.Option(
            help="Key set the device trusts (keys.json of eew keys new).",
            metavar="FILE",
            show_default="the development key of --seed",
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(help="Without --keys: the seed of the service it listens to.", min=0)
    ] = 1,
    tree: Annotated[
        str, typer.Option(help="exercise, drill or test: what it listens to.", metavar="WORD")
    ] = "exercise",
    time: Annotated[
        str,
        typer.Option(
            help="wall: this machine's clock; service: set by the first heartbeat (replays).",
            metavar="wall|service",
        ),
    ] = "wall",
    clock_offset: Annotated[
        str, typer.Option(help="How far its clock is ahead; negative: behind.", metavar="S")
    ] = "0",
    move_to: Annotated[
        str | None,
        typer.Option(help="Carry it there.", metavar="LAT,LON", show_default=False),
    ] = None,
    after: Annotated[
        str | None,
        typer.Option(help="With --move-to: when, s after the start.", show_default="10"),
    ] = None,
    track: Annotated[
        Path | None,
        typer.Option(help="Carry it along a track, GPX or CSV.", metavar="FILE"),
    ] = None,
    for_: Annotated[
        str | None,
        typer.Option("--for", help="End after so long.", metavar="S", show_default="Ctrl-C"),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON line for each change of the screen.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Say what was refused, and why.")
    ] = False,
) -> int:
    """Be one phone or television on a broker: show its screen as it changes."""
    from eew.app.client import run_client
    from eew.app.client_device import ClientOptions, cells_of
    from eew.app.country import country_of, languages_of
    from eew.app.development_key import development_keyring
    from eew.app.key_files import load_keyring
    from eew.app.options import check_language, optional_seconds, parse_seconds, parse_status
    from eew.app.track import parse_position
    from eew.cli.client_view import JsonView, TerminalView

    place = parse_position("--at", at)
    where = _country(country) or country_of(*place)
    if language:
        check_language("--language", language.replace("_", "-").split("-")[0].lower())
    options = ClientOptions(
        kind=kind,
        at=place,
        language=language or languages_of(where)[0],
        country=where,
        profile=profile,
        district=district,
        tree=parse_status(tree, "--tree"),
        clock_offset_s=parse_seconds("--clock-offset", clock_offset),
        service_time=_is_service_time(time),
        route=_route(move_to, after, track),
        for_s=optional_seconds("--for", for_),
    )
    words = []
    if keys is None:
        keyring = development_keyring(seed)
        words.append(
            f"trusts the development key of seed {seed}, which anyone can make: --keys for others"
        )
    else:
        keyring = load_keyring(keys)
    view = JsonView(verbose) if as_json else TerminalView(verbose)

    import asyncio
    from contextlib import nullcontext

    from eew.app.device_accounts import open_accounts
    from eew.app.device_brokers import find_brokers, leaf_addresses
    from eew.clock import SystemClock

    with open_accounts(accounts, options.tree) if accounts is not None else nullcontext() as opened:
        leaves = leaf_addresses(broker or (), opened)  # says what is wrong; nothing is started
        cells = cells_of(options)
        if opened is not None:
            opened.check(cells)

        async def run() -> None:
            brokers = await find_brokers(leaves, opened, cells[0])
            with view:
                view.opened(brokers, [*words, *brokers.words])
                view.ended(
                    await run_client(options, brokers, keyring, view=view, clock=SystemClock())
                )

        asyncio.run(run())
    return 0


def _country(text: str | None) -> str:
    from eew.errors import ConfigError

    if text is None:
        return ""
    if not (len(text) == 2 and text.isascii() and text.isalpha()):
        raise ConfigError("--country", f"{text!r} is no ISO 3166-1 alpha-2 code", hint="such as CN")
    return text.upper()


def _is_service_time(text: str) -> bool:
    from eew.errors import ConfigError

    if text not in ("wall", "service"):
        raise ConfigError("--time", f"unknown {text!r}", hint="wall or service")
    return text == "service"


def _route(move_to: str | None, after: str | None, track: Path | None) -> tuple[Waypoint, ...]:
    from eew.app.options import parse_seconds
    from eew.app.track import Waypoint, parse_position, read_track
    from eew.errors import ConfigError

    if track is not None and move_to is not None:
        raise ConfigError("--track, --move-to", "only one of them")
    if track is not None:
        return read_track(track)
    if move_to is None:
        if after is not None:
            raise ConfigError("--after", "says when --move-to happens, which is not given")
        return ()
    after_s = 10.0 if after is None else parse_seconds("--after", after)
    if not after_s >= 0.0:
        raise ConfigError("--after", f"must be 0 s or more, was {after_s:g}")
    return (Waypoint(after_s, *parse_position("--move-to", move_to)),)
