"""How long until the broker has taken an alert for many cells, and until somebody has them all.

The whole of the publisher counts, from the message as a value: encoding, ordering the cells, the
packets, the socket. *Hand-over* ends when the broker's last acknowledgement is read; *receipt* when
the last copy has come to one subscriber, a process of its own that listens to every cell; of the
``--phones`` the others listen to one cell each, in turn, and are work for the broker. Open loop:
alerts leave at set times and count from the moment they were due.

The references, in the same run: ``reference``, a bare server process that reads as many bytes from
a socket and answers with as many acknowledgements (the floor for one connection); ``aiomqtt``,
which hands the same copies over one by one, as many at a time as the broker takes.

    python -m benchmarks.bench_publish --cells 1000,5000 --rounds 30 --json
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import h3
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run as a plain script

from benchmarks.cell_listeners import listen
from benchmarks.common import delivery, parser, quantiles, result, show
from benchmarks.samples import NOW_NS, sample_alert
from eew.app.development_key import development_key
from eew.clock import SystemClock
from eew.egress.broker import open_broker
from eew.egress.mqtt import AlertPublisher
from eew.egress.plan import AlertPlanner
from eew.messages.areas import areas_of_cells
from eew.messages.cell_order import nearest_km
from eew.messages.topics import tree_prefix
from eew.model.alert import AlertMessage
from eew.mqtt_link import BrokerAddress, open_link

N_WARMUP = 3
RADIUS_KM = 300.0
_RESOLUTION = 4
_PATIENCE_S = 20.0
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_SPAWN = multiprocessing.get_context("spawn")


class NearestCells(AlertPlanner):
    """Tells as many cells as asked for, those nearest to the epicentre."""

    def __init__(self, n: int) -> None:
        super().__init__()
        origin = sample_alert(1, radius_km=RADIUS_KM).origin
        own = h3.latlng_to_cell(origin.lat, origin.lon, _RESOLUTION)
        cells: list[str] = []
        rings = 20
        while len(cells) < n:
            disk = {h3.str_to_int(cell) for cell in h3.grid_disk(own, rings)}
            cells = [h3.int_to_str(area) for area in areas_of_cells(sorted(disk))]
            rings += 10
        order = np.argsort(nearest_km(origin, cells), kind="stable")
        self._cells = tuple(cells[i] for i in order[:n].tolist())

    def affected(self, message: AlertMessage) -> tuple[str, ...]:
        """Return them, whatever the message says."""
        return self._cells


# ---------------------------------------------------------------- the reference, another process


def _bare_server(n_bytes: int, pipe: Connection) -> None:
    """Answer each ``n_bytes`` with the four bytes of an acknowledgement."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        pipe.send(server.getsockname()[1])
        peer, _ = server.accept()
        with peer:
            got = answered = 0
            while data := peer.recv(1 << 18):
                got += len(data)
                n, answered = got // n_bytes - answered, got // n_bytes
                peer.sendall(b"\x40\x02\x00\x01" * n)


async def reference(n: int, n_bytes: int, rounds: int, interval_s: float) -> dict[str, Any]:
    """Write ``n`` frames of ``n_bytes`` and read as many acknowledgements, again and again."""
    with _child(_bare_server, n_bytes) as pipe:
        reader, writer = await asyncio.open_connection("127.0.0.1", pipe.recv())
        data = b"x" * (n * n_bytes)

        async def round_(_number: int) -> int:
            writer.write(data)
            await reader.readexactly(4 * n)
            return time.monotonic_ns()

        took_ms, cpu_s, _ = await _paced(round_, rounds, interval_s)
        writer.close()
    return _figures(took_ms, n * rounds, cpu_s)


# ---------------------------------------------------------------- measuring


@contextmanager
def _child(target: Callable[..., None], *args: Any) -> Iterator[Connection]:
    ours, theirs = _SPAWN.Pipe()
    process = _SPAWN.Process(target=target, args=(*args, theirs), daemon=True)
    process.start()
    try:
        yield ours
    finally:
        process.kill()
        process.join()


