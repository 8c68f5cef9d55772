"""When 10,000 phones are told again after a kill -9 of their broker, and how many stampede.

Each phone is a real connection with the whole logic of a device (``clients.crowd``). mosquitto is
ended by ``kill -9`` and comes back after ``--down`` s on the same port; the next message of the
alert is decided while it is away. Everything runs in a network namespace of its own, whose
counters (/proc/net/snmp, 100 times a second) see each attempt to connect as the kernel does:
``ActiveOpens`` are the attempts, ``PassiveOpens`` those the broker's side has taken. Nothing in
the harness holds attempts back; what spreads them is the devices' own backoff. The reference is
what they would do at once: all in the first 0.1 s.

    python -m benchmarks.bench_restart --phones 10000 --json
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import parser, quantiles, result, show
from benchmarks.crowd_bench import RADIUS_KM, TREE, bench_alert, bench_places
from clients.crowd.engine import Batch, Engine, EngineSettings
from clients.crowd.logic import CrowdLogic
from clients.crowd.outcome import Outcome
from clients.crowd.sockets import Endpoint, check_files
from eew.app.development_key import development_key, development_keyring
from eew.clock import NS_PER_S, SystemClock
from eew.egress.mosquitto import find_mosquitto
from eew.egress.mqtt import AlertPublisher
from eew.egress.probe import probe
from eew.errors import ConnectError
from eew.mqtt_link import BrokerAddress
from tests.integration.lossy_network import inside

PORT = 1883
CONNECT_LIMIT_S = 300.0
TELL_LIMIT_S = 20.0
TARGET_S = 10.0
WINDOW_S = 0.1
_SELF = (sys.executable, "-m", "benchmarks.bench_restart")
_SAMPLES_PER_S = 100


class Phones:
    """A crowd on one broker: which of them have taken how many alert messages, and when."""

    def __init__(self, n: int, seed: int) -> None:
        check_files(n)
        self.n = n
        self.clock = SystemClock()
        logic = CrowdLogic(bench_places(n, seed), development_keyring(seed), follow_heartbeat=False)
        self.engine = Engine(
            logic,
            Endpoint(host="127.0.0.1", port=PORT),
            clock=self.clock,
            rng=np.random.default_rng(seed),
            token=b"restart",
            # as many at once as want to: a crowd of phones has nobody who holds it back
            settings=EngineSettings(most_connecting=n, connects_per_s=1e9),
            on_batch=self._take,
        )
        self.taken = np.zeros(n, dtype=np.int64)
        self.shown = np.zeros(n, dtype=np.int64)
        self.taken_ns = np.zeros(n, dtype=np.int64)  # monotonic, of the last one
        self.repeats = 0

    def _take(self, batch: Batch) -> None:
        new = batch.outcome <= Outcome.RECEIVED
        np.add.at(self.taken, batch.device[new], 1)
        np.add.at(self.shown, batch.device[batch.outcome == Outcome.SHOWN], 1)
        self.taken_ns[batch.device[new]] = batch.at_ns[new] - batch.utc_minus_monotonic_ns
        self.repeats += int((batch.outcome == Outcome.DUPLICATE).sum())

    def connect(self) -> None:
        """Connect all, a few at a time: this is not what is measured."""
        end_ns = self.clock.monotonic_ns() + round(CONNECT_LIMIT_S * NS_PER_S)
        waiting = iter(range(self.n))
        asked = 0
        while self.engine.n_up < self.n:
            room = 64 - (asked - self.engine.n_up)
            some = list(islice(waiting, max(0, room)))
            self.engine.connect(some)
            asked += len(some)
            self.engine.poll(0.05)
            if self.clock.monotonic_ns() > end_ns:
                raise ConnectError("127.0.0.1", f"{self.engine.n_up} of {self.n} connected")

    def go_on(self, for_s: float) -> None:
        """Let ``for_s`` pass."""
        end_ns = self.clock.monotonic_ns() + round(for_s * NS_PER_S)
        while self.clock.monotonic_ns() < end_ns:
            self.engine.poll(0.02)

    def until_taken(self, serials: int, limit_s: float) -> int:
        """Wait until everybody has taken so many messages; return how many have not."""
        end_ns = self.clock.monotonic_ns() + round(limit_s * NS_PER_S)
        while (missing := int((self.taken < serials).sum())) and self.clock.monotonic_ns() < end_ns:
            self.engine.poll(0.02)
        return missing


def crowd(n: int, down_s: float, seed: int) -> dict[str, Any]:
    """Be the phones, and let the broker die; for a process that is inside its namespace."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    phones = Phones(n, seed)
    with tempfile.TemporaryDirectory(prefix="eew-restart-") as folder, _publisher(seed) as service:
        config = _configuration(Path(folder), n)
        broker = _mosquitto(config)
        try:
            started_ns = phones.clock.monotonic_ns()
            phones.connect()
            connect_s = (phones.clock.monotonic_ns() - started_ns) / NS_PER_S
            phones.go_on(1.0)
            _tell(service, 1)
            missing_before = phones.until_taken(1, TELL_LIMIT_S)
            phones.go_on(0.5)
            with _Opens(phones.clock) as opens:
                broker.send_signal(signal.SIGKILL)
                broker.wait()
                killed_ns = phones.clock.monotonic_ns()
                phones.go_on(0.2)
                _tell(service, 2)  # decided while nobody can be told
                phones.go_on(max(0.0, down_s - 0.2))
                broker = _mosquitto(config)
                back_ns = phones.clock.monotonic_ns()
                missing = phones.until_taken(2, TELL_LIMIT_S)
                phones.go_on(1.0)  # a second copy would come now
        finally:
            broker.kill()
            broker.wait()
            phones.engine.close()
    told_s = (phones.taken_ns[phones.taken >= 2] - back_ns) / NS_PER_S
    last_s = float(told_s.max(initial=0.0))
    attempts = opens.busiest("ActiveOpens", killed_ns)
    return {
        "mqtt": {
            "told_s": quantiles(list(told_s)),
            "last_told_s": round(last_s, 3),
            "within_target": missing == 0 and last_s <= TARGET_S,
            "lost": missing,
            "lost_before": missing_before,
            "told_twice": int(np.maximum(phones.taken - 2, 0).sum()),
            "repeats_refused": phones.repeats,
            "attempts_per_100ms_max": attempts,
            "attempts_while_away": opens.total("ActiveOpens", killed_ns, back_ns),
            "attempts_after_return": opens.total("ActiveOpens", back_ns, None),
            "taken_per_100ms_max": opens.busiest("PassiveOpens", back_ns),
            "failures": dict(phones.engine.counts),
            "connect_s": round(connect_s, 2),
        },
        "reference": {"attempts_per_100ms_max": n},
    }


