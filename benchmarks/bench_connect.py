"""How many phones connect per second: TCP, CONNECT, CONNACK, SUBSCRIBE, SUBACK.

At most 64 are between connect and SUBACK at a time, since mosquitto's listen backlog is 100, and
the source addresses are spread over 127.0.0.0/8. The phones subscribe to the alerts of their cell
and to the current state, as a real one does first of all.

The reference, in the same run and in turn with it: a bare process that accepts and answers the two
packets without reading what they ask for (``benchmarks/bare_server.py``).

    python -m benchmarks.bench_connect --phones 10000 --json
"""

from __future__ import annotations

from typing import Any

from benchmarks.bare_server import bare_server
from benchmarks.common import parser, quantiles, result, show
from benchmarks.crowd_bench import (
    CrowdUnderTest,
    bench_places,
    cpu_s,
    private_mosquitto,
    process_cpu_s,
)
from clients.crowd.places import CrowdPlaces

_UNBOUNDED = 1e6  # connects per second: as many as there can be


def once(places: CrowdPlaces, port: int, pid: int, seed: int) -> dict[str, float]:
    """Connect all phones to a server; return how fast that was."""
    crowd = CrowdUnderTest(places, port, seed, connects_per_s=_UNBOUNDED)
    own_s, server_s = process_cpu_s(), cpu_s(pid)
    took_s = crowd.connect()
    own_s, server_s = process_cpu_s() - own_s, cpu_s(pid) - server_s
    failures = crowd.engine.counts["connect_failures"]
    crowd.close()
    n = len(places)
    return {
        "connects_per_s": n / took_s,
        "crowd_cpu_us": 1e6 * own_s / n,
        "server_cpu_us": 1e6 * server_s / n,
        "failures": failures,
    }


def measure(n_phones: int, rounds: int, seed: int) -> dict[str, Any]:
    """Run both sides in turns; return the whole result."""
    places = bench_places(n_phones, seed)
    sides: dict[str, list[dict[str, float]]] = {"mqtt": [], "reference": []}
    for _ in range(rounds):
        with private_mosquitto(n_phones) as broker:
            sides["mqtt"].append(once(places, broker.port, broker.pid, seed))
        with bare_server() as server:
            sides["reference"].append(once(places, server.port, server.pid, seed))
    figures = {name: _figures(found) for name, found in sides.items()}
    return result(
        "connect",
        question=f"how fast do {n_phones} phones connect, until they are subscribed?",
        unit="connects per second",
        n=n_phones * rounds,
        seed=seed,
        phones=n_phones,
        rounds=rounds,
        broker="mosquitto",
        **figures,
        ratio=round(
            figures["mqtt"]["connects_per_s"]["p50"]
            / figures["reference"]["connects_per_s"]["p50"],
            2,
        ),
    )


def _figures(found: list[dict[str, float]]) -> dict[str, Any]:
    return {
        "connects_per_s": quantiles([one["connects_per_s"] for one in found], digits=0),
        "crowd_cpu_us_per_connect": quantiles([one["crowd_cpu_us"] for one in found], digits=1),
        "server_cpu_us_per_connect": quantiles([one["server_cpu_us"] for one in found], digits=1),
        "failures": int(sum(one["failures"] for one in found)),
    }


def main() -> None:
    """Read the options, run, print."""
    options = parser(str(__doc__).partition("\n")[0])
    options.add_argument("--phones", type=int, default=10_000)
    options.add_argument("--rounds", type=int, default=3)
    args = options.parse_args()
    show(measure(args.phones, args.rounds, args.seed), as_json=args.json)


if __name__ == "__main__":
    main()
