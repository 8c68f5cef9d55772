"""``eew openeew``: packets of OpenEEW devices over MQTT, and what their way took."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from eew.cli.options import Json, Seed

if TYPE_CHECKING:
    from eew.app.openeew_delays import FirstAlert
    from eew.app.openeew_publish import Plan
    from eew.egress.openeew import Published

_SHOWN = 10

app = typer.Typer(
    help="OpenEEW devices: 1-s JSON packets over MQTT, and the real delays of recorded ones.",
    no_args_is_help=True,
)
_PUBLISH = [
    "Examples:",
    "eew openeew publish luding-2022 --broker mqtt://localhost:1883",
    "eew openeew publish quakes/mx20200111_m51_openeew --as-recorded --broker mqtt://localhost",
    "eew openeew publish luding-2022 --broker mosquitto --topic /traces/{device} --speed 10",
    (
        "Packets: JSON with device_id, x, y, z (gal; x is the vertical), device_t (Unix s of the "
        "last values), cloud_t (arrival) and sr (Hz). Stations with three channels of "
        "acceleration are devices; the others are left out and counted."
    ),
    (
        "User and password of the broker: as for eew replay --broker (EEW_MQTT_USERNAME, "
        "EEW_MQTT_PASSWORD). Exit codes: 0 all sent, 2 wrong setting, 3 no usable data, "
        "4 broker, 130 stopped by Ctrl-C."
    ),
]
_DELAYS = [
    "Examples:",
    "eew openeew delays quakes/mx20200111_m51_openeew --alerts",
    "eew openeew delays quakes/mx20180216_m72_openeew --json",
    (
        "A delay is the time from the last sample of a packet to its arrival at the server, s. "
        "Where arrivals prove a device's clock wrong (negative delays, or more than 5 s, always "
        "the same) the clock is put right first; the column says by how much."
    ),
]


@app.command("publish", epilog="\n\n".join(_PUBLISH))
def publish(
    event: Annotated[
        str,
        typer.Argument(
            metavar="EVENT|FOLDER", help="A built-in event, a scenario file, or a quake folder."
        ),
    ],
    broker: Annotated[
        str,
        typer.Option(
            help="mqtt:// or mqtts:// URL; mosquitto or embedded start one for as long as this "
            "runs.",
            metavar="URL",
        ),
    ],
    topic: Annotated[
        str, typer.Option(help="Topic; {device} in it stands for the device's id.")
    ] = "/traces",
    speed: Annotated[
        float, typer.Option(help="1: real time; 0: as fast as the broker takes it.", metavar="X")
    ] = 1.0,
    as_recorded: Annotated[
        bool,
        typer.Option(
            "--as-recorded",
            help="Send the folder's packets.tar.xz byte for byte, each when it arrived.",
        ),
    ] = False,
    packet: Annotated[
        str, typer.Option(help="Length of a packet, 0.1 to 10 s.", metavar="S")
    ] = "1",
    delay: Annotated[
        str | None,
        typer.Option(
            help="Link delay of every device in s. [default: log-normal, median 0.3 s]",
            metavar="S",
            show_default=False,
        ),
    ] = None,
    time: Annotated[
        str,
        typer.Option(
            help="now: times are moved by a constant, so that the first packet is sent now; "
            "original: they stay (as they always do with --as-recorded).",
            metavar="now|original",
        ),
    ] = "now",
    wait: Annotated[
        str, typer.Option(help="Wait before the first packet, s: time to subscribe.", metavar="S")
    ] = "0",
    seed: Seed = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Publish a quake as OpenEEW devices would: one JSON packet a second each."""
    from eew.app.openeew_publish import PublishOptions, plan_packets, publish_plan
    from eew.app.options import optional_seconds, parse_seconds
    from eew.app.session import check_broker
    from eew.cli.console import progress_console, progress_line
    from eew.clock import SystemClock
    from eew.egress.openeew import Published
    from eew.errors import ConfigError

    options = PublishOptions(
        topic=topic,
        speed=speed,
        as_recorded=as_recorded,
        packet_s=parse_seconds("--packet", packet),
        delay_s=optional_seconds("--delay", delay),
        time=time,
        wait_s=parse_seconds("--wait", wait),
        seed=seed,
    )
    if broker == "none":
        raise ConfigError("--broker", "none has nobody to publish to", hint="an mqtt:// URL")
    check_broker(broker)
    with progress_line(f"reading {event}"):
        plan = plan_packets(event, options)
    console = progress_console()
    status = console.status("connecting", spinner="line") if console is not None else None
    published = Published()

    def ready(address: str) -> None:
        if not as_json:
            typer.echo(
                f"SIMULATION  {plan.title}: {plan.n_devices} devices, {plan.seconds:.0f} s of data "
                f"to {address}, topic {topic}"
            )

    def progress(so_far: Published) -> None:
        if status is not None:
            status.update(
                f"{so_far.data_s:.0f} of {plan.seconds:.0f} s, {so_far.n_packets} packets"
            )

    complete = False
    try:
        if status is not None:
            status.start()
        publish_plan(
            plan,
            options,
            broker=broker,
            clock=SystemClock(),
            published=published,
            ready=ready,
            progress=progress,
        )
        complete = True
    finally:
        if status is not None:
            status.stop()
        if complete or published.n_packets:
            say = _published_json if as_json else _published_words
            typer.echo(say(plan, published, complete))


