"""``eew capacity``: how many brokers, cores and bits a second a country takes."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

_LINES = [
    "Examples:",
    "eew capacity --phones 100000000",
    "eew capacity --phones 2000000 --felt-share 0.3 --reach 400",
    "eew capacity --phones 100000000 --no-tls --json",
    (
        "Each line says how it is worked out. What one broker does was measured on 2 cores "
        "(eew/tables/capacity.toml); networks and radio are MODELLED. The simulated alerts are the "
        "same tree as queues: written is the time at which a leaf writes to the phone's socket, "
        "told is behind the phone's radio, s after the first message was handed over."
    ),
    "Exit codes: 0 done, 2 wrong setting, 130 stopped by Ctrl-C.",
]
EPILOG = "\n\n".join(_LINES)


def capacity(
    phones: Annotated[int, typer.Option(help="Phones connected at once.", metavar="N")],
    felt_share: Annotated[
        float, typer.Option(help="Share of phones that one alert is for, 0 to 1.")
    ] = 0.02,
    tv_share: Annotated[
        float, typer.Option(help="TVs over phones; only TVs follow the heartbeat.")
    ] = 0.05,
    region_share: Annotated[
        float, typer.Option(help="Share of phones that reconnect at once when a region is back.")
    ] = 0.1,
    cells: Annotated[int, typer.Option(help="Area cells of one alert, a message each.")] = 250,
    payload: Annotated[int, typer.Option(help="Bytes of one message.", metavar="BYTES")] = 700,
    keepalive: Annotated[
        float, typer.Option(help="Seconds between two pings of a phone.", metavar="S")
    ] = 60.0,
    reach: Annotated[
        float, typer.Option(help="Largest distance between two brokers, km.", metavar="KM")
    ] = 1500.0,
    tls: Annotated[bool, typer.Option(help="Devices connect with TLS.")] = True,
    seed: Annotated[int, typer.Option(help="Seed of distances and radio.", min=0)] = 1,
    json_only: Annotated[
        bool, typer.Option("--json", help="Print only the document, schema eew.capacity/1.")
    ] = False,
) -> int:
    """Work out brokers, cores and traffic for so many phones, and simulate an alert to them."""
    from eew.app.capacity import capacity_document
    from eew.cli.console import progress_line
    from eew.report.folder import json_bytes
    from simulator.capacity_terms import Demand

    demand = Demand(
        phones=phones,
        felt_share=felt_share,
        tv_share=tv_share,
        region_share=region_share,
        cells=cells,
        payload_bytes=payload,
        keepalive_s=keepalive,
        tls=tls,
    )
    with progress_line("simulating the tree of brokers"):
        document = capacity_document(demand, reach_km=reach, seed=seed)
    if json_only:
        sys.stdout.write(json_bytes(document).decode())
        return 0
    _print(document)
    return 0


def _print(document: dict[str, Any]) -> None:
    from rich.table import Table

    from eew.cli.console import result_console

    console = result_console()
    console.print(
        f"SIMULATION  brokers for {document['phones']:,} phones; one broker as measured, networks "
        "MODELLED",
        style="bold",
    )
    topic = ""
    for line in document["lines"]:
        if line["topic"] != topic:
            topic = line["topic"]
            console.print(f"\n{topic}", style="bold")
        console.print(f"  {line['name']}: {_value(line['value'])} {line['unit']}", soft_wrap=True)
        console.print(f"      = {line['how']}", style="dim", soft_wrap=True)
    console.print(f"\nsimulated alerts, s after hand-over; told behind {document['access']}\n")
    grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    grid.add_column("")
    for heading in ("written p50", "p99", "last", "told p50", "p99", "p99.99"):
        grid.add_column(heading, justify="right", no_wrap=True)
    for row in document["alerts"]:
        grid.add_row(
            row["name"],
            *(f"{row['written_s'][one]:.2f}" for one in ("p50", "p99", "last")),
            *(f"{row['told_s'][one]:.2f}" for one in ("p50", "p99", "p99.99")),
        )
    console.print(grid)
    console.print(
        f"\nthe same simulation against cases measured whole, ms (stated error "
        f"{document['check']['error']:.0%})"
    )
    for case in document["check"]["cases"]:
        pairs = (
            f"{one} {case['simulated_ms'][one]:.0f} ({case['measured_ms'][one]:.0f} measured)"
            for one in ("p50", "p99", "last")
        )
        console.print(f"  {case['name']}: {', '.join(pairs)}", soft_wrap=True)


def _value(value: float) -> str:
    if value >= 1000.0 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.3g}"
