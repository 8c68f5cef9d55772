"""``eew crowd``: tens of thousands of real connections, each a phone or a television."""

from __future__ import annotations

import asyncio
import json
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from eew.app.crowd_run import CrowdReport

_LINES = [
    "Examples:",
    "eew crowd --broker mqtt://127.0.0.1:1883",
    "eew crowd --broker mqtt://127.0.0.1:1883 --phones 10000 --tvs 500 --at 29.6,102.1",
    "eew crowd --broker mqtts://user@broker.example:8883 --keys keys.json --phones 40000 --procs 3",
    (
        "eew crowd --accounts brokers/credentials/devices-exercise.json --country CN "
        "--receipts 0.01   (brokers of eew deploy mosquitto; each area has an account)"
    ),
    "eew crowd --broker URL --profile-shares doze=0.2,dead_battery=0.05 --receipts 0.01 --for 5min",
    "eew crowd --broker URL --country JP --travelling 0.1 --speed 300",
    (
        "Each device is an MQTT connection of its own with the whole logic of a phone or TV behind "
        "it: clock, language, position, levels, words. It verifies signatures: use the keys of the "
        "service, or the seed of a replay that was given none."
    ),
    (
        "One process holds about 19,900 connections where `ulimit -n` is 20,000; --procs divides "
        "the crowd. Latencies are from `sent` in the payload to the device, on this machine's UTC "
        "clock: on another machine than the service's they hold as well as both clocks agree. "
        "Delays of access networks are modelled, said apart, and in no measured figure."
    ),
    (
        "Exit codes: 0 its time is over, 2 wrong setting or too few open files, 3 keys that cannot "
        "be read, 4 network or broker, 130 stopped by Ctrl-C (the summary is printed all the same)."
    ),
]
EPILOG = "\n\n".join(_LINES)
_INTERRUPTED = 130


