"""How many phones connect per second: TCP, CONNECT, CONNACK, SUBSCRIBE, SUBACK.

At most 64 are between connect and SUBACK at a time, since mosquitto's listen backlog is 100, and
the source addresses are spread over 127.0.0.0/8. The phones subscribe to the alerts of their cell
and to the current state, as a real one does first of all.

Open loop: all phones are due at once, as after a restart, and the delays count from then to the
SUBACK of each. A delivery is here a phone that is subscribed, ``lost`` a connection that failed on
the way (it is tried again), and the CPU that of both sides.

The reference, in the same run and in turn with it: a bare process that accepts and answers the two
packets without reading what they ask for (``benchmarks/bare_server.py``).

    python -m benchmarks.bench_connect --phones 10000 --json
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from benchmarks.bare_server import bare_server
from benchmarks.common import delivery, parser, quantiles, result, show
from benchmarks.crowd_bench import (
    CrowdUnderTest,
    bench_places,
    cpu_s,
    private_mosquitto,
    process_cpu_s,
)
from clients.crowd.histogram import Histogram
from clients.crowd.places import CrowdPlaces

_UNBOUNDED = 1e6  # connects per second: as many as there can be


@dataclass(slots=True)
class Side:
    """What was found with one kind of server, round by round."""

    took: Histogram = field(default_factory=Histogram)
    connects_per_s: list[float] = field(default_factory=list)
    crowd_cpu_s: float = 0.0
    server_cpu_s: float = 0.0
    n: int = 0
    failures: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return the figures."""
        return {
            **delivery(
                {name.removesuffix("_ms"): ms for name, ms in self.took.summary().items()},
                delivered=self.n,
                lost=self.failures,
                duplicates=0,
                cpu_s=self.crowd_cpu_s + self.server_cpu_s,
            ),
            "connects_per_s": quantiles(self.connects_per_s, digits=0),
            "crowd_cpu_us_per_connect": round(1e6 * self.crowd_cpu_s / self.n, 1),
            "server_cpu_us_per_connect": round(1e6 * self.server_cpu_s / self.n, 1),
        }


def once(places: CrowdPlaces, port: int, pid: int, seed: int, into: Side) -> None:
    """Connect all phones to a server."""
    crowd = CrowdUnderTest(places, port, seed, connects_per_s=_UNBOUNDED)
    own_s, server_s = process_cpu_s(), cpu_s(pid)
    into.connects_per_s.append(len(places) / crowd.connect(into.took))
    into.crowd_cpu_s += process_cpu_s() - own_s
    into.server_cpu_s += cpu_s(pid) - server_s
    into.n += len(places)
    into.failures += crowd.engine.counts["connect_failures"]
    crowd.close()


def measure(n_phones: int, rounds: int, seed: int) -> dict[str, Any]:
    """Run both sides in turns; return the whole result."""
    places = bench_places(n_phones, seed)
    ours, bare = Side(), Side()
    for _ in range(rounds):
        with private_mosquitto(n_phones) as broker:
            once(places, broker.port, broker.pid, seed, ours)
        with bare_server() as server:
            once(places, server.port, server.pid, seed, bare)
    figures = {"mqtt": ours.to_json(), "reference": bare.to_json()}
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


def main() -> None:
    """Read the options, run, print."""
    options = parser(str(__doc__).partition("\n")[0])
    options.add_argument("--phones", type=int, default=10_000)
    options.add_argument("--rounds", type=int, default=3)
    args = options.parse_args()
    show(measure(args.phones, args.rounds, args.seed), as_json=args.json)


if __name__ == "__main__":
    main()
