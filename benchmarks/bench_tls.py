"""What TLS costs a broker: connections per second, delay of an alert, memory.

The same mosquitto twice in one run, with the accounts and access rules that ``eew deploy
mosquitto`` writes: with TLS (``mqtt``), and without (``reference``). Each time ``--phones``
connections do a full handshake (ECDSA P-256, no resumption), log in and subscribe; then alerts of
``--bytes`` go to all of them with QoS 1, one each ``--interval`` s (open loop). Delay is from the
moment an alert was due to its receipt; broker and devices share the machine.

    python -m benchmarks.bench_tls --phones 1000 --json
"""

from __future__ import annotations

import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.common import parser, quantiles, result, show
from benchmarks.deployed import Running, deployed
from benchmarks.tls_clients import Clients
from eew import mqtt_packets as mqtt
from eew.messages.cells import cell_of
from eew.messages.topics import area_alert_topic, keys_topic
from eew.mqtt_link import BrokerAddress, allow_open_files

CELL = cell_of(29.6, 102.1)
N_WARMUP = 2
BROKER = "broker"
PLAIN = "plain.conf"
_TLS_SETTINGS = ("certfile", "keyfile", "tls_version", "cafile")


def without_tls(running: Running) -> None:
    """Write a configuration that differs in nothing but TLS."""
    home = running.folder / BROKER
    lines = (home / "mosquitto.conf").read_text().splitlines()
    kept = [line for line in lines if not line.startswith(_TLS_SETTINGS)]
    (home / PLAIN).write_text("\n".join([*kept, ""]))


def one_side(running: Running, *, tls: bool, n: int, rounds: int, options: Any) -> dict[str, Any]:
    """Start the broker, measure, end it."""
    running.start(BROKER, "mosquitto.conf" if tls else PLAIN)
    try:
        process = running.processes[BROKER].pid
        device = replace(running.device_addresses(CELL)[0], tls=tls)
        service = replace(running.service_address(BROKER), tls=tls)
        return _measure(process, device, service, n=n, rounds=rounds, options=options)
    finally:
        running.kill(BROKER)


def _measure(
    process: int,
    device: BrokerAddress,
    service: BrokerAddress,
    *,
    n: int,
    rounds: int,
    options: Any,
) -> dict[str, Any]:
    topic = area_alert_topic(CELL)
    listeners, publisher = Clients(device, topic), Clients(service, keys_topic())
    try:
        publisher.connect(1)
        kib, cpu_s, own_s = _memory_kib(process), _cpu_s(process), time.process_time()
        started_ns = time.perf_counter_ns()
        took_s = listeners.connect(n)
        connect_s = (time.perf_counter_ns() - started_ns) / 1e9
        figures: dict[str, Any] = {
            "connects_per_s": round(n / connect_s),
            "connect_p50_ms": quantiles([1e3 * one for one in took_s])["p50"],
            "broker_cpu_us_per_connect": round(1e6 * (_cpu_s(process) - cpu_s) / n, 1),
            "client_cpu_us_per_connect": round(1e6 * (time.process_time() - own_s) / n, 1),
            "kib_per_connection": round((_memory_kib(process) - kib) / n, 2),
        }
        delays_ms: list[float] = []
        duplicates = 0
        cpu_s = own_s = 0.0
        start_ns = time.perf_counter_ns()
        for number in range(N_WARMUP + rounds):
            if number == N_WARMUP:
                cpu_s, own_s = _cpu_s(process), time.process_time()
            due_ns = start_ns + round(number * options.interval * 1e9)
            time.sleep(max(0, due_ns - time.perf_counter_ns()) / 1e9)
            payload = f"{number}".encode().ljust(options.bytes, b"x")
            publisher.send(
                mqtt.publish(topic, payload, version=mqtt.MQTT_5, qos=1, packet_id=number + 1)
            )
            came_ns, n_others = listeners.receive(payload)
            if number >= N_WARMUP:
                duplicates += n_others
                delays_ms += [(at_ns - due_ns) / 1e6 for at_ns in came_ns]
        spent_s = _cpu_s(process) - cpu_s + time.process_time() - own_s
    finally:
        listeners.close()
        publisher.close()
    spread = quantiles(delays_ms)
    return {
        **{f"{name}_ms": spread[name] for name in ("p50", "p90", "p99", "max")},
        "delivered": len(delays_ms),
        "lost": rounds * n - len(delays_ms),
        "duplicates": duplicates,
        "cpu_us_per_delivery": round(1e6 * spent_s / len(delays_ms), 1),
        **figures,
    }


def _memory_kib(process: int) -> int:
    status = Path(f"/proc/{process}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1])


def _cpu_s(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Read the options, run, print."""
    made = parser(str(__doc__).partition("\n")[0])
    made.add_argument("--phones", type=int, default=1000)
    made.add_argument("--rounds", type=int, default=20)
    made.add_argument("--interval", type=float, default=0.5, help="s between alerts")
    made.add_argument("--bytes", type=int, default=600, help="size of an alert")
    options = made.parse_args()
    allow_open_files(options.phones + 500)
    with (
        tempfile.TemporaryDirectory(prefix="eew-tls-") as folder,
        deployed(Path(folder), [CELL], start=()) as running,
    ):
        without_tls(running)
        n, rounds = options.phones, options.rounds
        bare = one_side(running, tls=False, n=n, rounds=rounds, options=options)
        tls = one_side(running, tls=True, n=n, rounds=rounds, options=options)
    names = ("p50_ms", "p99_ms", "max_ms", "cpu_us_per_delivery", "connects_per_s")
    outcome = result(
        "tls",
        question=f"what does TLS cost a broker with {n} devices?",
        unit="ms from when the alert was due to its receipt",
        n=rounds * n,
        seed=options.seed,
        phones=n,
        rounds=rounds,
        loop=f"open, one alert each {options.interval:g} s",
        payload_bytes=options.bytes,
        mqtt=tls,
        reference=bare,
        ratio={name: round(tls[name] / bare[name], 2) for name in names},
        added_p50_ms=round(tls["p50_ms"] - bare["p50_ms"], 3),
        added_p99_ms=round(tls["p99_ms"] - bare["p99_ms"], 3),
    )
    show(outcome, as_json=options.json)


if __name__ == "__main__":
    main()
