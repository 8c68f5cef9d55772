"""How long one alert takes to many real MQTT connections, until the last one has it.

Each phone is a connection of its own, and the logic of a phone takes what comes: verified,
ordered, worked out for its place. The alert is handed to a private mosquitto once per area cell,
QoS 1, over one connection. Open loop: alerts leave at set times, ``--interval`` apart, and are
timed from the moment they were due, so a queue shows in the figures instead of slowing down the
one who measures. ``--interval 0`` is the closed loop: each alert leaves when the last has arrived.

The reference, in the same run and in turn with it: a bare process that accepts and writes the same
frames to the same receiving engine with the same logic (``benchmarks/bare_server.py``). The ratio
says what the broker costs over the sockets themselves, on the machine as loaded as it was. CPU is
of both sides, and apart.

    python -m benchmarks.bench_fanout --phones 1000,5000,10000,18000 --rounds 20 --json
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.bare_server import BareServer, bare_server
from benchmarks.common import parser, result, show
from benchmarks.crowd_bench import (
    CrowdUnderTest,
    Figures,
    RawPublisher,
    bench_alert,
    bench_places,
    cpu_s,
    frames,
    private_mosquitto,
    process_cpu_s,
    sealed,
)
from clients.crowd.places import CrowdPlaces

N_WARMUP = 2
ANSWER_LIMIT_S = 30.0
PAUSE_S = 0.3  # between rounds of the closed loop
_SERIALS = iter(range(1, 1_000_000))


def rounds_on(
    crowd: CrowdUnderTest,
    n_rounds: int,
    interval_s: float,
    seed: int,
    into: Figures,
    load: Callable[[dict[bytes, bytes]], None],
    send: Callable[[], None],
    server_cpu_s: Callable[[], float],
) -> int:
    """Send alerts and wait for each; return the size of a payload."""
    due_ns = crowd.clock.monotonic_ns()
    size = 0
    for number in range(N_WARMUP + n_rounds):
        counted = number >= N_WARMUP
        payload = sealed(bench_alert(next(_SERIALS)), seed)
        size = len(payload)
        load(frames(payload, crowd.topics, qos=1, first_id=number * len(crowd.topics)))
        if interval_s:
            due_ns += round(interval_s * 1e9)
            crowd.until(due_ns)
        else:
            crowd.idle(PAUSE_S)
            due_ns = crowd.clock.monotonic_ns()
        before_s, before_server_s = process_cpu_s(), server_cpu_s()
        send()
        crowd.collect(crowd.n, due_ns, ANSWER_LIMIT_S, into if counted else None)
        if interval_s:  # the acknowledgements belong to the cost
            crowd.until(due_ns + round(0.9e9 * interval_s))
        else:
            crowd.idle(PAUSE_S)
        if counted:
            into.crowd_cpu_s += process_cpu_s() - before_s
            into.server_cpu_s += server_cpu_s() - before_server_s
    return size


def through_broker(
    places: CrowdPlaces, n_rounds: int, interval_s: float, seed: int, into: Figures
) -> tuple[int, int]:
    """Measure rounds with mosquitto; return the size of a payload and the number of cells."""
    with private_mosquitto(len(places)) as broker:
        crowd = CrowdUnderTest(places, broker.port, seed, settle_per_s=2000.0)
        into.connect_s.append(crowd.connect())
        crowd.settle()
        publisher = RawPublisher(broker.port)
        waiting: dict[bytes, bytes] = {}

        def load(made: dict[bytes, bytes]) -> None:
            publisher.drain()
            waiting.clear()
            waiting.update(made)

        size = rounds_on(
            crowd, n_rounds, interval_s, seed, into, load,
            lambda: publisher.send(waiting), lambda: cpu_s(broker.pid),
        )  # fmt: skip
        publisher.close()
        n_cells = len(crowd.topics)
        crowd.close()
    return size, n_cells


def through_bare_server(
    places: CrowdPlaces, n_rounds: int, interval_s: float, seed: int, into: Figures
) -> None:
    """Measure rounds with the bare server."""
    # which topics there are is known once the logic stands; the server learns them by name
    with bare_server() as server:
        crowd = CrowdUnderTest(places, server.port, seed, settle_per_s=2000.0)
        into.connect_s.append(crowd.connect())
        crowd.settle()
        _bare_rounds(crowd, server, n_rounds, interval_s, seed, into)
        crowd.close()


def _bare_rounds(
    crowd: CrowdUnderTest,
    server: BareServer,
    n_rounds: int,
    interval_s: float,
    seed: int,
    into: Figures,
) -> None:
    rounds_on(
        crowd, n_rounds, interval_s, seed, into, server.load, server.write,
        lambda: cpu_s(server.pid),
    )  # fmt: skip


def fan_out(
    n_phones: int, rounds: int, blocks: int, interval_s: float, seed: int
) -> dict[str, Any]:
    """Measure one size; broker and reference take turns."""
    places = bench_places(n_phones, seed)
    ours, reference = Figures(), Figures()
    size = n_cells = 0
    each = max(1, rounds // blocks)
    for _ in range(blocks):
        size, n_cells = through_broker(places, each, interval_s, seed, ours)
        through_bare_server(places, each, interval_s, seed, reference)
    mqtt, bare = ours.to_json(), reference.to_json()
    ratio = {
        name: round(float(str(mqtt[name])) / float(str(bare[name])), 2)
        for name in ("p50_ms", "p99_ms", "max_ms", "last_p50_ms")
    }
    return {
        "phones": n_phones,
        "rounds": each * blocks,
        "cells": n_cells,
        "payload_bytes": size,
        "mqtt": mqtt,
        "reference": bare,
        "ratio": ratio,
    }


def measure(
    sizes: list[int], rounds: int, blocks: int, interval_s: float, seed: int
) -> dict[str, Any]:
    """Run all sizes; the figures at the top are those of the last."""
    runs = [fan_out(n, rounds, blocks, interval_s, seed) for n in sizes]
    return result(
        "fanout",
        question="when do all phones have one alert?",
        unit="ms from when the alert was due to its receipt",
        n=sum(run["rounds"] * run["phones"] for run in runs),
        seed=seed,
        broker="mosquitto",
        mqtt_version="5",
        qos=1,
        loop=f"open, one alert each {interval_s:g} s" if interval_s else "closed",
        **runs[-1],
        runs=runs,
    )


def main() -> None:
    """Read the options, run, print."""
    options = parser(str(__doc__).partition("\n")[0])
    options.add_argument("--phones", default="1000", help="one number, or several: 1000,5000")
    options.add_argument("--rounds", type=int, default=20, help="of each side")
    options.add_argument("--blocks", type=int, default=2, help="how often the sides take turns")
    options.add_argument("--interval", type=float, default=1.0, help="s; 0 for the closed loop")
    args = options.parse_args()
    sizes = [int(word) for word in args.phones.split(",")]
    outcome = measure(sizes, args.rounds, args.blocks, args.interval, args.seed)
    show(outcome, as_json=args.json)


if __name__ == "__main__":
    main()
