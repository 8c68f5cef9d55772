"""How long one alert takes to many real MQTT devices, until the last one has it.

Each device is a connection of its own with the whole device logic behind it, all in this
process; the publisher hands the alert over once per area cell. Open loop: alerts leave at set
times, ``--interval`` apart, and are timed from the moment they were due, so a queue shows in the
figures instead of slowing down the one who measures. ``--interval 0`` is the closed loop: the
next alert leaves when every device has answered the last.

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
from clients.answers import AnswerReport
from clients.fleet import Fleet
from eew.clock import SystemClock
from eew.egress.broker import BrokerAddress, open_broker
from eew.egress.mqtt import AlertPublisher, PublishReceipt
from eew.mqtt_link import allow_open_files

N_WARMUP = 3
RADIUS_KM = 150.0  # felt out to here: some 60 cells
ANSWER_TIMEOUT_S = 30.0
PAUSE_S = 0.05  # between rounds of the closed loop, and of the reference


async def fan_out(
    address: BrokerAddress, n_phones: int, rounds: int, interval_s: float, seed: int
) -> dict[str, Any]:
    """Measure the rounds; return the figures, and the size of a payload."""
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
    async with publisher:
        started_ns = clock.monotonic_ns()
        await fleet.start(timeout_s=300.0)
        connect_s = (clock.monotonic_ns() - started_ns) / 1e9
        try:
            await _rounds(publisher, fleet, range(1, N_WARMUP + 1), 0.0)
            cpu_s = time.process_time()
            counted = range(N_WARMUP + 1, N_WARMUP + rounds + 1)
            receipts, reports = await _rounds(publisher, fleet, counted, interval_s)
            cpu_s = time.process_time() - cpu_s
            summary = fleet.summary()
        finally:
            await fleet.stop()
    took_ms = [[ns / 1e6 for ns in report.latencies_ns().values()] for report in reports]
    figures = _figures(
        [one for round_ms in took_ms for one in round_ms],
        [max(round_ms) for round_ms in took_ms if round_ms],
        cpu_s,
    )
    return {
        "mqtt": figures
        | {
            "lost": sum(len(report.missing) for report in reports),
            "overtaken": rounds * n_phones - sum(len(r.answers) + len(r.missing) for r in reports),
            "duplicates": summary.duplicates,
            "connect_s": round(connect_s, 2),
        },
        "cells": len(receipts[0].topics) - 1,
        "payload_bytes": receipts[0].n_bytes,
    }


async def _rounds(
    publisher: AlertPublisher, fleet: Fleet, serials: range, interval_s: float
) -> tuple[list[PublishReceipt], list[AnswerReport]]:
    """Send one alert per serial; with an interval at set times, else each after the last."""
    loop = asyncio.get_running_loop()
    receipts: list[PublishReceipt] = []
    reports: list[AnswerReport] = []

    async def wait(receipt: PublishReceipt) -> None:
        overtaken = set(receipt.overtaken)  # a newer serial took its place, as it should
        listeners = fleet.listeners(topic for topic in receipt.topics if topic not in overtaken)
        reports.append(
            await fleet.wait_answers("bench", receipt.serial, listeners, ANSWER_TIMEOUT_S)
        )

    start_s = loop.time()
    for number, serial in enumerate(serials):
        message = sample_alert(serial, radius_km=RADIUS_KM)
        if interval_s:
            due_s = start_s + number * interval_s
            await asyncio.sleep(due_s - loop.time())
            late_ns = round(1e9 * (loop.time() - due_s))
            receipt = publisher.submit(message)
            fleet.sent("bench", serial, receipt.sent_ns - late_ns)
        else:
            await asyncio.sleep(PAUSE_S)
            receipt = await publisher.publish_alert(message)
            fleet.sent("bench", serial, receipt.sent_ns)
            await wait(receipt)
        receipts.append(receipt)
    if interval_s:
        for receipt in reversed(receipts):  # the newest cannot be overtaken any more
            await wait(receipt)
    return receipts, reports


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


async def measure(
    spec: str, n_phones: int, rounds: int, interval_s: float, seed: int
) -> dict[str, Any]:
    """Run benchmark and reference; return the whole result."""
    allow_open_files(2 * n_phones + 500)
    async with open_broker(spec) as address:
        figures = await fan_out(address, n_phones, rounds, interval_s, seed)
    bare = await reference(n_phones, figures["payload_bytes"], rounds)
    ratio = {
        name: round(figures["mqtt"][name] / bare[name], 2)
        for name in ("p50_ms", "p99_ms", "max_ms")
    }
    return result(
        "fanout",
        question=f"when do {n_phones} devices in one process have one alert?",
        unit="ms from when the alert was due to its receipt",
        n=rounds * n_phones,
        seed=seed,
        phones=n_phones,
        rounds=rounds,
        broker=address.kind,
        mqtt_version={5: "5", 4: "3.1.1"}[address.protocol],
        loop=f"open, one alert each {interval_s:g} s" if interval_s else "closed",
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
    options.add_argument("--interval", type=float, default=1.0, help="s; 0 for the closed loop")
    args = options.parse_args()
    outcome = asyncio.run(measure(args.broker, args.phones, args.rounds, args.interval, args.seed))
    show(outcome, as_json=args.json)


if __name__ == "__main__":
    main()
