"""Millions of alerts to real connections, each accepted by the logic of the phone it is for.

``--deliveries`` (9.4 million) alerts go to ``--phones`` connections of a private mosquitto, each
with its own event and serial, so that a phone has a reason to accept every one. Counted is what
the logic of the devices accepted, device by device: none may be missing, none may be twice.

Closed loop: ``--window`` alerts are under way, and the next leaves when the oldest has reached
everybody; no queue of the broker can overflow. The delays count from the moment an alert was handed
over: they say how long one took in a flood, not how long one waits that is due (``bench_fanout``
does that). A window of 1 means one ``write`` of the broker for each delivery: nothing is joined
(``deliveries_per_read`` says so).

The reference, in the same run: a bare process writes the same frames to the same engine with the
same logic. It is given fewer deliveries, and time per delivery is compared; the sides take turns.

    python -m benchmarks.bench_flood --deliveries 9400000 --phones 10000 --json
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.bare_server import bare_server
from benchmarks.common import delivery, parser, result, show
from benchmarks.crowd_bench import (
    CrowdUnderTest,
    RawPublisher,
    bench_alert,
    bench_places,
    cpu_s,
    doubled,
    frames,
    private_mosquitto,
    process_cpu_s,
    sealed,
)
from clients.crowd.histogram import Histogram
from clients.crowd.places import CrowdPlaces

SERIALS_PER_EVENT = 100
STALLED_S = 30.0
Load = Callable[[dict[bytes, bytes]], None]


@dataclass(slots=True)
class Flooded:
    """What one side did."""

    messages: int = 0
    delivered: int = 0
    lost: int = 0
    duplicates: int = 0
    refused: int = 0
    wall_s: float = 0.0
    crowd_cpu_s: float = 0.0
    server_cpu_s: float = 0.0
    reads: int = 0
    latency: Histogram = field(default_factory=Histogram)

    def to_json(self) -> dict[str, Any]:
        """Return the figures, per delivery."""
        n = max(1, self.delivered)
        delays = {name.removesuffix("_ms"): ms for name, ms in self.latency.summary().items()}
        return {
            **delivery(
                delays,
                delivered=self.delivered,
                lost=self.lost,
                duplicates=self.duplicates,
                cpu_s=self.crowd_cpu_s + self.server_cpu_s,
            ),
            "refused": self.refused,
            "wall_s": round(self.wall_s, 2),
            "wall_us_per_delivery": round(1e6 * self.wall_s / n, 3),
            "deliveries_per_s": round(n / self.wall_s) if self.wall_s else None,
            "crowd_cpu_us_per_delivery": round(1e6 * self.crowd_cpu_s / n, 2),
            "server_cpu_us_per_delivery": round(1e6 * self.server_cpu_s / n, 2),
            "deliveries_per_read": round(n / max(1, self.reads), 3),
        }


def flood(
    crowd: CrowdUnderTest, messages: int, window: int, seed: int, qos: int, into: Flooded,
    send: Load, server_cpu_s: Callable[[], float],
) -> None:  # fmt: skip
    """Send messages, ``window`` at a time, and count what the devices accepted."""
    expected = messages * crowd.n
    before = crowd.accepted.copy()
    tally = crowd.outcomes.copy()
    reads = crowd.engine.counts["reads"]
    cpu = process_cpu_s(), server_cpu_s()
    start_ns = last_ns = crowd.clock.monotonic_ns()
    came = n_sent = 0
    ready: deque[dict[bytes, bytes]] = deque()
    sent_ns = np.zeros(messages, dtype=np.int64)

    def note(device: NDArray[np.int32], nth: NDArray[np.int64], at_ns: NDArray[np.int64]) -> None:
        number = np.minimum(nth - before[device], messages - 1)
        into.latency.add_ns(at_ns - sent_ns[number])

    while came < expected:
        if n_sent < messages and n_sent * crowd.n - came < window * crowd.n:
            made = ready.popleft() if ready else _message(crowd, into.messages + n_sent, seed, qos)
            sent_ns[n_sent] = crowd.clock.monotonic_ns()
            send(made)
            n_sent += 1
            continue
        if n_sent + len(ready) < messages and not ready:  # while the broker writes
            ready.append(_message(crowd, into.messages + n_sent, seed, qos))
        new = crowd.turn(0.05, note)
        now_ns = crowd.clock.monotonic_ns()
        if new:
            came, last_ns = came + new, now_ns
        elif now_ns - last_ns > STALLED_S * 1e9:
            break
    into.wall_s += (last_ns - start_ns) / 1e9
    into.crowd_cpu_s += process_cpu_s() - cpu[0]
    into.server_cpu_s += server_cpu_s() - cpu[1]
    into.reads += crowd.engine.counts["reads"] - reads
    into.messages += messages
    accepted = crowd.accepted - before
    into.delivered += int(accepted.sum())
    into.lost += int(np.maximum(messages - accepted, 0).sum())
    into.duplicates += doubled(accepted, messages) + crowd.duplicates_since(tally)
    into.refused += crowd.refused_since(tally)


def _message(crowd: CrowdUnderTest, number: int, seed: int, qos: int) -> dict[bytes, bytes]:
    event, serial = divmod(number, SERIALS_PER_EVENT)
    payload = sealed(bench_alert(serial + 1, event_id=f"flood-{event}"), seed)
    return frames(payload, crowd.topics, qos=qos, first_id=number * len(crowd.topics))


def measure(
    deliveries: int, reference_deliveries: int, n_phones: int, window: int, qos: int, blocks: int,
    seed: int,
) -> dict[str, Any]:  # fmt: skip
    """Run both sides in turns; return the whole result."""
    places = bench_places(n_phones, seed)
    messages = -(-deliveries // n_phones)
    reference_messages = max(1, -(-reference_deliveries // n_phones))
    ours, bare = Flooded(), Flooded()
    for block in range(blocks):
        _through_broker(places, _part(messages, block, blocks), window, seed, qos, ours)
        _through_bare(places, _part(reference_messages, block, blocks), window, seed, qos, bare)
    mqtt, reference = ours.to_json(), bare.to_json()
    return result(
        "flood",
        question=f"how long do {ours.delivered} accepted alerts to {n_phones} connections take?",
        unit="us of wall time per delivery",
        n=ours.delivered,
        seed=seed,
        phones=n_phones,
        messages=messages,
        broker="mosquitto",
        qos=qos,
        loop=f"closed, {window} alerts under way",
        mqtt=mqtt,
        reference=reference,
        ratio={
            "wall": round(mqtt["wall_us_per_delivery"] / reference["wall_us_per_delivery"], 2),
            "cpu": round(mqtt["cpu_us_per_delivery"] / reference["cpu_us_per_delivery"], 2),
        },
    )


def _part(whole: int, block: int, blocks: int) -> int:
    return whole * (block + 1) // blocks - whole * block // blocks


def _through_broker(
    places: CrowdPlaces, messages: int, window: int, seed: int, qos: int, into: Flooded
) -> None:
    with private_mosquitto(len(places)) as broker:
        crowd = CrowdUnderTest(places, broker.port, seed, settle_per_s=2000.0)
        crowd.connect()
        crowd.settle()
        publisher = RawPublisher(broker.port)

        def send(made: dict[bytes, bytes]) -> None:
            publisher.drain()
            publisher.send(made)

        flood(crowd, messages, window, seed, qos, into, send, lambda: cpu_s(broker.pid))
        publisher.close()
        crowd.close()


def _through_bare(
    places: CrowdPlaces, messages: int, window: int, seed: int, qos: int, into: Flooded
) -> None:
    with bare_server() as server:
        crowd = CrowdUnderTest(places, server.port, seed, settle_per_s=2000.0)
        crowd.connect()
        crowd.settle()

        def send(made: dict[bytes, bytes]) -> None:
            server.post(made)

        flood(crowd, messages, window, seed, qos, into, send, lambda: cpu_s(server.pid))
        crowd.close()


def main() -> None:
    """Read the options, run, print."""
    options = parser(str(__doc__).partition("\n")[0])
    options.add_argument("--deliveries", type=int, default=9_400_000)
    options.add_argument("--reference-deliveries", type=int, default=1_000_000)
    options.add_argument("--phones", type=int, default=10_000)
    options.add_argument("--window", type=int, default=1, help="alerts under way at once")
    options.add_argument("--qos", type=int, default=0, choices=(0, 1))
    options.add_argument("--blocks", type=int, default=2, help="how often the sides take turns")
    args = options.parse_args()
    outcome = measure(
        args.deliveries, args.reference_deliveries, args.phones, args.window, args.qos,
        args.blocks, args.seed,
    )  # fmt: skip
    show(outcome, as_json=args.json)


if __name__ == "__main__":
    main()
