"""The SeedLink client against the project's own server: restarts, damage, silence."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from eew.clock import SystemClock
from eew.errors import ConfigError, ConnectError, DataError
from eew.ingest import seedlink, stationxml
from eew.ingest.inventory import Metadata, read_stationxml
from eew.ingest.seedlink import SeedLinkSource
from eew.ingest.seedlink_address import SeedLinkAddress
from eew.ingest.selection import Selection
from eew.model.waveform import Packet, Recording, StreamId
from simulator.packets import cut_station
from simulator.seedlink import RecordEncoder, RecordRing, SeedLinkServer
from tests.unit.run_example import recording

CLOCK = SystemClock()
QUAKE = recording(4)
EACH_S = 0.002  # of wall time between two groups of packets
Key = tuple[StreamId, int]


def packets_of(quake: Recording) -> list[tuple[Packet, ...]]:
    """Cut a recording into groups of packets, in the order of their ends."""
    groups = []
    for station in quake.stations:
        mine = [s for s in quake.segments if s.stream_id.station_code == station.code]
        groups += list(cut_station(mine, anchor_ns=quake.start_ns, packet_ns=500_000_000))
    groups.sort(key=lambda group: group.end_ns)
    return [group.packets for group in groups]


GROUPS = packets_of(QUAKE)
KEYS = [(p.stream_id, p.start_ns) for group in GROUPS for p in group]


class Wire:
    """A ring that outlives the servers on it, as that of a server which keeps its ring on disk."""

    def __init__(self) -> None:
        streams = [c.stream_id for s in QUAKE.stations for c in s.channels]
        self.ring = RecordRing(100_000, streams)
        self.encoder = RecordEncoder()
        self.inventory: bytes | None = stationxml(QUAKE)
        self.server: SeedLinkServer | None = None
        self.port = 0

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        server = SeedLinkServer(
            self.ring, self.encoder, clock=CLOCK, port=self.port, inventory=self.inventory
        )
        async with server:
            self.server, self.port = server, server.port
            yield
            self.server = None

    def put(self, packets: Sequence[Packet]) -> None:
        for packet in packets:
            for record in self.encoder.encode(packet):
                self.ring.append(record)
        if self.server is not None:
            self.server.wake()

    async def feed(self, groups: Sequence[tuple[Packet, ...]]) -> None:
        for group in groups:
            self.put(group)
            await asyncio.sleep(EACH_S)

    def source(self, *, protocol: int = 4, **settings: object) -> SeedLinkSource:
        address = SeedLinkAddress.parse(f"slink://127.0.0.1:{self.port}?protocol={protocol}")
        return SeedLinkSource(address, clock=CLOCK, **settings)  # type: ignore[arg-type]


async def collect(source: SeedLinkSource, into: list[Packet], until: int | None = None) -> None:
    async with aclosing(source.packets()) as packets:
        async for packet, _ in packets:
            into.append(packet)
            if len(into) == until:
                return


def keys(packets: Sequence[Packet]) -> list[Key]:
    return [(packet.stream_id, packet.start_ns) for packet in packets]


def assert_all_once_in_order(got: Sequence[Packet], expected: Sequence[Key]) -> None:
    assert sorted(keys(got)) == sorted(expected)  # a list: neither lost nor doubled
    for stream_id in {key[0] for key in expected}:
        mine = [p.start_ns for p in got if p.stream_id == stream_id]
        assert mine == sorted(mine)


@pytest.fixture(params=[4, 3])
def protocol(request: pytest.FixtureRequest) -> int:
    number: int = request.param
    return number


async def test_samples_and_stations_come_as_they_were_recorded(protocol: int) -> None:
    wire = Wire()
    async with wire.serving():
        source = wire.source(protocol=protocol)
        network = await source.open()
        got: list[Packet] = []
        reading = asyncio.create_task(collect(source, got, until=len(KEYS)))
        await until_connected(source)
        await wire.feed(GROUPS)
        await asyncio.wait_for(reading, 20.0)
        await source.close()
    assert_all_once_in_order(got, KEYS)
    sent = {(p.stream_id, p.start_ns): p for group in GROUPS for p in group}
    for packet in got:
        np.testing.assert_array_equal(
            packet.samples, sent[packet.stream_id, packet.start_ns].samples
        )
        assert packet.samples.flags.owndata
    assert [s.code for s in network.stations] == [s.code for s in QUAKE.stations]
    for ours, theirs in zip(network.stations, QUAKE.stations, strict=True):
        assert ours == theirs
    assert source.health.dropped == {}


@pytest.mark.parametrize("outage_s", [0.5, pytest.param(5.0, marks=pytest.mark.slow)])
async def test_no_packet_is_lost_or_doubled_over_a_restart_of_the_server(
    protocol: int, outage_s: float
) -> None:
    wire = Wire()
    half = len(GROUPS) // 2
    got: list[Packet] = []
    async with wire.serving():
        source = wire.source(protocol=protocol)
        await source.open()
        reading = asyncio.create_task(collect(source, got, until=len(KEYS)))
        await until_connected(source)
        await wire.feed(GROUPS[:half])
    for group in GROUPS[half : half + half // 2]:  # the network goes on measuring
        wire.put(group)
    await asyncio.sleep(outage_s)
    assert not source.health.is_connected
    assert source.health.reason.endswith("trying again")
    async with wire.serving():
        await wire.feed(GROUPS[half + half // 2 :])
        await asyncio.wait_for(reading, 30.0)
        await source.close()
    assert_all_once_in_order(got, KEYS)
    assert source.health.reconnects == 1
    assert source.health.dropped == {}


async def test_a_station_that_was_silent_before_the_restart_loses_nothing_either(
    protocol: int,
) -> None:
    wire = Wire()
    code = QUAKE.stations[0].code
    early = [group for group in GROUPS if group[0].stream_id.station_code != code]
    late = [group for group in GROUPS if group[0].stream_id.station_code == code]
    got: list[Packet] = []
    async with wire.serving():
        source = wire.source(protocol=protocol)
        await source.open()
        reading = asyncio.create_task(collect(source, got, until=len(KEYS)))
        await until_connected(source)
        await wire.feed(early)
    for group in late:
        wire.put(group)
    async with wire.serving():
        await asyncio.wait_for(reading, 30.0)
        await source.close()
    assert_all_once_in_order(got, KEYS)


async def test_a_client_goes_on_where_its_state_file_says(protocol: int, tmp_path: Path) -> None:
    wire = Wire()
    state = tmp_path / "slink.state"
    third = len(GROUPS) // 3
    first: list[Packet] = []
    second: list[Packet] = []
    async with wire.serving():
        source = wire.source(protocol=protocol, state=state)
        await source.open()
        reading = asyncio.create_task(collect(source, first))
        await until_connected(source)
        await wire.feed(GROUPS[:third])
        await asyncio.sleep(0.1)
        reading.cancel()
        await asyncio.wait({reading})
        await source.close()
        saved = state.read_text()
        assert saved.startswith("#V2")
        assert all(s.code.replace(".", "_") in saved for s in QUAKE.stations)

        await wire.feed(GROUPS[third:-3])  # nobody listens
        source = wire.source(protocol=protocol, state=state)
        await source.open()
        reading = asyncio.create_task(collect(source, second, until=len(KEYS) - len(first)))
        await until_connected(source)
        await wire.feed(GROUPS[-3:])
        await asyncio.wait_for(reading, 20.0)
        await source.close()
    assert first
    assert_all_once_in_order([*first, *second], KEYS)


async def test_a_server_that_sends_again_what_we_have_is_no_double() -> None:
    """A server that has lost its numbers sends all of its ring again."""
    wire = Wire()
    got: list[Packet] = []
    async with wire.serving():
        source = wire.source()
        await source.open()
        reading = asyncio.create_task(collect(source, got, until=len(KEYS)))
        await until_connected(source)
        await wire.feed(GROUPS[:-2])
    streams = [c.stream_id for s in QUAKE.stations for c in s.channels]
    wire.ring = RecordRing(100_000, streams)  # begins to count at 1
    for group in GROUPS:
        wire.put(group)
    connection = source._connection
    assert connection is not None
    async with wire.serving():
        for stream in connection.streams:
            stream.seqnum = 0  # as a server does that gives everything it has
        await asyncio.wait_for(reading, 30.0)
        await source.close()
    assert_all_once_in_order(got, KEYS)
    assert source.health.dropped["duplicate"] == len(KEYS) - sum(map(len, GROUPS[-2:]))


async def test_damaged_records_are_set_aside_and_the_rest_goes_on(protocol: int) -> None:
    wire = Wire()
    noise = np.random.default_rng(5).integers(0, 256, 512, dtype=np.uint8).tobytes()
    got: list[Packet] = []
    damaged = 0
    async with wire.serving():
        source = wire.source(protocol=protocol)
        await source.open()
        reading = asyncio.create_task(collect(source, got, until=len(KEYS)))
        await until_connected(source)
        for n, group in enumerate(GROUPS):
            if n % 7 == 3:
                (record, *_) = wire.encoder.encode(group[0])
                header = record.mseed2[:48] + noise[48:]
                bad2 = noise if n % 2 else header
                wire.ring.append(replace(record, mseed2=bad2, mseed3=noise[:200]))
                damaged += 1
            await wire.feed([group])
        await asyncio.wait_for(reading, 20.0)
        await source.close()
    assert_all_once_in_order(got, KEYS)
    assert damaged > 3
    assert source.health.dropped == {"unreadable": damaged}
    assert source.health.reconnects == 0
    assert sum(p.count for p in source.health.problems()) == damaged


async def test_selected_streams_only_and_no_metadata_is_a_problem_not_an_end() -> None:
    wire = Wire()
    kept = QUAKE.stations[1]
    without = replace(QUAKE, stations=QUAKE.stations[1:])
    inventory, _ = read_stationxml(stationxml(without), name="without the first")
    network, station = kept.code.split(".")
    async with wire.serving():
        wire.put(GROUPS[0])
        for group in GROUPS[1:12]:
            wire.put(group)
        source = wire.source(metadata=lambda: Metadata([inventory]))
        known = await source.open()
        assert [s.code for s in known.stations] == [s.code for s in without.stations]
        first = QUAKE.stations[0].code
        assert {p.where.rsplit(".", 2)[0] for p in known.problems if p.kind == "no_metadata"} == {
            first
        }
        await source.close()

        source = wire.source(selection=Selection.parse([f"{network}_{station}:??Z"]))
        known = await source.open()
        assert [str(c.stream_id)[-1] for s in known.stations for c in s.channels] == ["Z"]
        got: list[Packet] = []
        reading = asyncio.create_task(collect(source, got))
        await until_connected(source)
        await wire.feed(GROUPS[12:])
        await asyncio.sleep(0.2)
        reading.cancel()
        await asyncio.wait({reading})
        await source.close()
        assert got
        assert {p.stream_id for p in got} == {known.stations[0].channels[0].stream_id}

        source = wire.source(selection=Selection.parse(["ZZ_*"]))
        with pytest.raises(DataError, match="no stream matches ZZ"):
            await source.open()


async def test_a_server_without_inventory_says_what_is_needed() -> None:
    wire = Wire()
    wire.inventory = None
    async with wire.serving():
        source = wire.source()
        with pytest.raises(ConfigError, match="--inventory: needed"):
            await source.open()
        await source.close()


async def test_nobody_there_is_an_error_at_the_start(tmp_path: Path) -> None:
    source = SeedLinkSource(SeedLinkAddress.parse("slink://127.0.0.1:9"), clock=CLOCK)
    with pytest.raises(ConnectError, match=r"^slink://127\.0\.0\.1:9: connection refused$"):
        await source.open()
    await source.close()


async def test_a_server_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seedlink, "_CONNECT_TIMEOUT_S", 0.3)
    done = asyncio.Event()

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await done.wait()
        writer.close()

    silent = await asyncio.start_server(mute, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    source = SeedLinkSource(SeedLinkAddress.parse(f"slink://127.0.0.1:{port}"), clock=CLOCK)
    with pytest.raises(ConnectError, match=r"no SeedLink answer within 0\.3 s"):
        await source.open()
    done.set()
    silent.close()
    await silent.wait_closed()


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"#V2\nnonsense\n"])
async def test_a_state_file_is_read_or_refused_by_name(content: bytes, tmp_path: Path) -> None:
    state = tmp_path / "slink.state"
    state.write_bytes(content)
    wire = Wire()
    async with wire.serving():
        source = wire.source(state=state)
        if content.startswith(b"#V2"):  # lines that make no sense are left out
            await source.open()
        else:
            with pytest.raises(ConfigError, match=r"^--state: .*slink\.state: "):
                await source.open()
        await source.close()


async def test_a_connection_on_which_nothing_comes_is_made_anew() -> None:
    wire = Wire()
    async with wire.serving():
        source = wire.source(idle_s=0.4)
        await source.open()
        got: list[Packet] = []
        reading = asyncio.create_task(collect(source, got, until=len(GROUPS[0])))
        await until(lambda: source.health.restarts >= 2)
        await wire.feed(GROUPS[:1])
        await asyncio.wait_for(reading, 20.0)
        await source.close()
    assert source.health.restarts >= 2
    assert source.health.reconnects >= 2
    assert keys(got) == [(p.stream_id, p.start_ns) for p in GROUPS[0]]


async def test_bytes_of_no_protocol_lose_the_connection_and_nothing_else() -> None:
    """Every answer is noise: the client tries again for as long as it is asked to."""
    rng = np.random.default_rng(8)
    n_connections = 0

    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal n_connections
        n_connections += 1
        writer.write(rng.integers(0, 256, 3000, dtype=np.uint8).tobytes() + b"\r\n\r\n")
        writer.close()

    wire = Wire()
    async with wire.serving():
        source = wire.source()
        await source.open()
    noise = await asyncio.start_server(babble, "127.0.0.1", wire.port)
    got: list[Packet] = []
    reading = asyncio.create_task(collect(source, got))
    await until(lambda: n_connections >= 4)
    assert not reading.done()
    noise.close()
    await noise.wait_closed()
    async with wire.serving():
        await until_connected(source)
        await wire.feed(GROUPS[:3])
        await until(lambda: len(got) == sum(map(len, GROUPS[:3])))
        reading.cancel()
        await asyncio.wait({reading})
        await source.close()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20.0):
        while not holds():  # noqa: ASYNC110  # what is waited for has no event
            await asyncio.sleep(0.01)


async def until_connected(source: SeedLinkSource) -> None:
    await until(lambda: source.health.is_connected)
    await asyncio.sleep(0.05)  # END has been sent; the server has to act on it