class _Opens:
    """Reads the kernel's counters of TCP connections, in a thread of its own."""

    def __init__(self, clock: SystemClock) -> None:
        self._clock = clock
        self._rows: list[tuple[int, dict[str, int]]] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> _Opens:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        self._thread.join()

    def _read(self) -> None:
        while not self._stop.wait(1.0 / _SAMPLES_PER_S):
            lines = Path("/proc/net/snmp").read_text().splitlines()
            names, values = (line.split()[1:] for line in lines if line.startswith("Tcp:"))
            row = dict(zip(names, map(int, values), strict=True))
            self._rows.append((self._clock.monotonic_ns(), row))

    def _series(
        self, name: str, from_ns: int, to_ns: int | None
    ) -> tuple[np.ndarray[Any, np.dtype[np.int64]], np.ndarray[Any, np.dtype[np.int64]]]:
        rows = [
            (at_ns, row[name])
            for at_ns, row in self._rows
            if at_ns >= from_ns and (to_ns is None or at_ns <= to_ns)
        ]
        return (
            np.array([at_ns for at_ns, _ in rows], dtype=np.int64),
            np.array([count for _, count in rows], dtype=np.int64),
        )

    def busiest(self, name: str, from_ns: int) -> int:
        """Return the most in any 0.1 s, as far as the samples (every 10 ms or later) tell."""
        at_ns, count = self._series(name, from_ns, None)
        if at_ns.size < 2:
            return 0
        # the first sample at or after the end of each window: too many rather than too few
        ends = np.searchsorted(at_ns, at_ns + round(WINDOW_S * NS_PER_S))
        return int((count[np.minimum(ends, at_ns.size - 1)] - count).max())

    def total(self, name: str, from_ns: int, to_ns: int | None) -> int:
        """Return how many between two times."""
        _, count = self._series(name, from_ns, to_ns)
        return int(count[-1] - count[0]) if count.size else 0