async def _paced(
    round_: Callable[[int], Awaitable[int]], rounds: int, interval_s: float
) -> tuple[list[float], float, list[int]]:
    """Run rounds at set times, each of which returns when it was over, monotonic ns.

    Returns what they took from when they were due, ms; the CPU of this process, s; and when they
    were due, monotonic ns.
    """
    took_ms, due = [], []
    start_ns = time.monotonic_ns()
    cpu_s = 0.0
    for number in range(N_WARMUP + rounds):
        if number == N_WARMUP:
            cpu_s = time.process_time()
        due_ns = start_ns + round(number * interval_s * 1e9)
        await asyncio.sleep((due_ns - time.monotonic_ns()) / 1e9)
        done_ns = await round_(number)
        if number >= N_WARMUP:
            took_ms.append((done_ns - due_ns) / 1e6)
            due.append(due_ns)
    return took_ms, time.process_time() - cpu_s, due


def _figures(
    took_ms: list[float], n: int, cpu_s: float, *, lost: int = 0, duplicates: int = 0
) -> dict[str, Any]:
    return delivery(quantiles(took_ms), delivered=n, lost=lost, duplicates=duplicates, cpu_s=cpu_s)


async def publish(
    address: BrokerAddress, n: int, phones: int, rounds: int, interval_s: float, seed: int
) -> dict[str, Any]:
    """Hand alerts over with the publisher; count what one subscriber gets."""
    clock = SystemClock()
    prefix = tree_prefix(sample_alert(1, radius_km=RADIUS_KM).status)
    publisher = AlertPublisher(
        address,
        service_id="bench",
        run_id="bench",
        seed=seed,
        signer=development_key(seed, sample_alert(1, radius_km=RADIUS_KM).status),
        clock=clock,
        now_ns=lambda: NOW_NS,
        planner=NearestCells(n),
        hand_over_s=_PATIENCE_S,
    )
    submit_ms: list[float] = []
    n_bytes = 0
    cells = NearestCells(n).affected(sample_alert(1, radius_km=RADIUS_KM))
    one_each = [f"{prefix}/area/{cells[k % n]}/alert" for k in range(phones - 1)]
    filters = [f"{prefix}/area/+/alert", *one_each]
    with _child(listen, address.host, address.port, address.protocol, filters, n) as pipe:
        await asyncio.to_thread(pipe.recv)
        async with publisher:

            async def round_(number: int) -> int:
                nonlocal n_bytes
                message = sample_alert(number + 1, radius_km=RADIUS_KM)
                began_ns = clock.monotonic_ns()
                receipt = publisher.submit(message)
                submit_ms.append((clock.monotonic_ns() - began_ns) / 1e6)
                await publisher.until_taken(receipt)
                n_bytes = receipt.n_bytes
                assert receipt.taken_ns is not None
                return receipt.taken_ns

            broker_s = _cpu_of_broker(address)
            took_ms, cpu_s, due = await _paced(round_, rounds, interval_s)
            broker_s = _cpu_of_broker(address) - broker_s
            await asyncio.sleep(1.0)
            pipe.send("enough")
            last, counts = await asyncio.to_thread(_collect, pipe)
    counted = counts[N_WARMUP : N_WARMUP + rounds]
    receipt_ms = [
        (last[N_WARMUP + number + 1] - due_ns) / 1e6
        for number, due_ns in enumerate(due)
        if N_WARMUP + number + 1 in last
    ]
    received = sum(distinct for distinct, _ in counted)
    return {
        "mqtt": _figures(
            took_ms,
            received,
            cpu_s,
            lost=n * rounds - received,
            duplicates=sum(total - distinct for distinct, total in counted),
        )
        | {"broker_cpu_us_per_delivery": round(1e6 * broker_s / (n * rounds), 1)},
        "submit_ms": quantiles(submit_ms[N_WARMUP:]),
        "receipt_of_the_last_ms": quantiles(receipt_ms),
        "payload_bytes": n_bytes,
    }


