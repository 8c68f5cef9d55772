"""What one delivery costs in the crowd's device logic, with ten thousand devices in arrays.

One alert comes to every device of the crowd, then an update, then the same update once more (the
duplicate of a second connection), then a heartbeat: each as one call, as when all sockets have
been read. The reference, in the same run: the same messages to as many ``Phone`` objects. Two
events are live at the end; what all arrays hold then, divided by the number of devices, is the
memory per device.

    python -m benchmarks.bench_crowd_logic --devices 10000 --json
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import parser, quantiles, result, show
from benchmarks.crowd_bench import RADIUS_KM, bench_places
from benchmarks.samples import NOW_NS, sample_alert, sample_phones
from clients.crowd.logic import CrowdLogic
from clients.phone import Phone
from eew.app.development_key import development_key, development_keyring
from eew.clock import NS_PER_S, SystemClock
from eew.messages.control_wire import Heartbeat, encode_control
from eew.messages.seal import KeyPair
from eew.messages.topics import alert_topic, heartbeat_topic
from eew.messages.wire import encode
from eew.model.alert import AlertMessage, Status

TREE = Status.EXERCISE  # of the sample alert
BATCHES = (10_000, 1_000, 100)  # deliveries in one call


def sample_crowd(n: int, seed: int) -> CrowdLogic:
    """Return ``n`` phones spread evenly over a circle round the epicentre, as arrays."""
    return CrowdLogic(bench_places(n, seed, tree=TREE), development_keyring(seed))


def messages(seed: int) -> dict[str, tuple[str, bytes]]:
    """Return what is delivered, in order: topic and payload by name."""
    alerts = {
        "first_alert": sample_alert(1, radius_km=RADIUS_KM),
        "update": sample_alert(2, radius_km=RADIUS_KM),
        "duplicate": sample_alert(2, radius_km=RADIUS_KM),
        "second_event": replace(sample_alert(1, radius_km=RADIUS_KM), event_id="bench-2"),
        "update_of_two": sample_alert(3, radius_km=RADIUS_KM),
    }
    key = development_key(seed, TREE)
    topic = alert_topic(tree=TREE)
    told = {name: (topic, _payload(alert, key)) for name, alert in alerts.items()}
    beat = encode_control(Heartbeat(sequence=1, sent_ns=NOW_NS), signer=key)
    return {**told, "heartbeat": (heartbeat_topic(tree=TREE), beat)}


def _payload(alert: AlertMessage, key: KeyPair) -> bytes:
    return encode(alert, run_id="bench", seed=1, sent_ns=alert.issued_ns, signer=key)


def timed(what: Callable[[], object]) -> float:
    """Return how long a call takes, us."""
    clock = SystemClock()
    started_ns = clock.monotonic_ns()
    what()
    return (clock.monotonic_ns() - started_ns) / 1e3


def in_arrays(n: int, batch: int, seed: int, rounds: int) -> dict[str, Any]:
    """Return us per delivery by message, for calls of ``batch`` deliveries."""
    took: dict[str, list[float]] = {name: [] for name in messages(seed)}
    order = np.random.default_rng(seed).permutation(n).astype(np.int32)
    for _ in range(rounds):
        crowd = sample_crowd(n, seed)
        for number, (name, (topic, payload)) in enumerate(messages(seed).items()):
            at_ns = np.full(n, NOW_NS + number * NS_PER_S, dtype=np.int64)
            deliver = partial(_deliver, crowd, order, topic, payload, at_ns, batch)
            took[name].append(timed(deliver) / n)
    return {name: quantiles(samples) for name, samples in took.items()}


def _deliver(
    crowd: CrowdLogic,
    order: NDArray[np.int32],
    topic: str,
    payload: bytes,
    at_ns: NDArray[np.int64],
    batch: int,
) -> None:
    message = np.full(len(order), crowd.intern(topic.encode(), payload), dtype=np.int32)
    for i in range(0, len(order), batch):
        cut = slice(i, i + batch)
        crowd.receive(order[cut], message[cut], at_ns[cut])


def as_objects(n: int, seed: int) -> dict[str, float]:
    """Return us per delivery to as many phones, each an object."""
    phones = sample_phones(n, seed, within_km=RADIUS_KM, tree=TREE)
    took = {}
    for number, (name, (topic, payload)) in enumerate(messages(seed).items()):
        tell = partial(_tell, phones, topic, payload, NOW_NS + number * NS_PER_S)
        took[name] = round(timed(tell) / n, 3)
    return took


def _tell(phones: Sequence[Phone], topic: str, payload: bytes, now_ns: int) -> None:
    for phone in phones:
        phone.receive(topic, payload, now_ns)


def memory(n: int, seed: int) -> dict[str, int]:
    """Return bytes per device with two live events: of the arrays, and of all Python allocated."""
    messages(seed)  # tables are read before
    tracemalloc.start()
    crowd = sample_crowd(n, seed)
    everybody = np.arange(n, dtype=np.int32)
    for number, (topic, payload) in enumerate(messages(seed).values()):
        message = np.full(n, crowd.intern(topic.encode(), payload), dtype=np.int32)
        at_ns = np.full(n, NOW_NS + number * NS_PER_S, dtype=np.int64)
        outcomes = crowd.receive(everybody, message, at_ns)
        del message, at_ns, outcomes
    held, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return {"arrays": crowd.nbytes // n, "held": held // n, "peak": peak // n}


def main() -> None:
    made = parser(__doc__ or "")
    made.add_argument("--devices", type=int, default=10_000)
    made.add_argument("--rounds", type=int, default=5)
    options = made.parse_args()
    n, seed = options.devices, options.seed
    outcome = result(
        "crowd_logic",
        question="What does one delivery cost in the logic of a crowd, in us?",
        unit="us per delivery",
        n=n,
        seed=seed,
        arrays={
            f"calls_of_{batch}": in_arrays(n, batch, seed, options.rounds)
            for batch in BATCHES
            if batch <= n
        },
        objects=as_objects(min(n, 2_000), seed),
        bytes_per_device=memory(n, seed),
    )
    show(outcome, as_json=options.json)


if __name__ == "__main__":
    main()