def _published_json(plan: Plan, published: Published, complete: bool) -> str:
    document = {
        "simulation": True,
        "title": plan.title,
        "complete": complete,
        "devices": plan.n_devices,
        "packets": published.n_packets,
        "bytes": published.n_bytes,
        "data_s": round(published.data_s, 3),
        "latest_s": round(published.latest_s, 4),
        "problems": [
            {"kind": one.kind, "where": one.where, "detail": one.detail, "count": one.count}
            for one in plan.problems
        ],
    }
    return json.dumps(document, indent=2)


def _published_words(plan: Plan, published: Published, complete: bool) -> str:
    sent = (
        f"{'sent' if complete else 'stopped after'} {published.n_packets} packets "
        f"({published.n_bytes / 1e6:.1f} MB, {published.data_s:.0f} s of data); "
        f"the latest went {1e3 * published.latest_s:.0f} ms after its time"
    )
    lines = [sent]
    shown = plan.problems[:_SHOWN]
    lines += [f"{one.where}: {one.detail} ({one.kind}, {one.count})" for one in shown]
    if len(plan.problems) > len(shown):
        lines.append(f"and {len(plan.problems) - len(shown)} more (all with --json)")
    return "\n".join(lines)


@app.command("delays", epilog="\n\n".join(_DELAYS))
def delays(
    folder: Annotated[
        str, typer.Argument(metavar="FOLDER", help="A quake folder with packets.tar.xz.")
    ],
    alerts: Annotated[
        bool,
        typer.Option(
            "--alerts", help="Also replay it: the first alert as recorded and as modelled."
        ),
    ] = False,
    seed: Annotated[int, typer.Option(help="Seed of the modelled delays.")] = 1,
    as_json: Json = False,
) -> None:
    """Show what the way of recorded packets took, and what that does to the first alert."""
    from eew.app.openeew_delays import first_alerts, measure_delays
    from eew.cli.console import progress_line, result_console
    from eew.cli.openeew_tables import alert_table, delay_table, delays_json

    with progress_line("reading packets"):
        devices = measure_delays(folder)
    found: list[FirstAlert] = []
    if alerts:
        with progress_line("replaying three times"):
            found = first_alerts(folder, seed=seed)
    if as_json:
        typer.echo(json.dumps(delays_json(devices, found), indent=2))
        return
    out = result_console()
    out.print(f"SIMULATION   recorded OpenEEW packets of {folder}")
    out.print(delay_table(devices))
    if found:
        out.print()
        out.print(alert_table(found))
