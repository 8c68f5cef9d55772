"""What an OpenEEW packet costs on its way in, and what the wire adds to its delay.

1. Reading: decode a payload, put its clock and grid right, make three packets of the detector.
2. The wire: devices that send a packet of 1 s each, spread over the second, through a private
   mosquitto into a live source. Added is the time from when a packet was due to when the source
   gave it out; both ends are in this process, on one clock.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run as a plain script

from benchmarks.accelerometers import accelerometer
from benchmarks.common import parser, quantiles, result, show
from eew.clock import NS_PER_S, SystemClock
from eew.egress.mosquitto import find_mosquitto, mosquitto_broker
from eew.egress.openeew import Published, TimedPayload, publish_traces
from eew.egress.probe import probe
from eew.ingest.live import Health, LiveNetwork
from eew.ingest.openeew import TraceReader
from eew.ingest.openeew_mqtt import MqttTraceSource
from eew.messages.openeew import TracePacket, decode_trace, encode_trace, unix_s
from eew.model.waveform import Station
from eew.mqtt_link import open_link

RATE_HZ, N_SAMPLES = 31.25, 32
TOPIC = "/traces"


def stations(n: int) -> tuple[Station, ...]:
    """Return ``n`` devices."""
    return tuple(
        accelerometer(
            f"D{number:04d}",
            16.0,
            -98.0,
            channels=("BNZ", "BN1", "BN2"),
            sensitivity=1e5,
            sampling_rate_hz=RATE_HZ,
        )
        for number in range(n)
    )


def payloads(n_devices: int, seconds: int, begin_ns: int, seed: int) -> Iterator[TimedPayload]:
    """Yield what ``n_devices`` send in some seconds, 0.1 s after the last sample of each."""
    gal = np.random.default_rng(seed).normal(0.0, 0.05, (n_devices, 3, N_SAMPLES)).round(3)
    for second in range(seconds):
        for number in range(n_devices):
            last_ns = begin_ns + (second * n_devices + number) * NS_PER_S // n_devices
            x, y, z = gal[number].tolist()
            packet = TracePacket(
                country_code="mx",
                device_id=f"D{number:04d}",
                x=x,
                y=y,
                z=z,
                device_t=unix_s(last_ns),
                cloud_t=unix_s(last_ns + NS_PER_S // 10),
                sr=RATE_HZ,
            )
            yield TimedPayload(last_ns + NS_PER_S // 10, TOPIC, encode_trace(packet))


def reading(seed: int) -> dict[str, Any]:
    """Measure decode, clock and grid in us per packet."""
    clock = SystemClock()
    some = list(payloads(1000, 5, clock.utc_ns(), seed))
    reader = TraceReader(stations(1000), Health("bench").set_aside)
    times_us = []
    for one in some:
        start_ns = clock.monotonic_ns()
        packets = reader.take(decode_trace(one.payload), one.due_ns)
        times_us.append((clock.monotonic_ns() - start_ns) / 1e3)
        assert len(packets) == 3
    return {"us_per_packet": quantiles(times_us[1000:], digits=1), "bytes": len(some[0].payload)}


async def wire(program: str, n_devices: int, seconds: int, seed: int) -> dict[str, Any]:
    """Measure what publisher, broker and source add, ms."""
    clock = SystemClock()
    network = LiveNetwork(stations=stations(n_devices))
    arrivals: list[int] = []
    async with mosquitto_broker(program) as address:
        source = MqttTraceSource(
            address,
            [TOPIC],
            lambda: network,
            probe=probe,
            clock=clock,
            rng=np.random.default_rng(seed),
        )
        await source.open()

        async def take() -> None:
            async with aclosing(source.packets()) as packets:
                async for _, arrival_ns in packets:
                    arrivals.append(arrival_ns)
                    if len(arrivals) == 3 * n_devices * seconds:
                        return

        taking = asyncio.create_task(take())
        begin_ns = clock.utc_ns() + NS_PER_S // 2
        made = list(payloads(n_devices, seconds, begin_ns, seed))
        published = Published()
        async with open_link(address) as link:
            began_ns = clock.utc_ns()
            await publish_traces(
                link, made, clock=clock, start_ns=began_ns, speed=1.0, published=published
            )
        await asyncio.wait_for(taking, 10.0)
        await source.close()
    added_ms = [
        (arrival_ns - one.due_ns) / 1e6 for one, arrival_ns in zip(made, arrivals[::3], strict=True)
    ]
    return {
        "packets_per_s": n_devices,
        "lost": n_devices * seconds - len(arrivals) // 3,
        "added_ms": quantiles(added_ms[n_devices:]),
        "latest_sent_ms": round(1e3 * published.latest_s, 1),
    }


def main() -> int:
    """Run and print."""
    arguments = parser(__doc__ or "").parse_args()
    program = find_mosquitto()
    figures: dict[str, Any] = {"reading": reading(arguments.seed)}
    if program is not None:
        for n_devices in (100, 1000):
            figures[f"wire_{n_devices}"] = asyncio.run(wire(program, n_devices, 10, arguments.seed))
    outcome = result(
        "openeew",
        question="What does an OpenEEW packet cost, and what does the wire add?",
        unit="us per packet; ms",
        n=1,
        seed=arguments.seed,
        **figures,
    )
    show(outcome, as_json=arguments.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
