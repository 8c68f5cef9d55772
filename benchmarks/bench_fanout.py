"""How long one alert takes to many real MQTT devices, until the last one has it.

Each device is a connection of its own with the whole device logic behind it, all in this
process; the publisher hands the alert over once per area cell. Rounds are paced: the next alert
leaves when every device has answered the last (closed loop), so no queue can hide in the figures.

The reference, in the same run: a bare asyncio server that writes as many bytes to as many
accepted sockets, whose clients only note the time. The ratio says what MQTT, the cells and the
device logic cost over the sockets themselves, on the machine as loaded as it was.

    python -m benchmarks.bench_fanout --phones 1000 --broker auto --rounds 30 --json
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from benchmarks.common import parser, quantiles, result, show
from benchmarks.samples import NOW_NS, sample_alert, sample_phones
from clients.fleet import Fleet
from eew.clock import SystemClock
from eew.egress.broker import BrokerAddress, open_broker
from eew.egress.mqtt import AlertPublisher
from eew.mqtt_link import allow_open_files

N_WARMUP = 3
RADIUS_KM = 150.0  # felt out to here: some 60 cells
ANSWER_TIMEOUT_S = 30.0
PAUSE_S = 0.05


async def fan_out(address: BrokerAddress, n_phones: int, rounds: int, seed: int) -> dict[str, Any]:
    """Measure the rounds; return figures and the size of a payload."""
    clock = SystemClock()
    phones = sample_phones(n_phones, seed, within_km=RADIUS_KM, follow_heartbeat=False)
    fleet = Fleet(phones, address, clock, seed=seed, now_ns=lambda: NOW_NS, heartbeats=False)
    publisher = AlertPublisher(
        address,
        service_id="bench",
        run_id="bench",
        seed=seed,
        clock=clock,
        now_ns=lambda: NOW_NS,
        heartbeat_s=None,
        hand_over_s=ANSWER_TIMEOUT_S,
    )
    receipt_ms: list[float] = []
    hand_over_ms: list[float] = []
    last_ms: list[float] = []
    lost = n_cells = n_bytes = 0
    async with publisher:
        started_ns = clock.monotonic_ns()
        await fleet.start(timeout_s=300.0)
        connect_s = (clock.monotonic_ns() - started_ns) / 1e9
        try:
            cpu_s = 0.0
            for serial in range(1, N_WARMUP + rounds + 1):
                if serial == N_WARMUP + 1:
                    cpu_s = time.process_time()
                receipt = await publisher.publish_alert(sample_alert(serial, radius_km=RADIUS_KM))
                fleet.sent("bench", serial, receipt.sent_ns)
                report = await fleet.wait_answers(
                    "bench", serial, fleet.listeners(receipt.topics), ANSWER_TIMEOUT_S
                )
                n_cells, n_bytes = len(receipt.topics) - 1, receipt.n_bytes
                if serial > N_WARMUP:
                    took_ms = [ns / 1e6 for ns in report.latencies_ns().values()]
                    receipt_ms += took_ms
                    last_ms.append(max(took_ms, default=0.0))
                    hand_over_ms.append(((receipt.taken_ns or 0) - receipt.sent_ns) / 1e6)
                    lost += len(report.missing)
                await asyncio.sleep(PAUSE_S)
            cpu_s = time.process_time() - cpu_s
            summary = fleet.summary()
        finally:
            await fleet.stop()
    return {
        "mqtt": _figures(receipt_ms, last_ms, cpu_s)
        | {
            "lost": lost,
            "duplicates": summary.duplicates,
            "hand_over_ms": quantiles(hand_over_ms)["p50"],
            "connect_s": round(connect_s, 2),
        },
        "cells": n_cells,
        "payload_bytes": n_bytes,
    }


def _figures(receipt_ms: list[float], last_ms: list[float], cpu_s: float) -> dict[str, Any]:
    spread = quantiles(receipt_ms)
    return {
        **{f"{name}_ms": spread.get(name) for name in ("p50", "p90", "p95", "p99", "max")},
        "last_p50_ms": quantiles(last_ms).get("p50"),
        "delivered": len(receipt_ms),
        "cpu_us_per_delivery": round(1e6 * cpu_s / max(1, len(receipt_ms)), 1),
    }


# ---------------------------------------------------------------- the reference


class _Client(asyncio.Protocol):
    """Counts bytes and notes when a whole payload has come."""

    def __init__(self, n_bytes: int, times_ns: list[int], done: asyncio.Event, n: int) -> None:
        self._n_bytes, self._times_ns, self._done, self._n = n_bytes, times_ns, done, n
        self._got = 0

    def data_received(self, data: bytes) -> None:
        self._got += len(data)
        while self._got >= self._n_bytes:
            self._got -= self._n_bytes
            self._times_ns.append(time.perf_counter_ns())
            if len(self._times_ns) == self._n:
                self._done.set()


@asynccontextmanager
async def _sockets(
    n: int, n_bytes: int, times_ns: list[int], done: asyncio.Event
) -> AsyncIterator[list[asyncio.StreamWriter]]:
    writers: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(
        lambda _reader, writer: writers.append(writer), "127.0.0.1", 0, backlog=1024
    )
    port = server.sockets[0].getsockname()[1]
    loop = asyncio.get_running_loop()
    transports: list[asyncio.BaseTransport] = []
    try:
        for _ in range(n):
            opened, _protocol = await loop.create_connection(
                lambda: _Client(n_bytes, times_ns, done, n), "127.0.0.1", port
            )
            transports.append(opened)
        for _ in iter(lambda: len(writers) == n, True):
            await asyncio.sleep(0.01)
        yield writers
    finally:
        for transport in transports:
            transport.close()
        for writer in writers:
            writer.close()
        server.close()
        await asyncio.sleep(0.05)


async def reference(n: int, n_bytes: int, rounds: int) -> dict[str, Any]:
    """Write ``n_bytes`` to each of ``n`` sockets; return the figures of the receipt."""
    times_ns: list[int] = []
    done = asyncio.Event()
    payload = b"x" * n_bytes
    receipt_ms: list[float] = []
    last_ms: list[float] = []
    cpu_s = 0.0
    async with _sockets(n, n_bytes, times_ns, done) as writers:
        for number in range(N_WARMUP + rounds):
            if number == N_WARMUP:
                cpu_s = time.process_time()
            times_ns.clear()
            done.clear()
            sent_ns = time.perf_counter_ns()
            for writer in writers:
                writer.write(payload)
            await done.wait()
            if number >= N_WARMUP:
                took_ms = [(at_ns - sent_ns) / 1e6 for at_ns in times_ns]
                receipt_ms += took_ms
                last_ms.append(max(took_ms))
            await asyncio.sleep(PAUSE_S)
        cpu_s = time.process_time() - cpu_s
    return _figures(receipt_ms, last_ms, cpu_s) | {"lost": 0, "duplicates": 0}


async def measure(spec: str, n_phones: int, rounds: int, seed: int) -> dict[str, Any]:
    """Run benchmark and reference; return the whole result."""
    allow_open_files(2 * n_phones + 500)
    async with open_broker(spec) as address:
        figures = await fan_out(address, n_phones, rounds, seed)
    bare = await reference(n_phones, figures["payload_bytes"], rounds)
    ratio = {
        name: round(figures["mqtt"][name] / bare[name], 2)
        for name in ("p50_ms", "p99_ms", "max_ms")
    }
    return result(
        "fanout",
        question=f"when do {n_phones} devices in one process have one alert?",
        unit="ms from hand-over to receipt",
        n=rounds * n_phones,
        seed=seed,
        phones=n_phones,
        rounds=rounds,
        broker=address.kind,
        mqtt_version={5: "5", 4: "3.1.1"}[address.protocol],
        loop="closed",
        **figures,
        reference=bare,
        ratio=ratio,
    )


def main() -> None:
    """Read the options, run, print."""
    options = parser(str(__doc__).partition("\n")[0])
    options.add_argument("--phones", type=int, default=1000)
    options.add_argument("--broker", default="auto", help="auto, embedded, mosquitto or a URL")
    options.add_argument("--rounds", type=int, default=30)
    args = options.parse_args()
    outcome = asyncio.run(measure(args.broker, args.phones, args.rounds, args.seed))
    show(outcome, as_json=args.json)


if __name__ == "__main__":
    main()
