"""The live path: what the wire adds, how many records a client takes, how long the loop is held up.

``eew seedlink`` runs as a process of its own. First it plays a quake in real time to the whole live
player (client, detector, devices inside the process): *added* is the time from the moment at which
a record is due (its last sample; the link delay is 0) until its packet is in the inbox, *loop* how
much later than asked a task of the event loop is woken while the detector works. Then it sends the
same records as fast as the client takes them: *client* is the CPU of reading and decoding one.
"""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run as a plain script

from benchmarks.common import parser, quantiles, result, show
from eew.app.crowd import open_crowd
from eew.app.live_chain import ready_pipeline
from eew.app.live_player import LivePlayer
from eew.app.options import RunOptions
from eew.app.run import run_places
from eew.app.serve_view import ServiceView
from eew.clock import SystemClock
from eew.core.config import DetectorConfig
from eew.ingest.seedlink import SeedLinkSource
from eew.ingest.seedlink_address import SeedLinkAddress
from eew.model.waveform import Recording
from eew.service.state import ServiceInfo, ServiceState

EVENT = "luding-2022"
PLAY_S = 50.0  # 30 s before the origin and 20 s behind it
ASK_EVERY_S = 0.005


@contextmanager
def server(*args: str) -> Iterator[SeedLinkAddress]:
    """Run ``eew seedlink`` on a free port."""
    command = [sys.executable, "-m", "eew", "seedlink", EVENT, "--port", "0", "--delay", "0"]
    process = subprocess.Popen(
        [*command, "--wait-for-clients", "1", *args], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        line = next(line for line in process.stdout if "SeedLink 3.1" in line)
        port = re.search(r"127\.0\.0\.1:(\d+)", line)
        assert port is not None
        yield SeedLinkAddress(host="127.0.0.1", port=int(port[1]))
    finally:
        process.kill()
        process.wait()


class _Timed(SeedLinkSource):
    """A source that remembers how late each packet was."""

    def __init__(self, address: SeedLinkAddress) -> None:
        super().__init__(address, clock=SystemClock())
        self.added_ms: list[float] = []

    async def packets(self) -> Any:
        async with aclosing(super().packets()) as packets:
            async for packet, arrival_ns in packets:
                self.added_ms.append((arrival_ns - packet.end_ns) / 1e6)
                yield packet, arrival_ns


async def play(address: SeedLinkAddress) -> dict[str, Any]:
    """Follow the server in real time with the whole player."""
    clock, source = SystemClock(), _Timed(address)
    network = await source.open()
    state = ServiceState(
        ServiceInfo(service_id="bench", version="", source="", speed=1.0, status="exercise"), clock
    )
    empty = Recording(
        name="bench",
        stations=network.stations,
        segments=(),
        truth=None,
        problems=(),
        input_sha256={},
    )
    options = RunOptions(broker="none", phones=20, tvs=4)
    places = run_places(empty, options, (), ())
    config = DetectorConfig.load()
    pipeline = await asyncio.to_thread(ready_pipeline, network, config)
    lag_ms: list[float] = []
    async with open_crowd(places, options, run_id="bench", clock=clock) as crowd:
        player = LivePlayer(
            source,
            network,
            pipeline,
            devices=crowd,
            view=ServiceView(state, places.targets, clock),
            state=state,
            clock=clock,
            say=lambda words: None,
        )
        running = asyncio.create_task(player.run())
        began = time.perf_counter()
        while time.perf_counter() - began < PLAY_S:
            asked = time.perf_counter()
            await asyncio.sleep(ASK_EVERY_S)
            lag_ms.append((time.perf_counter() - asked - ASK_EVERY_S) * 1e3)
        running.cancel()
        await asyncio.wait({running})
    await source.close()
    return {
        "stations": len(network.stations),
        "records": len(source.added_ms),
        "messages": state.counts["messages"],
        "added_ms": quantiles(source.added_ms[len(source.added_ms) // 10 :]),
        "loop_ms": quantiles(lag_ms),
    }


async def swallow(address: SeedLinkAddress) -> dict[str, Any]:
    """Take everything the server has, as fast as it comes, and nothing else."""
    source = SeedLinkSource(address, clock=SystemClock())
    await source.open()

    async def read() -> None:
        async with aclosing(source.packets()) as packets:
            async for _ in packets:
                pass

    reading = asyncio.create_task(read())
    marks: list[tuple[int, float, float]] = []  # records, wall and CPU time, s
    while len(marks) < 3 or not marks[-1][0] == marks[-2][0] > 0:
        await asyncio.sleep(0.5)
        marks.append((source.health.n_packets, time.perf_counter(), time.process_time()))
    reading.cancel()
    await asyncio.wait({reading})
    await source.close()
    busy = [mark for mark in marks if 0 < mark[0] < marks[-1][0]]
    n, wall_s, cpu_s = (last - first for first, last in zip(busy[0], busy[-1], strict=True))
    return {
        "records": marks[-1][0],
        "records_per_s_of_the_pair": round(n / wall_s),
        "cpu_us_per_record": round(cpu_s / n * 1e6, 1),
    }


def main() -> None:
    args = parser(__doc__ or "").parse_args()
    with server("--seed", str(args.seed)) as address:
        live = asyncio.run(play(address))
    with server("--seed", str(args.seed), "--speed", "0") as address:
        fast = asyncio.run(swallow(address))
    figures = result(
        "live path",
        question="what does the live path add to a record, and what does a record cost?",
        unit="ms, records/s",
        n=live["records"],
        seed=args.seed,
        live=live,
        client=fast,
    )
    show(figures, as_json=args.json)


if __name__ == "__main__":
    main()
