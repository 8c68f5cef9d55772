"""The SeedLink server with real clients: EarthScope's seedlink-client, and ObsPy's."""

from __future__ import annotations

import asyncio
import io
import json
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from seedlink_client import AsyncSeedLink

from eew.errors import TransportError
from eew.ingest import stationxml
from eew.model.waveform import Recording
from simulator.seedlink import ServerLimits
from simulator.seedlink.server import SeedLinkServer
from tests.integration.brokers import until
from tests.integration.seedlink_cases import (
    SECONDS,
    SHIFT_NS,
    T0_NS,
    Got,
    check_complete,
    client,
    n_samples,
    new_ring,
    play,
    read,
    recording,
    serving,
)

PLAYED = recording()


# ---------------------------------------------------------------- seedlink-client
@pytest.mark.parametrize("version", [3, 4])
@pytest.mark.parametrize("record_bytes", [512, 128])
async def test_every_sample_comes_once(version: int, record_bytes: int) -> None:
    ring = new_ring(PLAYED, first_seq=2**24 - 100)  # version 3 comes round on the way
    async with serving(ring, record_bytes=record_bytes) as server:
        one, got = client(server, version), Got()
        await one.connect()
        one.set_all_stations()
        await one.negotiate()
        await server.until_following(1)
        await asyncio.gather(play(server, PLAYED), read(one, got, n_samples(PLAYED)))
        check_complete(got, PLAYED)
        assert ring.is_complete
        assert server.counters.refused_commands == 0


@pytest.mark.parametrize("version", [3, 4])
async def test_selectors_and_wildcards(version: int) -> None:
    async with serving(new_ring(PLAYED)) as server:
        await play(server, PLAYED, speed=0.0)
        one, got = client(server, version, dialup=True), Got()
        await one.connect()
        one.add_stream("XX_S0001", "HNZ" if version == 3 else "00_H_N_Z", seqnum=0)
        one.add_stream("XX_S????", "HN? !HNE" if version == 3 else "*_H_N_? !*_E", seqnum=0)
        async for packet in one.collect(reconnect=False):
            got.take(packet)
        await one.close()
    assert set(got.samples) == {
        "XX.S0001.00.HNZ",
        *(f"XX.{code}.00.{name}" for code in ("S0000", "S0002") for name in ("HNZ", "HNN")),
    }