def crowd(
    broker: Annotated[
        list[str] | None,
        typer.Option(
            help="mqtt://[user@]host[:1883] or mqtts://...; password from EEW_MQTT_PASSWORD. "
            "Repeat it for leaves: the devices spread over them. "
            "[default: those of --accounts]",
            metavar="URL",
            show_default=False,
        ),
    ] = None,
    accounts: Annotated[
        Path | None,
        typer.Option(
            help="Accounts of the areas (devices-TREE.json of eew deploy mosquitto): each device "
            "connects with that of its area.",
            metavar="FILE",
        ),
    ] = None,
    phones: Annotated[int, typer.Option(help="How many phones.", min=0, metavar="N")] = 1000,
    tvs: Annotated[int, typer.Option(help="How many televisions.", min=0, metavar="N")] = 50,
    procs: Annotated[
        int, typer.Option(help="Processes that divide the devices among them.", metavar="N")
    ] = 1,
    at: Annotated[
        str | None,
        typer.Option(help="Only towns round this point, degrees.", metavar="LAT,LON"),
    ] = None,
    within: Annotated[float, typer.Option(help="How far from --at, km.", metavar="KM")] = 100.0,
    country: Annotated[
        str, typer.Option(help="Only towns of this country, as in CN.", metavar="XX")
    ] = "",
    lang: Annotated[
        list[str] | None,
        typer.Option(
            help="Language of the devices; repeat for several in turn. "
            "[default: those of the country]",
            show_default=False,
        ),
    ] = None,
    tree: Annotated[
        str, typer.Option(help="Which topics: exercise, drill or test.", metavar="STATUS")
    ] = "exercise",
    keys: Annotated[
        Path | None,
        typer.Option(
            help="Keys the devices trust. [default: the development keys of --seed]",
            metavar="FILE",
            show_default=False,
        ),
    ] = None,
    profile_shares: Annotated[
        str,
        typer.Option(
            help="Shares of network profiles, as in wifi=0.5,doze=0.1; the others divide the rest. "
            "Phones: wifi, cellular_4g, doze, flight_mode, dead_battery; TVs: tv_on, tv_off.",
            metavar="NAME=SHARE,...",
        ),
    ] = "",
    clocks_wrong: Annotated[
        float,
        typer.Option(help="Share of devices whose clock is wrong by minutes.", metavar="SHARE"),
    ] = 0.0,
    receipts: Annotated[
        float,
        typer.Option(
            help="Share of alerts that a device answers with a receipt of its own, 0 to 1.",
            metavar="SHARE",
        ),
    ] = 0.0,
    travelling: Annotated[
        float,
        typer.Option(
            help="Share of phones that travel from town to town, and change areas on their way.",
            metavar="SHARE",
        ),
    ] = 0.0,
    speed: Annotated[
        float, typer.Option(help="How fast they travel, km/h.", metavar="KMH")
    ] = 100.0,
    for_: Annotated[
        str | None,
        typer.Option(
            "--for",
            help="How long, once all are connected: 90s, 5min. [default: until Ctrl-C]",
            metavar="TIME",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of everything that is drawn.", min=0)] = 1,
    as_json: Annotated[
        bool, typer.Option("--json", help="The summary as JSON on stdout, words on stderr.")
    ] = False,
) -> int:
    """Connect a crowd of simulated phones and TVs to a broker, and see who is told when.

    A SIMULATION: the devices take exercises, drills and tests only.
    """
    from eew.app.crowd_places import CrowdRequest
    from eew.app.crowd_run import CrowdOptions, parse_shares, run_crowd, trusted_keys
    from eew.app.device_accounts import open_accounts
    from eew.app.device_brokers import find_brokers, leaf_addresses
    from eew.app.options import check_language, optional_seconds, parse_status
    from eew.app.track import parse_position
    from eew.cli.console import result_console
    from eew.clock import SystemClock

    for language in lang or ():
        check_language("--lang", language)
    options = CrowdOptions(
        request=CrowdRequest(
            phones=phones,
            tvs=tvs,
            at=None if at is None else parse_position("--at", at),
            within_km=within,
            country=country.upper(),
            languages=tuple(lang or ()),
            tree=parse_status(tree, "--tree"),
            clocks_wrong=clocks_wrong,
            seed=seed,
        ),
        procs=procs,
        shares=parse_shares(profile_shares),
        receipts=receipts,
        travelling=travelling,
        speed_kmh=speed,
        for_s=optional_seconds("--for", for_),
    )
    trusted, words = trusted_keys(keys, seed)
    with (
        open_accounts(accounts, options.request.tree) if accounts is not None else nullcontext()
    ) as opened:
        leaves = leaf_addresses(broker or (), opened)
        brokers = asyncio.run(find_brokers(leaves, opened, opened.any_cell if opened else ""))
        for line in (
            f"SIMULATION: {phones} phones and {tvs} TVs to {brokers}; {words}",
            *brokers.words,
        ):
            typer.echo(line, err=as_json)
        with _LiveLine() as show:
            report, interrupted = run_crowd(
                options, brokers, trusted, clock=SystemClock(), on_report=show
            )
    if as_json:
        typer.echo(json.dumps(report.to_json()))
    else:
        out = result_console()
        for line in _summary_lines(report):
            out.print(line)
        out.print(_profile_table(report))
        for line in _refusal_lines(report):
            out.print(line)
    return _INTERRUPTED if interrupted else 0


class _LiveLine:
    """Says on stderr when all are connected; one line of figures where somebody watches."""

    def __enter__(self) -> Any:
        from eew.cli.console import progress_console

        console = progress_console()
        self._told = False
        self._status = console.status("starting the devices", spinner="line") if console else None
        if self._status is not None:
            self._status.start()
        return self._show

    def __exit__(self, *exc: object) -> None:
        if self._status is not None:
            self._status.stop()

    def _show(self, report: CrowdReport) -> None:
        if report.connect_s is not None and not self._told:
            self._told = True
            typer.echo(f"all {report.wanted} connected after {report.connect_s:g} s", err=True)
        if self._status is None:
            return
        if report.connect_s is None:
            self._status.update(f"{report.up} of {report.wanted} devices connected")
            return
        self._status.update(
            f"{report.up} of {report.wanted} connected, {report.told} told, {report.shown} shown, "
            f"p50 {_ms(report.latency.quantile_ms(0.5))} ms, "
            f"p99 {_ms(report.latency.quantile_ms(0.99))} ms"
        )


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _summary_lines(report: CrowdReport) -> list[str]:
    connected = f"{report.up} of {report.wanted} connected at the end"
    if report.connect_s is not None:
        connected += f", all the first time after {report.connect_s:g} s"
    lost = report.connections.get("lost", 0)
    aside = [f"{count} set aside: {reason}" for reason, count in report.set_aside.items()]
    largest = max(report.memory, key=lambda one: one["kib_per_device"], default=None)
    lines = [
        (
            f"SIMULATION: {report.devices} devices, {connected}; {lost} connections lost, "
            f"{report.connections.get('connects', 0)} made"
        ),
        (
            f"{report.deliveries} deliveries, {report.told} devices told, {report.shown} showed "
            f"it; {report.receipts} receipts sent"
        ),
        *aside,
    ]
    if report.travel["travellers"]:
        lines.append(
            f"{report.travel['travellers']} phones travelled: moved {report.travel['moves']} "
            f"times, into another area {report.travel['areas_entered']} times"
        )
    if largest is not None:
        lines.append(
            f"memory of {largest['devices']:.0f} devices: {largest['kib_per_device']:.2f} KiB each "
            f"with all of their process, {largest['private_kib_per_device']:.2f} without the files "
            f"of libraries, {largest['added_kib_per_device']:.2f} added by the devices"
        )
    return lines


def _profile_table(report: CrowdReport) -> Table:
    from rich.table import Table

    from clients.crowd.network_profile import builtin_profiles

    modelled_ms = {profile.name: profile.round_trip_ms / 2.0 for profile in builtin_profiles()}
    table = Table(title="measured: sent to received, ms; modelled: the way over the access network")
    table.add_column("profile")
    for name in ("devices", "told", "shown", "p50", "p90", "p99", "max", "modelled"):
        table.add_column(name, justify="right")
    for name, row in report.profiles.items():
        if not row["devices"]:
            continue
        found = row["received"].summary()
        table.add_row(
            name,
            str(row["devices"]),
            str(row["told"]),
            str(row["shown"]),
            *(_ms(found[key]) for key in ("p50_ms", "p90_ms", "p99_ms", "max_ms")),
            f"+{modelled_ms[name]:.1f}",
        )
    return table


def _refusal_lines(report: CrowdReport) -> list[str]:
    counted = ", ".join(f"{name} {count}" for name, count in report.logic.items() if count)
    return [f"by the devices' own count: {counted or 'nothing came'}"]
