"""Data time, the inbox, and what a user can ask of a live source."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import numpy as np
import pytest

from eew.app.data_clock import DataClock
from eew.app.inbox import Inbox
from eew.app.live_source import LiveOptions, open_source
from eew.cli import run
from eew.clock import SystemClock, VirtualClock
from eew.errors import ConfigError, ConnectError, MetadataError
from eew.ingest import stationxml
from eew.ingest.selection import Selection
from eew.ingest.station_files import metadata_from_path, metadata_from_url
from eew.model.waveform import Packet, StreamId
from tests.unit.run_example import recording

S = 1_000_000_000
WALL_NS = 1_790_000_000 * S


def packet(end_ns: int, station: str = "A") -> Packet:
    return Packet(
        stream_id=StreamId("CI", station, "", "HNZ"),
        start_ns=end_ns - S,
        sampling_rate_hz=100.0,
        samples=np.zeros(100, dtype=np.int32),
    )


# ---------------------------------------------------------------- data time
async def test_live_data_go_by_the_wall_clock_after_the_first_second() -> None:
    clock = VirtualClock(WALL_NS)
    data = DataClock(clock)
    assert not data.is_settled()
    assert data.waits_for == "waiting for data"
    data.hear(packet(WALL_NS - S), WALL_NS)
    data.hear(packet(WALL_NS - 3 * S, "B"), WALL_NS + 1)
    assert not data.is_settled()
    await clock.advance_to(WALL_NS + S)
    assert data.is_settled()
    assert (data.offset_s, data.waits_for) == (0.0, "")
    assert data.now_ns() == WALL_NS + S
    assert data.first_sample_ns == WALL_NS - 4 * S


async def test_old_data_go_by_a_constant_apart_from_the_wall_clock() -> None:
    clock = VirtualClock(WALL_NS)
    data = DataClock(clock)
    year_ns = 365 * 86_400 * S
    for n in range(40):
        now_ns = WALL_NS + n * S // 10
        await clock.advance_to(now_ns)
        late_ns = S // 5 if n % 2 else S // 2  # two stations with different links
        data.hear(packet(now_ns - year_ns - late_ns), now_ns)
        if data.is_settled():
            break
    assert n == 20
    assert data.offset_s == pytest.approx(-365 * 86_400 - 0.2)
    await clock.advance_to(WALL_NS + 5 * S)
    data.hear(packet(WALL_NS), WALL_NS)  # too late to change anything
    assert data.now_ns() == WALL_NS + 5 * S - year_ns - S // 5
    assert data.wall_ns(data.now_ns()) == clock.utc_ns()


async def test_a_server_that_catches_up_is_waited_for() -> None:
    """Ten minutes of old data at 20 times their speed: live in the end."""
    clock = VirtualClock(WALL_NS)
    data = DataClock(clock)
    old_ns = 600 * S
    for n in range(600):
        now_ns = WALL_NS + n * S // 20
        await clock.advance_to(now_ns)
        age_ns = max(0, old_ns - n * S)
        data.hear(packet(now_ns - age_ns), now_ns)
        if data.is_settled():
            break
        assert "waiting" in data.waits_for
    assert data.offset_s == 0.0
    assert n >= 540


async def test_data_time_stands_still_where_the_wall_clock_is_set_back() -> None:
    class Set(VirtualClock):
        back_ns = 0

        def utc_ns(self) -> int:
            return super().utc_ns() - self.back_ns

    clock = Set(WALL_NS)
    data = DataClock(clock)
    data.hear(packet(WALL_NS), WALL_NS)
    await clock.advance_to(WALL_NS + 2 * S)
    assert data.is_settled()
    assert data.now_ns() == WALL_NS + 2 * S
    clock.back_ns = S
    assert data.now_ns() == WALL_NS + 2 * S
    await clock.advance_to(WALL_NS + 4 * S)
    assert data.now_ns() == WALL_NS + 3 * S


def test_there_is_no_data_time_before_data() -> None:
    with pytest.raises(RuntimeError, match="no data time yet"):
        DataClock(SystemClock()).now_ns()


# ---------------------------------------------------------------- inbox
async def test_the_inbox_gives_everything_in_order_and_then_nothing() -> None:
    inbox = Inbox(lambda _: pytest.fail("nothing is thrown away"))
    packets = [packet(n * S) for n in range(5)]
    for n, one in enumerate(packets):
        inbox.put(one, n)
    await inbox.wait(10.0)
    assert inbox.take(arrived_by_ns=1) == packets[:2]
    await inbox.wait(10.0)
    assert inbox.take() == packets[2:]
    assert inbox.take() == []
    await inbox.wait(0.0)
    waiting = asyncio.create_task(inbox.wait(10.0))
    await asyncio.sleep(0)
    inbox.put(packets[0], 0)
    await asyncio.wait_for(waiting, 10.0)
    inbox.close()
    assert not inbox.is_over
    assert inbox.take() == packets[:1]
    assert inbox.is_over


def test_the_oldest_give_way() -> None:
    gone: list[Packet] = []
    inbox = Inbox(gone.append, capacity=3)
    packets = [packet(n * S) for n in range(5)]
    for one in packets:
        inbox.put(one, 0)
    assert gone == packets[:2]
    assert inbox.take() == packets[2:]


# ---------------------------------------------------------------- the user's words
@pytest.mark.parametrize(
    ("args", "words"),
    [
        ((), "exactly one of them says where the data come from, neither was given"),
        (("--replay", "luding-2022", "--source", "slink://x"), "both were given"),
        (("--source", "slink://x", "--speed", "2"), "--speed: belongs to --replay"),
        (("--source", "slink://x", "--packet", "1"), "--packet: belongs to --replay"),
        (("--source", "slink://x", "--delay", "0"), "--delay: belongs to --replay"),
        (("--source", "slink://x", "--once"), "--once: belongs to --replay"),
        (("--replay", "luding-2022", "--state", "x"), "--state: belongs to --source"),
        (("--replay", "luding-2022", "--select", "A_B"), "--select: belongs to --source"),
        (("--source", "http://x"), "no source is called 'http'"),
        (("--source", "slink://"), "names no host"),
        (("--source", "slink://x", "--select", "X"), "'X' is no NET_STA"),
        (("--source", "slink://x", "--inventory", "nowhere"), "called 'nowhere'"),
        (("--source", "slink://x", "--state", "/nowhere/at/all"), "no folder /nowhere/at"),
        (("--source", "slink://x", "--silent-after", "0.1"), "must be 1 to 3600 s, was 0.1"),
        (("--source", "slink://x", "--reconnect-after", "1e9"), "must be 1 to 3600 s"),
    ],
)
def test_a_wrong_word_is_named_before_anything_is_started(
    capsys: pytest.CaptureFixture[str], args: tuple[str, ...], words: str
) -> None:
    assert run(("serve", "--port", "0", *args)) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert words in shown.err
    assert shown.err.count("\n") == 1


def test_a_source_is_named_without_its_password() -> None:
    source = open_source("slink://me:secret@h:1", LiveOptions(), SystemClock())
    assert source.name == "slink://h:1"
    with pytest.raises(ConfigError) as caught:
        open_source("carrier://me:secret@h", LiveOptions(), SystemClock())
    assert "secret" not in str(caught.value)


# ---------------------------------------------------------------- metadata
QUAKE = recording(2)
DOCUMENT = stationxml(QUAKE)
STREAMS = sorted(c.stream_id for s in QUAKE.stations for c in s.channels)


def test_a_file_and_a_folder_of_stationxml(tmp_path: Path) -> None:
    file = tmp_path / "stations.xml"
    with pytest.raises(MetadataError, match="no StationXML"):
        metadata_from_path(tmp_path)
    file.write_bytes(DOCUMENT)
    (tmp_path / "event.xml").write_text("<quakeml/>")
    assert metadata_from_path(file).streams() == STREAMS
    assert metadata_from_path(tmp_path).streams() == STREAMS
    with pytest.raises(MetadataError, match=r"event.xml: not readable as StationXML"):
        metadata_from_path(tmp_path / "event.xml")


class Fdsnws(BaseHTTPRequestHandler):
    """Answers as fdsnws-station does: 200 with a document, 204, or an error."""

    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        status = 204 if "XX" in self.path else 413 if "all" in self.path else 200
        self.send_response(status)
        self.end_headers()
        if status == 200:
            self.wfile.write(DOCUMENT)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def service() -> Iterator[tuple[str, list[str]]]:
    """Return the address of a service and what it was asked."""
    asked: list[str] = []
    handler = type("Handler", (Fdsnws,), {"asked": asked})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()


def test_a_url_is_asked_for_what_is_selected(service: tuple[str, list[str]]) -> None:
    url, asked = service
    metadata = metadata_from_url(url, Selection.parse(["CI_W*:HNZ", "XX_*"]))
    assert metadata.streams() == STREAMS
    assert asked == [
        "/fdsnws/station/1/query?level=response&format=xml&network=CI&station=W*",
        "/fdsnws/station/1/query?level=response&format=xml&network=XX&station=*",
    ]
    asked.clear()
    query = f"{url}/fdsnws/station/1/query?net=CI&level=channel"
    assert metadata_from_url(query, Selection.parse(["XX_*"])).streams() == STREAMS
    assert asked == ["/fdsnws/station/1/query?net=CI&level=channel"]


def test_a_service_that_refuses_or_has_nothing_is_named(service: tuple[str, list[str]]) -> None:
    url, _ = service
    with pytest.raises(MetadataError, match="has no such stations"):
        metadata_from_url(url, Selection.parse(["XX_A"]))
    with pytest.raises(MetadataError, match="the service answers 413"):
        metadata_from_url(f"{url}/query?all=1", Selection())
    with pytest.raises(ConnectError, match=r"no metadata from there: .*refused"):
        metadata_from_url("http://127.0.0.1:9/query", Selection())
