"""What the SeedLink server adds to a record: from the packet handed in to the bytes at a client.

Open loop: the packets of a computed network leave at the moments of the simulator's own schedule
(stations cut at phases of their own), whether or not the last ones have arrived. The clients run
in another process, read raw bytes and note time and count; which record ended where is worked out
afterwards. Two latencies: from ``put`` (the server has the packet) and from the moment the packet
was due (so that a loop that is late shows too).

Runs: one client, many, many and one that never reads; and the reference, a bare asyncio server
that writes the same bytes at the same moments to as many sockets.

    python -m benchmarks.bench_seedlink --rate 3000 --clients 200 --rounds 3 --json
"""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import selectors
import socket
import time
from array import array
from collections.abc import Callable, Coroutine, Iterable
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import parser, quantiles, result, show
from eew.clock import SystemClock
from eew.model.waveform import (
    Channel,
    Component,
    Packet,
    Recording,
    Segment,
    SensorKind,
    Station,
    StreamId,
)
from simulator.link import LinkDelay
from simulator.schedule import Schedule, Step
from simulator.seedlink import RecordEncoder, RecordRing, SeedLinkServer, ServerLimits, feed

PACKET_S = 0.5
RATE_HZ = 100.0
WARMUP_S = 1.0  # not counted
STALL_S = 3.0
START_NS = 1_662_364_372_000_000_000
_GREETING = {
    3: (b"DATA\r\n", 0),
    4: (b"SLPROTO 4.0\r\nSTATION *\r\nDATA\r\nEND\r\n", len(b"OK\r\n") * 3),
}
Times = NDArray[np.int64]


def network(records_per_s: float, seconds: float, seed: int) -> list[Step]:
    """Return the steps of as many three-component stations as make this rate."""
    rng = np.random.default_rng(seed)
    n_stations = max(1, round(records_per_s * PACKET_S / 3))
    n_samples = round((seconds + WARMUP_S) * RATE_HZ)
    stations, segments = [], []
    for number in range(n_stations):
        code = f"XX.{number:05d}"
        channels = []
        for component, name in zip(Component, ("HNZ", "HNN", "HNE"), strict=True):
            stream = StreamId.parse(f"{code}.00.{name}")
            channel = Channel(
                stream_id=stream,
                component=component,
                kind=SensorKind.ACCELERATION,
                sensitivity=1.0,
                sampling_rate_hz=RATE_HZ,
            )
            channels.append(channel)
            samples = rng.normal(0.0, 300.0, n_samples).astype(np.int32)
            segments.append(
                Segment(
                    stream_id=stream,
                    start_ns=START_NS,
                    sampling_rate_hz=RATE_HZ,
                    samples=samples,
                )
            )
        stations.append(
            Station(code=code, lat=0.0, lon=0.0, elevation_m=0.0, channels=tuple(channels))
        )
    played = Recording(
        name="bench",
        stations=tuple(stations),
        segments=tuple(segments),
        truth=None,
        problems=(),
        input_sha256={},
    )
    schedule = Schedule(played, packet_s=PACKET_S, link=LinkDelay(seed=seed), seed=seed)
    return [step for step in schedule if step.packets]


# ---------------------------------------------------------------- the clients' process
def read_all(port: int, n_clients: int, version: int, parent: Connection) -> None:
    """Connect, read until told to stop, send back who had how many bytes when."""
    chooser = selectors.DefaultSelector()
    greeting, n_reply = _GREETING[version]
    for number in range(n_clients):
        sock = socket.create_connection(("127.0.0.1", port))
        sock.sendall(greeting)
        while n_reply and len(sock.recv(n_reply, socket.MSG_WAITALL)) < n_reply:
            pass
        sock.setblocking(False)
        chooser.register(sock, selectors.EVENT_READ, number)
    chooser.register(parent, selectors.EVENT_READ, None)
    parent.send("ready")
    who, when, total = array("q"), array("q"), array("q")
    totals = [0] * n_clients
    buffer = bytearray(1 << 20)
    cpu_s = time.process_time()
    while True:
        for key, _ in chooser.select():
            if key.data is None:
                cpu_s = time.process_time() - cpu_s
                parent.send((who.tobytes(), when.tobytes(), total.tobytes(), cpu_s))
                return
            n = key.fileobj.recv_into(buffer)  # type: ignore[union-attr]
            when.append(time.perf_counter_ns())
            who.append(key.data)
            totals[key.data] += n
            total.append(totals[key.data])
            if not n:
                chooser.unregister(key.fileobj)