def _configuration(folder: Path, n: int) -> Path:
    config = folder / "mosquitto.conf"
    config.write_text(
        f"listener {PORT} 127.0.0.1\nallow_anonymous true\npersistence false\nuser root\n"
        f"allow_duplicate_messages true\nset_tcp_nodelay true\nmax_connections {n + 50}\n"
        "max_inflight_messages 100\nmax_queued_messages 1000\nlog_type none\n"
    )
    return config


def _mosquitto(config: Path) -> subprocess.Popen[bytes]:
    program = find_mosquitto()
    if program is None:
        raise OSError("the mosquitto program is missing")
    process = subprocess.Popen([program, "-c", str(config)], stderr=subprocess.DEVNULL)
    asyncio.run(_listens())
    return process


async def _listens() -> BrokerAddress:
    address = BrokerAddress(kind="mosquitto", host="127.0.0.1", port=PORT)
    for _ in range(200):
        try:
            return await probe(address, timeout_s=0.5)
        except ConnectError:
            await asyncio.sleep(0.01)
    raise ConnectError(str(address), "mosquitto does not come up")


# ---------------------------------------------------------------- the service, in its own process


@contextmanager
def _publisher(seed: int) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [*_SELF, "--service", str(seed)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _tell(service: subprocess.Popen[str], serial: int) -> None:
    assert service.stdin is not None
    service.stdin.write(f"{serial}\n")
    service.stdin.flush()


async def serve(seed: int) -> None:
    """Publish the message of each number read from standard input."""
    numbers = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(numbers), sys.stdin
    )
    address = await _listens()
    async with AlertPublisher(
        address,
        service_id="bench",
        run_id="bench",
        seed=seed,
        signer=development_key(seed, TREE),
        clock=SystemClock(),
        heartbeat_s=None,
    ) as publisher:
        while number := (await numbers.readline()).strip():
            publisher.submit(bench_alert(int(number), radius_km=RADIUS_KM))


def measure(n: int, down_s: float, seed: int) -> dict[str, Any]:
    """Run it in a namespace of its own; return the whole result.

    Raises
    ------
    OSError
        Where there can be no namespace, or the run fails, saying why.
    """
    command = inside([*_SELF, "--inside", str(n), str(down_s), str(seed)])
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"the crowd ended with {done.returncode}: {done.stderr.strip()}")
    return result(
        "restart",
        question=f"when are {n} phones told again after kill -9 of their broker?",
        unit="s from the broker's return to the receipt",
        n=n,
        seed=seed,
        phones=n,
        down_s=down_s,
        target_s=TARGET_S,
        **json.loads(done.stdout),
    )


def main() -> None:
    """Read the options, run, print."""
    options = parser(str(__doc__).partition("\n")[0])
    options.add_argument("--phones", type=int, default=10_000)
    options.add_argument("--down", type=float, default=3.0, help="s without a broker")
    options.add_argument("--inside", nargs=3, help=argparse.SUPPRESS)
    options.add_argument("--service", help=argparse.SUPPRESS)
    args = options.parse_args()
    if args.service:
        asyncio.run(serve(int(args.service)))
    elif args.inside:
        n, down_s, seed = args.inside
        json.dump(crowd(int(n), float(down_s), int(seed)), sys.stdout)
    else:
        show(measure(args.phones, args.down, args.seed), as_json=args.json)


if __name__ == "__main__":
    main()
