"""``eew replay``: a quake through the whole chain."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eew.cli.options import (
    Delay,
    HelpPacks,
    Key,
    Keys,
    Languages,
    Packet,
    Phones,
    Seed,
    Sites,
    StatusWord,
    Tvs,
    Until,
    broker_option,
)

if TYPE_CHECKING:
    from eew.app.session import Outcome

_LINES = [
    "Examples:",
    "eew replay luding-2022",
    "eew replay quakes/mx20200111_m51_openeew --arrivals recorded",
    'eew replay quakes/us20190706_m71_ridgecrest --site "Los Angeles:34.05,-118.24"',
    "eew replay drill.toml --strict-expect",
    "eew replay luding-2022 --phones 200 --tvs 20 --broker embedded --lang zh",
    "eew replay luding-2022 --channel push",
    "eew replay quakes/tr20230206_m78_pazarcik --broker none --json",
    (
        "Units: s, km; intensity on the scale of the region (MMI, China, JMA). Times count from "
        "the true origin, or from the first pick where no truth is known."
    ),
    (
        "Exit codes: 0 done, 2 wrong setting or name, 3 data that cannot be used, 4 network or "
        "broker, 5 an expectation is not met (--strict-expect), 130 stopped by Ctrl-C (what there "
        "is by then is written and marked)."
    ),
]
EPILOG = "\n\n".join(_LINES)


def replay(
    event: Annotated[
        str,
        typer.Argument(
            metavar="EVENT|FOLDER",
            help="A built-in event (eew events list), a scenario file, or a folder with "
            "waveforms.mseed and stations.xml (event.xml where the truth is known).",
        ),
    ],
    packet: Packet = None,
    delay: Delay = None,
    arrivals: Annotated[
        str,
        typer.Option(
            help="modelled (--packet and --delay), or recorded: the packets in the folder's "
            "packets.tar.xz when they really arrived.",
            metavar="WHICH",
        ),
    ] = "modelled",
    seed: Seed = 1,
    speed: Annotated[
        float, typer.Option(help="0: as fast as possible; 1: real time; any factor.", metavar="X")
    ] = 0.0,
    until: Until = None,
    broker: Annotated[
        str,
        broker_option(none="devices inside the process, deterministic"),
    ] = "auto",
    channel: Annotated[
        str,
        typer.Option(
            help="How the public is told: mqtt (what the broker delivers), or modelled from "
            "published delays, without a broker: vhf, cell-broadcast, push, wea.",
            metavar="WHICH",
        ),
    ] = "mqtt",
    phones: Phones = None,
    tvs: Tvs = None,
    site: Sites = None,
    lang: Languages = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for the output; one that no run has written is never touched.",
            metavar="DIR",
            show_default="runs/<event>-<seed>",
        ),
    ] = None,
    json_only: Annotated[
        bool, typer.Option("--json", help="Print only the summary (with what was measured).")
    ] = False,
    strict_expect: Annotated[
        bool,
        typer.Option(
            "--strict-expect", help="Exit with 5 if something the scenario expects is not met."
        ),
    ] = False,
    status: StatusWord = "exercise",
    help_pack: HelpPacks = None,
    key: Key = None,
    keys: Keys = None,
) -> int:
    """Replay a quake through detector, MQTT, phones and TVs, and measure the chain."""
    from eew.app.options import RunOptions, optional_seconds, parse_site, parse_status

    options = RunOptions(
        seed=seed,
        packet_s=optional_seconds("--packet", packet),
        delay_s=optional_seconds("--delay", delay),
        arrivals=arrivals,
        speed=speed,
        until_s=optional_seconds("--until", until),
        broker=broker,
        channel=channel,
        phones=phones,
        tvs=tvs,
        sites=tuple(parse_site(text) for text in site or ()),
        languages=tuple(lang or ()),
        status=parse_status(status),
        help_packs=tuple(help_pack or ()),
        key=key,
        keys=keys,
    )
    from eew.app.session import replay_event
    from eew.cli.terminal import JsonView, TerminalView
    from eew.clock import SystemClock

    if json_only:
        from eew.report.folder import json_bytes

        with JsonView() as quiet:
            outcome = replay_event(event, options, out=out, view=quiet, clock=SystemClock())
        sys.stdout.write(json_bytes(outcome.document).decode())
        return _judged(outcome, strict_expect)
    with TerminalView() as view:
        outcome = replay_event(event, options, out=out, view=view, clock=SystemClock())
    view.closing(outcome)
    return _judged(outcome, strict_expect)


def _judged(outcome: Outcome, strict: bool) -> int:
    """Return the exit code; an expectation that is not met is an error where that is asked for."""
    missed = [one for one in outcome.result.expectations if not one.met]
    if strict and missed:
        from eew.errors import AcceptanceError

        words = "; ".join(f"{one.asked}: {one.found}" for one in missed)
        raise AcceptanceError(
            f"{len(missed)} of {len(outcome.result.expectations)} expectations not met: {words}"
        )
    return outcome.exit_code
