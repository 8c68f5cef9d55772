"""What ``eew seedlink`` does: a recording on the field's own wire, as if it were live."""

from __future__ import annotations

import asyncio
import gc
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from eew import __version__
from eew.app.arriving import arriving_steps, make_schedule
from eew.app.options import RunOptions
from eew.app.source import Source, event_name, load_source
from eew.clock import NS_PER_S, Clock
from eew.errors import ConfigError
from eew.ingest import stationxml
from eew.interrupt import StopRequest, stop_on_signals, unless_stopped
from eew.model.waveform import Recording
from eew.ports import take_port
from simulator.seedlink.feed import feed, shift_to
from simulator.seedlink.limits import ServerLimits
from simulator.seedlink.records import RECORD_BYTES, RecordEncoder
from simulator.seedlink.ring import LARGEST_RING, RecordRing
from simulator.seedlink.server import SeedLinkServer

__all__ = ["SeedLinkOptions", "SeedLinkResult", "serve_seedlink"]

Say = Callable[[str], None]
_REPORT_EVERY_NS = 30 * NS_PER_S


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedLinkOptions:
    """What the user can choose; see ``eew seedlink --help``.

    Attributes
    ----------
    run : RunOptions
        Seed, speed, packets, link delays and end, with the meaning they have in a replay.
    times : str
        ``now`` moves the times of the records so that the recording starts now; ``original``
        leaves them.
    ring : int
        Records that are kept for clients that come back.
    wait_for_clients : int
        The recording starts when so many clients follow; 0 starts at once.
    """

    run: RunOptions = field(default_factory=lambda: RunOptions(speed=1.0))
    record_bytes: int = 512
    times: str = "now"
    ring: int = 100_000
    wait_for_clients: int = 0
    bind: str = "127.0.0.1"
    port: int = 18000
    once: bool = False
    inventory_out: Path | None = None
    stall_s: float = 10.0

    def __post_init__(self) -> None:
        if self.times not in ("now", "original"):
            raise ConfigError("--time", f"must be now or original, was {self.times!r}")
        if self.wait_for_clients < 0:
            raise ConfigError("--wait-for-clients", f"must be >= 0, was {self.wait_for_clients}")
        if not self.stall_s > 0.0:
            raise ConfigError("--stall", f"must be > 0 s, was {self.stall_s!r}")
        if self.record_bytes not in RECORD_BYTES:
            raise ConfigError("--record-bytes", f"must be 512, 256 or 128, was {self.record_bytes}")
        if not 1 <= self.ring <= LARGEST_RING:
            raise ConfigError("--ring", f"must be 1 to {LARGEST_RING} records, was {self.ring}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedLinkResult:
    """What was done by the end."""

    event: str
    is_complete: bool = False
    records: int = 0
    records_sent: int = 0
    clients: int = 0
    dropped_clients: int = 0
    refused_commands: int = 0
    packets_left_out: int = 0
    shift_ns: int = 0


def serve_seedlink(
    event: str, options: SeedLinkOptions, *, say: Say, clock: Clock
) -> SeedLinkResult:
    """Serve ``event`` until a signal, or with ``once`` until all clients have read it.

    Raises
    ------
    ConfigError
        If event or options cannot be used.
    DataError
        If the data cannot be used.
    TransportError
        If the port is taken.
    """
    event_name(event)  # an unknown one is said at once, and so is a port in use
    with take_port(options.bind, options.port) as sock:
        return asyncio.run(_serve(event, options, sock, say, clock))


async def _serve(
    event: str, options: SeedLinkOptions, sock: socket.socket, say: Say, clock: Clock
) -> SeedLinkResult:
    say(f"SIMULATION: reading {event}")
    with stop_on_signals() as stop:
        # in a thread: computing a quake takes seconds, and signals have to be heard meanwhile
        read = await unless_stopped(asyncio.to_thread(_read, event, options), stop)
        if read is None:
            return SeedLinkResult(event=event)
        source, inventory = read
        # what has been read and imported stays: the garbage collector need not go through it
        # again while records wait (0.1 s each time)
        gc.collect()
        gc.freeze()
        ring = _new_ring(source.recording, options, clock)
        server = SeedLinkServer(
            ring,
            RecordEncoder(options.record_bytes),
            clock=clock,
            sock=sock,
            inventory=inventory,
            limits=ServerLimits(stall_s=options.stall_s),
            software=f"eew-simulator {__version__}",
            organization=f"SIMULATION {source.title}",
            say=say,
        )
        played = _Played()
        async with server:
            _announce(source, server, options, say)
            await unless_stopped(_play(source, server, options, say, clock, played), stop)
            if ring.is_complete:
                await _go_on(server, options, say, stop)
    counters = server.counters
    return SeedLinkResult(
        event=source.recording.name,
        is_complete=ring.is_complete,
        records=counters.records_in,
        records_sent=counters.records_sent,
        clients=counters.clients,
        dropped_clients=counters.dropped_clients,
        refused_commands=counters.refused_commands,
        packets_left_out=counters.packets_left_out,
        shift_ns=played.shift_ns,
    )


def _read(event: str, options: SeedLinkOptions) -> tuple[Source, bytes]:
    source = load_source(event, seed=options.run.seed)
    inventory = stationxml(source.recording)
    if options.inventory_out is not None:
        _write(options.inventory_out, inventory)
    return source, inventory


async def _go_on(
    server: SeedLinkServer, options: SeedLinkOptions, say: Say, stop: StopRequest
) -> None:
    """Serve what there is: until it is read, or until somebody asks to stop."""
    n_records = server.counters.records_in
    if options.once:
        await unless_stopped(server.drained(), stop)
    else:
        say(f"all data sent: {n_records} records; still serving them; Ctrl-C ends")
        await stop.wait()


@dataclass(slots=True)
class _Played:
    """What is known also of a run that was stopped."""

    shift_ns: int = 0


async def _play(
    source: Source,
    server: SeedLinkServer,
    options: SeedLinkOptions,
    say: Say,
    clock: Clock,
    played: _Played,
) -> None:
    """Play the recording into the server."""
    recording = source.recording
    run = options.run.with_script(source.script, source.zero)
    schedule = make_schedule(recording, run)
    if options.wait_for_clients:
        say(f"waiting for {options.wait_for_clients} client(s)")
        await server.until_following(options.wait_for_clients)
    start_ns = schedule.start_ns
    now_ns = clock.utc_ns()
    shift_ns = shift_to(now_ns, start_ns) if options.times == "now" else 0
    # what is shifted begins when its own times say so, less than a second from now
    begins_ns = start_ns + shift_ns if options.times == "now" else now_ns
    played.shift_ns = shift_ns
    say(f"started; times of the records are the original ones plus {shift_ns} ns")
    reported_ns = start_ns

    def on_step(now_ns: int) -> None:
        nonlocal reported_ns
        if now_ns - reported_ns >= _REPORT_EVERY_NS:
            reported_ns = now_ns
            done_s = (now_ns - start_ns) / NS_PER_S
            total_s = (recording.end_ns - start_ns) / NS_PER_S
            say(
                f"{done_s:.0f} of {total_s:.0f} s, {server.counters.records_in} records, "
                f"{server.n_following} clients follow, "
                f"{server.counters.dropped_clients} dropped"
            )

    await feed(
        server,
        arriving_steps(schedule, recording, run),
        clock=clock,
        start_ns=start_ns,
        begins_ns=begins_ns,
        shift_ns=shift_ns,
        speed=options.run.speed,
        on_step=on_step,
    )


def _new_ring(recording: Recording, options: SeedLinkOptions, clock: Clock) -> RecordRing:
    streams = [
        channel.stream_id
        for station in (*recording.stations, *recording.gnss)
        for channel in station.channels
    ]
    # Numbers of a later run are higher (there are fewer than a million records in a second), so
    # that a client that comes back is not taken for one that has them already.
    first_seq = clock.utc_ns() // 1000 if options.times == "now" else 1
    return RecordRing(options.ring, streams, first_seq=first_seq)


def _announce(source: Source, server: SeedLinkServer, options: SeedLinkOptions, say: Say) -> None:
    recording = source.recording
    n_streams = len(server.ring.streams)
    seconds = (recording.end_ns - recording.start_ns) / NS_PER_S
    say(
        f"SIMULATION: {source.title}, SeedLink 3.1 and 4.0 on {server.address}; "
        f"{len(server.ring.station_ids())} stations, {n_streams} streams, {seconds:.0f} s"
    )
    if options.bind not in ("127.0.0.1", "localhost", "::1"):
        say(f"anyone who reaches {options.bind} can read it: there is no password and no TLS")


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise ConfigError(str(path), f"cannot be written: {error.strerror}") from error