@pytest.mark.parametrize("version", [3, 4])
async def test_coming_back_by_number_loses_nothing_and_doubles_nothing(version: int) -> None:
    """The connection breaks four times in mid-stream; each station goes on from its number."""
    async with serving(new_ring(PLAYED)) as server:
        got, pieces = Got(), 5
        last: dict[str, int] = {}
        playing = asyncio.create_task(play(server, PLAYED, speed=8.0))
        for piece in range(1, pieces + 1):
            one = client(server, version)
            await one.connect()
            for code in ("XX_S0000", "XX_S0001", "XX_S0002", "XX_GNSS"):
                one.add_stream(code, seqnum=last.get(code, 0))
            await read(one, got, n_samples(PLAYED) * piece // pieces)
            last |= {stream.station_id: stream.seqnum for stream in one.streams if stream.seqnum}
            await one.close()
            await asyncio.sleep(0.1)  # data go on meanwhile
        await playing
    check_complete(got, PLAYED)
    assert max(Counter(got.seqs).values()) == 1


@pytest.mark.parametrize("version", [3, 4])
async def test_a_restart_of_the_server_on_the_same_ring(version: int) -> None:
    ring = new_ring(PLAYED)
    async with serving(ring) as server:
        port = server.port
        one, got = client(server, version, reconnect_delay=0.2), Got()
        await one.connect()
        one.set_all_stations(seqnum=0)
        await one.negotiate()
        reading = asyncio.create_task(read(one, got, n_samples(PLAYED), reconnect=True))
        playing = asyncio.create_task(play(server, PLAYED, speed=8.0))
        await until(lambda: got.n_samples > 0)
    assert 0 < got.n_samples < n_samples(PLAYED)
    await asyncio.sleep(0.3)  # nobody listens; the recording plays on into the ring
    async with serving(ring, port=port) as again:
        await asyncio.gather(playing, reading)
        assert again.counters.clients == 1
    check_complete(got, PLAYED)
    assert max(Counter(got.seqs).values()) == 1


@pytest.mark.parametrize("version", [3, 4])
async def test_a_window_of_time(version: int) -> None:
    async with serving(new_ring(PLAYED)) as server:
        one, got = client(server, version), Got()
        await one.connect()
        one.add_stream("XX_S0000", "HNZ" if version == 3 else "*_H_N_Z")
        begin_s = (T0_NS + SHIFT_NS) // 10**9 + 3
        stamp = "%Y-%m-%dT%H:%M:%S"
        one.set_timewindow(*(time.strftime(stamp, time.gmtime(begin_s + t)) for t in (0, 4)))
        playing = asyncio.create_task(play(server, PLAYED))
        async with asyncio.timeout(20.0):
            async for packet in one.collect(reconnect=False):  # ends by itself
                got.take(packet)
        await one.close()
        await playing
    (starts,) = got.starts_ns.values()
    assert begin_s - 0.5 <= starts[0] / 1e9 <= begin_s
    assert begin_s + 3.5 <= starts[-1] / 1e9 < begin_s + 4


@pytest.mark.parametrize("version", [3, 4])
async def test_info_by_a_real_client(version: int) -> None:
    inventory = stationxml(PLAYED)
    async with serving(new_ring(PLAYED), inventory=inventory) as server:
        await play(server, PLAYED, speed=0.0)
        one = client(server, version)
        await one.connect()
        for level in ("ID", "STATIONS", "STREAMS", "GAPS", "CONNECTIONS"):
            document = await one.info_dict(level)
            assert "SeedLink" in json.dumps(document)
        stations = await one.info("STATIONS")
        assert stations.count("XX_S000") == (6 if version == 4 else 3)
        text = await one.info("INVENTORY")
        await one.close()
    if version == 4:
        text = json.loads(text)["inventory"]
    import obspy

    found = obspy.read_inventory(io.BytesIO(text.encode()), format="STATIONXML")
    codes = {f"{net.code}.{sta.code}" for net in found for sta in net}
    assert codes == {one.code for one in (*PLAYED.stations, *PLAYED.gnss)}


# ---------------------------------------------------------------- ObsPy
class _EnoughError(Exception):
    pass


async def test_obspy_gets_every_sample() -> None:
    got = Got()

    def run_obspy(port: int) -> None:
        from obspy.clients.seedlink.easyseedlink import EasySeedLinkClient

        class Reader(EasySeedLinkClient):  # type: ignore[misc]
            def on_data(self, trace: object) -> None:
                name, begin, data = trace.id, trace.stats.starttime, trace.data  # type: ignore[attr-defined]
                got.add(name, begin.ns, np.array(data))
                if got.n_samples >= n_samples(PLAYED):
                    raise _EnoughError  # terminate() works only from another thread

        # its default timeout of None raises TypeError on connecting (ObsPy 1.5.1)
        reader = Reader(f"127.0.0.1:{port}", autoconnect=False)
        reader.conn.timeout = 25.0
        reader.connect()
        assert reader.has_info_capability("STREAMS")
        assert "S0001" in reader.get_info("STATIONS")
        for code in ("S0000", "S0001", "S0002"):
            reader.select_stream("XX", code, "HN?")
        reader.select_stream("XX", "GNSS", "LXZ")
        reader.conn.set_net_timeout(20)
        with pytest.raises(_EnoughError):
            reader.run()
        reader.close()

    async with serving(new_ring(PLAYED)) as server:
        thread = asyncio.create_task(asyncio.to_thread(run_obspy, server.port))
        await server.until_following(1)
        await play(server, PLAYED)
        await thread
    check_complete(got, PLAYED)


# ---------------------------------------------------------------- many, slow and wrong clients
async def test_many_clients_with_different_wishes() -> None:
    async with serving(new_ring(PLAYED)) as server:
        wishes = ["*_H_N_Z", "*_H_N_N", "*_L*", "*"] * 8
        clients = [client(server, 4) for _ in wishes]
        for one, wish in zip(clients, wishes, strict=True):
            await one.connect()
            one.set_all_stations([wish])
            await one.negotiate()
        gots = [Got() for _ in wishes]
        shares = {
            "*_H_N_Z": 300 * SECONDS,
            "*_H_N_N": 300 * SECONDS,
            "*_L*": SECONDS,
            "*": n_samples(PLAYED),
        }
        await asyncio.gather(
            play(server, PLAYED),
            *(
                read(one, got, shares[wish])
                for one, got, wish in zip(clients, gots, wishes, strict=True)
            ),
        )
        for got, wish in zip(gots, wishes, strict=True):
            assert got.n_samples == shares[wish]
        assert server.counters.dropped_clients == 0


def _follow_without_reading(port: int) -> socket.socket:
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.connect(("127.0.0.1", port))
    sock.sendall(b"DATA 1\r\n")
    return sock


async def test_who_does_not_read_is_dropped_and_slows_nobody() -> None:
    many, got = recording(60), Got()
    unread_when_dropped: dict[str, float] = {}

    def say(words: str) -> None:
        if "dropped" in words:
            n_records = server.counters.records_in
            unread_when_dropped[words] = (n_records - len(got.seqs)) / n_records

    async with serving(new_ring(many), limits=ServerLimits(stall_s=0.6), say=say) as server:
        slow = await asyncio.to_thread(_follow_without_reading, server.port)
        one = client(server, 4)
        await one.connect()
        one.set_all_stations()
        await one.negotiate()
        await server.until_following(2)
        await asyncio.gather(play(server, many, speed=4.0), read(one, got, n_samples(many)))
        check_complete(got, many)
        assert server.counters.dropped_clients == 1
        slow.close()
    ((words, unread),) = unread_when_dropped.items()
    assert "has not read for 0.6 s" in words
    # it held up nothing while it was there: the other had gone on reading, as far behind as a busy
    # machine lets it be
    assert unread < 0.9


async def test_who_reads_too_slowly_is_dropped_when_the_ring_has_passed() -> None:
    words: list[str] = []
    many = recording(60)
    async with serving(new_ring(many, capacity=300), say=words.append) as server:
        slow = await asyncio.to_thread(_follow_without_reading, server.port)
        await server.until_following(1)
        await play(server, many, speed=5.0)
        async with asyncio.timeout(5.0):
            while True:
                await asyncio.sleep(0.05)
                if server.counters.dropped_clients:
                    break
        assert [line for line in words if "behind the ring" in line]
        assert server.n_clients == 0
        slow.close()


async def test_noise_on_the_line_is_answered_and_does_no_harm() -> None:
    async with serving(new_ring(PLAYED)) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        noise = np.random.default_rng(1).integers(0, 256, 5000).astype(np.uint8).tobytes()
        writer.write(noise + b"\r\nHELLO\r\n")
        answer = b""
        async with asyncio.timeout(5.0):
            while b"SeedLink v4.0" not in answer:
                answer += await reader.read(4096)
        assert answer.startswith(b"ERROR\r\n")
        assert server.counters.refused_commands > 0
        writer.write(b"BYE\r\n")
        assert await reader.read() == b""  # closed
        writer.close()
        await writer.wait_closed()
        one = client(server, 4)
        assert await one.ping() == ("SeedLink v4.0 (eew-simulator)", "SIMULATION")


async def test_more_clients_than_allowed_are_turned_away() -> None:
    words: list[str] = []
    limits = ServerLimits(max_clients=1)
    async with serving(new_ring(PLAYED), limits=limits, say=words.append) as server:
        first = client(server, 4)
        await first.connect()
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()
        assert server.counters.refused_clients == 1
        await first.info("ID")
        await first.close()


async def test_a_port_in_use_says_so() -> None:
    async with serving(new_ring(PLAYED)) as server:
        with pytest.raises(TransportError, match="in use"):
            async with serving(new_ring(PLAYED), port=server.port):
                pass
        with pytest.raises(TransportError, match="no IP address"):
            await _open(server, "nowhere")


async def _open(like: SeedLinkServer, bind: str) -> None:
    from eew.clock import SystemClock
    from simulator.seedlink import RecordEncoder

    async with SeedLinkServer(like.ring, RecordEncoder(), clock=SystemClock(), bind=bind, port=0):
        pass


# ---------------------------------------------------------------- eew seedlink
def _eew(*arguments: str) -> subprocess.Popen[str]:
    code = "import sys; from eew.cli import main; sys.exit(main())"
    return subprocess.Popen(
        [sys.executable, "-c", code, "seedlink", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from eew.ingest import write_quake_folder

    path = tmp_path_factory.mktemp("seedlink") / "small"
    write_quake_folder(_without_gnss(), path, "made for a test")
    return path


def _without_gnss() -> Recording:
    return replace(PLAYED, gnss=(), gnss_segments=())


async def _first_line(process: subprocess.Popen[str], mark: str) -> str:
    assert process.stderr is not None
    while mark not in (line := await asyncio.to_thread(process.stderr.readline)):
        assert line, "it ended"
    return line


async def test_the_command_from_start_to_ctrl_c(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "stations.xml"
    process = _eew(
        *(str(folder), "--port", "0", "--speed", "20", "--wait-for-clients", "1", "--json"),
        *("--time", "original", "--inventory-out", str(out)),
    )
    line = await _first_line(process, "SeedLink 3.1 and 4.0 on")
    port = int(line.split(" on 127.0.0.1:")[1].split(";")[0])
    one, got = AsyncSeedLink("127.0.0.1", port, timeout=10.0), Got()
    await one.connect()
    await read(one, got, 9 * SECONDS * 100)
    await _first_line(process, "all data sent")
    second = await asyncio.to_thread(_eew, str(folder), "--port", str(port))
    _, problem = await asyncio.to_thread(second.communicate, timeout=30)
    assert second.returncode == 4
    assert "in use" in problem
    process.send_signal(signal.SIGINT)
    result, _ = await asyncio.to_thread(process.communicate, timeout=20)
    assert process.returncode == 0
    totals = json.loads(result)
    assert totals["simulation"] is True
    assert (totals["shift_ns"], totals["is_complete"]) == (0, True)
    assert totals["records"] == totals["records_sent"] == len(got.seqs)
    assert b"<FDSNStationXML" in out.read_bytes()
    played = _without_gnss()
    check_complete(got, played, shift_ns=0)
