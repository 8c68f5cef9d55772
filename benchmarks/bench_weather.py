"""How long one alert takes over a network that loses 10 % of all packets and delays the rest.

Broker and publisher are on one side, the devices on the other, each a TCP connection of its own
through the same bad line (``tests.integration.lossy_network``): packets are lost and delayed both
ways, acknowledgements too. The reference, in the same run: the same line without loss and delay.
Closed loop: the next alert leaves when every device has answered the last.

    python -m benchmarks.bench_weather --phones 200 --loss 0.1 --jitter-ms 200 --json
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from benchmarks.common import parser, quantiles, result, show
from benchmarks.samples import NOW_NS, sample_alert, sample_phones
from clients.fleet import Fleet
from eew.app.development_key import development_key
from eew.clock import SystemClock
from eew.egress.mosquitto import find_mosquitto
from eew.egress.mqtt import AlertPublisher
from eew.egress.probe import probe
from eew.errors import ConnectError
from eew.mqtt_link import BrokerAddress
from tests.integration.lossy_network import NEAR, Weather, inside, line

RADIUS_KM = 150.0
PORT = 1883
CONNECT_S = 120.0
ANSWER_S = 20.0
PAUSE_S = 0.2
_SELF = (sys.executable, "-m", "benchmarks.bench_weather")
_CONNECTING = 64  # threads in which aiomqtt waits for its handshakes


def measure(phones: int, rounds: int, loss: float, jitter_s: float, seed: int) -> dict[str, Any]:
    """Run the alerts through a bad line and through a good one; return the whole result.

    Raises
    ------
    OSError
        Where there can be no network of our own, saying why.
    """
    bad = _run(phones, rounds, loss, jitter_s, seed)
    good = _run(phones, rounds, 0.0, 0.0, seed)
    return result(
        "weather",
        question=f"when do {phones} phones have one alert if {loss:.0%} of all packets are lost?",
        unit="ms from hand-over to receipt",
        n=phones * rounds,
        seed=seed,
        phones=phones,
        rounds=rounds,
        loss=loss,
        jitter_ms=round(1e3 * jitter_s),
        mqtt=bad,
        reference=good,
    )


def _run(phones: int, rounds: int, loss: float, jitter_s: float, seed: int) -> dict[str, Any]:
    settings = [str(phones), str(rounds), str(loss), str(jitter_s), str(seed)]
    done = subprocess.run(
        inside([*_SELF, "--near", *settings]), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise OSError(f"the near side ended with {done.returncode}: {done.stderr.strip()}")
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


# ---------------------------------------------------------------- the side of the broker


def near(phones: int, rounds: int, weather: Weather) -> dict[str, Any]:
    """Publish ``rounds`` alerts to the far side; return what came of them."""
    command = [*_SELF, "--far", str(phones), str(weather.seed)]
    with _mosquitto(), line(weather, command) as stands:
        assert stands.far.stdin is not None
        assert stands.far.stdout is not None
        figures = asyncio.run(_publish(stands.far.stdin, stands.far.stdout, rounds, weather.seed))
    lost, carried = stands.counts.get("lost", 0), stands.counts.get("carried", 0)
    if stands.counts:
        figures["packets_lost_share"] = round(lost / max(1, lost + carried), 3)
        figures["packets"] = lost + carried
    return figures | {"line": stands.kind}


async def _publish(to_far: IO[str], from_far: IO[str], rounds: int, seed: int) -> dict[str, Any]:
    address = await _ready()
    answers = await _reader(from_far)
    told: list[float] = []
    last: list[float] = []
    missing = 0
    publisher = AlertPublisher(
        address,
        service_id="bench",
        run_id="bench",
        seed=seed,
        signer=development_key(seed),
        clock=SystemClock(),
        now_ns=lambda: NOW_NS,
        heartbeat_s=None,
    )
    async with publisher:
        connected = json.loads(await _line(answers))
        for serial in range(1, rounds + 1):
            receipt = await publisher.publish_alert(sample_alert(serial, radius_km=RADIUS_KM))
            asked = {"serial": serial, "sent_ns": receipt.sent_ns, "topics": receipt.topics}
            to_far.write(json.dumps(asked) + "\n")
            to_far.flush()
            answer = json.loads(await _line(answers))
            told += answer["latency_ms"]
            last.append(max(answer["latency_ms"], default=0.0))
            missing += answer["missing"]
            await asyncio.sleep(PAUSE_S)
        to_far.write("{}\n")
        to_far.flush()
        summary = json.loads(await _line(answers))
    return {
        **{f"{name}_ms": value for name, value in quantiles(told, digits=1).items()},
        "last_p50_ms": quantiles(last, digits=1)["p50"],
        "delivered": len(told),
        "lost": missing,
        "duplicates": summary["duplicates"],
        "connections": summary["connections"],
        "connect_s": connected["connect_s"],
    }


async def _reader(pipe: IO[str]) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), pipe
    )
    return reader


async def _line(reader: asyncio.StreamReader) -> bytes:
    said = await reader.readline()
    if not said:
        raise ConnectError(NEAR, "the far side ended too early")
    return said


@contextmanager
def _mosquitto() -> Iterator[None]:
    program = find_mosquitto()
    if program is None:
        raise OSError("the mosquitto program is missing")
    with tempfile.TemporaryDirectory(prefix="eew-weather-") as folder:
        config = Path(folder) / "mosquitto.conf"
        config.write_text(
            f"listener {PORT} 0.0.0.0\nallow_anonymous true\npersistence false\nuser root\n"
            "allow_duplicate_messages true\nset_tcp_nodelay true\nlog_type error\n"
        )
        process = subprocess.Popen([program, "-c", str(config)], stderr=subprocess.DEVNULL)
        try:
            yield
        finally:
            process.terminate()
            process.wait(timeout=5)


async def _ready() -> BrokerAddress:
    address = BrokerAddress(kind="mosquitto", host="127.0.0.1", port=PORT)
    for tries_left in reversed(range(50)):
        try:
            return await probe(address, timeout_s=0.5)
        except ConnectError:
            if not tries_left:
                raise
            await asyncio.sleep(0.1)
    raise AssertionError


# ---------------------------------------------------------------- the side of the devices


async def far(phones: int, seed: int) -> None:
    """Be the devices: say when all are connected, then who was told when, until told to end."""
    clock = SystemClock()
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(_CONNECTING))
    devices = sample_phones(
        phones,
        seed,
        within_km=RADIUS_KM,
        follow_heartbeat=False,
    )
    address = BrokerAddress(kind="mosquitto", host=NEAR, port=PORT)
    fleet = Fleet(devices, address, clock, seed=seed, now_ns=lambda: NOW_NS, heartbeats=False)
    questions = await _reader(sys.stdin)
    started_ns = clock.monotonic_ns()
    await fleet.start(timeout_s=CONNECT_S)
    try:
        _say(connect_s=round((clock.monotonic_ns() - started_ns) / 1e9, 2))
        while asked := json.loads(await questions.readline() or "{}"):
            names = fleet.listeners(asked["topics"])
            report = await fleet.wait_answers("bench", asked["serial"], names, ANSWER_S)
            shown = [one.shown_ns for one in report.answers.values() if one.shown_ns is not None]
            latency_ms = [round((at_ns - asked["sent_ns"]) / 1e6, 3) for at_ns in shown]
            _say(latency_ms=latency_ms, missing=len(names) - len(shown))
        await asyncio.sleep(1.0)  # a second copy would come now
        _say(duplicates=fleet.summary().duplicates, connections=fleet.n_connections)
    finally:
        await fleet.stop()


def _say(**words: object) -> None:
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Read the options, run, print."""
    options = parser(str(__doc__).partition("\n")[0])
    options.add_argument("--phones", type=int, default=200)
    options.add_argument("--rounds", type=int, default=10)
    options.add_argument("--loss", type=float, default=0.1, help="share of the packets, each way")
    options.add_argument("--jitter-ms", type=float, default=200.0, help="delay 0 to this, evenly")
    options.add_argument("--near", nargs=5, help=argparse.SUPPRESS)
    options.add_argument("--far", nargs=2, help=argparse.SUPPRESS)
    args = options.parse_args()
    if args.far:
        asyncio.run(far(int(args.far[0]), int(args.far[1])))
        return
    if args.near:
        phones, rounds, loss, jitter_s, seed = args.near
        weather = Weather(loss=float(loss), jitter_s=float(jitter_s), seed=int(seed))
        _say(**near(int(phones), int(rounds), weather))
        return
    outcome = measure(args.phones, args.rounds, args.loss, args.jitter_ms / 1e3, args.seed)
    show(outcome, as_json=args.json)


if __name__ == "__main__":
    main()