class Readers:
    """The clients' process, seen from here."""

    def __init__(self, port: int, n_clients: int, version: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=read_all, args=(port, n_clients, version, theirs), daemon=True
        )
        self._process.start()
        self._n_clients = n_clients

    async def ready(self) -> None:
        """Wait until all are connected and have asked for data."""
        assert await asyncio.to_thread(self._pipe.recv) == "ready"

    async def stop(self) -> tuple[list[tuple[Times, Times]], float]:
        """Return, for each client, times (ns) and bytes it had by then; and their CPU time."""
        self._pipe.send("stop")
        who, when, total, cpu_s = await asyncio.to_thread(self._pipe.recv)
        await asyncio.to_thread(self._process.join)
        people, times, totals = (np.frombuffer(one, dtype=np.int64) for one in (who, when, total))
        mine = [people == number for number in range(self._n_clients)]
        return [(times[one], totals[one]) for one in mine], cpu_s


# ---------------------------------------------------------------- the two servers
class Notes:
    """When each record was due and put, and where its frame ends."""

    def __init__(self, steps: list[Step]) -> None:
        self._due = iter([step.now_ns - START_NS for step in steps])
        self.began_ns = 0
        self.due_ns, self.put_ns, self.n_bytes = array("q"), array("q"), array("q")

    def add(self, put_ns: int, sizes: Iterable[int]) -> None:
        """Note the records of the next step."""
        due_ns = self.began_ns + next(self._due)
        for size in sizes:
            self.put_ns.append(put_ns)
            self.due_ns.append(due_ns)
            self.n_bytes.append(size)


class NotingServer(SeedLinkServer):
    """Notes when packets come in."""

    def __init__(self, ring: RecordRing, version: int, notes: Notes) -> None:
        super().__init__(
            ring,
            RecordEncoder(),
            clock=SystemClock(),
            port=0,
            limits=ServerLimits(stall_s=STALL_S),
        )
        self.notes, self.version = notes, version

    def put(self, packets: Iterable[Packet], *, shift_ns: int = 0) -> None:
        """Take packets in, as the server does."""
        put_ns = time.perf_counter_ns()
        begin = self.ring.next_seq
        super().put(packets, shift_ns=shift_ns)
        entries = self.ring.between(begin, self.ring.next_seq)
        sizes = [len(one.frame_v3 if self.version == 3 else one.frame_v4) for one in entries]
        self.notes.add(put_ns, sizes)


async def run_server(
    steps: list[Step], n_clients: int, version: int, *, with_slow: bool
) -> dict[str, Any]:
    notes = Notes(steps)
    server = NotingServer(RecordRing(200_000, _streams(steps)), version, notes)
    async with server:
        readers = Readers(server.port, n_clients, version)
        await readers.ready()
        slow = await asyncio.to_thread(_never_read, server.port) if with_slow else None
        await server.until_following(n_clients + with_slow)
        cpu_s = time.process_time()
        notes.began_ns = time.perf_counter_ns()
        await feed(server, steps, clock=SystemClock(), start_ns=START_NS)
        await asyncio.sleep(0.5)
        cpu_s = time.process_time() - cpu_s
        seen, readers_cpu_s = await readers.stop()
        dropped = server.counters.dropped_clients
        if slow is not None:
            slow.close()
    figures = _figures(notes, seen)
    return figures | {
        "clients_dropped": dropped,
        "cpu_server_s": round(cpu_s, 2),
        "cpu_clients_s": round(readers_cpu_s, 2),
    }


def _streams(steps: list[Step]) -> set[StreamId]:
    return {packet.stream_id for step in steps for packet in step.packets}


def _never_read(port: int) -> socket.socket:
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.connect(("127.0.0.1", port))
    sock.sendall(_GREETING[3][0])
    return sock


