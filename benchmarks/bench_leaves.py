"""What a tree of brokers costs, and how long devices are without one when a broker is killed.

One or two hubs and three leaves, as ``eew deploy mosquitto`` writes them (TLS, accounts, access
rules), and phones that hold a list of leaves. The alerts: all well; a leaf killed (SIGKILL) at the
moment of the hand-over, so that its phones have to move; the same with a hub; one more after it.
Times are from the hand-over to the last phone. Devices, publishers and brokers share the machine.

    python -m benchmarks.bench_leaves --phones 300 --hubs 2 --json
"""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.common import parser, quantiles, result, show
from benchmarks.deployed import Running, deployed
from benchmarks.samples import NOW_NS, sample_alert, sample_phones
from clients.fleet import Fleet
from clients.subscriber import Device
from eew.app.development_key import development_key
from eew.clock import SystemClock
from eew.egress.mqtt import AlertPublisher
from eew.errors import ConfigError
from eew.model.alert import Status
from eew.mqtt_link import allow_open_files

CLOCK = SystemClock()
N_LEAVES = 3
NOTICED_S = 0.5
N_CALM = 10
WITHIN_KM = 8.0
TIMEOUT_S = 30.0
EVENT = "bench"


def phones_of_one_cell(n: int, seed: int) -> tuple[str, list[Device]]:
    """Return phones that stand in one area, and the area."""
    drawn = sample_phones(6 * n, seed, within_km=WITHIN_KM, follow_heartbeat=False)
    cells = [phone.cell for phone in drawn]
    cell = max(sorted(set(cells)), key=cells.count)
    chosen: list[Device] = [phone for phone in drawn if phone.cell == cell]
    if len(chosen) < n:
        raise ConfigError("--phones", f"only {len(chosen)} of {n} drawn stand in one area")
    return cell, chosen[:n]


async def rounds(
    running: Running, fleet: Fleet, publishers: list[AlertPublisher]
) -> dict[str, Any]:
    """Send the alerts, kill the brokers, return the times."""
    everybody = [device.id for device in fleet.devices]

    async def send(serial: int, kill: str = "") -> list[float]:
        message = replace(sample_alert(serial, radius_km=150.0), status=Status.EXERCISE)
        sent_ns = CLOCK.monotonic_ns()
        for publisher in publishers:
            publisher.submit(message)
        fleet.sent(EVENT, serial, sent_ns)
        waiting = asyncio.create_task(
            fleet.wait_answers(EVENT, serial, everybody, timeout_s=TIMEOUT_S)
        )
        if kill:
            await asyncio.to_thread(running.kill, kill)
        report = await waiting
        if report.missing:
            raise ConfigError("--phones", f"{len(report.missing)} not told in {TIMEOUT_S:g} s")
        return [ns / 1e6 for ns in report.latencies_ns().values()]

    calm: list[float] = []
    for serial in range(1, N_CALM + 1):
        calm += await send(serial)
        await asyncio.sleep(0.2)
    copies = fleet.summary()
    connections = fleet.n_connections
    with_leaf = await send(N_CALM + 1, "leaf-1")
    await asyncio.sleep(NOTICED_S)  # all may be told before one has noticed that its leaf is gone
    await fleet.wait_connected()
    moved = fleet.n_connections - connections
    figures: dict[str, Any] = {
        "calm": quantiles(calm),
        "copies_per_phone_and_alert": round(
            1 + (copies.repeats + copies.duplicates) / (N_CALM * len(everybody)), 2
        ),
        "leaf_killed": quantiles(with_leaf) | {"moved": moved},
    }
    if len(running.plan.hubs) == 2:
        hub = await send(N_CALM + 2, "hub-1")
        figures["hub_killed"] = quantiles(hub)
        del publishers[0]
        figures["after"] = quantiles(await send(N_CALM + 3))
        figures["moved_for_hub"] = fleet.n_connections - connections - moved
    summary = fleet.summary()
    return figures | {"shown_twice": summary.duplicates, "lost": summary.lost}


async def measure(n: int, n_hubs: int, seed: int) -> dict[str, Any]:
    """Run all of it; return the result."""
    allow_open_files(n + 500)
    cell, devices = phones_of_one_cell(n, seed)
    with (
        tempfile.TemporaryDirectory(prefix="eew-leaves-") as folder,
        deployed(Path(folder), [cell], n_leaves=N_LEAVES, n_hubs=n_hubs) as running,
    ):
        publishers = [
            AlertPublisher(
                running.service_address(hub.name),
                service_id="bench",
                run_id="bench",
                seed=seed,
                signer=development_key(seed),
                clock=CLOCK,
                now_ns=lambda: NOW_NS,
                heartbeat_s=None,
            )
            for hub in running.plan.hubs
        ]
        leaves = running.device_addresses(cell)
        fleet = Fleet(devices, leaves, CLOCK, seed=seed, now_ns=lambda: NOW_NS, heartbeats=False)
        for publisher in publishers:
            await publisher.__aenter__()
        opened = list(publishers)
        started_ns = CLOCK.monotonic_ns()
        try:
            await fleet.start(timeout_s=120.0)
            connect_s = (CLOCK.monotonic_ns() - started_ns) / 1e9
            figures = await rounds(running, fleet, publishers)
        finally:
            await fleet.stop()
            for publisher in opened:
                await publisher.__aexit__(None, None, None)
    return result(
        "leaves",
        question="how long are devices without a broker when one is killed?",
        unit="ms from the hand-over to the receipt",
        n=n,
        seed=seed,
        hubs=n_hubs,
        leaves=N_LEAVES,
        connect_s=round(connect_s, 2),
        **figures,
    )


def main() -> None:
    """Read the options, run, print."""
    options = parser(str(__doc__).partition("\n")[0])
    options.add_argument("--phones", type=int, default=300)
    options.add_argument("--hubs", type=int, choices=(1, 2), default=2)
    args = options.parse_args()
    show(asyncio.run(measure(args.phones, args.hubs, args.seed)), as_json=args.json)


if __name__ == "__main__":
    main()