def _collect(pipe: Connection) -> tuple[dict[int, int], list[tuple[int, int]]]:
    last: dict[int, int] = {}
    while pipe.poll(_PATIENCE_S):
        said = pipe.recv()
        if isinstance(said, list):
            return last, said
        last.setdefault(said[0], said[1])
    raise SystemExit("the subscriber has not said what it got")


def _cpu_of_broker(address: BrokerAddress) -> float:
    """Return the processor time of our own mosquitto so far, s; 0 for any other broker."""
    if address.kind != "mosquitto":
        return 0.0
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, fields = status.read_text().partition(") ")
        except OSError:
            continue
        if name.endswith("(mosquitto") and int(fields.split()[1]) == os.getpid():
            return sum(map(int, fields.split()[11:13])) / _TICKS_PER_S
    return 0.0


async def aiomqtt(
    address: BrokerAddress, n: int, n_bytes: int, rounds: int, interval_s: float
) -> dict[str, Any]:
    """Hand as many copies over with a client library, a window at a time."""
    payload = b"x" * n_bytes
    cells = NearestCells(n).affected(sample_alert(1, radius_km=RADIUS_KM))
    topics = [f"bench/area/{cell}/alert" for cell in cells]
    window = min(100, address.receive_maximum)  # more at once is slower
    async with open_link(replace(address, receive_maximum=window)) as link:

        async def round_(_number: int) -> int:
            for start in range(0, n, window):
                await asyncio.gather(
                    *(
                        link.publish(topic, payload, qos=1)
                        for topic in topics[start : start + window]
                    )
                )
            return time.monotonic_ns()

        took_ms, cpu_s, _ = await _paced(round_, rounds, interval_s)
    return _figures(took_ms, n * rounds, cpu_s)


async def measure(
    spec: str, cells: list[int], phones: int, rounds: int, interval_s: float, seed: int
) -> dict[str, Any]:
    """Run benchmark and references for each number of cells; return the whole result."""
    by_cells: dict[str, Any] = {}
    async with open_broker(spec) as address:
        for n in cells:
            figures = await publish(address, n, phones, rounds, interval_s, seed)
            frame = figures["payload_bytes"] + 60
            bare = await reference(n, frame, rounds, interval_s)
            library_s = max(interval_s, n * 5e-4)
            by_cells[str(n)] = {
                **figures,
                "reference": bare,
                "aiomqtt": await aiomqtt(address, n, frame - 60, max(3, rounds // 3), library_s),
                "ratio_p50": round(figures["mqtt"]["p50_ms"] / bare["p50_ms"], 2),
            }
    first = by_cells[str(cells[0])]
    return result(
        "publish",
        question="when has the broker taken an alert for so many cells?",
        unit="ms from when the alert was due to the last acknowledgement",
        n=rounds,
        seed=seed,
        broker=address.kind,
        mqtt_version={5: "5", 4: "3.1.1"}[address.protocol],
        receive_maximum=address.receive_maximum,
        loop=f"open, one alert each {interval_s:g} s",
        cells=cells[0],
        phones=phones,
        mqtt=first["mqtt"],
        reference=first["reference"],
        by_cells=by_cells,
    )


def main() -> None:
    """Read the options, run, print."""
    options = parser(str(__doc__).partition("\n")[0])
    options.add_argument("--cells", default="1000,5000", help="numbers of cells, with commas")
    options.add_argument("--phones", type=int, default=1, help="that listen, 1 or more")
    options.add_argument("--broker", default="auto", help="auto, embedded, mosquitto or a URL")
    options.add_argument("--rounds", type=int, default=30)
    options.add_argument("--interval", type=float, default=0.5, help="s between alerts")
    args = options.parse_args()
    cells = [int(n) for n in args.cells.split(",")]
    show(
        asyncio.run(
            measure(args.broker, cells, args.phones, args.rounds, args.interval, args.seed)
        ),
        as_json=args.json,
    )


if __name__ == "__main__":
    main()