async def run_reference(steps: list[Step], n_clients: int) -> dict[str, Any]:
    """Write the same frames at the same moments, with nothing in between."""
    notes = Notes(steps)
    writers: list[asyncio.StreamWriter] = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writers.append(writer)

    ring, encoder = RecordRing(10), RecordEncoder()
    pieces = []
    for step in steps:
        records = [record for packet in step.packets for record in encoder.encode(packet)]
        pieces.append([ring.entry(ring.append(record)).frame_v3 for record in records])
    server = await asyncio.start_server(take, "127.0.0.1", 0)
    readers = Readers(server.sockets[0].getsockname()[1], n_clients, 3)
    await readers.ready()
    while True:
        await asyncio.sleep(0.01)
        if len(writers) == n_clients:
            break
    began_ns, cpu_s = time.perf_counter_ns(), time.process_time()
    notes.began_ns = began_ns
    waiting: list[bytes] = []
    for step, following, frames in zip(steps, [*steps[1:], None], pieces, strict=True):
        late_ns = time.perf_counter_ns() - began_ns - (step.now_ns - START_NS)
        if late_ns < 0:
            await asyncio.sleep(-late_ns / 1e9)
        notes.add(time.perf_counter_ns(), map(len, frames))
        waiting += frames
        elapsed_ns = time.perf_counter_ns() - began_ns
        if following is None or following.now_ns - START_NS > elapsed_ns:  # else it goes along
            data = b"".join(waiting)
            waiting.clear()
            for writer in writers:
                writer.write(data)
            await asyncio.sleep(0)
    await asyncio.sleep(0.5)
    cpu_s = time.process_time() - cpu_s
    seen, readers_cpu_s = await readers.stop()
    for writer in writers:
        writer.close()
    server.close()
    await server.wait_closed()
    return _figures(notes, seen) | {
        "cpu_server_s": round(cpu_s, 2),
        "cpu_clients_s": round(readers_cpu_s, 2),
    }


def _figures(notes: Notes, seen: list[tuple[Times, Times]]) -> dict[str, Any]:
    put_ns, due_ns = np.array(notes.put_ns), np.array(notes.due_ns)
    ends = np.cumsum(np.array(notes.n_bytes))
    counted = due_ns >= due_ns[0] + WARMUP_S * 1e9
    from_put, from_due, lost = [], [], 0
    for times, totals in seen:
        # a record is there with the first read that reaches its last byte
        reads = np.searchsorted(totals, ends)
        there = reads < len(totals)
        lost += int((~there).sum())
        use = there & counted
        at_ns = times[reads[use]]
        from_put.append((at_ns - put_ns[use]) / 1e6)
        from_due.append((at_ns - due_ns[use]) / 1e6)
    seconds = (due_ns[-1] - due_ns[0]) / 1e9
    return {
        "clients": len(seen),
        "records_per_s": round(len(put_ns) / seconds),
        "records_read": int(sum(len(one) for one in from_put)),
        "lost": lost,
        "from_put_ms": quantiles(np.concatenate(from_put)),  # type: ignore[arg-type]
        "from_due_ms": quantiles(np.concatenate(from_due)),  # type: ignore[arg-type]
    }


def _middle(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the round with the median p99, and the p99 of each."""
    p99s = [one["from_put_ms"]["p99"] for one in rounds]
    middle = sorted(rounds, key=lambda one: one["from_put_ms"]["p99"])[len(rounds) // 2]
    return middle | {"p99_of_rounds_ms": p99s, "lost": sum(one["lost"] for one in rounds)}


def main() -> None:
    arguments = parser(__doc__ or "")
    arguments.add_argument("--rate", type=float, default=3000.0, help="records/s")
    arguments.add_argument("--clients", type=int, default=200)
    arguments.add_argument("--seconds", type=float, default=5.0, help="of each run")
    arguments.add_argument("--rounds", type=int, default=3)
    asked = arguments.parse_args()
    steps = network(asked.rate, asked.seconds, asked.seed)
    gc.collect()
    gc.freeze()  # as the command does; the steps made beforehand are no part of a server
    many = asked.clients
    kinds: dict[str, Callable[[], Coroutine[Any, Any, dict[str, Any]]]] = {
        "one_client": lambda: run_server(steps, 1, 3, with_slow=False),
        "one_client_v4": lambda: run_server(steps, 1, 4, with_slow=False),
        "one_client_reference": lambda: run_reference(steps, 1),
        "many_clients": lambda: run_server(steps, many, 3, with_slow=False),
        "many_clients_and_a_slow_one": lambda: run_server(steps, many, 3, with_slow=True),
        "many_clients_reference": lambda: run_reference(steps, many),
    }
    rounds: dict[str, list[dict[str, Any]]] = {kind: [] for kind in kinds}
    for _ in range(asked.rounds):  # by turns: what else the machine does falls on all alike
        for kind, run in kinds.items():
            rounds[kind].append(asyncio.run(run()))
    runs = {kind: _middle(found) for kind, found in rounds.items()}
    outcome = result(
        "seedlink",
        question="what does the server add to a record, from put to the client's read?",
        unit="ms",
        n=sum(len(step.packets) for step in steps),
        seed=asked.seed,
        target_p99_ms=5.0,
        **runs,
    )
    show(outcome, as_json=asked.json)


if __name__ == "__main__":
    main()
